package keep_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/keep"
)

func TestLoad(t *testing.T) {
	dir := open(t, t.TempDir())
	settings := keep.Settings{{"-hidden", 3}, {"-rate", 0.5}, {"images of checksum", "0123"}}
	m, copied := rbm.New(2, 3), rbm.New(2, 3)
	m.B.SetVec(1, 7)
	if found, err := dir.Load(settings, copied); found || err != nil {
		t.Errorf("without a checkpoint Load = %t, %v", found, err)
	}
	if err := dir.Save(settings, m); err != nil {
		t.Fatal(err)
	}
	if found, err := dir.Load(settings, copied); !found || err != nil || copied.B.AtVec(1) != 7 {
		t.Errorf("Load = %t, %v and B[1] = %v, want true, nil and 7", found, err, copied.B.AtVec(1))
	}
	path := dir.Path(keep.Checkpoint)
	for want, other := range map[string]keep.Settings{
		"was made with -hidden 3, not -hidden 4; give the same":      {{"-hidden", 4}, {"-rate", 0.5}, {"images of checksum", "0123"}},
		"was made with -rate 0.5, not -rate 1; give":                 {{"-hidden", 3}, {"-rate", 1}, {"images of checksum", "0123"}},
		"with images of checksum 0123, not images of checksum 0124;": {{"-hidden", 3}, {"-rate", 0.5}, {"images of checksum", "0124"}},
		"there are 3 settings, want 2":                               {{"-hidden", 3}, {"-rate", 0.5}},
	} {
		if found, err := dir.Load(other, copied); found || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Load = %t, %v, want an error that names %s and says %q", found, err, path, want)
		}
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := dir.Load(settings, copied); found || err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-fresh") {
		t.Errorf("of a broken checkpoint Load = %t, %v, want an error that names %s and -fresh", found, err, path)
	}
}
