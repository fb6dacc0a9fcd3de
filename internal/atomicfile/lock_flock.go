//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package atomicfile

import (
	"os"
	"syscall"
)

// locks reports whether there are locks. They end with the process that holds them.
const locks = true

// lock takes the lock of a file that will be written to. It is held until the file is
// closed. lock returns false if another process has it. On a file system without locks it
// returns true.
func lock(f *os.File) bool { return flock(f, syscall.LOCK_EX) }

// inUse reports whether another process is writing to a file. If not, no other process can
// lock it until f is closed.
func inUse(f *os.File) bool { return !flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) bool {
	for {
		if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != syscall.EINTR {
			return err != syscall.EWOULDBLOCK
		}
	}
}
