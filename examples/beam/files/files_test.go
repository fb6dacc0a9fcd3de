package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"gonum.org/v1/gonum/mat"
)

func checkError(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %v, want it to say %q", what, err, w)
		}
	}
}

func TestFiles(t *testing.T) {
	ctx := context.Background()
	for _, dir := range []string{filepath.Join(t.TempDir(), "a", "b"), "memfs://a/b"} {
		for name, data := range map[string]string{"y": "new", "x": "content", "z": ""} {
			for _, data := range []string{"an older file", data} {
				if err := files.Write(ctx, dir+"/"+name, []byte(data)); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := files.Read(ctx, dir+"/"+name); err != nil || string(got) != data {
				t.Errorf("%s/%s: %q, %v, want %q", dir, name, got, err, data)
			}
		}
		want := []string{dir + "/x", dir + "/y", dir + "/z"}
		if got, err := files.List(ctx, dir+"/*"); err != nil || !slices.Equal(got, want) {
			t.Errorf("List = %q, %v, want %q", got, err, want)
		}
		if err := files.Remove(ctx, dir+"/y"); err != nil {
			t.Fatal(err)
		}
		if got, err := files.List(ctx, dir+"/[yz]"); err != nil || !slices.Equal(got, want[2:]) {
			t.Errorf("List = %q, %v, want %q", got, err, want[2:])
		}
		_, err := files.Read(ctx, dir+"/y")
		checkError(t, "Read", err, dir+"/y")
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want %v", err, fs.ErrNotExist)
		}
	}
}

// What a Write that was killed leaves behind is no file.
func TestListHasNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x", "x.tmp-" + strings.Repeat("A2", 13), "x.tmp-"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{filepath.Join(dir, "x"), filepath.Join(dir, "x.tmp-")}
	if got, err := files.List(context.Background(), dir+"/*"); err != nil || !slices.Equal(got, want) {
		t.Errorf("List = %q, %v, want %q", got, err, want)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	checkError(t, "Write", files.Write(ctx, full, []byte("data")), full)
	checkError(t, "Remove", files.Remove(ctx, filepath.Join(dir, "none")), filepath.Join(dir, "none"))
	_, err := files.List(ctx, dir+"/[")
	checkError(t, "List", err, dir+"/[", "syntax error")
	checkError(t, "scheme", files.Write(ctx, "other://x", nil), "other://x", "not registered")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files %v, %v: Write left one behind", entries, err)
	}
}

// Whoever reads finds one of the files that are being written, and a whole one.
func TestWriteIsAtomic(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "file")
	content := func(b byte) []byte { return bytes.Repeat([]byte{b}, 1<<16) }
	if err := files.Write(ctx, path, content(0)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for w := range byte(3) {
		all.Go(func() {
			for range 20 {
				if err := files.Write(ctx, path, content(w)); err != nil {
					t.Error(err)
				}
				got, err := files.Read(ctx, path)
				if err != nil || len(got) != 1<<16 || !bytes.Equal(got, content(got[0])) {
					t.Errorf("%d bytes, %v, want a whole file", len(got), err)
				}
			}
		})
	}
	all.Wait()
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("files %v, %v", entries, err)
	}
}

func TestCheckpoint(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "dir", "checkpoint")
	m := rbm.NewRandom(5, 4, 1, rand.NewPCG(1, 1))
	sgd := &rbm.SGD{Rate: 0.25}
	if err := files.Save(ctx, path, m, sgd); err != nil {
		t.Fatal(err)
	}
	var got rbm.RBM
	var gotSGD rbm.SGD
	if err := files.Load(ctx, path, &got, &gotSGD); err != nil || !mat.Equal(got.W, m.W) || gotSGD.Rate != 0.25 {
		t.Errorf("Load = %v, W %v, rate %v", err, got.W, gotSGD.Rate)
	}
	checkError(t, "parts", files.Load(ctx, path, &got), path, "data has 2 parts, want 1")
	if err := files.Load(ctx, path+"x", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	whole, err := files.Read(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	for want, data := range map[string][]byte{
		"file is empty":               nil,
		"unexpected EOF":              whole[:len(whole)-1],
		"bytes follow the checkpoint": append(bytes.Clone(whole), 0),
		"checksum":                    damaged,
	} {
		if err := files.Write(ctx, path, data); err != nil {
			t.Fatal(err)
		}
		checkError(t, want, files.Load(ctx, path, &got, &gotSGD), path, want)
	}
}

// A lateFS lists in no order, and its errors come late: at the Sync or the Close of files
// of these names, or at its own Close.
type lateFS struct {
	filesystem.Interface
	err error
}

var errLate = errors.New("the quota is used up")

func init() {
	filesystem.Register("late", func(context.Context) filesystem.Interface { return new(lateFS) })
}

func (f *lateFS) Close() error { return f.err }

func (f *lateFS) List(_ context.Context, pattern string) ([]string, error) {
	if strings.HasSuffix(pattern, "Close") {
		f.err = errLate
	}
	return []string{"late://b", "late://a"}, nil
}

func (f *lateFS) OpenWrite(_ context.Context, path string) (io.WriteCloser, error) {
	return &lateFile{path}, nil
}

type lateFile struct{ path string }

func (f *lateFile) Write(b []byte) (int, error) { return len(b), nil }
func (f *lateFile) Sync() error                 { return f.at("Sync") }
func (f *lateFile) Close() error                { return f.at("Close") }

func (f *lateFile) at(what string) error {
	if strings.Contains(f.path, what) {
		return errLate
	}
	return nil
}

func TestLateErrors(t *testing.T) {
	ctx := context.Background()
	for _, path := range []string{"late://Sync", "late://Close"} {
		if err := files.Write(ctx, path, []byte("data")); !errors.Is(err, errLate) {
			t.Errorf("Write of %s: error %v, want %v", path, err, errLate)
		}
	}
	if _, err := files.List(ctx, "late://Close"); !errors.Is(err, errLate) {
		t.Errorf("List: error %v, want %v", err, errLate)
	}
	if got, err := files.List(ctx, "late://*"); err != nil || !slices.Equal(got, []string{"late://a", "late://b"}) {
		t.Errorf("List = %q, %v, want it sorted", got, err)
	}
}
