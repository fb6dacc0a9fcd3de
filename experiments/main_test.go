package main

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The rows of a set depend on the seed alone, and their columns vary.
func TestSets(t *testing.T) {
	for _, s := range sets {
		draw := func(seed uint64) *data { return draw(s, seed) }
		a, b, c := draw(1), draw(1), draw(2)
		for _, part := range []func(*data) mat.Matrix{
			func(d *data) mat.Matrix { return d.train },
			func(d *data) mat.Matrix { return d.heldOut },
			func(d *data) mat.Matrix { return d.test },
		} {
			if !mat.Equal(part(a), part(b)) || mat.Equal(part(a), part(c)) {
				t.Errorf("%s: the rows are not those of the seed", s.name)
			}
		}
		n, nv := a.train.Dims()
		held, _ := a.heldOut.Dims()
		test, _ := a.test.Dims()
		if all := n + held + test; test != all/5 || held < all/13 || held > all/12 || nv > 200 || all > 5000 {
			t.Errorf("%s: %d rows of %d columns to train on, %d held out, %d to test", s.name, n, nv, held, test)
		}
		constant := 0
		for i := range nv {
			var sum float64
			for r := range n {
				sum += a.train.At(r, i)
			}
			if sum == 0 || sum == float64(n) {
				constant++
			}
		}
		if constant > nv/5 {
			t.Errorf("%s: %d of %d columns are constant", s.name, constant, nv)
		}
	}
}

// Spins have the mean energy that enumeration gives.
func TestSpins(t *testing.T) {
	const side, temperature, n = 3, 2.5, 20000
	var z, want float64
	products := func(up func(i int) bool) (sum float64) {
		for y := range side {
			for x := range side {
				for _, j := range []int{side*y + (x+1)%side, side*((y+1)%side) + x} {
					if up(side*y+x) == up(j) {
						sum++
					} else {
						sum--
					}
				}
			}
		}
		return sum
	}
	for s := range 1 << (side * side) {
		e := products(func(i int) bool { return s>>i&1 == 1 })
		w := math.Exp(e / temperature)
		z += w
		want += w * e
	}
	want /= z
	rows := spins(rand.New(rand.NewPCG(1, 1)), n, side, temperature)
	var sum, squares float64
	for r := range n {
		e := products(func(i int) bool { return rows.Bit(r, i) })
		sum += e
		squares += e * e
	}
	mean := sum / n
	if err := math.Sqrt((squares/n - mean*mean) / n); math.Abs(mean-want) > 4*err {
		t.Errorf("the mean sum of products of neighbors is %.3f ± %.3f, want %.3f", mean, err, want)
	}
}

// A run that is in the file is not run again, and the table has its figure.
func TestRuns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "runs.csv")
	o := options{sets: "digits", settings: "independent", seeds: 2, hidden: 3, runs: name, table: io.Discard}
	for range 2 {
		if err := o.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(string(b))
		if len(lines) != 2 || !slices.ContainsFunc(lines, func(s string) bool { return strings.HasPrefix(s, "digits,independent,2,3,-2") }) {
			t.Errorf("the file is %q, want a line for each of two seeds", lines)
		}
	}
	done, err := readRuns(name)
	if err != nil {
		t.Fatal(err)
	}
	done[run{"digits", "independent", 1, 3}], done[run{"digits", "independent", 2, 3}] = -3, -5
	if r := o.result(done, "digits", "independent"); r.mean != -4 || r.err != 1 {
		t.Errorf("the result of -3 and -5 is %v, want -4 ± 1", r)
	}
	if err := os.WriteFile(name, []byte("digits,independent,1,3,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRuns(name); err == nil || !strings.Contains(err.Error(), "record 1") {
		t.Errorf("error of a bad file is %v", err)
	}
}

func TestCheck(t *testing.T) {
	usual := options{seeds: 1, hidden: 16, settings: "rate 0.1,recipe", sets: "digits,cold spins"}
	if err := usual.check(); err != nil {
		t.Errorf("%+v: %v", usual, err)
	}
	for want, change := range map[string]func(o *options){
		"-seeds is 0":            func(o *options) { o.seeds = 0 },
		"-hidden is -1":          func(o *options) { o.hidden = -1 },
		"-rate is -1":            func(o *options) { o.rate = -1 },
		"-rate is NaN":           func(o *options) { o.rate = math.NaN() },
		`-sets has "spins"`:      func(o *options) { o.sets = "digits,spins" },
		`-settings has "slowly"`: func(o *options) { o.settings = "recipe,slowly" },
	} {
		o := usual
		if change(&o); o.check() == nil || !strings.Contains(o.check().Error(), want) {
			t.Errorf("error %v, want %q in it", o.check(), want)
		}
	}
}
