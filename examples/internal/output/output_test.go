package output_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/internal/output"
)

// write makes a file, with its folder.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkError checks that an error says something.
func checkError(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %v, want it to say %q", what, err, w)
		}
	}
}

// checkOnly checks that a folder holds these files and no other.
func checkOnly(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(files) {
		t.Errorf("%s holds %v, want %d files", dir, entries, len(files))
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is %.40q, %v, want %.40q", name, got, err, want)
		}
	}
}

// picture returns a small PNG.
func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 5, 3))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table.csv")
	for _, text := range []string{"longer than the second", "short", ""} {
		if err := errors.Join(output.Check(path), output.Write(path, []byte(text))); err != nil {
			t.Fatal(err)
		}
		checkOnly(t, dir, map[string][]byte{"table.csv": []byte(text)})
	}
	write(t, path, []byte("the older one")) // whoever has that open reads on
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := output.Write(path, []byte("another")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(old); err != nil || string(got) != "the older one" {
		t.Errorf("the older file is now %q, %v", got, err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 240)) // without room for what a temporary file has more
	for _, err := range []error{output.Check(long), output.Write(long, nil)} {
		if err == nil {
			t.Error("there is no error for a long name")
		}
	}
	checkError(t, "no folder", output.Check(filepath.Join(dir, "missing", "x")), "missing")
	checkError(t, "a folder", output.Check(dir), dir+" is not a regular file")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err == nil {
		checkError(t, "a link", output.Check(link), link+" is not a regular file")
	}
}

// Nothing can be written where the user may not.
func TestPermission(t *testing.T) {
	dir := t.TempDir()
	path, locked := filepath.Join(dir, "file"), filepath.Join(dir, "locked")
	write(t, path, []byte("mine"))
	write(t, filepath.Join(locked, "file"), []byte("mine"))
	for name, mode := range map[string]fs.FileMode{path: 0o444, locked: 0o555} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(locked, 0o777)
	if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
		f.Close()
		t.Skip("this user may write to what is read-only")
	}
	for _, path := range []string{path, filepath.Join(locked, "file"), filepath.Join(locked, "new")} {
		if err := output.Check(path); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one of permission that names %s", err, path)
		}
	}
}

func TestMark(t *testing.T) {
	for text, want := range map[string]output.Program{
		output.Program("mnist").Mark():                                         "mnist",
		"\x00\x01data " + output.Program("beam/train").Mark() + "\n-rate 1\n":  "beam/train",
		`{"mark": "made by github.com/gorbm/rbm/examples/beam/train", "k": 1}`: "beam/train",
		"made by github.com/gorbm/rbm/examples/":                               "",
		"made by github.com/gorbm/rbm/example/mnist":                           "",
		"rows of github.com/gorbm/rbm/examples/mnist":                          "",
		"": "",
		strings.Repeat("x", 1000) + output.Program("mnist").Mark():               "",
		output.Program("mnist").Mark() + " " + output.Program("classify").Mark(): "mnist",
	} {
		if got := output.Maker([]byte(text)); got != want {
			t.Errorf("the maker of %.80q is %q, want %q", text, got, want)
		}
	}
	for _, name := range append(output.Marked, "notes") {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		write(t, path, []byte(output.Program("mnist").Mark()))
		p, by := output.Owner(dir)
		if name == "notes" && (p != "" || by != "") || name != "notes" && (p != "mnist" || by != path) {
			t.Errorf("a folder with %s belongs to %q by %q", name, p, by)
		}
	}
	if p, by := output.Owner(filepath.Join(t.TempDir(), "missing")); p != "" || by != "" {
		t.Errorf("a folder that is missing belongs to %q by %q", p, by)
	}
}

// A program replaces its own pictures and empty files, and nothing else.
func TestPNG(t *testing.T) {
	const mine, other output.Program = "digits", "anomaly"
	plain := picture(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "own.png")
	for range 2 {
		if err := errors.Join(mine.CheckPNG(path), mine.WritePNG(path, plain)); err != nil {
			t.Fatal(err)
		}
	}
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(own)); err != nil || img.Bounds() != image.Rect(0, 0, 5, 3) {
		t.Errorf("the picture is not the one that was written: %v", err)
	}
	const mark = "tEXtSoftware\x00github.com/gorbm/rbm/examples/digits"
	if !bytes.Contains(own, []byte(mark)) {
		t.Errorf("there is no %q in %q", mark, own)
	}
	checkOnly(t, dir, map[string][]byte{"own.png": own})

	foreign := func(text string) string {
		return text + " exists and is not a picture of this program: not overwritten"
	}
	wrongSum := bytes.Clone(own)
	wrongSum[len(own)-len(plain)+33-1] ^= 1
	for i, test := range []struct {
		content []byte
		want    func(path string) string // the error, if any
	}{
		{[]byte{}, nil},
		{plain, foreign},
		{[]byte("mine"), foreign},
		{own[33:], foreign},
		{own[:33+20], foreign},
		{own[:33+3], foreign},
		{wrongSum, foreign},
		{append(bytes.Clone(own[:33]), 0xff, 0xff, 0xff, 0xff), foreign},
		{append(bytes.Clone(plain[:33]), 0, 0, 0, 0, 0, 0), foreign},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.png")
		write(t, path, test.content)
		check, save := mine.CheckPNG(path), mine.WritePNG(path, plain)
		if test.want == nil {
			if check != nil || save != nil {
				t.Errorf("file %d: errors %v and %v", i, check, save)
			}
			checkOnly(t, dir, map[string][]byte{"x.png": own})
			continue
		}
		for _, err := range []error{check, save} {
			checkError(t, fmt.Sprint("file ", i), err, test.want(path))
		}
		checkOnly(t, dir, map[string][]byte{"x.png": test.content})
	}
	checkError(t, "of another program", other.WritePNG(path, plain), path+" is a picture of examples/digits: not overwritten")
	checkOnly(t, dir, map[string][]byte{"own.png": own})
	checkError(t, "no folder", mine.CheckPNG(filepath.Join(dir, "missing", "x.png")), "missing")
}

func TestPNGName(t *testing.T) {
	for _, name := range []string{"x.png", "a/b.PNG", "gs.tar.png"} {
		if err := output.CheckPNGName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "x.jpg", "x", "png", "x.png/", "x.png.txt", "a.png/x", "."} {
		checkError(t, name, output.CheckPNGName(name), fmt.Sprintf("-out is %q", name), "ends with .png")
	}
}
