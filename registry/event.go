package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"entrepot/access"
	"entrepot/ent"
)

// The kinds of event. They are part of the record for good: none is renamed.
const (
	EventVersionPublished  = "version.published"
	EventVersionDeleted    = "version.deleted"
	EventFilePublished     = "file.published"
	EventFileDeleted       = "file.deleted"
	EventPackageDeleted    = "package.deleted"
	EventTagMoved          = "tag.moved"
	EventTagRemoved        = "tag.removed"
	EventStatusChanged     = "version.status_changed"
	EventStateChanged      = "package.state_changed"
	EventVisibilityChanged = "visibility.changed"
	EventOwnerCreated      = "owner.created"
	EventOwnerChanged      = "owner.changed"
	EventOwnerDeleted      = "owner.deleted"
	EventMemberChanged     = "member.changed"
	EventMemberRemoved     = "member.removed"
	EventKeyReplaced       = "signing_key.replaced"
	EventIndexConfigured   = "index.configured"
	EventIndexRemoved      = "index.removed"
	EventRuleCreated       = "cleanup_rule.created"
	EventRuleChanged       = "cleanup_rule.changed"
	EventRuleDeleted       = "cleanup_rule.deleted"
	EventVersionPinned     = "version.pinned"
	EventCleanedUp         = "cleanup.finished"
)

// record writes an event about a package in the transaction of the change.
func (s *Space) record(ctx context.Context, tx *ent.Tx, kind string, p *ent.Pkg, details any) error {
	return record(ctx, tx, s.Viewer, kind, s.Owner.ID, p, details)
}

func record(ctx context.Context, tx *ent.Tx, v access.Viewer, kind string, ownerID int64, p *ent.Pkg, details any) error {
	e, err := newEvent(tx, v, kind, ownerID, p, details)
	if err != nil {
		return err
	}
	return recordAll(ctx, tx, e)
}

// newEvent makes an event for recordAll. p may be nil.
func newEvent(tx *ent.Tx, v access.Viewer, kind string, ownerID int64, p *ent.Pkg, details any) (*ent.EventCreate, error) {
	raw, err := json.Marshal(details)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	e := tx.Event.Create().SetKind(kind).SetOwnerID(ownerID).SetDetails(raw)
	if v.Kind == access.User {
		e.SetActorID(v.UserID)
	}
	if v.Agent != "" {
		e.SetAgent(v.Agent)
	}
	if p != nil {
		e.SetPackageID(p.ID)
	}
	return e, nil
}

// recordAll writes events, in their order, with one statement for as many as
// a statement takes.
func recordAll(ctx context.Context, tx *ent.Tx, events ...*ent.EventCreate) error {
	for chunk := range slices.Chunk(events, lookUpAtOnce) {
		if err := tx.Event.CreateBulk(chunk...).Exec(ctx); err != nil {
			return fmt.Errorf("record event: %w", err)
		}
	}
	return nil
}
