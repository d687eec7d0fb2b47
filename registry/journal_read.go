package registry

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/ent/packagefile"
	"entrepot/ent/packageversion"
	"entrepot/ent/pkg"
	"entrepot/ent/predicate"
	"entrepot/ent/property"
	"entrepot/registry/database"
)

// JournalText is a journal as some viewers see it: the type's header, and each
// entry with a line end. It does not change; a later one begins with the same
// bytes, unless a package came out of sight or into it.
type JournalText struct {
	// Body is the whole text.
	Body []byte
	// MD5 and SHA256 are its digests in hexadecimal.
	MD5, SHA256 string
	// Modified is a date in whole seconds that is later with each change.
	Modified time.Time

	head   head
	last   int64 // the number of the last entry
	hashed sums

	mu      sync.Mutex
	derived map[string]*derivedText
}

// sums are the states of the two digests.
type sums struct{ md5, sha256 string }

type derivedText struct {
	once sync.Once
	body []byte
	err  error
}

// Derived returns what make makes of the journal's text. It is made once, and
// kept as long as the text is.
func (j *JournalText) Derived(name string, make func(body []byte) ([]byte, error)) ([]byte, error) {
	j.mu.Lock()
	d := j.derived[name]
	if d == nil {
		if j.derived == nil {
			j.derived = map[string]*derivedText{}
		}
		d = &derivedText{}
		j.derived[name] = d
	}
	j.mu.Unlock()
	d.once.Do(func() { d.body, d.err = make(j.Body) })
	return d.body, d.err
}

// journalCache keeps the texts of journals within a bound of bytes.
type journalCache struct {
	kept  *otter.Cache[journalKey, *JournalText]
	group singleflight.Group
}

// journalKey names a text: those of the owner's packages whose visibility is
// one of the readable ones are in it.
type journalKey struct {
	ownerID  int64
	typeName string
	readable string
}

func newJournalCache(limit int64) *journalCache {
	if limit <= 0 {
		limit = defaultDocumentCache
	}
	return &journalCache{kept: otter.Must(&otter.Options[journalKey, *JournalText]{
		MaximumWeight: uint64(limit),
		Weigher: func(_ journalKey, j *JournalText) uint32 {
			// What is derived from it is of about the same length.
			return uint32(min(2*len(j.Body)+1024, 1<<31))
		},
	})}
}

var journalHeadRow = database.NewStatement(`SELECT value FROM properties WHERE ref_type = 'OWNER' AND ref_id = ? AND name = ?`)

// Journal returns the journal of the space's packages as the viewer may see
// it. It is read from the database once; after that, what was added since. The
// text must not be changed.
func (s *Space) Journal(ctx context.Context) (*JournalText, error) {
	var text string
	if _, err := s.reg.db.Row(ctx, journalHeadRow, []any{s.Owner.ID, journalHead(s.Type)}, &text); err != nil {
		return nil, fmt.Errorf("look up the journal: %w", err)
	}
	h, err := parseHead(text)
	if err != nil {
		return nil, err
	}
	hidden := s.hiddenVisibilities()
	c := s.reg.journals
	key := journalKey{s.Owner.ID, s.Type.Name, fmt.Sprint(hidden)}
	if j, ok := c.kept.GetIfPresent(key); ok && j.head.generation >= h.generation {
		return j, nil
	}
	// The work outlives a reader that hangs up: others may wait for it.
	got, err, _ := c.group.Do(fmt.Sprint(key, h.generation), func() (any, error) {
		known, _ := c.kept.GetIfPresent(key)
		j, err := s.readJournal(context.WithoutCancel(ctx), known, hidden)
		if err == nil {
			c.kept.Set(key, j)
		}
		return j, err
	})
	if err != nil {
		return nil, err
	}
	return got.(*JournalText), nil
}

// hiddenVisibilities are those of packages that the viewer may not read.
func (s *Space) hiddenVisibilities() []pkg.Visibility {
	var hidden []pkg.Visibility
	for _, v := range []pkg.Visibility{pkg.VisibilityInherit, pkg.VisibilityPublic, pkg.VisibilityLimited, pkg.VisibilityPrivate} {
		if !s.Can(access.Read, &ent.Pkg{Visibility: v}) {
			hidden = append(hidden, v)
		}
	}
	return hidden
}

// readJournal reads the journal, or what was added since it was known.
func (s *Space) readJournal(ctx context.Context, known *JournalText, hidden []pkg.Visibility) (*JournalText, error) {
	j := &JournalText{}
	err := s.reg.db.Snapshot(access.SystemContext(ctx), func(ctx context.Context, client *ent.Client) error {
		ofOwner := []predicate.Property{property.RefTypeEQ(property.RefTypeOwner), property.RefID(s.Owner.ID)}
		row, err := client.Property.Query().Where(ofOwner...).Where(property.Name(journalHead(s.Type))).First(ctx)
		if err = ent.MaskNotFound(err); err != nil {
			return fmt.Errorf("look up the journal: %w", err)
		}
		if row != nil {
			if j.head, err = parseHead(row.Value); err != nil {
				return err
			}
		}
		if known == nil || known.head.reset != j.head.reset {
			known = &JournalText{}
		}
		var out []int64
		if len(hidden) > 0 {
			out, err = client.Pkg.Query().Where(pkg.OwnerID(s.Owner.ID), pkg.Type(s.Type.Name), pkg.VisibilityIn(hidden...)).IDs(ctx)
			if err != nil {
				return fmt.Errorf("list hidden packages: %w", err)
			}
		}
		entries, err := client.Property.Query().Where(ofOwner...).
			Where(property.Name(journalEntries(s.Type)), property.IDGT(known.last)).
			Order(ent.Asc(property.FieldID)).
			Select(property.FieldID, property.FieldValue).
			All(ctx)
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		return j.compose(known, s.Type.Journal.Header(s.Owner), entries, out)
	})
	if err != nil {
		return nil, err
	}
	return j, nil
}

// compose makes the text of a known one and the entries that follow, without
// those of the packages that are out of sight.
func (j *JournalText) compose(known *JournalText, header string, entries []*ent.Property, out []int64) error {
	hidden := make(map[int64]bool, len(out))
	for _, id := range out {
		hidden[id] = true
	}
	var added bytes.Buffer
	if known.Body == nil {
		added.WriteString(header)
	}
	j.last = known.last
	for _, e := range entries {
		j.last = e.ID
		number, text, _ := strings.Cut(e.Value, " ")
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("an entry of a journal is %q: %w", e.Value, err)
		}
		if !hidden[id] {
			added.WriteString(text)
			added.WriteByte('\n')
		}
	}
	// A copy: others are reading the known text.
	j.Body = slices.Concat(known.Body, added.Bytes())
	j.Modified = time.Unix(j.head.modified, 0).UTC()
	return j.digest(known.hashed, added.Bytes())
}

// digest computes the digests from the states of those of the text before and
// the rest of it.
func (j *JournalText) digest(from sums, rest []byte) error {
	short, long := md5.New(), sha256.New()
	if from.md5 != "" && (!restore(short, from.md5) || !restore(long, from.sha256)) {
		return fmt.Errorf("the state of a digest cannot be restored")
	}
	short.Write(rest) // hashes take everything
	long.Write(rest)
	j.MD5, j.SHA256 = hex.EncodeToString(short.Sum(nil)), hex.EncodeToString(long.Sum(nil))
	var err error
	if j.hashed.md5, err = stateOf(short); err != nil {
		return err
	}
	j.hashed.sha256, err = stateOf(long)
	return err
}

// LeadFile is a lead file of a published version, with its part of the package's
// list.
type LeadFile struct {
	ID           int64     `sql:"id"`
	CompositeKey string    `sql:"composite_key"`
	Fragment     []byte    `sql:"fragment"`
	CreatedAt    time.Time `sql:"created_at"`
	PackageID    int64     `sql:"package_id"`
	Version      string    `sql:"version"`
	Prerelease   bool      `sql:"prerelease"`
	Yanked       bool      `sql:"yanked"`
}

// LeadFiles returns the lead files of the packages, which the caller got from the
// space, those of each in the order in which they were published.
func (s *Space) LeadFiles(ctx context.Context, packages ...*ent.Pkg) ([]LeadFile, error) {
	var all []LeadFile
	for some := range slices.Chunk(packages, lookUpAtOnce) {
		ids := make([]int64, len(some))
		for i, p := range some {
			ids[i] = p.ID
		}
		files, err := leadFiles(access.SystemContext(ctx), s.reg.db.Client, ids...)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

func leadFiles(ctx context.Context, client *ent.Client, packageIDs ...int64) ([]LeadFile, error) {
	var rows []LeadFile
	err := client.PackageFile.Query().
		Modify(func(sel *entsql.Selector) {
			versions := entsql.Table(packageversion.Table)
			sel.Select(sel.Columns(packagefile.FieldID, packagefile.FieldCompositeKey, packagefile.FieldFragment, packagefile.FieldCreatedAt)...)
			sel.Join(versions).On(sel.C(packagefile.FieldVersionID), versions.C(packageversion.FieldID))
			sel.AppendSelect(versions.Columns(packageversion.FieldPackageID, packageversion.FieldVersion, packageversion.FieldPrerelease, packageversion.FieldYanked)...)
			ids := make([]any, len(packageIDs))
			for i, id := range packageIDs {
				ids[i] = id
			}
			sel.Where(entsql.And(
				entsql.In(versions.C(packageversion.FieldPackageID), ids...),
				entsql.ExprP(versions.C(packageversion.FieldInternal)+" = false"),
				entsql.ExprP(sel.C(packagefile.FieldLead)+" = true"),
			))
			sel.OrderBy(sel.C(packagefile.FieldID))
		}).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	return rows, nil
}
