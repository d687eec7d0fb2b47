package pypi

import (
	"context"

	"entrepot/registry"
)

// What owners can say of a project; one of which they say nothing is active.
//
// https://packaging.python.org/en/latest/specifications/project-status-markers/
const (
	active      = "active"
	archived    = "archived"
	deprecated  = "deprecated"
	quarantined = "quarantined"
)

var states = []string{archived, deprecated, quarantined}

// acceptsUploads refuses an upload to a project that takes none. It is asked
// in the publishing transaction.
func acceptsUploads(ctx context.Context, h registry.Holdings) error {
	s, err := h.State(ctx)
	if err == nil && (s.State == archived || s.State == quarantined) {
		err = registry.Errorf(registry.Forbidden, "the project is %s and takes no uploads", s.State)
	}
	return err
}
