// Package cmd is the command line: serve, and the administration of accounts,
// organizations, tokens, storage and configuration. Every command reads the
// same configuration (config.go), and all work while a server runs on the same
// data.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"entrepot/access"
	"entrepot/server"
)

// errFindings makes doctor exit with 1 without a message of its own.
var errFindings = errors.New("findings")

// Main runs the command line and returns the exit status: 0 for success, 1
// for failure or findings, 2 for a command line that cannot be understood.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFindings):
		return 1
	}
	fmt.Fprintln(stderr, "entrepot:", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func newRoot() *cobra.Command {
	c := &cli{}
	root := &cobra.Command{
		Use:   "entrepot",
		Short: "A universal package registry",
		Long: `Entrepot keeps the packages of every ecosystem in one place and serves them to
the ecosystems' own clients: docker, npm, curl and all the others.

Without a command it serves on :8080, with everything it keeps under ./data.`,
		Args:              cobra.NoArgs,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.serve(cmd) },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
	})
	c.configFlags(root)
	c.serveFlags(root)
	root.AddCommand(
		newServe(c), newUser(c), newOrg(c), newToken(c),
		newGC(c), newCleanup(c), newDoctor(c), newIndex(c), newConfig(c), newVersion(),
	)
	return root
}

// open starts the house without serving, under the system's eyes, for a
// command that works on its data.
func (c *cli) open(cmd *cobra.Command) (context.Context, *server.Server, error) {
	config, err := c.load(cmd)
	if err != nil {
		return nil, nil, err
	}
	ctx := access.SystemContext(cmd.Context())
	// Results belong on standard output alone: the log goes to the other one.
	s, err := server.New(ctx, config, server.NewLogger(server.LogConfig{Level: "warn", Format: config.Log.Format}, cmd.ErrOrStderr()))
	return ctx, s, err
}

// with runs f on the opened house and closes it.
func (c *cli) with(cmd *cobra.Command, f func(context.Context, *server.Server) error) error {
	ctx, s, err := c.open(cmd)
	if err != nil {
		return err
	}
	err = f(ctx, s)
	return errors.Join(err, s.Close(context.WithoutCancel(ctx)))
}
