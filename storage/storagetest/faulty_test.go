package storagetest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"entrepot/storage"
)

func openMemory(t *testing.T) storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), ":memory:", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFaultyWithoutFaults(t *testing.T) {
	Run(t, func(t *testing.T) storage.Store { return Faulty(openMemory(t)) })
}

func TestFaultyPut(t *testing.T) {
	content := Content(1000)
	for when, left := range map[When]int{Before: -1, During: 500, After: 1000} {
		t.Run(when.String(), func(t *testing.T) {
			s := Faulty(openMemory(t))
			put(t, s, content)
			s.Fail(Fault{Op: OpPut, N: 2, When: when})
			put(t, s, content)
			key := storage.NewKey()
			_, err := s.Put(t.Context(), key, bytes.NewReader(content), 1000)
			if !errors.Is(err, ErrFault) || !errors.Is(err, storage.ErrTemporary) {
				t.Errorf("the second Put failed with %v", err)
			}
			if left < 0 {
				mustBeGone(t, s, key)
			} else {
				mustHold(t, s, key, content[:left])
			}
			if s.Pending() != 0 || s.Calls(OpPut) != 3 {
				t.Errorf("%d faults pending after %d calls", s.Pending(), s.Calls(OpPut))
			}
			put(t, s, content)
		})
	}
}

func TestFaultyRemove(t *testing.T) {
	for when, kept := range map[When]bool{Before: true, During: true, After: false} {
		s := Faulty(openMemory(t))
		key := put(t, s, []byte("x"))
		s.Fail(Fault{Op: OpRemove, When: when, Err: storage.ErrNoSpace})
		if err := s.Remove(t.Context(), key); !errors.Is(err, storage.ErrNoSpace) {
			t.Errorf("%v: %v", when, err)
		}
		if _, err := s.Stat(t.Context(), key); (err == nil) != kept {
			t.Errorf("%v: object is kept: %v, want %v", when, err == nil, kept)
		}
	}
}

func TestFaultyRead(t *testing.T) {
	content := Content(1000)
	for when, want := range map[When]int{Before: 0, During: 500, After: 1000} {
		s := Faulty(openMemory(t))
		key := put(t, s, content)
		s.Fail(Fault{Op: OpRead, When: when})
		f, err := s.Open(t.Context(), key, 1000)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1000)
		if n, err := io.ReadFull(f, got); n != want || want < 1000 && !errors.Is(err, ErrFault) {
			t.Errorf("%v: read %d bytes, %v", when, n, err)
		}
		f.Close()
	}
}

func TestFaultyList(t *testing.T) {
	for when, want := range map[When]int{Before: 0, During: 1, After: 3} {
		s := Faulty(openMemory(t))
		for range 3 {
			put(t, s, []byte("x"))
		}
		s.Fail(Fault{Op: OpList, When: when})
		n, last := 0, error(nil)
		for _, err := range s.List(t.Context()) {
			if last = err; err == nil {
				n++
			}
		}
		if n != want || !errors.Is(last, ErrFault) {
			t.Errorf("%v: %d entries, then %v", when, n, last)
		}
	}
}

func TestFaultyOthers(t *testing.T) {
	s := Faulty(openMemory(t))
	key := put(t, s, []byte("x"))
	calls := map[Op]func() error{
		OpOpen: func() error { _, err := s.Open(t.Context(), key, 1); return err },
		OpStat: func() error { _, err := s.Stat(t.Context(), key); return err },
		OpLink: func() error { _, err := s.Link(t.Context(), key, storage.LinkOptions{}); return err },
		OpPing: func() error { return s.Ping(t.Context()) },
	}
	for op, call := range calls {
		s.Fail(Fault{Op: op})
		if err := call(); !errors.Is(err, ErrFault) {
			t.Errorf("%s did not fail: %v", op, err)
		}
		if err := call(); errors.Is(err, ErrFault) {
			t.Errorf("%s failed twice", op)
		}
	}
}
