package keep_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/keep/keeptest"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) keep.Folder {
	t.Helper()
	d, err := keep.Open(dir, "mnist", "curves.png")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	open(t, dir) // an empty folder
	cut := filepath.Join(dir, "a", "b")
	open(t, cut) // a new one
	write(t, filepath.Join(cut, keep.Checkpoint+".tmp-0123456789abcdef"), "cut off")
	open(t, cut) // of a checkpoint that was cut off
	write(t, filepath.Join(cut, "curves.png"), "")
	write(t, filepath.Join(cut, "history.csv"), "")
	open(t, cut) // of files that are empty
	if entries, err := os.ReadDir(cut); err != nil || len(entries) != 3 {
		t.Errorf("keep.Open left %v behind, error %v", entries, err)
	}
	name := filepath.Join(dir, "notes.txt")
	write(t, name, "mine")
	for _, path := range []string{dir, name} {
		if _, err := keep.Open(path, "mnist"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("keep.Open(%q) = %v, want an error that names it", path, err)
		}
	}
	write(t, filepath.Join(dir, keep.Checkpoint), "")
	open(t, dir) // of a checkpoint that is empty
	if err := open(t, cut).Save(nil); err != nil {
		t.Fatal(err)
	}
	open(t, cut) // its own, with a checkpoint
	picture := filepath.Join(cut, "curves.png")
	if err := errors.Join(os.Remove(picture), os.Mkdir(picture, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := keep.Open(cut, "mnist", "curves.png"); err == nil || !strings.Contains(err.Error(), "-out: "+picture) {
		t.Errorf("with a folder in the place of a picture keep.Open = %v, want an error that names it", err)
	}
}

// A checkpoint is known by its mark also if it is damaged.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	settings := keep.Settings{{"-hidden", 3}}
	if err := d.Save(settings, rbm.New(2, 3)); err != nil {
		t.Fatal(err)
	}
	path := d.Path(keep.Checkpoint)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(b[:len(b)-1]))
	if _, err := open(t, dir).Load(settings, new(rbm.RBM)); err == nil || !strings.Contains(err.Error(), "-fresh to start anew") {
		t.Errorf("Load = %v, want an error that names -fresh", err)
	}
	if _, err := keep.Open(dir, "classify"); err == nil || !strings.Contains(err.Error(), path+" was made by examples/mnist") {
		t.Errorf("another program opens it with error %v", err)
	}
}

func TestForeign(t *testing.T) {
	keeptest.CheckForeign(t, func(out string, fresh bool) error {
		_, err := keep.Open(out, "mnist", "curves.png")
		return err
	})
}

// A file that cannot be completed leaves the older one as it was.
func TestWrite(t *testing.T) {
	d := open(t, t.TempDir())
	text := func(s string, err error) func(w io.Writer) error {
		return func(w io.Writer) error {
			_, e := io.WriteString(w, s)
			return errors.Join(e, err)
		}
	}
	check := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(d.Path("curves.png")); err != nil || string(got) != want {
			t.Errorf("the file is %q, %v, want %q", got, err, want)
		}
	}
	if err := d.Write("curves.png", text("the first one", nil)); err != nil {
		t.Fatal(err)
	}
	check("the first one")
	// Whoever reads it meanwhile reads on, as the older file is not written to.
	old, err := os.Open(d.Path("curves.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := d.Write("curves.png", text("another", nil)); err != nil {
		t.Fatal(err)
	}
	check("another")
	if got, err := io.ReadAll(old); err != nil || string(got) != "the first one" {
		t.Errorf("the older file is now %q, %v", got, err)
	}
	broken := errors.New("no more colors")
	if err := d.Write("curves.png", text("half", broken)); !errors.Is(err, broken) || !strings.Contains(err.Error(), d.Path("curves.png")) {
		t.Errorf("the error is %v, want %v", err, broken)
	}
	check("another")
}

func TestProgress(t *testing.T) {
	for _, test := range []struct {
		done, asked int
		want        string
	}{
		{0, 3, "going on from x/checkpoint: 0 of 3 epochs are done"},
		{3, 3, "going on from x/checkpoint: 3 of 3 epochs are done"},
		{40, 10, "x/checkpoint has 40 epochs, more than the 10 asked for: nothing to train, what follows is of all 40"},
	} {
		if got := keep.Progress("x/checkpoint", test.done, test.asked, "epochs"); got != test.want {
			t.Errorf("%d of %d: %q, want %q", test.done, test.asked, got, test.want)
		}
	}
}
