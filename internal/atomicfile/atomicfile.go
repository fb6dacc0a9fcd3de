// Package atomicfile replaces files as a whole: a reader, or a program that runs after a
// crash, finds the old content or the new one.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	infix = ".tmp-" // between the name of a file and 16 hexadecimal digits
	keep  = 2       // temporary files of other programs that are not removed
)

// Replace makes b the content of the file at path, all at once and durably. The
// documentation of checkpoint.Save has the details.
func Replace(path string, b []byte) error {
	return Write(path, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

// Write is Replace with the content that write writes to f. If write returns an error, the
// file stays as it is, and Write returns the error.
func Write(path string, write func(f *os.File) error) error {
	return disk{(*os.File).Sync, os.Rename, lock, rand.Uint64}.write(path, write)
}

// A disk has the operations by which a file is replaced. Tests make them fail.
type disk struct {
	sync   func(f *os.File) error
	rename func(from, to string) error
	lock   func(f *os.File) bool
	number func() uint64 // of a temporary file
}

func (d disk) write(path string, write func(f *os.File) error) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	mode, kept, err := modeOf(path)
	if err != nil {
		return err
	}
	removeStale(dir, base)
	f, err := d.create(path, mode, kept)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		if !renamed { // even if write panics
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := d.sync(f); err != nil {
		return err
	}
	if !locks { // a lock must be held until the temporary file has its new name
		if err := f.Close(); err != nil {
			return err
		}
	}
	if err := d.rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	if locks {
		if err := f.Close(); err != nil {
			return err
		}
	}
	return d.syncDir(dir)
}

// modeOf returns the permissions of the file at path. If path is a link, they are the
// permissions of the file that it leads to. They must be kept. If there is no file, modeOf
// returns the usual permissions. A directory is an error.
func modeOf(path string) (mode fs.FileMode, kept bool, err error) {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return 0, false, fmt.Errorf("%s is a directory, want the name of a file", path)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return info.Mode().Perm(), true, nil
	}
	return 0o644, false, nil
}

// create returns a new temporary file, locked, with these permissions. Unless they must be
// kept, umask may remove some. The file never has more permissions than these.
func (d disk) create(path string, mode fs.FileMode, kept bool) (*os.File, error) {
	for {
		// This is not os.CreateTemp, whose files can be read by their owner only.
		f, err := os.OpenFile(fmt.Sprintf("%s%s%016x", path, infix, d.number()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return nil, err
		}
		// Until the file is locked, another process may take it for a stale one.
		locked := d.lock(f)
		info, err := os.Lstat(f.Name())
		if !locked || errors.Is(err, fs.ErrNotExist) {
			f.Close()
			continue
		}
		if err == nil && kept && info.Mode().Perm() != mode {
			err = f.Chmod(mode)
		}
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			return nil, err
		}
		return f, nil
	}
}

// removeStale removes the temporary files that are no longer written to, except for the
// latest ones. Where there are no locks, these may still be in use. Files that it cannot
// remove stay.
func removeStale(dir, base string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type file struct {
		name    string
		written time.Time
	}
	var files []file
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemporary(e.Name(), base) {
			continue
		}
		if info, err := e.Info(); err == nil {
			files = append(files, file{e.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.written.Compare(a.written) })
	for _, f := range files[min(keep, len(files)):] {
		removeUnused(filepath.Join(dir, f.name))
	}
}

// removeUnused removes a temporary file, unless it is being written to.
func removeUnused(path string) {
	if locks {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		if inUse(f) {
			return
		}
	}
	os.Remove(path)
}

// isTemporary reports whether name is the name of a temporary file for base.
func isTemporary(name, base string) bool {
	digits, ok := strings.CutPrefix(name, base+infix)
	_, err := strconv.ParseUint(digits, 16, 64)
	return ok && err == nil && len(digits) == 16
}

// syncDir makes a renaming in a directory durable, if the system can.
func (d disk) syncDir(dir string) error {
	switch runtime.GOOS {
	case "windows", "plan9", "js", "wasip1":
		return nil
	}
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // the directory can be written to, but not read
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.sync(f); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
