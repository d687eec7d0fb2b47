package storage

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// Written tells what a stream turned out to be.
type Written struct {
	Key  string
	Size int64 // bytes
	Sums Sums
}

// Write streams r once, into the store under key and through SHA256 and the digests of want. size is the length of r
// or -1. It returns when the object is durable; errors are those of Receiver.Put, and then nothing is left under key.
func Write(ctx context.Context, s Receiver, key string, r io.Reader, size int64, want Algorithm) (Written, error) {
	return WriteWith(ctx, s, key, r, size, NewHasher(want))
}

// WriteWith is Write with a Hasher that may have seen earlier chunks of a longer stream. Written.Size counts the bytes
// of r alone, Written.Sums covers everything h has seen. After an error the state of h is of no use.
func WriteWith(ctx context.Context, s Receiver, key string, r io.Reader, size int64, h *Hasher) (Written, error) {
	t := &tee{r: r, size: size, hasher: h}
	n, err := s.Put(ctx, key, t, size)
	t.finish()
	if err != nil {
		return Written{}, err
	}
	return Written{Key: key, Size: n, Sums: h.Sums()}, nil
}

// chunkSize is the unit in which streams move: large enough that the calls vanish beside hashing (0.15 ms a chunk),
// small enough that a few of them per upload do not count.
const chunkSize = 256 << 10

// parallelFrom is where several digests move to goroutines of their own, beside the one that reads and writes; a single
// digest follows at singleFrom. On an idle machine that pays from 1 MiB on, but on a busy one each hand-over waits for a
// processor, which several digests (3.6 ms/MiB) make up for and one (0.6 ms/MiB) does only in a large body.
const (
	parallelFrom = 1 << 20
	singleFrom   = 16 << 20
)

// chunk is a pooled buffer that returns to the pool when the last of its readers has released it.
type chunk struct {
	data [chunkSize]byte
	n    int
	refs atomic.Int32
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func newChunk() *chunk {
	c := chunks.Get().(*chunk)
	c.n = 0
	c.refs.Store(1)
	return c
}

func (c *chunk) release() {
	if c.refs.Add(-1) == 0 {
		chunks.Put(c)
	}
}

// fill reads until the chunk is full or r ends. A full chunk has a nil error; io.EOF may come with bytes.
func (c *chunk) fill(r io.Reader) error {
	for c.n < len(c.data) {
		n, err := r.Read(c.data[c.n:])
		c.n += n
		if err != nil {
			return err
		}
	}
	return nil
}

// tee is the stream a store reads: what passes through it is hashed. A store that offers a writer (the local one) is
// driven by WriteTo, where hashing shares the chunk being written; others call Read.
type tee struct {
	r      io.Reader
	size   int64 // announced, -1 unknown
	seen   int64
	hasher *Hasher
	lanes  *lanes // nil while hashing in the reading goroutine
}

// wantsLanes decides whether digests are worth goroutines now: the body is known, or has already shown itself, to be
// large.
func (t *tee) wantsLanes() bool {
	from := int64(parallelFrom)
	switch t.hasher.set {
	case 0:
		return false
	case SHA256:
		from = singleFrom
	}
	return t.lanes == nil && (t.size >= from || t.seen >= from)
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		if t.wantsLanes() {
			t.lanes = startLanes(t.hasher)
		}
		if t.lanes == nil {
			t.hasher.Write(p[:n])
		} else {
			t.lanes.copy(p[:n]) // p belongs to the caller again when we return
		}
		t.seen += int64(n)
	}
	return n, err
}

// WriteTo implements io.WriterTo. It returns the first error of the reader or of w.
func (t *tee) WriteTo(w io.Writer) (written int64, err error) {
	for {
		c := newChunk()
		readErr := c.fill(t.r)
		if c.n > 0 {
			if t.wantsLanes() {
				t.lanes = startLanes(t.hasher)
			}
			if t.lanes == nil {
				t.hasher.Write(c.data[:c.n])
			} else {
				t.lanes.share(c)
			}
			t.seen += int64(c.n)
			var n int
			n, err = w.Write(c.data[:c.n])
			written += int64(n)
		}
		c.release()
		switch {
		case err != nil:
			return written, err
		case readErr == io.EOF:
			return written, nil
		case readErr != nil:
			return written, bodyError(readErr)
		}
	}
}

// finish waits for the digests. It must be called before the Hasher is used again.
func (t *tee) finish() {
	if t.lanes != nil {
		t.lanes.wait()
		t.lanes = nil
	}
}

// lanes runs each digest of a Hasher in a goroutine of its own. The queues are short: the slowest digest sets the pace
// and the memory of an upload stays at a few chunks.
type lanes struct {
	hasher *Hasher
	queues []chan *chunk
	done   sync.WaitGroup
	open   *chunk // gathers small reads
}

const laneDepth = 3

func startLanes(h *Hasher) *lanes {
	l := &lanes{hasher: h}
	for _, digest := range h.hashes {
		if digest == nil {
			continue
		}
		queue := make(chan *chunk, laneDepth)
		l.queues = append(l.queues, queue)
		l.done.Go(func() {
			for c := range queue {
				digest.Write(c.data[:c.n])
				c.release()
			}
		})
	}
	return l
}

// share hands c to every digest; the caller keeps its own reference and must not change the bytes any more.
func (l *lanes) share(c *chunk) {
	c.refs.Add(int32(len(l.queues)))
	l.hasher.size += int64(c.n)
	for _, queue := range l.queues {
		queue <- c
	}
}

// copy gathers p into chunks and shares them when they are full.
func (l *lanes) copy(p []byte) {
	for len(p) > 0 {
		if l.open == nil {
			l.open = newChunk()
		}
		n := copy(l.open.data[l.open.n:], p)
		l.open.n += n
		p = p[n:]
		if l.open.n == len(l.open.data) {
			l.flush()
		}
	}
}

func (l *lanes) flush() {
	l.share(l.open)
	l.open.release()
	l.open = nil
}

func (l *lanes) wait() {
	if l.open != nil {
		l.flush()
	}
	for _, queue := range l.queues {
		close(queue)
	}
	l.done.Wait()
}
