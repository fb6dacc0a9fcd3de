package main

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gorbm/rbm"
)

// Each variant does the work of its kind, and says how much.
func TestVariants(t *testing.T) {
	data := syntheticRows(50)
	for _, v := range variants {
		c := benchCase{Kind: v.kind, Hidden: 8, N: 20, K: 1}
		t.Run(v.name, func(t *testing.T) {
			m := startModel(c.Hidden, data)
			before := m.Clone()
			work := v.start(c, m, data)
			for range 5 { // more than an epoch of whole minibatches
				n, err := work()
				if err != nil {
					t.Fatal(err)
				}
				want := c.N
				if c.Kind == gibbs {
					want = 10 * c.N
				}
				if n == 0 || n%want != 0 || c.Kind != step && n != want {
					t.Errorf("work returns %d, want %d, or whole steps", n, want)
				}
			}
			trained := m.W.At(3, 300) != before.W.At(3, 300)
			if trained != (c.Kind == step) {
				t.Errorf("the weights have changed: %v, want %v", trained, c.Kind == step)
			}
		})
	}
}

// The variants of a step learn the same from the same rows, but for random numbers.
func TestVariantsOfStepAgree(t *testing.T) {
	const steps = 60
	data := syntheticRows(100)
	c := benchCase{Kind: step, Hidden: 8, N: 20, K: 1}
	m := startModel(c.Hidden, data)
	var learned [][]float64
	for _, v := range variants {
		if v.kind == step {
			learned = append(learned, difference(trained(t, v, c, m, data, steps), m))
		}
	}
	for k := range learned {
		if cos, size := compare(learned[k], learned[0]); cos < 0.9 || math.Abs(size-1) > 0.1 {
			t.Errorf("variant %d learns in direction %.3f, length %.3f of the first, want 1 and 1", k, cos, size)
		}
	}
}

// trained returns m after some steps.
func trained(t *testing.T, v variant, c benchCase, m *rbm.RBM, data *rbm.Bits, steps int) *rbm.RBM {
	t.Helper()
	m = m.Clone()
	work := v.start(c, m, data)
	for rows := 0; rows < steps*c.N; {
		n, err := work()
		if err != nil {
			t.Fatal(err)
		}
		rows += n
	}
	return m
}

// difference returns the weights of a minus those of b.
func difference(a, b *rbm.RBM) []float64 {
	nv, nh := a.Dims()
	var d []float64
	for j := range nh {
		for i := range nv {
			d = append(d, a.W.At(j, i)-b.W.At(j, i))
		}
	}
	return d
}

// compare returns the cosine of the angle between x and y, and the length of x divided by
// the length of y.
func compare(x, y []float64) (cos, size float64) {
	var xx, xy, yy float64
	for k := range x {
		xx, xy, yy = xx+x[k]*x[k], xy+x[k]*y[k], yy+y[k]*y[k]
	}
	return xy / math.Sqrt(xx*yy), math.Sqrt(xx / yy)
}

func TestSpeed(t *testing.T) {
	got, err := speed(func() (int, error) { time.Sleep(time.Millisecond); return 3, nil }, 20*time.Millisecond)
	if err != nil || got <= 0 || got > 3000 {
		t.Errorf("speed of 3 rows in at least a millisecond = %v, %v, want at most 3000", got, err)
	}
	want := errors.New("no")
	if _, err := speed(func() (int, error) { return 0, want }, time.Millisecond); err != want {
		t.Errorf("error = %v, want %v", err, want)
	}
}

func TestCaseNames(t *testing.T) {
	var names []string
	for _, c := range cases {
		names = append(names, c.String())
	}
	const want = "784x500 CD-1 n=10|784x500 CD-1 n=100|784x500 CD-1 n=512|784x500 CD-10 n=100|" +
		"784x64 CD-1 n=100|784x2000 CD-1 n=100|784x500 Gibbs n=100|784x500 free energy n=10000"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("cases are\n%s, want\n%s", got, want)
	}
}
