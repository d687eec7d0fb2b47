package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
)

// PackageState is what its owners say of a package as a whole, in the words of
// its ecosystem: that it is archived, for one. The zero value is a package of
// which nothing is said.
type PackageState struct {
	// State is one of Type.States, or "".
	State string `json:"state"`
	// Reason is for people; "" for none.
	Reason string `json:"reason,omitempty"`
}

// The properties of a package that hold its state.
const (
	propertyState       = "state"
	propertyStateReason = "state.reason"
)

// SetState says something of a package as a whole, or, with the zero value,
// nothing any more. Error: Invalid for a state the type does not know.
func (s *Space) SetState(ctx context.Context, p *ent.Pkg, state PackageState) error {
	if err := s.check(access.Write, p.Visibility); err != nil {
		return err
	}
	if state.State != "" && !slices.Contains(s.Type.States, state.State) {
		return FieldErrorf("state", "a package of this type cannot be %q", state.State)
	}
	if !storableText(state.Reason) {
		return FieldErrorf("reason", "the reason is not valid UTF-8 text")
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		_, err := tx.Property.Delete().Where(ofState(p)...).Exec(ctx)
		if err != nil {
			return fmt.Errorf("remove state: %w", err)
		}
		if state.State != "" {
			err := attach(ctx, tx, property.RefTypePackage, p.ID, []Property{
				{propertyState, state.State}, {propertyStateReason, state.Reason},
			})
			if err != nil {
				return err
			}
		}
		return s.record(ctx, tx, EventStateChanged, p, state)
	})
}

// State is what the owners of a package, which the caller may read, say of it.
func (r *Registry) State(ctx context.Context, p *ent.Pkg) (PackageState, error) {
	return Holdings{r.db.Client, p}.State(ctx)
}

// State is what the package's owners say of it.
func (h Holdings) State(ctx context.Context) (PackageState, error) {
	var state PackageState
	rows, err := h.client.Property.Query().Where(ofState(h.pkg)...).All(access.SystemContext(ctx))
	if err != nil {
		return state, fmt.Errorf("look up state: %w", err)
	}
	for _, row := range rows {
		switch row.Name {
		case propertyState:
			state.State = row.Value
		case propertyStateReason:
			state.Reason = row.Value
		}
	}
	return state, nil
}

// States are what the owners of packages, which the caller may read, say of
// them, by the packages' ids. Those of which nothing is said are not in it.
func (s *Space) States(ctx context.Context, packages []*ent.Pkg) (map[int64]PackageState, error) {
	states := map[int64]PackageState{}
	for chunk := range slices.Chunk(packages, lookUpAtOnce) {
		ids := make([]int64, len(chunk))
		for i, p := range chunk {
			ids[i] = p.ID
		}
		rows, err := s.reg.db.Property.Query().
			Where(property.RefTypeEQ(property.RefTypePackage), property.RefIDIn(ids...), property.NameIn(propertyState, propertyStateReason)).
			All(access.SystemContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("look up states: %w", err)
		}
		for _, row := range rows {
			state := states[row.RefID]
			if row.Name == propertyState {
				state.State = row.Value
			} else {
				state.Reason = row.Value
			}
			states[row.RefID] = state
		}
	}
	return states, nil
}

func ofState(p *ent.Pkg) []predicate.Property {
	return []predicate.Property{
		property.RefTypeEQ(property.RefTypePackage), property.RefID(p.ID), property.NameIn(propertyState, propertyStateReason),
	}
}
