package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"entrepot/storage"
)

// Op names an operation of a store that can be made to fail.
type Op string

// The operations that Faulty counts. OpRead is a Read of a reader that Open gave out.
const (
	OpPut    Op = "put"
	OpOpen   Op = "open"
	OpRead   Op = "read"
	OpStat   Op = "stat"
	OpRemove Op = "remove"
	OpList   Op = "list"
	OpLink   Op = "link"
	OpPing   Op = "ping"
)

// When says how much of an operation happens before it fails.
type When int

const (
	// Before: nothing happens, the error is returned.
	Before When = iota
	// During: half of it happens. Put stores the first half of the body and leaves it there, as a crash or a
	// careless remote would; Read returns half the bytes; List yields one entry. Other operations have no half and
	// fail as Before.
	During
	// After: all of it happens, and the error is returned nevertheless. The acknowledgement got lost.
	After
)

func (w When) String() string { return [...]string{"before", "during", "after"}[w] }

// ErrFault is the error of a fault that names none. It is temporary, like most failures of storage.
var ErrFault = fmt.Errorf("fault put in by the test: %w", storage.ErrTemporary)

// Fault is one failure: the Nth call of Op, counted from 1 at the time of Fail, fails with Err (ErrFault if nil).
type Fault struct {
	Op   Op
	N    int
	When When
	Err  error
}

// FaultyStore is a Store whose operations fail when told to.
type FaultyStore struct {
	store storage.Store

	mu     sync.Mutex
	calls  map[Op]int
	faults map[Op][]Fault // N counted from the first call ever
}

var _ storage.Store = (*FaultyStore)(nil)

// Faulty returns a store that behaves like s until Fail is called.
func Faulty(s storage.Store) *FaultyStore {
	return &FaultyStore{store: s, calls: map[Op]int{}, faults: map[Op][]Fault{}}
}

// Fail arranges for a failure. Several may be waiting at a time. N below 1 means the next call.
func (f *FaultyStore) Fail(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.N = f.calls[fault.Op] + max(fault.N, 1)
	if fault.Err == nil {
		fault.Err = ErrFault
	}
	f.faults[fault.Op] = append(f.faults[fault.Op], fault)
}

// Calls returns how often op was called, so that a test can first count the calls of a piece of work and then fail
// each of them in turn.
func (f *FaultyStore) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Pending returns the number of arranged failures that have not happened. A test that ends with some has tested nothing.
func (f *FaultyStore) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for op, faults := range f.faults {
		for _, fault := range faults {
			if fault.N > f.calls[op] {
				n++
			}
		}
	}
	return n
}

// call counts a call and returns the fault that is due, or nil.
func (f *FaultyStore) call(op Op) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[op]++
	for _, fault := range f.faults[op] {
		if fault.N == f.calls[op] {
			return &fault
		}
	}
	return nil
}

// Put implements storage.Receiver.
func (f *FaultyStore) Put(ctx context.Context, key string, r io.Reader, size int64) (int64, error) {
	fault := f.call(OpPut)
	if fault == nil {
		return f.store.Put(ctx, key, r, size)
	}
	switch fault.When {
	case During:
		body, err := io.ReadAll(r)
		if err != nil {
			return 0, errors.Join(fault.Err, err)
		}
		half := body[:len(body)/2]
		if _, err := f.store.Put(ctx, key, bytes.NewReader(half), int64(len(half))); err != nil {
			return 0, errors.Join(fault.Err, err)
		}
	case After:
		if _, err := f.store.Put(ctx, key, r, size); err != nil {
			return 0, err
		}
	}
	return 0, fault.Err
}

// Open implements storage.Opener.
func (f *FaultyStore) Open(ctx context.Context, key string, size int64) (io.ReadSeekCloser, error) {
	if fault := f.call(OpOpen); fault != nil {
		return nil, fault.Err
	}
	r, err := f.store.Open(ctx, key, size)
	if err != nil {
		return nil, err
	}
	return &faultyReader{r, f}, nil
}

type faultyReader struct {
	io.ReadSeekCloser
	store *FaultyStore
}

func (r *faultyReader) Read(p []byte) (int, error) {
	fault := r.store.call(OpRead)
	if fault == nil {
		return r.ReadSeekCloser.Read(p)
	}
	switch fault.When {
	case During:
		p = p[:len(p)/2]
	case Before:
		p = nil
	}
	n, err := r.ReadSeekCloser.Read(p)
	if err != nil && err != io.EOF {
		return n, err
	}
	return n, fault.Err
}

// Stat implements storage.Stater.
func (f *FaultyStore) Stat(ctx context.Context, key string) (int64, error) {
	if fault := f.call(OpStat); fault != nil {
		return 0, fault.Err
	}
	return f.store.Stat(ctx, key)
}

// Remove implements storage.Remover.
func (f *FaultyStore) Remove(ctx context.Context, key string) error {
	fault := f.call(OpRemove)
	if fault == nil {
		return f.store.Remove(ctx, key)
	}
	if fault.When == After {
		if err := f.store.Remove(ctx, key); err != nil {
			return err
		}
	}
	return fault.Err
}

// List implements storage.Lister.
func (f *FaultyStore) List(ctx context.Context) iter.Seq2[storage.Entry, error] {
	fault := f.call(OpList)
	if fault == nil {
		return f.store.List(ctx)
	}
	return func(yield func(storage.Entry, error) bool) {
		if fault.When != Before {
			for entry, err := range f.store.List(ctx) {
				if !yield(entry, err) || err != nil {
					return
				}
				if fault.When == During {
					break
				}
			}
		}
		yield(storage.Entry{}, fault.Err)
	}
}

// Link implements storage.Linker.
func (f *FaultyStore) Link(ctx context.Context, key string, l storage.LinkOptions) (string, error) {
	if fault := f.call(OpLink); fault != nil {
		return "", fault.Err
	}
	return f.store.Link(ctx, key, l)
}

// Ping implements storage.Store.
func (f *FaultyStore) Ping(ctx context.Context) error {
	if fault := f.call(OpPing); fault != nil {
		return fault.Err
	}
	return f.store.Ping(ctx)
}

// Close implements storage.Store.
func (f *FaultyStore) Close() error { return f.store.Close() }
