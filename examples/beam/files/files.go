// Package files reads and writes whole files on any file system that Beam knows by the
// scheme of a path: local ones without a scheme, and gs:// for Google Cloud Storage,
// as far as the program imports them, which package beamx does.
package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	"github.com/gorbm/rbm/checkpoint"
)

// Read returns the content of a file. Where there is no local file, the error wraps
// fs.ErrNotExist.
func Read(ctx context.Context, path string) ([]byte, error) {
	var data []byte
	err := on(ctx, "read", path, func(ctx context.Context, fs filesystem.Interface) (err error) {
		data, err = filesystem.Read(ctx, fs, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Write writes a file, in place of an older one, as a whole or not at all: to a
// temporary file beside it, named like path with .tmp- and 26 letters and digits
// appended, which then takes its name. Where several write to a path at the same
// time, the last one wins. Directories that are missing are made. A Write that was
// killed leaves its temporary file behind.
func Write(ctx context.Context, path string, data []byte) error {
	return on(ctx, "write", path, func(ctx context.Context, fs filesystem.Interface) error {
		tmp := path + ".tmp-" + rand.Text()
		err := write(ctx, fs, tmp, data)
		if err == nil {
			err = filesystem.Rename(ctx, fs, tmp, path)
		}
		if err != nil {
			if fs, ok := fs.(filesystem.Remover); ok {
				fs.Remove(ctx, tmp)
			}
		}
		return err
	})
}

// temporary is what Write appends to a path.
var temporary = regexp.MustCompile(`\.tmp-[A-Z2-7]{26}$`)

func write(ctx context.Context, fs filesystem.Interface, path string, data []byte) error {
	w, err := fs.OpenWrite(ctx, path)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if f, ok := w.(interface{ Sync() error }); ok && err == nil { // a local file
		err = f.Sync()
	}
	return errors.Join(err, w.Close())
}

// List returns the paths that match a pattern, sorted, without the temporary files of
// Write.
func List(ctx context.Context, pattern string) ([]string, error) {
	var paths []string
	err := on(ctx, "list", pattern, func(ctx context.Context, fs filesystem.Interface) (err error) {
		paths, err = fs.List(ctx, pattern)
		return err
	})
	if err != nil {
		return nil, err
	}
	paths = slices.DeleteFunc(paths, temporary.MatchString)
	slices.Sort(paths)
	return paths, nil
}

// Remove removes a file.
func Remove(ctx context.Context, path string) error {
	return on(ctx, "remove", path, func(ctx context.Context, fs filesystem.Interface) error {
		if fs, ok := fs.(filesystem.Remover); ok {
			return fs.Remove(ctx, path)
		}
		return fmt.Errorf("%T cannot remove files", fs)
	})
}

// Save writes a checkpoint of the parts, as [Write] does.
func Save(ctx context.Context, path string, parts ...checkpoint.State) error {
	var b bytes.Buffer
	if err := checkpoint.Write(&b, parts...); err != nil {
		return fmt.Errorf("files: write %s: %w", path, err)
	}
	return Write(ctx, path, b.Bytes())
}

// Load sets the parts to what [Save] wrote.
func Load(ctx context.Context, path string, parts ...checkpoint.State) error {
	data, err := Read(ctx, path)
	if err != nil {
		return err
	}
	r := bytes.NewReader(data)
	switch err = checkpoint.Read(r, parts...); {
	case len(data) == 0:
		err = errors.New("file is empty")
	case err == nil && r.Len() > 0:
		err = errors.New("bytes follow the checkpoint")
	}
	if err != nil {
		return fmt.Errorf("files: %s: %w", path, err)
	}
	return nil
}

// on does something on the file system of a path.
func on(ctx context.Context, what, path string, do func(context.Context, filesystem.Interface) error) error {
	ctx, cancel := context.WithCancel(ctx) // what is left half done when it returns
	defer cancel()
	fs, err := filesystem.New(ctx, path)
	if err == nil {
		err = errors.Join(do(ctx, fs), fs.Close())
	}
	if err != nil {
		return fmt.Errorf("files: %s %s: %w", what, path, err)
	}
	return nil
}
