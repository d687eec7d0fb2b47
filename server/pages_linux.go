package server

import (
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// releaseProgram gives back the memory pages of the program file that only
// starting needed, most of it the set-up of storage backends that this server
// does not use. The pages are clean and stay in the system's cache: one that is
// needed again costs a minor fault (madvise(2), MADV_DONTNEED).
func releaseProgram() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	self, err := procfs.Self()
	if err != nil {
		return err
	}
	maps, err := self.ProcMaps()
	if err != nil {
		return err
	}
	for _, m := range maps {
		if strings.TrimSuffix(m.Pathname, " (deleted)") != program || m.Perms.Write {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.StartAddr, m.EndAddr-m.StartAddr, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("give back the pages of %s: %w", program, errno)
		}
	}
	return nil
}
