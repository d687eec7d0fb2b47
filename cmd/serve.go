package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"entrepot/access"
	"entrepot/server"
)

func newServe(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve packages, the API and the web pages",
		Long: `Serve packages, the API and the web pages until SIGTERM or SIGINT; then let
running requests finish and stop.

While there is no account yet, a link is printed that creates the first
administrator. /readyz answers 200 as soon as requests are served.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.serve(cmd) },
	}
	c.serveFlags(cmd)
	return cmd
}

func (c *cli) serve(cmd *cobra.Command) (err error) {
	config, err := c.load(cmd)
	if err != nil {
		return err
	}
	log := server.NewLogger(config.Log, cmd.ErrOrStderr())
	ctx := cmd.Context()
	// The port first: a second start on it must not touch the data.
	l, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return err
	}
	s, err := server.New(access.SystemContext(ctx), config, log)
	if err != nil {
		l.Close()
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	url := config.URL
	if url == "" {
		url = localURL(l.Addr())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Entrepot serves on %s\n", url)
	needed, err := s.Auth().NeedsSetup(ctx)
	if err != nil {
		return err
	}
	if needed {
		token, err := s.Auth().NewSetupToken(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "\nOpen this link once to create the first administrator:\n\n    %s/setup/%s\n\n", strings.TrimSuffix(url, "/"), token)
	}
	return s.Serve(ctx, l)
}

// localURL is how this machine reaches the listener.
func localURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
