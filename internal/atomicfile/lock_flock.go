//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package atomicfile

import (
	"os"
	"syscall"
)

// locks says that there are locks. They end with the process that holds them.
const locks = true

// lock takes the lock of a file that is written to, until it is closed, and reports
// whether nobody else has it. There are file systems without locks.
func lock(f *os.File) bool { return flock(f, syscall.LOCK_EX) }

// inUse reports whether somebody writes to a file. If not, nobody can lock it until f
// is closed.
func inUse(f *os.File) bool { return !flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) bool {
	for {
		if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != syscall.EINTR {
			return err != syscall.EWOULDBLOCK
		}
	}
}
