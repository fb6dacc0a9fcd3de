// Package output writes the files of the example programs: each as a whole or not at
// all, and none in the place of someone else's.
package output

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm/internal/atomicfile"
)

// Check returns an error unless Write can write a file: its folder exists and can be
// written to, and nothing has its name but a file that can be written to as well.
func Check(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return err
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	default: // One that is read-only stays, though its folder would let it be replaced.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		f.Close()
	}
	// The probe has a name like the temporary files of Write, which remove it if it stays.
	probe := fmt.Sprintf("%s.tmp-%016x", path, rand.Uint64())
	f, err := os.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(probe))
	}
	var detail *fs.PathError
	if errors.As(err, &detail) {
		err = detail.Err
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return nil
}

// Write writes a file: whatever happens, it is the older or the new one as a whole.
func Write(path string, data []byte) error { return atomicfile.Replace(path, data) }
