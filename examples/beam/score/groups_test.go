package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// Rows that violate a group of the model are bad, in a job and in a loop.
func TestGroups(t *testing.T) {
	o, dir, m := setup(t, 9, 2)
	m.OneHot = []rbm.Group{{From: 1, To: 4}, {From: 6, To: 9}}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	writeFile(t, o.model, b.Bytes())
	in := filepath.Join(dir, "in", "x")
	writeFile(t, in, []byte("101000001\n101100001\n000111010\n10\n000101000\n"))
	want := [][]string{
		{"file", "row", "reason"},
		{in, "2", "has 2 units on in the group [1, 4), want 1"},
		{in, "4", "has 2 columns, want 9"},
		{in, "5", "has 0 units on in the group [6, 9), want 1"},
	}
	v := rbm.NewBits(2, 9)
	for i, row := range []string{"101000001", "000111010"} {
		for j, c := range row {
			v.SetBit(i, j, c == '1')
		}
	}
	energy := m.FreeEnergy(nil, v)
	scores := [][]string{{"file", "row", "free_energy"}, {in, "1", fmt.Sprint(energy[0])}, {in, "3", fmt.Sprint(energy[1])}}
	for _, o.local = range []bool{false, true} {
		o.output, o.bad = fmt.Sprintf("%s/out-%t", dir, o.local), fmt.Sprintf("%s/bad-%t", dir, o.local)
		var out strings.Builder
		if err := run(context.Background(), o, &out); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), "2 rows scored: ") || !strings.Contains(out.String(), "\n3 bad rows: ") {
			t.Errorf("local %t: it printed %q", o.local, out.String())
		}
		if got := table(t, o.bad+"-00000-of-00001.csv"); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("local %t: bad rows %q, want %q", o.local, got, want)
		}
		if got := table(t, o.output+"-00000-of-00001.csv"); !slices.EqualFunc(got, scores, slices.Equal) {
			t.Errorf("local %t: scores %q, want %q", o.local, got, scores)
		}
	}
	// A model whose groups change while the job runs.
	of := shapeOf(rbm.NewRandom(9, 2, 1, rand.NewPCG(1, 1)))
	if err := o.scoreFn(of).Setup(context.Background()); err == nil || !strings.Contains(err.Error(), "has changed: it has the groups [[1, 4) [6, 9)], want []") {
		t.Errorf("error %v, want it to say that the model has changed", err)
	}
}
