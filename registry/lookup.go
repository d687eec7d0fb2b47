package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/tag"
	"entrepot/registry/database"
)

// The look-ups with which every request of a client begins. They are written
// by hand: building a query with ent takes twice as long as running it, and a
// download does nothing else that costs as much. What they return is read from
// the database each time, so that a changed right counts from the next
// request on, on every replica.
var (
	ownerByName = database.NewStatement(`
		SELECT id, name, normalized_name, kind, visibility, display_name, description, settings, created_at, updated_at
		FROM owners WHERE normalized_name = ?`)

	userOfOwner = database.NewStatement(`SELECT 1 FROM users WHERE id = ? AND owner_id = ?`)

	roleOfUser = database.NewStatement(`SELECT role FROM memberships WHERE owner_id = ? AND user_id = ?`)

	packageByName = database.NewStatement(`
		SELECT id, owner_id, type, name, normalized_name, visibility, summary, search_text, repository_url,
			generation, version_count, downloads, latest_id, created_at, updated_at
		FROM packages WHERE owner_id = ? AND type = ? AND normalized_name = ?`)

	fileByName = database.NewStatement("SELECT " + selectFileColumns + `
		FROM package_versions v
			JOIN package_files f ON f.version_id = v.id
			JOIN package_blobs b ON b.id = f.blob_id
		WHERE v.package_id = ? AND v.normalized_version = ? AND f.normalized_name = ? AND f.composite_key = ?`)

	fileOfOwner = database.NewStatement(selectFound + selectFileColumns + fromOwner + `
			JOIN package_versions v ON v.package_id = p.id AND v.normalized_version = ?
			JOIN package_files f ON f.version_id = v.id AND f.normalized_name = ? AND f.composite_key = ?
			JOIN package_blobs b ON b.id = f.blob_id
		WHERE o.normalized_name = ?`)

	taggedFileOfOwner = database.NewStatement(selectFound + selectFileColumns + fromOwner + `
			JOIN tags t ON t.package_id = p.id AND t.sort_key = ?
			JOIN package_versions v ON v.id = t.version_id
			JOIN package_files f ON f.version_id = v.id AND f.normalized_name = ? AND f.composite_key = ?
			JOIN package_blobs b ON b.id = f.blob_id
		WHERE o.normalized_name = ?`)

	versionBefore = neighbour("<", "DESC")
	versionAfter  = neighbour(">", "ASC")

	fileByTag = database.NewStatement("SELECT " + selectFileColumns + `
		FROM tags t
			JOIN package_versions v ON v.id = t.version_id
			JOIN package_files f ON f.version_id = v.id
			JOIN package_blobs b ON b.id = f.blob_id
		WHERE t.package_id = ? AND t.sort_key = ? AND f.normalized_name = ? AND f.composite_key = ?`)

	fileByProperty = database.NewStatement(`
		SELECT p.normalized_name, v.normalized_version, f.normalized_name, f.composite_key
		FROM properties r
			JOIN package_files f ON f.id = r.ref_id
			JOIN package_versions v ON v.id = f.version_id
			JOIN packages p ON p.id = v.package_id
		WHERE r.name = ? AND r.value = ? AND r.ref_type = 'FILE' AND p.owner_id = ? AND p.type = ?
		ORDER BY r.id LIMIT 1`)
)

// neighbour looks for the version next to a sort key. Prereleases and others
// are looked for one after the other: so each is one step in an index that has
// them apart.
func neighbour(comparison, order string) database.Statement {
	next := func(prerelease string) string {
		return `SELECT * FROM (
			SELECT version, sort_key FROM package_versions
			WHERE package_id = ? AND internal = false AND prerelease = ` + prerelease + ` AND sort_key ` + comparison + ` ?
			ORDER BY sort_key ` + order + ` LIMIT 1) AS next_` + prerelease
	}
	return database.NewStatement(`SELECT version FROM (` + next("false") + ` UNION ALL ` + next("true") + `) AS candidates
		ORDER BY sort_key ` + order + ` LIMIT 1`)
}

// Neighbours returns the published versions of the package right below and
// right above a sort key, "" for none. The package is one of the space's.
func (s *Space) Neighbours(ctx context.Context, p *ent.Pkg, sortKey string) (before, after string, err error) {
	for statement, version := range map[*database.Statement]*string{&versionBefore: &before, &versionAfter: &after} {
		if _, err := s.reg.db.Row(ctx, *statement, []any{p.ID, sortKey, p.ID, sortKey}, version); err != nil {
			return "", "", fmt.Errorf("look up neighbours: %w", err)
		}
	}
	return before, after, nil
}

// owner returns the owner of that name in any case, or nil.
func (r *Registry) owner(ctx context.Context, name string) (*ent.Owner, error) {
	if len(name) > access.MaxOwnerName {
		return nil, nil
	}
	var o ent.Owner
	var settings []byte
	found, err := r.db.Row(ctx, ownerByName, []any{strings.ToLower(name)},
		&o.ID, &o.Name, &o.NormalizedName, &o.Kind, &o.Visibility, &o.DisplayName, &o.Description, &settings, &o.CreatedAt, &o.UpdatedAt)
	if err == nil && found {
		err = json.Unmarshal(settings, &o.Settings)
	}
	if err != nil {
		return nil, fmt.Errorf("look up owner: %w", err)
	}
	if !found {
		return nil, nil
	}
	return &o, nil
}

// AnyPackage returns the package of that normalized name without asking for
// any right, also one that shows no version yet, or nil when there is none.
// It is for adapters that are about to publish into it.
func (s *Space) AnyPackage(ctx context.Context, normalizedName string) (*ent.Pkg, error) {
	if s.ahead != nil && s.ahead.key.Package == normalizedName {
		return &s.ahead.pkg, nil
	}
	var p ent.Pkg
	found, err := s.reg.db.Row(ctx, packageByName, []any{s.Owner.ID, s.Type.Name, normalizedName},
		&p.ID, &p.OwnerID, &p.Type, &p.Name, &p.NormalizedName, &p.Visibility, &p.Summary, &p.SearchText, &p.RepositoryURL,
		&p.Generation, &p.VersionCount, &p.Downloads, &p.LatestID, &p.CreatedAt, &p.UpdatedAt)
	if err != nil {
		return nil, fmt.Errorf("look up package: %w", err)
	}
	if !found {
		return nil, nil
	}
	return &p, nil
}

// selectFileColumns are what foundFile scans.
const selectFileColumns = `
		v.normalized_version, f.id, f.version_id, f.blob_id, f.name, f.media_type, f.lead, f.fragment, f.created_at,
			b.size, b.sha256, b.sha512, b.sha1, b.md5, b.blake2b, b.storage_key, b.remote, b.state`

// File returns a file of a version of the package, with what of its blob
// serves to send it; of its version only the numbers and the normalized name
// are there, and its own download count is not read. Internal versions are
// found too.
func (s *Space) File(ctx context.Context, p *ent.Pkg, normalizedVersion, normalizedName, compositeKey string) (*ent.PackageFile, error) {
	if f := s.ahead.holds(p, FilePath{Version: normalizedVersion, Name: normalizedName, CompositeKey: compositeKey}); f != nil {
		return f, nil
	}
	return s.file(ctx, fileByName, p, normalizedVersion, normalizedName, compositeKey)
}

// TaggedFile is File for the version that a tag of the package names.
func (s *Space) TaggedFile(ctx context.Context, p *ent.Pkg, name, normalizedName, compositeKey string) (*ent.PackageFile, error) {
	if f := s.ahead.holds(p, FilePath{Tag: name, Name: normalizedName, CompositeKey: compositeKey}); f != nil {
		return f, nil
	}
	return s.file(ctx, fileByTag, p, byteKey(name), normalizedName, compositeKey)
}

func (s *Space) file(ctx context.Context, statement database.Statement, p *ent.Pkg, version, normalizedName, compositeKey string) (*ent.PackageFile, error) {
	var f foundFile
	found, err := s.reg.db.Row(ctx, statement, []any{p.ID, version, normalizedName, compositeKey}, f.dest()...)
	if err != nil {
		return nil, fmt.Errorf("look up file: %w", err)
	}
	if !found {
		return nil, Errorf(NotFound, "file not found")
	}
	return f.of(p, normalizedName, compositeKey), nil
}

// foundFile takes the columns of a file, its version and its blob.
type foundFile struct {
	file    ent.PackageFile
	version ent.PackageVersion
	blob    ent.PackageBlob
	sums    [4]sql.NullString
}

func (f *foundFile) dest() []any {
	v, b := &f.version, &f.blob
	return []any{
		&v.NormalizedVersion, &f.file.ID, &f.file.VersionID, &f.file.BlobID, &f.file.Name, &f.file.MediaType, &f.file.Lead, &f.file.Fragment, &f.file.CreatedAt,
		&b.Size, &b.Sha256, &f.sums[0], &f.sums[1], &f.sums[2], &f.sums[3], &b.StorageKey, &b.Remote, &b.State,
	}
}

// of ties the rows together once they are scanned.
func (f *foundFile) of(p *ent.Pkg, normalizedName, compositeKey string) *ent.PackageFile {
	f.version.ID, f.version.PackageID = f.file.VersionID, p.ID
	f.blob.ID = f.file.BlobID
	f.blob.Sha512, f.blob.Sha1, f.blob.Md5, f.blob.Blake2b = f.sums[0].String, f.sums[1].String, f.sums[2].String, f.sums[3].String
	f.file.NormalizedName, f.file.CompositeKey = normalizedName, compositeKey
	f.file.Edges.Version, f.file.Edges.Blob = &f.version, &f.blob
	return &f.file
}

// FoundFile is where a file of the space is.
type FoundFile struct {
	// Package is the normalized name of its package.
	Package string
	// Version and Name are normalized, too; all three are what File asks for.
	Version, Name, CompositeKey string
}

// FileWith finds the file of the space that has the property; of several, the
// oldest. It asks for no right: that is the package's to say. Error: NotFound.
func (s *Space) FileWith(ctx context.Context, with Property) (FoundFile, error) {
	var f FoundFile
	found, err := s.reg.db.Row(ctx, fileByProperty, []any{with.Name, with.Value, s.Owner.ID, s.Type.Name},
		&f.Package, &f.Version, &f.Name, &f.CompositeKey)
	if err != nil {
		return f, fmt.Errorf("look up file: %w", err)
	}
	if !found {
		return f, Errorf(NotFound, "file not found")
	}
	return f, nil
}

// TagNames returns the names of the package's tags, at most limit of them
// after the one named last, in byte order.
func (s *Space) TagNames(ctx context.Context, p *ent.Pkg, last string, limit int) ([]string, error) {
	names, err := s.reg.db.Tag.Query().
		Where(tag.PackageID(p.ID), tag.SortKeyGT(byteKey(last))).
		Order(tag.BySortKey()).
		Limit(limit).
		Select(tag.FieldName).
		Strings(access.SystemContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return names, nil
}
