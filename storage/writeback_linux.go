package storage

import (
	"os"
	"syscall"
)

// syncFileRangeWrite starts writing dirty pages of a range and does not wait for them (sync_file_range(2)).
const syncFileRangeWrite = 2

// startWriteback asks the kernel to begin writing the range to the disk. It is advice: errors do not matter, the fsync
// that follows reports what counts.
func startWriteback(f *os.File, offset, length int64) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SyncFileRange(int(fd), offset, length, syncFileRangeWrite)
	})
}
