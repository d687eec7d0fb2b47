package cmd

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"entrepot/server"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			line := "entrepot " + server.Version
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						line += " (" + s.Value + ")"
					}
				}
				line += " " + info.GoVersion
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), line)
			return err
		},
	}
}
