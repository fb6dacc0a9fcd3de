// Package keeptest tests that programs keep to their own folders.
package keeptest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/output"
	"github.com/gorbm/rbm/examples/mnist/keep"
)

// CheckForeign runs a program with folders of -out that are not its own. It must return
// an error that says so, with the flag -fresh too, and change nothing.
func CheckForeign(t *testing.T, run func(out string, fresh bool) error) {
	t.Helper()
	for name, prepare := range map[string]func(t *testing.T, dir string) (want string){
		"another program": func(t *testing.T, dir string) string {
			d, err := keep.Open(dir, "another")
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Save(keep.Settings{{"-hidden", 3}}, rbm.New(2, 3)); err != nil {
				t.Fatal(err)
			}
			return d.Path(keep.Checkpoint) + " was made by examples/another"
		},
		"another kind of settings": func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "settings")
			write(t, path, `{"mark": "`+output.Program("beam/train").Mark()+`"}`)
			return path + " was made by examples/beam/train"
		},
		"another checkpoint": func(t *testing.T, dir string) string {
			path := filepath.Join(dir, keep.Checkpoint)
			write(t, path, `model_checkpoint_path: "model.ckpt-1000"`)
			return path + " is not a checkpoint of this program"
		},
		"no checkpoint": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "notes.txt"), "mine")
			return dir + " has files (notes.txt) and no checkpoint"
		},
		"a folder as the checkpoint": func(t *testing.T, dir string) string {
			path := filepath.Join(dir, keep.Checkpoint)
			if err := os.Mkdir(path, 0o777); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(path, "1"), "mine")
			return path
		},
	} {
		dir := t.TempDir()
		want := prepare(t, dir)
		before := fmt.Sprint(tree(t, dir))
		for _, fresh := range []bool{false, true} {
			err := run(dir, fresh)
			if err == nil || !strings.HasPrefix(err.Error(), "-out: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, -fresh=%t: the error is %v, want -out: … %s", name, fresh, err, want)
			}
			if after := fmt.Sprint(tree(t, dir)); after != before {
				t.Errorf("%s, -fresh=%t: the folder has changed from %.200s to %.200s", name, fresh, before, after)
			}
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// tree returns the files of a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
