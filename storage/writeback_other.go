//go:build !linux

package storage

import "os"

// startWriteback has no counterpart here; the fsync does all the work.
func startWriteback(*os.File, int64, int64) {}
