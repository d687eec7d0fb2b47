package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/event"
	"entrepot/ent/packageversion"
	"entrepot/ent/predicate"
	"entrepot/ent/tag"
)

// A tag moves in here alone, and each move is a line of the record, written in
// the same transaction: which tag, from which version, to which. The package
// is locked meanwhile, so the lines of a package follow each other as the moves
// did. What goes with a whole package is not recorded tag by tag: its history
// is gone with it.

// TagMove is what happened to a tag once.
type TagMove struct {
	// ID orders the moves of a package: the later has the higher.
	ID int64
	// Tag is the tag's name.
	Tag string
	// From and To are versions as they were published. From is empty for a tag
	// that was new, To for one that was removed.
	From, To string
	// ActorID is the user who moved it; 0 for the system.
	ActorID int64
	// At is the instant of the move.
	At time.Time
}

// tagDetails are the details of the event of a move.
type tagDetails struct {
	Tag  string `json:"tag"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// TagMoves lists what happened to a tag of a package, or to all its tags when
// the name is empty: the last move first, at most limit of them, from before
// the one with the id; 0 begins with the last. The caller has checked that the
// viewer may read the package.
func (r *Registry) TagMoves(ctx context.Context, packageID int64, name string, before int64, limit int) ([]TagMove, error) {
	q := r.db.Event.Query().Where(ofTag(packageID, name)).Order(ent.Desc(event.FieldID)).Limit(limit)
	if before > 0 {
		q.Where(event.IDLT(before))
	}
	rows, err := q.All(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list tag moves: %w", err)
	}
	moves := make([]TagMove, len(rows))
	for i, e := range rows {
		if moves[i], err = tagMove(e); err != nil {
			return nil, err
		}
	}
	return moves, nil
}

// CountTagMoves is how many moves TagMoves would list.
func (r *Registry) CountTagMoves(ctx context.Context, packageID int64, name string) (int, error) {
	n, err := r.db.Event.Query().Where(ofTag(packageID, name)).Count(access.SystemContext(ctx))
	if err != nil {
		return 0, fmt.Errorf("count tag moves: %w", err)
	}
	return n, nil
}

func tagMove(e *ent.Event) (TagMove, error) {
	var d tagDetails
	if err := json.Unmarshal(e.Details, &d); err != nil {
		return TagMove{}, fmt.Errorf("decode event %d: %w", e.ID, err)
	}
	m := TagMove{ID: e.ID, Tag: d.Tag, From: d.From, To: d.To, At: e.CreatedAt}
	if e.ActorID != nil {
		m.ActorID = *e.ActorID
	}
	return m, nil
}

func ofTag(packageID int64, name string) predicate.Event {
	if name == "" {
		return event.And(event.PackageID(packageID), event.TagNotNil())
	}
	return event.And(event.PackageID(packageID), event.Tag(name))
}

// standingTag is a tag as it is before a change.
type standingTag struct {
	Name              string `sql:"name"`
	VersionID         int64  `sql:"version_id"`
	Version           string `sql:"version"`
	NormalizedVersion string `sql:"normalized_version"`
}

// standingTags reads tags of a package with their versions, by name.
func standingTags(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.Tag) (map[string]standingTag, error) {
	var rows []standingTag
	err := tx.Tag.Query().Where(tag.PackageID(p.ID)).Where(where...).Order(tag.BySortKey()).
		Modify(func(s *entsql.Selector) {
			versions := entsql.Table(packageversion.Table)
			s.Select(s.Columns(tag.FieldName, tag.FieldVersionID)...).
				Join(versions).On(s.C(tag.FieldVersionID), versions.C(packageversion.FieldID)).
				AppendSelect(versions.Columns(packageversion.FieldVersion, packageversion.FieldNormalizedVersion)...)
		}).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("look up tags: %w", err)
	}
	tags := make(map[string]standingTag, len(rows))
	for _, t := range rows {
		tags[t.Name] = t
	}
	return tags, nil
}

// tagsNamed finds tags by their names.
func tagsNamed(names []string) predicate.Tag {
	sortKeys := make([]string, len(names))
	for i, name := range names {
		sortKeys[i] = byteKey(name)
	}
	return tag.SortKeyIn(sortKeys...)
}

// moveTag points a tag at a version and records it. A tag that names the
// version already stays as it is.
func (s *Space) moveTag(ctx context.Context, tx *ent.Tx, p *ent.Pkg, name string, v *ent.PackageVersion, at time.Time) error {
	standing, err := standingTags(ctx, tx, p, tagsNamed([]string{name}))
	if err != nil {
		return err
	}
	line, err := s.pointTag(ctx, tx, p, name, standing[name], v, at)
	if err != nil || line == nil {
		return err
	}
	return recordAll(ctx, tx, line)
}

// pointTag points a tag, which stood as given before, at a version. It returns
// the line that is to be recorded, nil when the tag has not moved.
func (s *Space) pointTag(ctx context.Context, tx *ent.Tx, p *ent.Pkg, name string, from standingTag, v *ent.PackageVersion, at time.Time) (*ent.EventCreate, error) {
	if !storableText(name) {
		return nil, FieldErrorf("tag", "the tag is not valid UTF-8 text")
	}
	var err error
	switch from.VersionID {
	case v.ID:
		return nil, nil
	case 0:
		err = tx.Tag.Create().
			SetPackageID(p.ID).
			SetVersionID(v.ID).
			SetName(name).
			SetSortKey(byteKey(name)).
			SetUpdatedAt(at).
			Exec(ctx)
	default:
		err = tx.Tag.Update().Where(tag.PackageID(p.ID), tag.SortKey(byteKey(name))).SetVersionID(v.ID).SetUpdatedAt(at).Exec(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("set tag: %w", err)
	}
	return s.tagLine(tx, EventTagMoved, p, tagDetails{Tag: name, From: from.Version, To: v.Version})
}

// takeTags removes the tags of a package that match, records it, and tells how
// many there were.
func (s *Space) takeTags(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.Tag) (int, error) {
	standing, err := standingTags(ctx, tx, p, where...)
	if err != nil || len(standing) == 0 {
		return 0, err
	}
	var lines []*ent.EventCreate
	for _, name := range slices.Sorted(maps.Keys(standing)) {
		t := standing[name]
		line, err := s.tagLine(tx, EventTagRemoved, p, tagDetails{Tag: t.Name, From: t.Version})
		if err != nil {
			return 0, err
		}
		lines = append(lines, line)
	}
	if _, err := tx.Tag.Delete().Where(tag.PackageID(p.ID)).Where(where...).Exec(ctx); err != nil {
		return 0, fmt.Errorf("remove tags: %w", err)
	}
	return len(lines), recordAll(ctx, tx, lines...)
}

func (s *Space) tagLine(tx *ent.Tx, kind string, p *ent.Pkg, d tagDetails) (*ent.EventCreate, error) {
	line, err := newEvent(tx, s.Viewer, kind, p.OwnerID, p, d)
	if err != nil {
		return nil, err
	}
	return line.SetTag(d.Tag), nil
}
