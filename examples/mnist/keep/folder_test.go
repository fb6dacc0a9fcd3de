package keep_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/keep"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := keep.Open(dir); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	cut := filepath.Join(dir, "a", "b")
	if _, err := keep.Open(cut); err != nil {
		t.Errorf("a new folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(cut, keep.Checkpoint+".tmp-0123456789abcdef"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keep.Open(cut); err != nil {
		t.Errorf("a folder of a checkpoint that was cut off: %v", err)
	}
	if entries, err := os.ReadDir(cut); err != nil || len(entries) != 1 {
		t.Errorf("keep.Open left %v behind, error %v", entries, err)
	}
	name := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, name} {
		if _, err := keep.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("keep.Open(%q) = %v, want an error that names it", path, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, keep.Checkpoint), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keep.Open(dir); err != nil {
		t.Errorf("a folder with a checkpoint: %v", err)
	}
}
