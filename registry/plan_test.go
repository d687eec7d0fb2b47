package registry

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/token"
	"entrepot/storage"
)

// recorder is a driver that remembers the statements it was given.
type recorder struct {
	dialect.Driver
	mu         sync.Mutex
	statements []statement
}

type statement struct {
	query string
	args  []any
}

func (r *recorder) note(query string, args any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list, _ := args.([]any)
	r.statements = append(r.statements, statement{query, list})
}

// take returns the statements since it was last called.
func (r *recorder) take() []statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.statements
	r.statements = nil
	return taken
}

func (r *recorder) Exec(ctx context.Context, query string, args, v any) error {
	r.note(query, args)
	return r.Driver.Exec(ctx, query, args, v)
}

func (r *recorder) Query(ctx context.Context, query string, args, v any) error {
	r.note(query, args)
	return r.Driver.Query(ctx, query, args, v)
}

func (r *recorder) Tx(ctx context.Context) (dialect.Tx, error) {
	tx, err := r.Driver.Tx(ctx)
	return &recordedTx{tx, r}, err
}

type recordedTx struct {
	dialect.Tx
	r *recorder
}

func (t *recordedTx) Exec(ctx context.Context, query string, args, v any) error {
	t.r.note(query, args)
	return t.Tx.Exec(ctx, query, args, v)
}

func (t *recordedTx) Query(ctx context.Context, query string, args, v any) error {
	t.r.note(query, args)
	return t.Tx.Query(ctx, query, args, v)
}

// hotPath is a piece of work that requests do, and what the plans of its
// statements must contain.
type hotPath struct {
	name string
	do   func(ctx context.Context) error
	// indexes are among those that must be used.
	indexes []string
	// sorts tells that a few rows are sorted by design.
	sorts bool
}

// TestPlansOnSQLite looks at how SQLite runs the statements of the hot paths:
// never by reading a whole table, and never by sorting.
func TestPlansOnSQLite(t *testing.T) {
	path := t.TempDir() + "/test.db"
	f := newFixtureOn(t, "sqlite:"+path, Options{})
	raw, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_time_format=sqlite&_timezone=UTC&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)")
	must(f, err)
	t.Cleanup(func() { raw.Close() })
	testPlans(t, f, entsql.OpenDB(dialect.SQLite, raw), func(s statement) string {
		return explain(t, raw, "EXPLAIN QUERY PLAN "+s.query, s.args)
	})
}

// The words of the two databases for reading a whole table and for sorting.
var (
	scans = regexp.MustCompile(`\bSCAN [a-z]\w*|Seq Scan`)                           // SCAN 2-ROW VALUES CLAUSE is an insert's
	sorts = regexp.MustCompile(`USE TEMP B-TREE FOR ORDER BY|(?m)(^|->)\s*Sort  \(`) // an Incremental Sort orders equals
)

func testPlans(t *testing.T, f *fixture, drv dialect.Driver, plan func(statement) string) {
	rec := &recorder{Driver: drv}
	plain := f.db.Client
	f.db.Client = ent.NewClient(ent.Driver(rec))
	defer func() { f.db.Client = plain }()
	space, p, paths := hotPaths(f)
	for _, path := range paths {
		f.age(48 * f.grace) // so that there is something to collect
		rec.take()
		if err := path.do(f.as(f.ann)); err != nil {
			t.Errorf("%s: %v", path.name, err)
		}
		statements := append(rec.take(), byHand(drv.Dialect(), path.name, space, p)...)
		if len(statements) == 0 {
			t.Errorf("%s: no statement was seen", path.name)
		}
		var plans strings.Builder
		for _, s := range statements {
			p := plan(s)
			plans.WriteString(p)
			if scans.MatchString(p) || sorts.MatchString(p) && !path.sorts {
				t.Errorf("%s:\n%s\n%v\n%s", path.name, s.query, s.args, p)
			}
		}
		for _, index := range path.indexes {
			// PostgreSQL chooses by what is in the tables, here next to nothing.
			if drv.Dialect() == dialect.SQLite && !strings.Contains(plans.String(), index) {
				t.Errorf("%s: no statement uses %s:\n%s", path.name, index, &plans)
			}
		}
	}
}

// hotPaths prepares a registry with a little of everything and lists the work
// on it.
func hotPaths(f *fixture) (*Space, *ent.Pkg, []hotPath) {
	space := f.enter(f.ann, "acme", "tagged", access.Delete)
	publish := func(version string) *Published {
		p := f.publication("app", version, "content "+version)
		p.Policy, p.Overwrite, p.Tags = CreateOrAdd, OverwriteAlways, []string{"t" + version}
		p.Properties, p.Files[0].Properties = []Property{{"n", "v"}}, []Property{{"n", "v"}}
		done, err := space.Publish(f.t.Context(), p)
		must(f, err)
		return done
	}
	for n := range 20 {
		publish(fmt.Sprintf("1.%d.0", n))
	}
	done := publish("1.20.0-rc.1")
	p := done.Package
	return space, p, []hotPath{
		{"enter", func(ctx context.Context) error {
			_, err := f.Enter(ctx, "acme", "tagged", access.Write)
			return err
		}, []string{"owner_normalized_name", "membership_owner_id_user_id"}, false},
		{"package", func(ctx context.Context) error {
			_, err := space.Package(ctx, "app", access.Read)
			return err
		}, []string{"pkg_owner_id_type_normalized_name"}, false},
		{"version", func(ctx context.Context) error {
			_, err := space.Version(ctx, p, "1.3.0")
			return err
		}, []string{"packageversion_package_id_normalized_version"}, false},
		{"file", func(ctx context.Context) error {
			_, err := space.File(ctx, p, "1.3.0", "f.txt", "")
			return err
		}, []string{"packagefile_version_id_normalized_name_composite_key", "packageversion_package_id_normalized_version"}, false},
		{"versions", func(ctx context.Context) error {
			_, err := space.Versions(ctx, p, 0, 10)
			return err
		}, []string{"packageversion_package_id_internal_created_at"}, false},
		{"fragments", func(ctx context.Context) error {
			_, err := versionFragments(access.SystemContext(ctx), f.db.Client, p, packagefile.FieldFragment)
			return err
		}, []string{"packageversion_package_id_internal_created_at", "packagefile_version_id_normalized_name_composite_key"}, false},
		{"sizes", func(ctx context.Context) error {
			_, err := space.Holdings(p).Sizes(ctx, "1.3.0", []string{"f.txt", "g.txt"})
			return err
		}, []string{"packagefile_version_id_normalized_name_composite_key"}, false},
		{"held versions", func(ctx context.Context) error {
			_, err := space.Holdings(p).Versions(ctx, []string{"1.3.0", "1.4.0"})
			return err
		}, []string{"packageversion_package_id_normalized_version"}, false},
		{"referring versions", func(ctx context.Context) error {
			_, err := space.Holdings(p).Referring(ctx, []Property{{"n", "v"}}, "f.txt", 0, 10)
			return err
		}, []string{"property_name_value"}, false},
		{"version with a file", func(ctx context.Context) error {
			_, err := space.Holdings(p).VersionWithFile(ctx, Property{"n", "v"})
			return err
		}, []string{"property_name_value"}, false},
		{"tag", func(ctx context.Context) error {
			_, err := space.Tagged(ctx, p, "t1.3.0")
			return err
		}, []string{"tag_package_id_sort_key"}, false},
		{"tags", func(ctx context.Context) error {
			_, err := space.Tags(ctx, p, "t1.3.0", 5)
			return err
		}, []string{"tag_package_id_sort_key"}, false},
		{"tag history", func(ctx context.Context) error {
			_, err := f.TagMoves(ctx, p.ID, "next", 1<<62, 5)
			return err
		}, []string{"event_package_id_tag"}, false},
		{"history of all tags", func(ctx context.Context) error {
			_, err := f.TagMoves(ctx, p.ID, "", 0, 5)
			return err
		}, nil, true},
		{"latest version", func(ctx context.Context) error {
			// Of no package: all that is asked until one is found.
			_, _, err := pickLatest(access.SystemContext(ctx), f.db.PackageVersion, -1)
			return err
		}, []string{"packageversion_package_id_internal_prerelease_sort_key", "tag_package_id_sort_key"}, false},
		{"publish", func(ctx context.Context) error {
			q := f.publication("app", "2.0.0", "new content")
			q.Policy, q.Overwrite, q.Tags = CreateOrAdd, OverwriteAlways, []string{"next"}
			q.Files[0].Properties = []Property{{"n", "v"}}
			_, err := space.Publish(ctx, q)
			return err
		}, []string{"packageblob_sha256"}, false},
		{"overwrite", func(ctx context.Context) error {
			q := f.publication("app", "2.0.0", "newer content")
			q.Policy, q.Overwrite = CreateOrAdd, OverwriteAlways
			_, err := space.Publish(ctx, q)
			return err
		}, []string{"packagefile_blob_id"}, true}, // likewise
		{"move tag", func(ctx context.Context) error {
			return space.SetTag(ctx, p, "next", "1.3.0")
		}, nil, false},
		{"delete version", func(ctx context.Context) error {
			return space.DeleteVersions(ctx, p, []string{"2.0.0"}, nil)
		}, []string{"property_ref_type_ref_id_name", "tag_version_id"}, true}, // blobs, to lock them in order
		{"count downloads", func(ctx context.Context) error {
			file := *done.Files[0]
			file.Edges.Version = done.Version
			f.CountDownload(&file)
			return f.FlushDownloads(ctx)
		}, nil, false},
		{"collect", func(ctx context.Context) error {
			_, err := f.Collect(ctx)
			return err
		}, []string{"packageblob_state_unreferenced_at"}, false},
		{"content by digest", func(ctx context.Context) error {
			_, err := f.Held(ctx, "tagged", storage.Sums{SHA256: blobOf(done).Sha256})
			if CodeOf(err) == NotFound { // it is in no internal version
				err = nil
			}
			return err
		}, []string{"packageblob_sha256"}, false},
		{"content by another digest", func(ctx context.Context) error {
			_, err := f.Held(ctx, "tagged", storage.Sums{SHA512: "ab"})
			if CodeOf(err) == NotFound {
				err = nil
			}
			return err
		}, []string{"packageblob_sha512"}, false},
		{"token", func(ctx context.Context) error {
			_, err := f.db.Token.Query().Where(token.SecretHash([]byte("x"))).All(ctx)
			return err
		}, []string{"token_secret_hash"}, false},
	}
}

// byHand lists the statements of a hot path that do not pass through ent.
func byHand(dialect, path string, s *Space, p *ent.Pkg) []statement {
	switch path {
	case "enter":
		return []statement{
			{ownerByName.In(dialect), []any{"acme"}},
			{userOfOwner.In(dialect), []any{s.Viewer.UserID, s.Owner.ID}},
			{roleOfUser.In(dialect), []any{s.Owner.ID, s.Viewer.UserID}},
		}
	case "package":
		return []statement{{packageByName.In(dialect), []any{s.Owner.ID, s.Type.Name, "app"}}}
	case "file":
		return []statement{
			{fileByName.In(dialect), []any{p.ID, "1.3.0", "f.txt", ""}},
			{fileByTag.In(dialect), []any{p.ID, byteKey("t1.3.0"), "f.txt", ""}},
		}
	}
	return nil
}

// explain runs an EXPLAIN and returns the text of its rows.
func explain(t *testing.T, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string, args []any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var plan strings.Builder
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, values[len(values)-1]) // both databases end a row with its text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
