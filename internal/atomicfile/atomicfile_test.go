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
	"strings"
	"sync"
	"testing"
	"time"
)

// actual is the disk of Write.
var actual = disk{(*os.File).Sync, os.Rename, lock, rand.Uint64}

func hello(f *os.File) error {
	_, err := f.WriteString("hello")
	return err
}

func create(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func checkContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v, want %q", filepath.Base(path), got, err, want)
	}
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// The bytes are on the disk before the name leads to them, and the name is before Write returns.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	create(t, path, "old", 0o644)
	broken := errors.New("broken")
	for fail, want := range []string{
		"sync c.tmp-0000000000000007 with hello",
		"sync c.tmp-0000000000000007 with hello, rename to c",
		"sync c.tmp-0000000000000007 with hello, rename to c, sync directory",
		"sync c.tmp-0000000000000007 with hello, rename to c, sync directory",
	} {
		if runtime.GOOS == "windows" && fail == 2 {
			continue // there is no such step
		}
		var did []string
		do := func(what string, f func() error) error {
			did = append(did, what)
			if len(did) == fail+1 {
				return broken
			}
			return f()
		}
		d := actual
		d.number = func() uint64 { return 7 }
		d.sync = func(f *os.File) error {
			if f.Name() == dir+string(filepath.Separator) {
				return do("sync directory", f.Sync)
			}
			b, err := os.ReadFile(f.Name())
			if err != nil {
				t.Fatal(err)
			}
			return do(fmt.Sprintf("sync %s with %s", filepath.Base(f.Name()), b), f.Sync)
		}
		d.rename = func(from, to string) error {
			return do("rename to "+filepath.Base(to), func() error { return os.Rename(from, to) })
		}
		create(t, path, "old", 0o644)
		err := d.write(path, hello)
		if got := strings.Join(did, ", "); got != want && runtime.GOOS != "windows" {
			t.Errorf("steps are %q, want %q", got, want)
		}
		if want := fail < 3; errors.Is(err, broken) != want {
			t.Errorf("step %d fails: error %v, want one: %t", fail, err, want)
		}
		content := "old"
		if fail >= 2 {
			content = "hello"
		}
		checkContent(t, path, content)
		if got := names(t, dir); !slices.Equal(got, []string{"c"}) {
			t.Errorf("step %d fails: files %q, want only c", fail, got)
		}
	}
}

// Whatever already has the name of the temporary file is neither written to nor followed,
// and stays.
func TestPlanted(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "c"), filepath.Join(dir, "victim")
	temporary := path + infix + "0000000000000007"
	d := actual
	d.number = func() uint64 { return 7 }
	for name, plant := range map[string]func() error{
		"link":             func() error { return os.Symlink(victim, temporary) },
		"link to nothing":  func() error { return os.Symlink(filepath.Join(dir, "none"), temporary) },
		"file":             func() error { return os.WriteFile(temporary, []byte("theirs"), 0o644) },
		"directory":        func() error { return os.Mkdir(temporary, 0o755) },
		"second hard link": func() error { return os.Link(victim, temporary) },
	} {
		create(t, victim, "victim", 0o644)
		create(t, path, "old", 0o644)
		if err := plant(); err != nil {
			t.Logf("%s: %v", name, err) // on Windows not everybody may do it
			continue
		}
		if err := d.write(path, hello); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: error %v, want %v", name, err, fs.ErrExist)
		}
		checkContent(t, path, "old")
		checkContent(t, victim, "victim")
		if _, err := os.Lstat(filepath.Join(dir, "none")); err == nil {
			t.Errorf("%s: the link was followed", name)
		}
		if err := os.Remove(temporary); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file keeps its permissions. While it is written, it never has any that let more people read it.
func TestMode(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		t.Skip("there are no such permissions on " + runtime.GOOS)
	}
	dir := t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "c")
	f, err := os.OpenFile(plain, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	mode := func(path string) fs.FileMode {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	check := func(name, path string, want fs.FileMode) {
		t.Helper()
		d := actual
		d.lock = func(f *os.File) bool {
			if got := mode(f.Name()); got&^want != 0 {
				t.Errorf("%s: mode is %v in the beginning, want at most %v", name, got, want)
			}
			return lock(f)
		}
		err := d.write(path, func(f *os.File) error {
			if got := mode(f.Name()); got != want {
				t.Errorf("%s: mode is %v while it is written, want %v", name, got, want)
			}
			return hello(f)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := mode(path); got != want {
			t.Errorf("%s: mode is %v, want %v", name, got, want)
		}
		checkContent(t, path, "hello")
	}
	check("new file", path, mode(plain))
	for _, m := range []fs.FileMode{0o600, 0o640, 0o644, 0o666, 0o755, 0o777, 0o400} {
		create(t, path, "old", 0o600)
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
		check(m.String(), path, m)
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, hello); err != nil || mode(path) != 0 {
		t.Errorf("mode is %v, %v, want 0", mode(path), err)
	}
	// A link is replaced by a file with the permissions of the file that it led to.
	create(t, plain, "private", 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(plain, link); err != nil {
		t.Fatal(err)
	}
	check("link", link, 0o600)
	checkContent(t, plain, "private")
	if err := errors.Join(os.Remove(link), os.Symlink(filepath.Join(dir, "none"), link), os.Chmod(plain, 0o644)); err != nil {
		t.Fatal(err)
	}
	f, err = os.OpenFile(filepath.Join(dir, "other"), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	usual := mode(filepath.Join(dir, "other"))
	check("link to nothing", link, usual)
	private := filepath.Join(dir, "private")
	if err := errors.Join(os.Mkdir(private, 0o700), os.Remove(link), os.Symlink(private, link)); err != nil {
		t.Fatal(err)
	}
	check("link to a directory", link, usual)
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "d")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, path + string(filepath.Separator), dir} {
		err := Write(path, func(*os.File) error { t.Error("it is written to"); return nil })
		if err == nil || err.Error() != path+" is a directory, want the name of a file" {
			t.Errorf("error %v", err)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"d"}) {
		t.Errorf("files %q, want d", got)
	}
}

// A temporary file that is written slowly stays, however many others come and go or are
// left behind.
func TestSlowWriters(t *testing.T) {
	if !locks {
		t.Skip("there are no locks on " + runtime.GOOS)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	const slow = 4
	var begun, done sync.WaitGroup
	finish := make(chan bool)
	begun.Add(slow)
	for k := range slow {
		done.Add(1)
		go func() {
			defer done.Done()
			err := Write(path, func(f *os.File) error {
				past := time.Now().Add(-time.Duration(1+k) * time.Hour)
				err := os.Chtimes(f.Name(), past, past)
				begun.Done()
				<-finish
				return errors.Join(err, hello(f))
			})
			if err != nil {
				t.Errorf("slow writer: %v", err)
			}
		}()
	}
	begun.Wait()
	for k := range 9 {
		create(t, fmt.Sprintf("%s%s%016x", path, infix, k), "left behind", 0o600)
		if err := Replace(path, []byte("quick")); err != nil {
			t.Error(err)
		}
		checkContent(t, path, "quick")
	}
	if got := len(names(t, dir)); got != 1+slow+keep {
		t.Errorf("%d files, want c, %d that are written and %d that were left behind", got, slow, keep)
	}
	close(finish)
	done.Wait()
	checkContent(t, path, "hello")
	for range 2 {
		if err := Replace(path, nil); err != nil {
			t.Error(err)
		}
	}
	if got := len(names(t, dir)); got != 1+keep {
		t.Errorf("%d files, want c and %d that were left behind", got, keep)
	}
}

// Before a temporary file is locked, a process that takes it for a stale one may lock or remove it.
func TestTakenForStale(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	var number uint64
	d := actual
	d.number = func() uint64 { number++; return number }
	d.lock = func(f *os.File) bool {
		switch number {
		case 1: // another process has the lock, and then removes the file
			if err := os.Remove(f.Name()); err != nil {
				t.Skip(err) // on Windows, for example
			}
			return false
		case 2: // another process has removed it
			if err := os.Remove(f.Name()); err != nil {
				t.Skip(err)
			}
			return true
		}
		return lock(f)
	}
	if err := d.write(path, hello); err != nil || number != 3 {
		t.Errorf("error %v after %d files, want none after 3", err, number)
	}
	checkContent(t, path, "hello")
	if got := names(t, dir); !slices.Equal(got, []string{"c"}) {
		t.Errorf("files %q, want only c", got)
	}
}
