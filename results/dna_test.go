package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// writeDNA writes a table of n rows as R's write.csv does.
func writeDNA(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("V1,V2,V3,V4,V5,V6,Class\n")
	rnd := rand.New(rand.NewPCG(1, 1))
	for range n {
		for range 6 {
			fmt.Fprintf(&b, "%d,", rnd.IntN(2))
		}
		b.WriteString("ei\n")
	}
	name := filepath.Join(t.TempDir(), "dna.csv")
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDNA(t *testing.T) {
	file := writeDNA(t, 60)
	args := []string{"dna", "-file", file, "-train", "30", "-held", "20", "-hidden", "3", "-steps", "20", "-chains", "10", "-looks", "2"}
	got := output(t, append(args, "-rate", "0.1", "-decays", "0.01", "-smooths", "0,0.02", "-first", "3", "-seeds", "2")...)
	for _, want := range []string{"| 0.01 | 0 | ", "| 0.01 | 0.02 | ", "decay 0.01, of differences ", "| 3 | ", "| 4 | ", "test, mean of 2 seeds: -"} {
		if !strings.Contains(got, want) {
			t.Errorf("it prints %q, want %q in it", got, want)
		}
	}
	for _, more := range [][]string{
		{"-file", ""}, {"-file", file + ".no"}, {"-train", "0"}, {"-held", "30"}, {"-hidden", "31"}, {"-looks", "0"}, {"-decays", "x"}, {"-seeds", "-1"},
	} {
		if err := run(context.Background(), new(bytes.Buffer), append(args[:len(args):len(args)], more...)); err == nil {
			t.Errorf("%q: no error", more)
		}
	}
}

// The rows are cut in the order of the file, without the class.
func TestDNARows(t *testing.T) {
	o := dna{file: writeDNA(t, 9), train: 4, held: 3}
	train, held, test, err := o.rows()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for s, rows := range []*rbm.Bits{train, held, test} {
		n, nv := rows.Dims()
		if want := []int{4, 3, 2}[s]; n != want || nv != 6 {
			t.Fatalf("set %d is %d×%d, want %d×6", s, n, nv, want)
		}
		for r := range n {
			for i := range nv {
				if want := rnd.IntN(2) == 1; rows.Bit(r, i) != want {
					t.Fatalf("set %d, row %d, bit %d: %v, want %v", s, r, i, rows.Bit(r, i), want)
				}
			}
		}
	}
}

// The exact means are those of RBM.LogLikelihood.
func TestExactMeans(t *testing.T) {
	m := rbm.NewRandom(5, 3, 1, rand.NewPCG(1, 2))
	rows := evenParity(5)
	sets := []*rbm.Bits{rows.Slice(0, 5), rows}
	for i, got := range exactMeans(m, sets...) {
		want, err := m.LogLikelihood(context.Background(), sets[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got-want.Mean) < 1e-12) {
			t.Errorf("set %d: %v, want %v", i, got, want.Mean)
		}
	}
}

// Of the models of a training, the one that the validation rows like best is kept: where the
// rows to train on are their opposite, the first.
func TestDNABest(t *testing.T) {
	train, held := rbm.NewBits(10, 4), rbm.NewBits(10, 4)
	for r := range 10 {
		for i := range 4 {
			train.SetBit(r, i, r > 0)
			held.SetBit(r, i, r == 0)
		}
	}
	o := dna{hidden: 2, steps: 400, chains: 20, looks: 4, rate: 0.05}
	for _, c := range []struct {
		held *rbm.Bits
		want int
	}{{train, 400}, {held, 100}} {
		m, at, err := o.best(context.Background(), train, c.held, 0, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if at != c.want || !(exactMeans(m, c.held)[0] < 0) {
			t.Errorf("the best step is %d, want %d", at, c.want)
		}
	}
}

// The penalty has the slope of its definition.
func TestSmoothen(t *testing.T) {
	const decay, h = 0.3, 1e-4
	m := rbm.NewRandom(7, 2, 1, rand.NewPCG(1, 2))
	penalty := func() (p float64) {
		for j := range 2 {
			for k := range 4 {
				d := m.W.At(j, k) - m.W.At(j, k+3)
				p -= decay / 2 * d * d
			}
		}
		return p
	}
	var g rbm.Gradient
	m.Gradient(&g, rbm.NewBits(1, 7), new(rbm.Exact))
	g.W.Zero()
	smoothen(&g, m, decay)
	for j := range 2 {
		for k := range 7 {
			w := m.W.At(j, k)
			m.W.Set(j, k, w+h)
			up := penalty()
			m.W.Set(j, k, w-h)
			want := (up - penalty()) / (2 * h)
			m.W.Set(j, k, w)
			if got := g.W.At(j, k); !(math.Abs(got-want) < 1e-8) {
				t.Errorf("W[%d,%d] = %v, want %v", j, k, got, want)
			}
		}
	}
}
