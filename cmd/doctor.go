package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"entrepot/registry"
	"entrepot/server"
)

func newDoctor(c *cli) *cobra.Command {
	var opts registry.DiagnoseOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the database and the storage against each other",
		Long: `Check the database and the storage against each other and themselves: rows
without bytes, bytes without rows, wrong sizes and digests, wrong counts. All
bytes are read. It may run beside a server.

The exit status is 0 when all is well and 1 when something was found, repaired
or not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				found, fixed := 0, 0
				err := s.Registry().Diagnose(ctx, opts, func(f registry.Finding) {
					found++
					mark := ""
					if f.Fixed {
						fixed++
						mark = " (repaired)"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: %s%s\n", f.Kind, f.Subject, f.Detail, mark)
				})
				if err != nil {
					return err
				}
				if found == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing found")
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d found, %d repaired\n", found, fixed)
				return errFindings
			})
		},
	}
	cmd.Flags().BoolVar(&opts.Fix, "fix", false, "repair what can be repaired")
	return cmd
}
