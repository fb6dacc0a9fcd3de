package main

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
)

// output returns what a kind prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := run(context.Background(), &b, args); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return b.String()
}

func TestMNIST(t *testing.T) {
	dir := idxtest.WriteData(t, 60, 20)
	for _, pixels := range []string{"drawn", "redrawn", "above"} {
		model := filepath.Join(t.TempDir(), "model")
		got := output(t, "mnist", "-data", dir, "-pixels", pixels, "-hidden", "3", "-epochs", "2", "-batch", "10", "-held", "10", "-test", "-out", model)
		for _, want := range []string{"784×3 for 2 epochs", "validation rows: -", "test rows: -", "training rows: -", "(exact)"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: it prints %q, want %q in it", pixels, got, want)
			}
		}
		again := output(t, "mnist", "-data", dir, "-pixels", pixels, "-held", "10", "-test", "-model", model)
		figures, _, _ := strings.Cut(got, "training rows")
		if _, figures, _ = strings.Cut(figures, "processor time\n"); figures == "" || withoutTimes(again) != withoutTimes(figures) {
			t.Errorf("%s: the model judged again: %q, want %q", pixels, again, figures)
		}
		b := idxtest.ReadFile(t, model)
		var m rbm.RBM
		if _, err := m.ReadFrom(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if nv, nh := m.Dims(); nv != idx.Pixels || nh != 3 {
			t.Errorf("%s: the model has %d×%d units", pixels, nv, nh)
		}
	}
	for _, args := range [][]string{
		{"-pixels", "gray"}, {"-schedule", "up"}, {"-sampler", "exact"}, {"-held", "60"}, {"-held", "-1"},
	} {
		args = append([]string{"mnist", "-data", dir, "-hidden", "3", "-epochs", "1", "-held", "10"}, args...)
		if err := run(context.Background(), new(bytes.Buffer), args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// withoutTimes returns s without what is in brackets at the ends of its lines.
func withoutTimes(s string) string {
	return regexp.MustCompile(` \([0-9.]+ minutes\)`).ReplaceAllString(s, "")
}

// A pixel is a one with the probability of its level.
func TestDraw(t *testing.T) {
	const n, draws = 40, 100
	levels := make([]byte, n*idx.Pixels)
	for i := range levels {
		levels[i] = []byte{0, 255, 1, 254, 100, 200}[i%idx.Pixels%6]
	}
	d := newDraw(levels, 1, 2)
	ones := make([]float64, 6)
	count := make([]float64, 6)
	for range draws {
		for r := range n {
			for i := range idx.Pixels {
				count[i%6]++
				if d.bits.Bit(r, i) {
					ones[i%6]++
				}
			}
		}
		d.again()
	}
	for k, level := range []float64{0, 255, 1, 254, 100, 200} {
		p := level / 255
		got, want := ones[k]/count[k], p
		if err := 4 * math.Sqrt(p*(1-p)/count[k]); math.Abs(got-want) > err {
			t.Errorf("level %v: %v of the pixels are ones, want %v ± %v", level, got, want, err)
		}
	}
	if a, b := newDraw(levels, 1, 2), newDraw(levels, 1, 2); difference(a.bits, b.bits) != 0 {
		t.Error("two draws of the same seed differ")
	}
	a := newDraw(levels, 1, 2)
	first := a.bits.Gather(nil, []int{0, 1, 2, 3})
	a.again()
	if difference(first, a.bits.Slice(0, 4)) == 0 || difference(first, newDraw(levels, 1, 3).bits.Slice(0, 4)) == 0 {
		t.Error("pixels are not drawn again, or do not depend on the set")
	}
}

// difference counts the bits by which two matrices of the same size differ.
func difference(a, b *rbm.Bits) int {
	n, nv := a.Dims()
	count := 0
	for r := range n {
		for i := range nv {
			if a.Bit(r, i) != b.Bit(r, i) {
				count++
			}
		}
	}
	return count
}

// All ways of training run, and learn.
func TestLearning(t *testing.T) {
	dir := idxtest.WriteData(t, 100, 20)
	got := output(t, "learning", "-data", dir, "-hidden", "4", "-epochs", "2", "-seeds", "1", "-held", "20", "-temperatures", "10")
	for _, x := range ways {
		if !strings.Contains(got, "| "+x.name) {
			t.Errorf("it prints %q, want %q in it", got, x.name)
		}
	}
	if strings.Contains(got, "NaN") {
		t.Errorf("it prints %q", got)
	}
}

// A step of Adam is that of its definition.
func TestAdam(t *testing.T) {
	m := rbm.NewRandom(3, 2, 1, rand.NewPCG(1, 1))
	start := m.W.At(1, 2)
	var g rbm.Gradient
	data := rbm.NewBits(2, 3)
	data.SetBit(0, 2, true)
	var a adam
	var u, v float64
	x := start
	for step := 1; step <= 3; step++ {
		m.Gradient(&g, data, new(rbm.Exact))
		d := g.W.At(1, 2)
		u, v = 0.9*u+0.1*d, 0.999*v+0.001*d*d
		x += 0.01 * u / (1 - math.Pow(0.9, float64(step))) / (math.Sqrt(v/(1-math.Pow(0.999, float64(step)))) + 1e-8)
		a.climb(m, &g, 0.01)
	}
	if !(math.Abs(m.W.At(1, 2)-x) < 1e-12) || x == start {
		t.Errorf("the weight is %v after three steps, want %v", m.W.At(1, 2), x)
	}
}

// The mean of models is that of their parameters.
func TestAverage(t *testing.T) {
	var a average
	var w, b, c float64
	for k := range 3 {
		m := rbm.NewRandom(3, 2, 1, rand.NewPCG(uint64(k), 1))
		m.B.SetVec(1, float64(k*k))
		m.C.SetVec(1, float64(5*k))
		w, b, c = w+m.W.At(1, 2)/3, b+m.B.AtVec(1)/3, c+m.C.AtVec(1)/3
		a.add(m)
	}
	for _, x := range [][2]float64{{a.mean.W.At(1, 2), w}, {a.mean.B.AtVec(1), b}, {a.mean.C.AtVec(1), c}} {
		if !(math.Abs(x[0]-x[1]) < 1e-14) {
			t.Errorf("the mean is %v, want %v", x[0], x[1])
		}
	}
}

// Inputs of hidden units have the mean and the deviation that alongComponents promises.
func TestAlongComponents(t *testing.T) {
	rows := rbm.NewBits(500, 12)
	uniform := rand.New(rand.NewPCG(1, 1))
	for r := range 500 {
		mode := uniform.IntN(2) == 0
		for i := range 12 {
			rows.SetBit(r, i, uniform.Float64() < 0.2 || mode && i < 6)
		}
	}
	const nh, std = 400, 0.1
	m := rbm.New(12, nh)
	if err := alongComponents(m, rows, 3, std, rand.NewPCG(1, 2)); err != nil {
		t.Fatal(err)
	}
	var sum, squares float64
	for r := range 500 {
		for j := range nh {
			x := m.C.AtVec(j)
			for i := range 12 {
				if rows.Bit(r, i) {
					x += m.W.At(j, i)
				}
			}
			sum, squares = sum+x, squares+x*x
		}
	}
	n := 500.0 * nh
	if got, want := math.Sqrt(squares/n), std*math.Sqrt(12)/2; math.Abs(sum/n) > 1e-12 || math.Abs(got/want-1) > 0.1 {
		t.Errorf("inputs have the mean %v and the deviation %v, want 0 and %v", sum/n, got, want)
	}
}
