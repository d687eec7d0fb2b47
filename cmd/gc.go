package cmd

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"entrepot/server"
)

func newGC(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove content that nothing refers to",
		Long: `Remove content that nothing has referred to for the grace time (storage.grace),
uploads that were given up, and what crashes left behind. The server does the
same by itself every storage.collect.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				done, err := s.Registry().Collect(ctx)
				fmt.Fprintf(cmd.OutOrStdout(), "removed %d contents, %d uploads and %d strays: %s\n",
					done.Blobs, done.Uploads, done.Strays, humanize.IBytes(uint64(done.Bytes)))
				return err
			})
		},
	}
}
