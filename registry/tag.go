package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/tag"
)

// Latest is the tag that names the version an install without a version gets.
const Latest = "latest"

// Tags returns the package's tags by name with their versions, at most limit
// of them after the tag named last, in byte order; limit 0 means all.
func (s *Space) Tags(ctx context.Context, p *ent.Pkg, last string, limit int) ([]*ent.Tag, error) {
	q := s.reg.db.Tag.Query().Where(tag.PackageID(p.ID)).Order(tag.BySortKey()).
		WithVersion(func(q *ent.PackageVersionQuery) {
			q.Select(packageversion.FieldID, packageversion.FieldVersion)
		})
	if last != "" {
		q.Where(tag.SortKeyGT(byteKey(last)))
	}
	if limit > 0 {
		q.Limit(limit)
	}
	return q.All(access.SystemContext(ctx))
}

// Tagged returns the version behind a tag, with its tags not loaded.
func (s *Space) Tagged(ctx context.Context, p *ent.Pkg, name string) (*ent.PackageVersion, error) {
	v, err := s.reg.db.PackageVersion.Query().
		Where(underTag(p.ID, name)).
		Only(access.SystemContext(ctx))
	if ent.IsNotFound(err) {
		return nil, Errorf(NotFound, "tag not found")
	}
	return v, err
}

// SetTag points a tag at a version that exists, moving it if need be.
func (s *Space) SetTag(ctx context.Context, p *ent.Pkg, name, normalizedVersion string) error {
	if err := s.check(access.Write, p.Visibility); err != nil {
		return err
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, at time.Time) error {
		v, err := versionNamed(ctx, tx, p.ID, normalizedVersion)
		if err != nil {
			return err
		}
		if err := s.stay(ctx, tx, p, tag.SortKey(byteKey(name)), tag.VersionIDNEQ(v.ID)); err != nil {
			return err
		}
		return s.moveTag(ctx, tx, p, name, v, at)
	})
}

// RemoveTag takes a tag away from whatever version it names. found tells
// whether there was one.
func (s *Space) RemoveTag(ctx context.Context, p *ent.Pkg, name string) (found bool, err error) {
	// For some clients this is a change, for others a deletion.
	if err := s.check(access.Write, p.Visibility); err != nil && s.check(access.Delete, p.Visibility) != nil {
		return false, err
	}
	err = s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		if err := s.stay(ctx, tx, p, tag.SortKey(byteKey(name))); err != nil {
			return err
		}
		n, err := s.takeTags(ctx, tx, p, tag.SortKey(byteKey(name)))
		found = n > 0
		return err
	})
	return found, err
}

// stay is Forbidden when one of the package's tags that match is to stay where
// it is (Type.TagStays).
func (s *Space) stay(ctx context.Context, tx *ent.Tx, p *ent.Pkg, where ...predicate.Tag) error {
	if s.Type.TagStays == nil {
		return nil
	}
	stays := s.Type.TagStays(s.Owner.Settings)
	if stays == nil {
		return nil
	}
	tags, err := tx.Tag.Query().Where(tag.PackageID(p.ID)).Where(where...).Select(tag.FieldName).All(ctx)
	if err != nil {
		return fmt.Errorf("look up tags: %w", err)
	}
	for _, t := range tags {
		if stays(p.NormalizedName, t.Name) {
			return Errorf(Forbidden, "the tag %s is immutable", t.Name)
		}
	}
	return nil
}

// change runs f on the locked package in a transaction and settles the
// package afterwards. NotFound when the package is gone.
func (s *Space) change(ctx context.Context, p *ent.Pkg, f func(context.Context, *ent.Tx, *ent.Pkg, time.Time) error) error {
	return s.reg.inTx(ctx, func(ctx context.Context, tx *ent.Tx) error {
		locked, err := lock(ctx, tx, p)
		if err != nil {
			return err
		}
		if locked == nil {
			return Errorf(NotFound, "package not found")
		}
		at := now()
		if err := f(ctx, tx, locked, at); err != nil {
			return err
		}
		_, err = s.settle(ctx, tx, locked, at)
		return err
	})
}

// settle brings what the package row says of its versions up to date: which
// is the latest, and what a search finds of it.
func (s *Space) settle(ctx context.Context, tx *ent.Tx, p *ent.Pkg, at time.Time) (*ent.Pkg, error) {
	latest, err := s.latest(ctx, tx, p, at)
	if err != nil {
		return nil, err
	}
	u := tx.Pkg.UpdateOneID(p.ID).SetUpdatedAt(at)
	if latest == nil {
		u.ClearLatestID().SetSummary("").SetSearchText(strings.ToLower(p.Name))
	} else {
		u.SetLatestID(latest.ID).SetSummary(latest.Summary)
		if latest.RepositoryURL != "" {
			u.SetRepositoryURL(latest.RepositoryURL)
		}
		texts := append([]string{p.Name, latest.Summary}, latest.Keywords...)
		if s.Type.SearchWords != nil {
			more, err := s.searchWords(ctx, tx, latest.ID)
			if err != nil {
				return nil, err
			}
			texts = append(texts, more...)
		}
		u.SetSearchText(strings.ToLower(strings.Join(texts, "\n")))
	}
	settled, err := u.Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("settle package: %w", err)
	}
	return settled, nil
}

// searchWords are the texts that the type finds a package by, of its latest
// version.
func (s *Space) searchWords(ctx context.Context, tx *ent.Tx, versionID int64) ([]string, error) {
	v, err := tx.PackageVersion.Query().Where(packageversion.ID(versionID)).Select(packageversion.FieldMetadata).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what to search: %w", err)
	}
	var texts []string
	for _, text := range s.Type.SearchWords(v.Metadata) {
		if storableText(text) {
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// latest finds the version an install without a version gets. Types that keep
// the tag "latest" get it set to what is found.
func (s *Space) latest(ctx context.Context, tx *ent.Tx, p *ent.Pkg, at time.Time) (*ent.PackageVersion, error) {
	v, tagged, err := pickLatest(ctx, tx.PackageVersion, p.ID)
	if err != nil {
		return nil, fmt.Errorf("find the latest version: %w", err)
	}
	if v != nil && !tagged && s.Type.KeepsLatestTag {
		return v, s.moveTag(ctx, tx, p, Latest, v, at)
	}
	return v, nil
}

// pickLatest finds the version that the tag "latest" names, which tagged
// reports, else the highest stable one that is neither yanked nor deprecated,
// else the highest stable one that is not yanked, else the highest prerelease
// that is not, else the highest stable one, else the highest; nil when there
// is none.
func pickLatest(ctx context.Context, c *ent.PackageVersionClient, packageID int64) (v *ent.PackageVersion, tagged bool, err error) {
	wanted := []string{
		packageversion.FieldID, packageversion.FieldVersion,
		packageversion.FieldSummary, packageversion.FieldKeywords, packageversion.FieldRepositoryURL,
	}
	v, err = c.Query().
		Where(underTag(packageID, Latest)).
		Select(wanted...).
		Only(ctx)
	if err == nil || !ent.IsNotFound(err) {
		return v, true, err
	}
	for _, where := range [][]predicate.PackageVersion{
		{is(packageversion.FieldPrerelease, false), packageversion.Yanked(false), packageversion.Deprecated(false)},
		{is(packageversion.FieldPrerelease, false), packageversion.Yanked(false)},
		{is(packageversion.FieldPrerelease, true), packageversion.Yanked(false)},
		{is(packageversion.FieldPrerelease, false)},
		// No stable one is left: naming the rest lets the index give the order.
		{is(packageversion.FieldPrerelease, true)},
	} {
		v, err = c.Query().
			Where(packageversion.PackageID(packageID), published).
			Where(where...).
			Order(ent.Desc(packageversion.FieldSortKey), ent.Desc(packageversion.FieldID)).
			Select(wanted...).
			First(ctx)
		if err == nil || !ent.IsNotFound(err) {
			return v, false, err
		}
	}
	return nil, false, nil
}

// SetStatus marks versions as deprecated or yanked, or takes the mark away,
// all in one transaction. Versions that are not there are NotFound.
func (s *Space) SetStatus(ctx context.Context, p *ent.Pkg, changes map[string]Status) error {
	if err := s.check(access.Write, p.Visibility); err != nil {
		return err
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, at time.Time) error {
		for version, status := range changes {
			n, err := tx.PackageVersion.Update().
				Where(packageversion.PackageID(p.ID), packageversion.NormalizedVersion(version), published).
				SetDeprecated(status.Deprecated).
				SetYanked(status.Yanked).
				SetStatusReason(status.Reason).
				SetUpdatedAt(at).
				Save(ctx)
			if err != nil {
				return fmt.Errorf("set status: %w", err)
			}
			if n == 0 {
				return Errorf(NotFound, "version not found: %s", version)
			}
			if err := s.reg.relist(ctx, tx, p.ID, packageversion.NormalizedVersion(version)); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, EventStatusChanged, p, changes)
	})
}

// Status is whether and why a version should not be used.
type Status struct {
	Deprecated bool   `json:"deprecated,omitempty"`
	Yanked     bool   `json:"yanked,omitempty"`
	Reason     string `json:"reason,omitempty"`
}

// SetVisibility narrows the package's visibility, or lets it inherit the
// owner's again.
func (s *Space) SetVisibility(ctx context.Context, p *ent.Pkg, vis access.Visibility) error {
	if err := s.check(access.Manage, p.Visibility); err != nil {
		return err
	}
	if pkg.VisibilityValidator(pkg.Visibility(vis)) != nil {
		return FieldErrorf("visibility", "there is no visibility %q", vis)
	}
	return s.change(ctx, p, func(ctx context.Context, tx *ent.Tx, p *ent.Pkg, _ time.Time) error {
		if err := tx.Pkg.UpdateOneID(p.ID).SetVisibility(pkg.Visibility(vis)).Exec(ctx); err != nil {
			return fmt.Errorf("set visibility: %w", err)
		}
		if err := s.reg.relist(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := s.record(ctx, tx, EventVisibilityChanged, p, map[string]any{"visibility": vis}); err != nil {
			return err
		}
		if s.Type.Journal == nil {
			return nil
		}
		return journalWriter{s, tx, p}.advance(ctx, reset)
	})
}
