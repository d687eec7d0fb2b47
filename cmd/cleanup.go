package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"entrepot/registry"
	"entrepot/server"
)

// toldItems is how much of a plan is printed.
const toldItems = 1000

func newCleanup(c *cli) *cobra.Command {
	var owner string
	var dryRun, confirm bool
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Carry out the cleanup rules now",
		Long: `Carry out the enabled cleanup rules of all owners, or of one, without waiting
for their schedule, and remove the images that no tag leads to any more. What
is removed leaves the storage with the next collections of garbage.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				return cleanUp(ctx, cmd.OutOrStdout(), s.Registry(), owner, dryRun, confirm)
			})
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "the owner whose rules are carried out; all when left out")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would go, and why, and remove nothing")
	cmd.Flags().BoolVar(&confirm, "confirm", false, "let more of a package go at once than a fifth of it and 1000 versions")
	return cmd
}

func cleanUp(ctx context.Context, out io.Writer, r *registry.Registry, owner string, dryRun, confirm bool) error {
	owners := []string{owner}
	if owner == "" {
		var err error
		if owners, err = r.OwnerNames(ctx); err != nil {
			return err
		}
	}
	for _, name := range owners {
		if !dryRun {
			run, err := r.RunCleanup(ctx, name, nil, confirm)
			if run != nil {
				fmt.Fprintf(out, "%s: removed %d, held %d: %s\n", name, run.Removed, run.Held, humanize.IBytes(uint64(run.Bytes)))
			}
			if err != nil {
				return err
			}
			continue
		}
		plan, err := r.PreviewCleanup(ctx, name, nil, nil, toldItems)
		if err != nil {
			return err
		}
		for _, item := range plan.Items {
			fmt.Fprintf(out, "%-6s %s %s %s %s: %s\n", fate(item), item.Package.Type, item.Package.Name, item.Version, item.File, strings.Join(item.Reasons, "; "))
		}
		fmt.Fprintf(out, "%s: would remove %d, hold %d: %s\n", name, plan.Removed, plan.Held, humanize.IBytes(uint64(plan.Bytes)))
	}
	return nil
}

// fate is what would become of an item, in a word.
func fate(item registry.CleanupItem) string {
	switch {
	case item.Held:
		return "hold"
	case item.Yank:
		return "yank"
	case item.Remove:
		return "remove"
	}
	return "keep"
}
