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
	"github.com/gorbm/rbm/examples/internal/output"
)

// Checkpoint is the file by which a folder is known as that of a program.
const Checkpoint = "checkpoint"

// A Folder is where the results of a program go.
type Folder struct {
	name    string
	program output.Program
}

// Open makes the folder of the flag -out of a program if it is missing, and finds out
// whether a checkpoint and these files can be written there before hours of training
// are lost. It refuses the folder of another program, or of someone else: one with a
// checkpoint that the program has not marked, or with files and no checkpoint, but for
// empty ones and for what a first checkpoint that was cut off leaves behind.
func Open(name string, program output.Program, files ...string) (Folder, error) {
	d := Folder{name, program}
	err := os.MkdirAll(name, 0o777)
	if err == nil {
		err = d.checkOwner()
	}
	for _, file := range append(files, Checkpoint) {
		if err == nil {
			err = output.Check(d.Path(file))
		}
	}
	if err != nil {
		return Folder{}, fmt.Errorf("-out: %w", err)
	}
	return d, nil
}

// checkOwner returns an error unless the folder is that of the program, or nobody's.
func (d Folder) checkOwner() error {
	owner, path := output.Owner(d.name)
	if owner == d.program {
		return nil
	}
	if owner != "" {
		return fmt.Errorf("%s was made by examples/%s, whose folder this is: want another one for %s", path, owner, d.program)
	}
	path = d.Path(Checkpoint)
	switch info, err := os.Stat(path); {
	case err == nil && info.Size() == 0:
		return nil // and nothing to lose
	case err == nil:
		return fmt.Errorf("%s is not a checkpoint of this program: not overwritten, not even with -fresh; want another folder", path)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	entries, err := os.ReadDir(d.name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		empty := info.Mode().IsRegular() && info.Size() == 0
		if !empty && !strings.HasPrefix(e.Name(), Checkpoint+".tmp-") {
			return fmt.Errorf("%s has files (%s) and no checkpoint; want a new folder, an empty one, or one of this program", d.name, e.Name())
		}
	}
	return nil
}

// Path returns that of a file in the folder.
func (d Folder) Path(name string) string { return filepath.Join(d.name, name) }

// Write writes a file at once, when what write makes of it is complete.
func (d Folder) Write(name string, write func(w io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("%s: %w", d.Path(name), err)
	}
	return output.Write(d.Path(name), b.Bytes())
}

// Save writes the checkpoint.
func (d Folder) Save(s Settings, parts ...checkpoint.State) error {
	return checkpoint.Save(d.Path(Checkpoint), d.with(s, parts)...)
}

// with returns all parts of a checkpoint. First comes what says whose it is.
func (d Folder) with(s Settings, parts []checkpoint.State) []checkpoint.State {
	return append([]checkpoint.State{mark(d.program.Mark() + "\n"), s}, parts...)
}

// Load sets the parts to those of the checkpoint, if there is one. It is an error if
// that was made with other settings.
func (d Folder) Load(s Settings, parts ...checkpoint.State) (found bool, err error) {
	path := d.Path(Checkpoint)
	// First whether it fits, as the error of other parts would say less.
	ignore := make([]checkpoint.State, len(parts))
	for i := range ignore {
		ignore[i] = ignored{}
	}
	err = checkpoint.Load(path, d.with(s, ignore)...)
	if err == nil {
		err = checkpoint.Load(path, d.with(s, parts)...)
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

// Progress says how many epochs, or rounds, a training has behind it that is taken up.
func Progress(from string, done, asked int, what string) string {
	if done > asked {
		return fmt.Sprintf("%s has %d %s, more than the %d asked for: nothing to train, what follows is of all %[2]d", from, done, what, asked)
	}
	return fmt.Sprintf("going on from %s: %d of %d %s are done", from, done, asked, what)
}

// A mark says which program made a checkpoint.
type mark string

func (m mark) AppendBinary(b []byte) ([]byte, error) { return append(b, m...), nil }

func (m mark) UnmarshalBinary(data []byte) error {
	if string(data) != string(m) {
		return fmt.Errorf("the mark is %q, want %q", data, string(m))
	}
	return nil
}

// ignored takes the place of a part that is not wanted.
type ignored struct{}

func (ignored) AppendBinary(b []byte) ([]byte, error) { return b, nil }
func (ignored) UnmarshalBinary([]byte) error          { return nil }
