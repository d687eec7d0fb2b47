package registry

import (
	"bytes"
	"io"

	"github.com/maypok86/otter/v2"
)

const (
	// smallContent is the size in bytes up to which contents are kept in memory
	// after they were read: manifests, signatures, module files, which clients
	// ask for far more often than for anything else.
	smallContent = 16 << 10
	// smallContents is how many bytes of them are kept in all.
	smallContents = 8 << 20
)

// smallCache keeps small contents by their storage keys. A key is never used
// again, so that what is kept never becomes wrong; whether anybody may have it
// is the rows' to say, as ever.
type smallCache struct {
	kept *otter.Cache[string, []byte]
}

func newSmallCache() smallCache {
	return smallCache{otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: smallContents,
		Weigher:       func(key string, content []byte) uint32 { return uint32(len(key) + len(content) + 64) },
	})}
}

// read returns the content under the key, from memory or through open.
func (c smallCache) read(key string, size int64, open func() (io.ReadSeekCloser, error)) (io.ReadSeekCloser, error) {
	if content, ok := c.kept.GetIfPresent(key); ok {
		return inMemory{bytes.NewReader(content)}, nil
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, size)
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, err
	}
	c.kept.Set(key, content)
	return inMemory{bytes.NewReader(content)}, nil
}

// inMemory is content that needs no closing.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
