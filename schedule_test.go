package rbm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
)

// The values are the same on every processor, to the last bit.
func TestSchedules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rate  rbm.Schedule
		steps []int
		want  []float64
	}{
		{"Constant", rbm.Constant(0.1), []int{0, 1, 1e9}, []float64{0.1, 0.1, 0.1}},
		{"Constant 0", rbm.Constant(0), []int{0, 7}, []float64{0, 0}},
		{"Linear down", rbm.Linear(1, 0.5, 4), []int{0, 1, 2, 3, 4, 5, 1e9}, []float64{1, 0.875, 0.75, 0.625, 0.5, 0.5, 0.5}},
		{"Linear up", rbm.Linear(0, 0.1, 3), []int{0, 1, 2, 3, 4}, []float64{0, 0x1.1111111111111p-5, 0x1.1111111111111p-4, 0.1, 0.1}},
		{"Linear of one step", rbm.Linear(3, 0.1, 1), []int{0, 1, 2}, []float64{3, 0.1, 0.1}},
		{"Inverse", rbm.Inverse(0.5, 2), []int{0, 1, 2, 6, 30}, []float64{0.5, 0.5 / 1.5, 0.25, 0.125, 0.03125}},
		{"Inverse of one step", rbm.Inverse(1, 1), []int{0, 1, 2, 3}, []float64{1, 0.5, 1. / 3, 0.25}},
		{"Cosine down", rbm.Cosine(1, 0, 6), []int{0, 1, 2, 3, 4, 5, 6, 7, 1e9}, []float64{
			1, 0x1.ddb3d742c2655p-1, 0.75, 0x1.0000000000001p-1, 0.25, 0x1.126145e9ecd58p-4, 0, 0, 0,
		}},
		{"Cosine up", rbm.Cosine(0.001, 0.1, 1000), []int{0, 1, 10, 499, 500, 501, 990, 999, 1000}, []float64{
			0.001, 0x1.063541c0f4a62p-10, 0x1.0c8c03fcf842ep-10, 0x1.9c6c0d05c4e6ep-5, 0x1.9db22d0e5604p-5,
			0x1.9ef84d16e7216p-5, 0x1.997ffcfe62231p-4, 0x1.9999580752318p-4, 0.1,
		}},
		{"Cosine of one step", rbm.Cosine(3, 0.1, 1), []int{0, 1, 2}, []float64{3, 0.1, 0.1}},
	} {
		for k, step := range tt.steps {
			if got := tt.rate(step); got != tt.want[k] {
				t.Errorf("%s: rate(%d) = %x, want %x", tt.name, step, got, tt.want[k])
			}
		}
	}
}

func TestCosineIsItsFormula(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 97, 10000} {
		for _, r := range []struct{ from, to float64 }{{0, 1}, {1, 0}, {0.1, 0.003}, {1e-3, 5}} {
			rate := rbm.Cosine(r.from, r.to, n)
			for step := range n + 3 {
				want := r.from + (r.to-r.from)*(1-math.Cos(math.Pi*float64(min(step, n))/float64(n)))/2
				checkNear(t, fmt.Sprintf("Cosine(%v, %v, %d)(%d)", r.from, r.to, n, step), rate(step), want, 1e-15*max(r.from, r.to))
			}
		}
	}
}

// Near its flat ends the wave is precise to its last digits: sin²x = x²(1 - x²/3 + …).
func TestCosineNearItsEnds(t *testing.T) {
	const n = 1 << 30
	rate := rbm.Cosine(0, 1, n)
	for _, step := range []int{1, 2, 100} {
		x := math.Pi / 2 * float64(step) / n
		if got, want := rate(step), x*x*(1-x*x/3); !(math.Abs(got/want-1) <= 1e-15) {
			t.Errorf("Cosine(0, 1, %d)(%d) = %v, want %v", n, step, got, want)
		}
	}
}

func TestSchedulesAreMonotonic(t *testing.T) {
	const n = 3001
	for _, tt := range []struct {
		name string
		rate rbm.Schedule
	}{
		{"Linear", rbm.Linear(0.7, 0.1, n)},
		{"Inverse", rbm.Inverse(0.7, 10)},
		{"Cosine", rbm.Cosine(0.7, 0.1, n)},
	} {
		for step := range n {
			if a, b := tt.rate(step), tt.rate(step+1); a <= b {
				t.Errorf("%s: rate(%d) = %v and rate(%d) = %v", tt.name, step, a, step+1, b)
			}
		}
	}
}

func TestScheduleMisuse(t *testing.T) {
	for _, bad := range []float64{math.NaN(), -0.25, math.Inf(1), math.Inf(-1)} {
		is := fmt.Sprintf(" is %v, want a finite number of at least 0", bad)
		wantPanic(t, "Constant", func() { rbm.Constant(bad) }, "rate"+is)
		wantPanic(t, "Inverse", func() { rbm.Inverse(bad, 1) }, "rate"+is)
		wantPanic(t, "Linear from", func() { rbm.Linear(bad, 1, 1) }, "from"+is)
		wantPanic(t, "Linear to", func() { rbm.Linear(1, bad, 1) }, "to"+is)
		wantPanic(t, "Cosine from", func() { rbm.Cosine(bad, 1, 1) }, "from"+is)
		wantPanic(t, "Cosine to", func() { rbm.Cosine(1, bad, 1) }, "to"+is)
	}
	for _, bad := range []int{0, -3} {
		wantPanic(t, "Inverse", func() { rbm.Inverse(1, bad) }, fmt.Sprintf("half is %d, want at least 1", bad))
		wantPanic(t, "Linear", func() { rbm.Linear(1, 0, bad) }, fmt.Sprintf("steps are %d, want at least 1", bad))
		wantPanic(t, "Cosine", func() { rbm.Cosine(1, 0, bad) }, fmt.Sprintf("steps are %d, want at least 1", bad))
	}
	for name, rate := range map[string]rbm.Schedule{
		"Constant": rbm.Constant(1), "Linear": rbm.Linear(1, 0, 5), "Inverse": rbm.Inverse(1, 5), "Cosine": rbm.Cosine(1, 0, 5),
	} {
		wantPanic(t, name, func() { rate(-1) }, "step is -1, want at least 0")
	}
}
