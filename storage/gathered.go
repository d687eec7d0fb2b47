package storage

import "io"

// gathered is the beginning of a body, kept in pooled chunks so that it can be read more than once.
type gathered struct {
	chunks []*chunk
	offset int64 // where the next Read starts
}

// fill reads until r ends or, by at most one chunk, gatherLimit is exceeded; io.EOF is no error.
func (g *gathered) fill(r io.Reader) error {
	for g.size() <= gatherLimit {
		c := newChunk()
		g.chunks = append(g.chunks, c)
		if err := c.fill(r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// size returns the number of bytes held. Every chunk but the last is full.
func (g *gathered) size() int64 {
	if len(g.chunks) == 0 {
		return 0
	}
	last := len(g.chunks) - 1
	return int64(last)*chunkSize + int64(g.chunks[last].n)
}

func (g *gathered) rewind() { g.offset = 0 }

func (g *gathered) Read(p []byte) (int, error) {
	if g.offset >= g.size() {
		return 0, io.EOF
	}
	c := g.chunks[g.offset/chunkSize]
	n := copy(p, c.data[g.offset%chunkSize:c.n])
	g.offset += int64(n)
	return n, nil
}

// release gives the chunks back. Nothing may read from g any more.
func (g *gathered) release() {
	for _, c := range g.chunks {
		c.release()
	}
	g.chunks = nil
}
