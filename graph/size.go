package graph

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
)

// Sizes are sums over distinct blobs, which ent has no words for. The SQL is
// the same for both databases.

// packageBytes counts everything a package holds.
const packageBytes = `(SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM package_blobs b WHERE b.id IN (` +
	`SELECT f.blob_id FROM package_files f JOIN package_versions v ON v.id = f.version_id WHERE v.package_id = %s))`

func (a *API) loadPackageSizes(ctx context.Context, ids []int64) (map[int64]int64, error) {
	var sizes []struct {
		ID    int64 `sql:"id"`
		Bytes int64 `sql:"bytes"`
	}
	err := a.client().Pkg.Query().Where(pkg.IDIn(ids...)).Modify(func(s *sql.Selector) {
		s.Select(s.C(pkg.FieldID)).AppendSelectExprAs(sql.Raw(fmt.Sprintf(packageBytes, s.C(pkg.FieldID))), "bytes")
	}).Scan(access.SystemContext(ctx), &sizes)
	m := make(map[int64]int64, len(sizes))
	for _, row := range sizes {
		m[row.ID] = row.Bytes
	}
	return m, err
}

// versionSize is what a version holds.
type versionSize struct {
	bytes int64
	files int
}

// What a version holds is its own files, and what it names as its parts
// (registry.Type.References): the files of internal versions, an image's
// layers, and other versions with their parts, an index's images.
const (
	partsOfVersions = `WITH RECURSIVE parts(root, version_id, package_id) AS (` +
		`SELECT v.id, v.id, v.package_id FROM package_versions v WHERE v.id IN (`
	partsOfParts = `) UNION SELECT p.root, c.id, c.package_id FROM parts p` +
		` JOIN properties r ON r.ref_type = 'VERSION' AND r.ref_id = p.version_id AND r.name IN (`
	ownContents = `) JOIN package_versions c ON c.package_id = p.package_id AND c.normalized_version = r.value` +
		`), contents(root, blob_id) AS (` +
		`SELECT p.root, f.blob_id FROM parts p JOIN package_files f ON f.version_id = p.version_id` +
		` UNION SELECT p.root, f.blob_id FROM parts p` +
		` JOIN properties r ON r.ref_type = 'VERSION' AND r.ref_id = p.version_id AND r.name IN (`
	sharedContents = `) JOIN package_versions i ON i.package_id = p.package_id AND i.internal` +
		` JOIN package_files f ON f.version_id = i.id AND f.normalized_name = r.value)`
	bytesOfContents = `(SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM contents c JOIN package_blobs b ON b.id = c.blob_id WHERE c.root = %s)`
	filesOfVersion  = `(SELECT COUNT(*) FROM package_files f WHERE f.version_id = %s)`
)

func (a *API) loadVersionSizes(ctx context.Context, ids []int64) (map[int64]versionSize, error) {
	versions := make([]any, len(ids))
	for i, id := range ids {
		versions[i] = id
	}
	references := a.references()
	var sizes []struct {
		ID    int64 `sql:"id"`
		Bytes int64 `sql:"bytes"`
		Files int   `sql:"files"`
	}
	err := a.client().PackageVersion.Query().Where(packageversion.IDIn(ids...)).Modify(func(s *sql.Selector) {
		id := s.C(packageversion.FieldID)
		s.Prefix(sql.ExprFunc(func(b *sql.Builder) {
			b.WriteString(partsOfVersions).Args(versions...).WriteString(partsOfParts).Args(references...).
				WriteString(ownContents).Args(references...).WriteString(sharedContents)
		}))
		s.Select(id).
			AppendSelectExprAs(sql.Raw(fmt.Sprintf(bytesOfContents, id)), "bytes").
			AppendSelectExprAs(sql.Raw(fmt.Sprintf(filesOfVersion, id)), "files")
	}).Scan(access.SystemContext(ctx), &sizes)
	m := make(map[int64]versionSize, len(sizes))
	for _, row := range sizes {
		m[row.ID] = versionSize{row.Bytes, row.Files}
	}
	return m, err
}

// references are the names of the properties by which versions name their
// parts; at least one, which SQL asks for.
func (a *API) references() []any {
	names := []any{""}
	for _, t := range a.opts.Registry.Types() {
		for _, name := range t.References {
			names = append(names, name)
		}
	}
	return names
}
