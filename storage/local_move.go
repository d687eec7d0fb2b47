package storage

import (
	"errors"
	"io/fs"
)

// moveNew gives the file at from the name to, unless that name is taken (ErrExist). A hard link refuses to replace,
// which rename does not; file systems without hard links get a check and a rename, which is enough for keys that are
// random and used once.
func (l *local) moveNew(from, to string) error {
	err := l.root.Link(from, to)
	if err == nil {
		l.root.Remove(from) // a second name in tmp/ does no harm and is swept with the rest
		return nil
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := l.root.Lstat(to); err == nil {
		return ErrExist
	}
	return l.root.Rename(from, to)
}
