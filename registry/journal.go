package registry

import (
	"context"
	"crypto/md5"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"time"

	"entrepot/ent"
	"entrepot/ent/owner"
	"entrepot/ent/packageversion"
	"entrepot/ent/property"
)

// Some ecosystems list a whole repository in one document that only ever grows,
// so that clients fetch what is new of it and nothing else: the journal of an
// owner's packages of one type. Every change adds an entry in its own
// transaction, which costs the same whatever the repository holds; the document
// is the entries one after the other (journal_read.go).
//
// An entry is a property of the owner, in the order of the properties' numbers.
// Another property, the head, is locked by whoever adds one: entries become
// visible in the order of their numbers, and a reader that knows all up to one
// asks for those above it.

// Journal is how a type keeps a journal.
type Journal struct {
	// Header is what the journal of an owner begins with. It never changes.
	Header func(*ent.Owner) string
	// ListHeader is what the list of each package begins with. The list is
	// this header and the lines of the package's files in the order in which
	// they were published; its digest stands in the journal.
	ListHeader string
	// Line is a file's line of the list, its end included, from its fragment.
	Line func(fragment []byte) ([]byte, error)
	// Entry renders a change, without a line end.
	Entry func(JournalChange) string
}

// JournalChange are files of one package that came or went.
type JournalChange struct {
	// Package is the package's name.
	Package string
	// Added and Removed are the files; one of the two is empty.
	Added, Removed []JournalFile
	// ListMD5 is the digest of the package's list after the change, in
	// hexadecimal.
	ListMD5 string
}

// JournalFile names a file in a journal.
type JournalFile struct {
	Version, CompositeKey string
}

// filesPerEntry bounds the length of an entry: PostgreSQL has an index on it.
const filesPerEntry = 5

// The names of the properties. The state is the package's: that of the digest
// of its list, to which a publish adds a line.
const journalState = "journal.list-md5"

func journalHead(t Type) string    { return "journal.head/" + t.Name }
func journalEntries(t Type) string { return "journal/" + t.Name }

// head is what a journal has come to.
type head struct {
	// generation counts the changes.
	generation int64
	// reset is the generation from which on nothing may be kept of what was
	// read before: some package changed who may see it.
	reset int64
	// modified is the date of the journal in seconds since 1970: at least one
	// more with each change, and later than the change, so that who read it in
	// the second of the change and remembers the time learns of it.
	modified int64
}

func (h head) String() string { return fmt.Sprintf("%d %d %d", h.generation, h.reset, h.modified) }

func parseHead(text string) (h head, err error) {
	if text == "" {
		return h, nil // nothing has happened yet
	}
	if _, err = fmt.Sscanf(text, "%d %d %d", &h.generation, &h.reset, &h.modified); err != nil {
		err = fmt.Errorf("the head of a journal is %q: %w", text, err)
	}
	return h, err
}

// journalWriter adds to a journal within a transaction, as the last thing that
// it does: all who change the owner's packages queue here.
type journalWriter struct {
	space *Space
	tx    *ent.Tx
	pkg   *ent.Pkg
}

// step says what a change means to who has read the journal before.
type step int

const (
	// grow: what was read stays good.
	grow step = iota
	// reset: all is to be read again.
	reset
)

// advance locks the head, until the end of the transaction, and moves it on.
func (w journalWriter) advance(ctx context.Context, s step) error {
	row, err := w.lockHead(ctx)
	if err != nil {
		return err
	}
	var h head
	if row != nil {
		if h, err = parseHead(row.Value); err != nil {
			return err
		}
	}
	h.generation++
	h.modified = max(h.modified, time.Now().Unix()) + 1
	if s == reset {
		h.reset = h.generation
	}
	if row == nil {
		err = attach(ctx, w.tx, property.RefTypeOwner, w.space.Owner.ID, []Property{{journalHead(w.space.Type), h.String()}})
	} else {
		err = w.tx.Property.UpdateOneID(row.ID).SetValue(h.String()).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("move the journal on: %w", err)
	}
	return nil
}

// lockHead returns the locked head, or nil, with the owner locked, when there
// is none.
func (w journalWriter) lockHead(ctx context.Context) (*ent.Property, error) {
	find := func() (*ent.Property, error) {
		row, err := w.tx.Property.Query().
			Where(property.RefTypeEQ(property.RefTypeOwner), property.RefID(w.space.Owner.ID), property.Name(journalHead(w.space.Type))).
			Modify(forUpdate()).
			First(ctx)
		if err = ent.MaskNotFound(err); err != nil {
			return nil, fmt.Errorf("lock the journal: %w", err)
		}
		return row, nil
	}
	row, err := find()
	if row != nil || err != nil {
		return row, err
	}
	// The first two to come must not both begin it.
	var locked []struct {
		ID int64 `json:"id"`
	}
	if err := w.tx.Owner.Query().Where(owner.ID(w.space.Owner.ID)).Modify(forUpdate()).Select(owner.FieldID).Scan(ctx, &locked); err != nil {
		return nil, fmt.Errorf("lock the owner: %w", err)
	}
	return find()
}

// append adds entries for files that came or went.
func (w journalWriter) append(ctx context.Context, added, removed []JournalFile, listMD5 string) error {
	if len(added)+len(removed) == 0 {
		return nil
	}
	if err := w.advance(ctx, grow); err != nil {
		return err
	}
	var entries []Property
	entry := func(c JournalChange) {
		c.Package, c.ListMD5 = w.pkg.Name, listMD5
		text := strconv.FormatInt(w.pkg.ID, 10) + " " + w.space.Type.Journal.Entry(c)
		entries = append(entries, Property{journalEntries(w.space.Type), text})
	}
	for files := range slices.Chunk(removed, filesPerEntry) {
		entry(JournalChange{Removed: files})
	}
	for files := range slices.Chunk(added, filesPerEntry) {
		entry(JournalChange{Added: files})
	}
	// Not attach: what is said twice counts twice.
	rows := make([]*ent.PropertyCreate, len(entries))
	for i, e := range entries {
		rows[i] = w.tx.Property.Create().SetRefType(property.RefTypeOwner).SetRefID(w.space.Owner.ID).SetName(e.Name).SetValue(e.Value)
	}
	for chunk := range slices.Chunk(rows, lookUpAtOnce) {
		if err := w.tx.Property.CreateBulk(chunk...).Exec(ctx); err != nil {
			return fmt.Errorf("add to the journal: %w", err)
		}
	}
	return nil
}

// extendList returns the digest of the package's list after files were added
// at its end: from the state that the last change has left, or, if there is
// none, from all lines.
func (w journalWriter) extendList(ctx context.Context, fragments ...[]byte) (string, error) {
	row, err := w.state(ctx)
	if err != nil {
		return "", err
	}
	h := md5.New()
	if row == nil || !restore(h, row.Value) {
		return w.digestList(ctx)
	}
	for _, fragment := range fragments {
		line, err := w.space.Type.Journal.Line(fragment)
		if err != nil {
			return "", err
		}
		h.Write(line) // a hash takes everything
	}
	return w.keepState(ctx, row, h)
}

// digestList returns the digest of the package's list as it is now.
func (w journalWriter) digestList(ctx context.Context) (string, error) {
	row, err := w.state(ctx)
	if err != nil {
		return "", err
	}
	files, err := leadFiles(ctx, w.tx.Client(), w.pkg.ID)
	if err != nil {
		return "", err
	}
	h := md5.New()
	h.Write([]byte(w.space.Type.Journal.ListHeader))
	for _, f := range files {
		line, err := w.space.Type.Journal.Line(f.Fragment)
		if err != nil {
			return "", err
		}
		h.Write(line)
	}
	return w.keepState(ctx, row, h)
}

func (w journalWriter) state(ctx context.Context) (*ent.Property, error) {
	row, err := w.tx.Property.Query().
		Where(property.RefTypeEQ(property.RefTypePackage), property.RefID(w.pkg.ID), property.Name(journalState)).
		First(ctx)
	if err = ent.MaskNotFound(err); err != nil {
		return nil, fmt.Errorf("look up the list's state: %w", err)
	}
	return row, nil
}

// keepState writes the state of the digest down, into the row where there is
// one, and returns the digest.
func (w journalWriter) keepState(ctx context.Context, row *ent.Property, h hash.Hash) (string, error) {
	text, err := stateOf(h)
	if err != nil {
		return "", err
	}
	if row == nil {
		err = attach(ctx, w.tx, property.RefTypePackage, w.pkg.ID, []Property{{journalState, text}})
	} else {
		err = w.tx.Property.UpdateOneID(row.ID).SetValue(text).Exec(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("keep the list's state: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// stateOf writes the state of a hash down.
func stateOf(h hash.Hash) (string, error) {
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return "", fmt.Errorf("keep the state of a digest: %w", err)
	}
	return hex.EncodeToString(state), nil
}

// restore gives a hash the state that was written down, and reports false for
// one that this program cannot read: its form is the library's.
func restore(h hash.Hash, text string) bool {
	state, err := hex.DecodeString(text)
	return err == nil && h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil
}

// journal adds the files of a publication to the journal.
func (w *publishing) journal(ctx context.Context) error {
	j := journalWriter{w.space, w.tx, w.done.Package}
	if w.space.Type.Journal == nil || len(w.added) == 0 {
		return nil
	}
	var fragments [][]byte
	var files []JournalFile
	for _, f := range w.added {
		fragments = append(fragments, f.Fragment)
		files = append(files, JournalFile{w.done.Version.Version, f.CompositeKey})
	}
	sum, err := j.extendList(ctx, fragments...)
	if err != nil {
		return err
	}
	return j.append(ctx, files, nil, sum)
}

// journaled runs f, which removes files of the package, and enters into the
// journal what is gone then.
func (s *Space) journaled(ctx context.Context, tx *ent.Tx, p *ent.Pkg, f func() error) error {
	if s.Type.Journal == nil {
		return f()
	}
	before, err := leadFiles(ctx, tx.Client(), p.ID)
	if err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	after, err := leadFiles(ctx, tx.Client(), p.ID)
	if err != nil {
		return err
	}
	stays := make(map[int64]bool, len(after))
	for _, f := range after {
		stays[f.ID] = true
	}
	var removed []JournalFile
	for _, f := range before {
		if !stays[f.ID] {
			removed = append(removed, JournalFile{f.Version, f.CompositeKey})
		}
	}
	if len(removed) == 0 {
		return nil
	}
	j := journalWriter{s, tx, p}
	sum, err := j.digestList(ctx)
	if err != nil {
		return err
	}
	return j.append(ctx, nil, removed, sum)
}

// keepForJournal empties a package in place of removing it: its entries stay in
// the journal, where clients learn from them that all of it is gone, and who
// may see them is still the package's to say.
func (s *Space) keepForJournal(ctx context.Context, tx *ent.Tx, p *ent.Pkg) error {
	if _, err := s.dropVersions(ctx, tx, p, packageversion.PackageID(p.ID)); err != nil {
		return err
	}
	_, err := s.settle(ctx, tx, p, now())
	return err
}
