package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"entrepot/server"
)

func newIndex(c *cli) *cobra.Command {
	index := &cobra.Command{
		Use:   "index",
		Short: "Check or rebuild repository-wide indexes",
		Long:  "Check or rebuild the indexes that list many packages under one signature, such as those of Debian distributions. It may run beside a server.",
	}
	owner := func(args []string) string {
		if len(args) > 1 {
			return args[1]
		}
		return ""
	}
	index.AddCommand(&cobra.Command{
		Use:   "verify TYPE [OWNER]",
		Short: "Compare indexes with the published files",
		Long: `Compare the indexes of a package type, of one owner or all, with the published
files. Packages that are published meanwhile may be reported.

The exit status is 0 when all is well and 1 when something was found.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				problems, err := s.Registry().VerifyIndexes(ctx, args[0], owner(args))
				if err != nil {
					return err
				}
				for _, p := range problems {
					fmt.Fprintln(cmd.OutOrStdout(), p)
				}
				if len(problems) > 0 {
					return errFindings
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "nothing found")
				return err
			})
		},
	}, &cobra.Command{
		Use:   "rebuild TYPE [OWNER]",
		Short: "Write indexes anew from the published files",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				return s.Registry().RebuildIndexes(ctx, args[0], owner(args))
			})
		},
	})
	return index
}
