package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Part is one object of a larger whole, with its length in bytes.
type Part struct {
	Key  string
	Size int64
}

// Concat returns one seekable reader over the parts in order. Nothing is opened before the first Read, one part is
// open at a time, and a part shorter or longer than stated is ErrSize. ctx must live as long as the reader.
func Concat(ctx context.Context, s Opener, parts []Part) io.ReadSeekCloser {
	c := &concat{ctx: ctx, store: s, parts: parts}
	for _, part := range parts {
		c.size += part.Size
	}
	return c
}

// Compose reads the parts in order into one new object under dstKey, with its SHA256 and the digests of want. The parts
// stay; the caller removes them when its database no longer names them. A single part needs no Compose: its key can
// become the object's key.
func Compose(ctx context.Context, s interface {
	Opener
	Receiver
}, dstKey string, parts []Part, want ...Algorithm) (Written, error) {
	var set Algorithm
	for _, algorithm := range want {
		set |= algorithm
	}
	whole := &concat{ctx: ctx, store: s, parts: parts}
	for _, part := range parts {
		whole.size += part.Size
	}
	defer whole.Close()
	w, err := Write(ctx, s, dstKey, whole, whole.size, set)
	if err != nil && whole.err != nil {
		// The "body" is our own storage: its error must not pass for one of the sender.
		return Written{}, fmt.Errorf("storage: compose %s: %w", dstKey, whole.err)
	}
	return w, err
}

// concat reads several objects as one.
type concat struct {
	ctx    context.Context
	store  Opener
	parts  []Part
	size   int64
	offset int64 // of the whole, where the next Read starts

	open  io.ReadSeekCloser // nil when the next Read must open a part
	index int               // which part is open
	left  int64             // bytes not yet read of the open part
	err   error             // first failure of a part
}

func (c *concat) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.offset >= c.size {
		return 0, io.EOF
	}
	if c.open == nil {
		if err := c.locate(); err != nil {
			c.err = err
			return 0, err
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.open.Read(p)
	c.offset += int64(n)
	c.left -= int64(n)
	switch {
	case c.left == 0:
		err = c.closePart()
	case err == io.EOF:
		part := c.parts[c.index]
		err = fail("open", part.Key, sizeError(part.Size, part.Size-c.left))
	}
	if err != nil {
		c.err = err
	}
	return n, err
}

// locate opens the part that holds the current offset.
func (c *concat) locate() error {
	start := int64(0)
	for i, part := range c.parts {
		if c.offset < start+part.Size {
			open, err := c.store.Open(c.ctx, part.Key, part.Size)
			if err != nil {
				return err
			}
			skip := c.offset - start
			if skip > 0 {
				if _, err := open.Seek(skip, io.SeekStart); err != nil {
					return errors.Join(err, open.Close())
				}
			}
			c.open, c.index, c.left = open, i, part.Size-skip
			return nil
		}
		start += part.Size
	}
	return io.EOF
}

func (c *concat) closePart() error {
	if c.open == nil {
		return nil
	}
	err := c.open.Close()
	c.open = nil
	return err
}

// Seek implements io.Seeker over the whole. It opens nothing.
func (c *concat) Seek(offset int64, whence int) (int64, error) {
	target, err := seekTarget(c.offset, c.size, offset, whence)
	if err != nil || target == c.offset {
		return target, err
	}
	c.offset = target
	return target, c.closePart()
}

func (c *concat) Close() error {
	c.offset = c.size
	return c.closePart()
}

// seekTarget computes the new position of a Seek in something of the given size. Positions behind the end are allowed,
// as for files; reading there is io.EOF.
func seekTarget(current, size, offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += current
	case io.SeekEnd:
		offset += size
	default:
		return 0, fmt.Errorf("storage: seek with unknown whence %d", whence)
	}
	if offset < 0 {
		return 0, errors.New("storage: seek before the start")
	}
	return offset, nil
}
