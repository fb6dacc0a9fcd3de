package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
)

// The groups are those of each model that is written, and no row of a shard violates one;
// a job and a loop make the same bits.
func TestOneHotGroups(t *testing.T) {
	rowsDir := t.TempDir()
	var lines []string
	for i := range 200 {
		row := []byte(strings.Repeat("0", columns))
		row[i%3], row[3+i%5] = '1', '1'
		row[9] = '0' + byte(i%2)
		lines = append(lines, string(row))
	}
	lines[7] = "110100000000"
	lines[9] = "100000000000"
	if err := os.WriteFile(rowsDir+"/x.txt", []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	want := []rbm.Group{{From: 0, To: 3}, {From: 3, To: 8}}
	for _, mode := range []string{step, epoch} {
		var models [][]byte
		for _, local := range []string{"", " -local"} {
			work := t.TempDir()
			out := mustRun(t, rowsDir+"/*.txt", work, "-groups 0:3,3:8 -mode "+mode+local)
			if !strings.Contains(out, "198 rows in 3 shards\n2 bad rows: ") {
				t.Errorf("%s%s: it printed\n%s", mode, local, out)
			}
			var bad []string
			for path, text := range tree(t, filepath.Join(work, training)) {
				if strings.HasPrefix(path, "bad-") {
					bad = append(bad, strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:]...)
				}
			}
			slices.Sort(bad)
			wantBad := []string{
				rowsDir + `/x.txt,10,"has 0 units on in the group [3, 8), want 1"`,
				rowsDir + `/x.txt,8,"has 2 units on in the group [0, 3), want 1"`,
			}
			if !slices.Equal(bad, wantBad) {
				t.Errorf("%s%s: bad rows are %q, want %q", mode, local, bad, wantBad)
			}
			b, err := files.Read(context.Background(), work+"/model")
			if err != nil {
				t.Fatal(err)
			}
			var m rbm.RBM
			if err := m.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(m.OneHot, want) {
				t.Errorf("%s%s: the model has the groups %v, want %v", mode, local, m.OneHot, want)
			}
			models = append(models, b)
			o := optionsOf(t, small(t, rowsDir+"/*.txt", work, "-groups 0:3,3:8 -mode "+mode))
			r := Round{Work: dir(work).training(training), Settings: o.Settings, Number: 3}
			if _, err := r.load(context.Background()); err != nil {
				t.Error(err)
			}
			r.Settings.Groups = "0:3"
			_, err = r.load(context.Background())
			checkError(t, "other groups", err, "model has the groups [[0, 3) [3, 8)], want [[0, 3)]")
			_, err = smallRun(t, rowsDir+"/*.txt", work, "-groups 0:3 -mode "+mode+local)
			checkError(t, "other groups", err, "-groups 0:3,3:8, not -groups 0:3")
			_, err = smallRun(t, rowsDir+"/*.txt", work, "-test "+rowsDir+"/x.txt -groups 0:3,3:8 -mode "+mode+local)
			checkError(t, "-test", err, fmt.Sprintf("-test: rows: %s/x.txt: row 8: has 2 units on in the group [0, 3), want 1", rowsDir))
		}
		if !slices.Equal(models[0], models[1]) {
			t.Errorf("%s: a job and a loop make other models", mode)
		}
	}
}

// The mean of models has the groups.
func TestGroupsOfMean(t *testing.T) {
	m := rbm.New(3, 2)
	m.OneHot = []rbm.Group{{From: 0, To: 2}}
	var parts []Part
	for i := range 3 {
		b, err := (&mean{1, *m}).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, Part{i, b})
	}
	b, err := merge(epoch, parts)
	if err != nil {
		t.Fatal(err)
	}
	var got mean
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.model.OneHot, m.OneHot) {
		t.Errorf("the mean has the groups %v, want %v", got.model.OneHot, m.OneHot)
	}
}
