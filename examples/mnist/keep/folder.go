// Package keep keeps what a program makes in a folder: pictures, tables, and a
// checkpoint that knows with which settings it was made.
package keep

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm/checkpoint"
)

// Checkpoint is the file that tells a folder of this package from others.
const Checkpoint = "checkpoint"

// A Folder is where results go.
type Folder string

// Open makes the folder of a flag -out if it is missing, and finds out whether it
// can be written to before hours of training are lost. It refuses one that has other
// files and no checkpoint, but for what a first one that was cut off leaves behind:
// they would be someone else's.
func Open(name string) (Folder, error) {
	if err := os.MkdirAll(name, 0o777); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	probe, err := os.CreateTemp(name, Checkpoint+".tmp-")
	if err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	dir := Folder(name)
	_, err = os.Stat(dir.Path(Checkpoint))
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return "", fmt.Errorf("-out: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), Checkpoint+".tmp-") {
			return "", fmt.Errorf("-out is %s, which has files (%s) and no checkpoint; want a new folder, an empty one, or one of this program", name, e.Name())
		}
	}
	return dir, nil
}

// Path returns that of a file in the folder.
func (d Folder) Path(name string) string { return filepath.Join(string(d), name) }

// Write writes a file, once what write makes of it is complete.
func (d Folder) Write(name string, write func(w io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", d.Path(name), err)
	}
	return os.WriteFile(d.Path(name), b.Bytes(), 0o666)
}

// Save writes the checkpoint.
func (d Folder) Save(s Settings, parts ...checkpoint.State) error {
	return checkpoint.Save(d.Path(Checkpoint), append([]checkpoint.State{s}, parts...)...)
}

// Load sets the parts to those of the checkpoint, if there is one. It is an error if
// that was made with other settings.
func (d Folder) Load(s Settings, parts ...checkpoint.State) (found bool, err error) {
	path := d.Path(Checkpoint)
	// First whether it fits, as the error of other parts would say less.
	only := []checkpoint.State{s}
	for range parts {
		only = append(only, ignored{})
	}
	err = checkpoint.Load(path, only...)
	if err == nil {
		err = checkpoint.Load(path, append([]checkpoint.State{s}, parts...)...)
	}
	var m misfit
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.As(err, &m):
		return false, fmt.Errorf("%s %w; give the same, another -out, or -fresh to start anew", path, m)
	}
	if err != nil {
		return false, fmt.Errorf("%w; give another -out, or -fresh to start anew", err)
	}
	return true, nil
}

// ignored takes the place of a part that is not wanted.
type ignored struct{}

func (ignored) AppendBinary(b []byte) ([]byte, error) { return b, nil }
func (ignored) UnmarshalBinary([]byte) error          { return nil }
