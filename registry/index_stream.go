package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"entrepot/ent"
	"entrepot/ent/indexfragment"
	"entrepot/ent/schema"
	"entrepot/registry/index"
)

// entry is a fragment with its text, about to be written into a chunk.
type entry struct {
	row  *ent.IndexFragment
	text []byte
	// added tells that it stood in no chunk before.
	added bool
}

// movedFragment is where a build has put a fragment.
type movedFragment struct {
	id, chunk, position int64
	length              int
}

// builtChunk is a chunk of the new text: an old one as it was, or a new one
// whose text is being compressed.
type builtChunk struct {
	schema.IndexChunk
	packed *index.Chunk // nil for an old one
}

// streamBuild writes the new text of a stream: chunks in which nothing changed
// stay, the others are written anew from their entries.
type streamBuild struct {
	stream *ent.IndexStream
	form   StreamForm
	// read gives an old chunk's compressed text.
	read index.Source
	// rows lists the fragments that stand in a chunk, in their order there.
	rows func(ctx context.Context, chunk int64) ([]*ent.IndexFragment, error)
	// pack compresses chunks, several at once.
	pack *errgroup.Group

	chunks  []*builtChunk
	moved   []movedFragment
	cut     []int64 // fragments that stand in no chunk any more
	entries int

	// The chunk being written.
	open   bool
	chunk  schema.IndexChunk
	text   []byte
	last   *string // the name of the entry before, nil at the start
	nextNo int64
	nextAt int64
}

// errDamaged tells that the rows of a chunk do not fit its text. The stream is
// then written anew from the files.
var errDamaged = errors.New("the rows of an index do not fit its text")

func newStreamBuild(s *ent.IndexStream, form StreamForm, pack *errgroup.Group) *streamBuild {
	return &streamBuild{stream: s, form: form, pack: pack, entries: s.Entries, nextNo: s.NextChunk, nextAt: s.NextPosition}
}

// run takes the fragments named in cuts, by chunk, out of the text, and puts
// the added entries in, each at its place.
func (b *streamBuild) run(ctx context.Context, cuts map[int64]map[int64]bool, added func(yield func(entry, error) bool), sorted bool) error {
	if !sorted {
		if err := b.rewrite(ctx, cuts, nil); err != nil {
			return err
		}
		for e, err := range added {
			if err != nil {
				return err
			}
			if !b.open {
				if err := b.reopen(); err != nil {
					return err
				}
			}
			b.put(e)
		}
		b.seal()
		return nil
	}
	var entries []entry
	for e, err := range added {
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, entriesByPlace)
	into := make([][]entry, max(1, len(b.stream.Chunks)))
	for _, e := range entries {
		i := sort.Search(len(b.stream.Chunks), func(i int) bool { return b.stream.Chunks[i].FirstSort > e.row.Sort })
		into[max(0, i-1)] = append(into[max(0, i-1)], e)
	}
	if err := b.rewrite(ctx, cuts, into); err != nil {
		return err
	}
	if len(b.stream.Chunks) == 0 {
		for _, e := range into[0] {
			b.put(e)
		}
	}
	b.seal()
	return nil
}

// byPlace orders entries in a chunk: by their place, then by when they came.
func byPlace(a, b *ent.IndexFragment) int {
	return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.Position, b.Position))
}

func entriesByPlace(a, b entry) int { return byPlace(a.row, b.row) }

// rewrite goes through the old chunks, keeps those that nothing concerns, and
// writes the others anew.
func (b *streamBuild) rewrite(ctx context.Context, cuts map[int64]map[int64]bool, into [][]entry) error {
	for i, c := range b.stream.Chunks {
		var added []entry
		if into != nil {
			added = into[i]
		}
		if len(cuts[c.Number])+len(added) == 0 {
			if err := b.keep(c); err != nil {
				return err
			}
			continue
		}
		entries, err := b.entriesOf(ctx, c, cuts[c.Number])
		if err != nil {
			return err
		}
		for _, e := range added {
			// Behind all that have the same place.
			e.row.Position = b.nextAt
			b.nextAt++
			entries = append(entries, e)
		}
		slices.SortStableFunc(entries, entriesByPlace)
		if err := b.write(c, entries); err != nil {
			return err
		}
	}
	return nil
}

// keep takes an old chunk over as it is, but for what joins it to the entry
// before, which may be another one now.
func (b *streamBuild) keep(c schema.IndexChunk) error {
	b.seal()
	lead := b.form.join(b.last, &c.FirstName)
	b.last = &c.LastName
	if lead == c.Lead {
		b.chunks = append(b.chunks, &builtChunk{IndexChunk: c})
		return nil
	}
	text, err := b.textOf(c)
	if err != nil {
		return err
	}
	b.open, b.chunk, b.text = true, c, append([]byte(lead), text[len(c.Lead):]...)
	b.chunk.Lead = lead
	b.seal()
	return nil
}

// write puts what is left of an old chunk into the text. If that is little, it
// goes along with the chunk before.
func (b *streamBuild) write(c schema.IndexChunk, entries []entry) error {
	if len(entries) == 0 {
		return nil // an empty chunk drops out
	}
	size := 0
	for _, e := range entries {
		size += len(e.text)
	}
	if small := size < b.form.Chunk/4; small && b.room() >= size {
		if !b.open {
			if err := b.reopen(); err != nil {
				return err
			}
		}
		for _, e := range entries {
			b.put(e)
		}
		return nil
	}
	b.seal()
	b.begin(c.Number, entries[0])
	for _, e := range entries {
		b.put(e)
	}
	return nil
}

// room is how many bytes the chunk before the present one still takes.
func (b *streamBuild) room() int {
	switch n := len(b.chunks); {
	case b.open:
		return b.form.Chunk - len(b.text)
	case n > 0 && b.chunks[n-1].packed == nil:
		return b.form.Chunk - int(b.chunks[n-1].Size)
	}
	return 0
}

// entriesOf takes an old chunk apart, without those that are cut.
func (b *streamBuild) entriesOf(ctx context.Context, c schema.IndexChunk, cut map[int64]bool) ([]entry, error) {
	text, err := b.textOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := b.rows(ctx, c.Number)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(rows))
	at := len(c.Lead)
	for i, row := range rows {
		if i > 0 {
			at += len(b.form.join(&rows[i-1].Name, &row.Name))
		}
		if at+row.Length > len(text) {
			return nil, errDamaged
		}
		if cut[row.ID] {
			b.cut = append(b.cut, row.ID)
			b.entries--
		} else {
			entries = append(entries, entry{row: row, text: text[at : at+row.Length]})
		}
		at += row.Length
	}
	if at != len(text) {
		return nil, errDamaged
	}
	return entries, nil
}

func (b *streamBuild) textOf(c schema.IndexChunk) ([]byte, error) {
	packed, err := b.read(c.Data)
	if err != nil {
		return nil, err
	}
	return index.Inflate(packed, c.Size)
}

// reopen goes on with the last chunk if it has room, whatever stands in it.
func (b *streamBuild) reopen() error {
	n := len(b.chunks)
	if n == 0 || b.chunks[n-1].Size >= int64(b.form.Chunk) || b.chunks[n-1].packed != nil {
		return nil
	}
	c := b.chunks[n-1].IndexChunk
	text, err := b.textOf(c)
	if err != nil {
		return err
	}
	b.chunks = b.chunks[:n-1]
	b.open, b.chunk, b.text = true, c, text
	return nil
}

// begin starts a chunk of that number.
func (b *streamBuild) begin(number int64, first entry) {
	b.open = true
	b.chunk = schema.IndexChunk{
		Number: number, Lead: b.form.join(b.last, &first.row.Name), FirstName: first.row.Name, FirstSort: first.row.Sort,
	}
	b.text = append(make([]byte, 0, b.form.Chunk), b.chunk.Lead...)
}

// put appends an entry to the text.
func (b *streamBuild) put(e entry) {
	join := ""
	if b.open && len(b.text) > len(b.chunk.Lead) {
		join = b.form.join(b.last, &e.row.Name)
		if len(b.text)+len(join)+len(e.text) > b.form.Chunk {
			b.seal()
		}
	}
	if !b.open {
		b.begin(b.nextNo, e)
		b.nextNo++
		join = ""
	}
	b.text = append(append(b.text, join...), e.text...)
	b.last, b.chunk.LastName = &e.row.Name, e.row.Name
	position := e.row.Position
	if e.added {
		b.entries++
		if position == 0 {
			position = b.nextAt
			b.nextAt++
		}
	}
	if e.added || e.row.Chunk != b.chunk.Number {
		b.moved = append(b.moved, movedFragment{e.row.ID, b.chunk.Number, position, len(e.text)})
	}
}

// seal ends the chunk being written, and lets it be compressed.
func (b *streamBuild) seal() {
	if !b.open {
		return
	}
	built := &builtChunk{IndexChunk: b.chunk, packed: &index.Chunk{}}
	built.Size = int64(len(b.text))
	text := b.text
	b.pack.Go(func() error {
		*built.packed = index.Deflate(text)
		built.Packed, built.CRC = int64(len(built.packed.Deflated)), built.packed.CRC
		return nil
	})
	b.chunks = append(b.chunks, built)
	b.open, b.text = false, nil
}

// rowsOf lists the fragments in a chunk of a stream, in their order there.
func rowsOf(client *ent.Client, streamID int64) func(context.Context, int64) ([]*ent.IndexFragment, error) {
	return func(ctx context.Context, chunk int64) ([]*ent.IndexFragment, error) {
		rows, err := client.IndexFragment.Query().
			Where(indexfragment.StreamID(streamID), indexfragment.Chunk(chunk)).
			All(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the fragments of a chunk: %w", err)
		}
		// Here and not in the database, whose order of texts may be a language's.
		slices.SortFunc(rows, byPlace)
		return rows, nil
	}
}
