package rbm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// coupled returns a model with weights of the given standard deviation, and
// biases of about 1.
func coupled(nv, nh int, std float64, seed uint64) *rbm.RBM {
	m := rbm.NewRandom(nv, nh, std, rand.NewPCG(seed, 1))
	rnd := rand.New(rand.NewPCG(seed, 2))
	for i := range nv {
		m.B.SetVec(i, rnd.NormFloat64())
	}
	for j := range nh {
		m.C.SetVec(j, rnd.NormFloat64())
	}
	return m
}

// exactRows returns n independent samples of m, which must be enumerable.
func exactRows(m *rbm.RBM, n int, seed uint64) *rbm.Bits {
	all, p := (&rbm.Exact{}).Sample(m, nil)
	cdf := floats.CumSum(make([]float64, len(p)), p)
	rows := make([]int, n)
	rnd := rand.New(rand.NewPCG(seed, 3))
	for r := range rows {
		rows[r] = sort.SearchFloat64s(cdf[:len(p)-1], rnd.Float64())
	}
	return all.(*rbm.Bits).Gather(nil, rows)
}

func run(t testing.TB, a *rbm.AIS, m *rbm.RBM) rbm.LogZ {
	t.Helper()
	e, err := a.Run(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func reverse(t testing.TB, a *rbm.AIS, m *rbm.RBM, start mat.Matrix) rbm.LogZ {
	t.Helper()
	e, err := a.Reverse(context.Background(), m, start)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The mean weight is Z, or 1/Z: with few temperatures, which does not matter for
// that, but makes a sweep at a wrong one, or in a wrong order, show.
func TestAISIsUnbiased(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		nv, nh int
		std    float64
		fitted bool
	}{
		{7, 4, 0.5, false}, {4, 7, 1, true}, {6, 5, 1, false}, {5, 6, 2, true},
	} {
		m := coupled(tt.nv, tt.nh, tt.std, 7)
		logZ := m.LogPartition()
		runs := rbm.Fewer(40000)
		a := rbm.NewAIS(runs, 1, rand.NewPCG(1, 4))
		a.Betas = []float64{0, 0.25, 0.5, 0.7, 0.85, 1}
		if tt.fitted {
			a.Base = vec(mat.Col(nil, 0, rbm.NewRandom(1, tt.nv, 0.5, rand.NewPCG(5, 5)).W))
		}
		forward, backward := run(t, a, m).LogWeights, reverse(t, a, m, exactRows(m, runs, 1)).LogWeights
		for r := range runs {
			forward[r] = math.Exp(forward[r] - logZ)
			backward[r] = math.Exp(backward[r] + logZ)
		}
		for _, side := range []struct {
			name  string
			ratio []float64
		}{{"Run", forward}, {"Reverse", backward}} {
			mean, std := stat.MeanStdDev(side.ratio, nil)
			err := std / math.Sqrt(float64(runs))
			t.Logf("%d×%d, weights of %v: %s: mean weight is %.4f ± %.4f of what it should be", tt.nh, tt.nv, tt.std, side.name, mean, err)
			if !(math.Abs(mean-1) <= 4*err) || !(err <= 6/math.Sqrt(float64(runs))) {
				t.Errorf("%d×%d, weights of %v: %s: mean weight is %.4f ± %.4f of what it should be", tt.nh, tt.nv, tt.std, side.name, mean, err)
			}
		}
	}
}

// Without weights, and with its own biases as a base, every run gives log Z.
func TestAISWithoutWeights(t *testing.T) {
	m := coupled(70, 5, 0, 1)
	want := m.LogPartition()
	a := rbm.NewAIS(12, 3, rand.NewPCG(1, 1))
	for name, e := range map[string]rbm.LogZ{
		"Run":     run(t, a, m),
		"Reverse": reverse(t, a, m, rbm.NewBits(12, 70)),
	} {
		if !(math.Abs(e.Mean-want) <= 1e-12*want) || !(e.StdErr <= 1e-12*want) || !(math.Abs(e.ESS-12) <= 1e-9) || len(e.LogWeights) != 12 {
			t.Errorf("%s = %+v, want log Z %v without error", name, e, want)
		}
	}
}

// The estimates enclose log Z on average, and come together with more
// temperatures.
func TestAISFromBothSides(t *testing.T) {
	t.Parallel()
	m := coupled(8, 6, 2, 3)
	want := m.LogPartition()
	gap := math.Inf(1)
	for _, n := range []int{4, 16, 256} {
		const seeds = 100
		low, high := make([]float64, seeds), make([]float64, seeds)
		for s := range low {
			a := rbm.NewAIS(5, n, rand.NewPCG(uint64(s), 1))
			low[s] = run(t, a, m).Mean - want
			high[s] = reverse(t, a, m, exactRows(m, 5, uint64(s))).Mean - want
		}
		lowMean, lowStd := stat.MeanStdDev(low, nil)
		highMean, highStd := stat.MeanStdDev(high, nil)
		t.Logf("%d temperatures: log Z%+.3f ± %.3f to %+.3f ± %.3f", n, lowMean, lowStd/10, highMean, highStd/10)
		if n < 256 && (lowMean > -2*lowStd/10 || highMean < 2*highStd/10) {
			t.Errorf("%d temperatures: estimates are log Z%+.3f and log Z%+.3f, want one below and one above", n, lowMean, highMean)
		}
		if !(math.Abs(lowMean) <= 4*lowStd/10+0.05) && n == 256 || !(math.Abs(highMean) <= 4*highStd/10+0.05) && n == 256 {
			t.Errorf("%d temperatures: estimates are log Z%+.3f and log Z%+.3f, want log Z", n, lowMean, highMean)
		}
		if highMean-lowMean > gap {
			t.Errorf("%d temperatures: gap %v, want less than %v", n, highMean-lowMean, gap)
		}
		gap = highMean - lowMean
	}
}

// The standard error is how much estimates differ, and log Z lies within two of
// them as often as it should.
func TestAISStandardError(t *testing.T) {
	t.Parallel()
	models := []struct {
		std          float64
		temperatures int
	}{{0.5, 10}, {2, 60}}
	if testing.Short() {
		models = models[:1]
	}
	for _, tt := range models {
		std := tt.std
		m := coupled(8, 6, std, 9)
		want := m.LogPartition()
		const seeds = 100
		for _, name := range []string{"Run", "Reverse"} {
			z, errs, within := make([]float64, seeds), 0., 0
			for s := range z {
				a := rbm.NewAIS(100, tt.temperatures, rand.NewPCG(uint64(s), 2))
				var e rbm.LogZ
				if name == "Run" {
					e = run(t, a, m)
				} else {
					e = reverse(t, a, m, exactRows(m, 100, uint64(s)))
				}
				z[s] = e.Mean
				errs += e.StdErr / seeds
				if math.Abs(e.Mean-want) <= 2*e.StdErr {
					within++
				}
			}
			_, spread := stat.MeanStdDev(z, nil)
			t.Logf("%s, weights of %v: %d of %d within two standard errors, of %.4f where estimates differ by %.4f", name, std, within, seeds, errs, spread)
			// The spread of 100 has a standard error of 7 %.
			if within < 88 || !(math.Abs(errs/spread-1) <= 0.3) {
				t.Errorf("%s, weights of %v: %d of %d within two standard errors, of %.4f where estimates differ by %.4f", name, std, within, seeds, errs, spread)
			}
		}
	}
}

func TestAISOfLargeParameters(t *testing.T) {
	m := coupled(6, 5, 1000, 4)
	want := m.LogPartition()
	a := rbm.NewAIS(50, 200, rand.NewPCG(1, 1))
	for name, e := range map[string]rbm.LogZ{
		"Run":     run(t, a, m),
		"Reverse": reverse(t, a, m, exactRows(m, 50, 1)),
	} {
		if math.IsNaN(e.Mean) || math.IsInf(e.Mean, 0) || math.IsNaN(e.StdErr) || !(e.ESS >= 1-1e-9) || !(math.Abs(e.Mean-want) <= 0.1*want) {
			t.Errorf("%s: log Z %v ± %v, ESS %v, want log Z about %v", name, e.Mean, e.StdErr, e.ESS, want)
		}
	}
}

// It is known without a sweep.
func TestAISOfNaN(t *testing.T) {
	ais := func() *rbm.AIS {
		a := rbm.NewAIS(3, 4, rand.NewPCG(1, 1))
		a.Progress = func(done, all int) { t.Errorf("%d of %d temperatures are done", done, all) }
		return a
	}
	for name, set := range map[string]func(m *rbm.RBM){
		"W": func(m *rbm.RBM) { m.W.Set(1, 2, math.NaN()) },
		"b": func(m *rbm.RBM) { m.B.SetVec(0, math.NaN()) },
		"c": func(m *rbm.RBM) { m.C.SetVec(4, math.NaN()) },
	} {
		m := coupled(6, 5, 1, 4)
		set(m)
		if e := run(t, ais(), m); !math.IsNaN(e.Mean) || !math.IsNaN(e.StdErr) {
			t.Errorf("NaN in %s: log Z %v ± %v, want NaN", name, e.Mean, e.StdErr)
		}
		if e := reverse(t, ais(), m, rbm.NewBits(2, 6)); !math.IsNaN(e.Mean) || !math.IsNaN(e.StdErr) {
			t.Errorf("NaN in %s: log Z %v ± %v, want NaN", name, e.Mean, e.StdErr)
		}
	}
}

func TestAISCancel(t *testing.T) {
	m := coupled(6, 5, 1, 4)
	ctx, cancel := context.WithCancel(context.Background())
	a := rbm.NewAIS(3, 50, rand.NewPCG(1, 1))
	var seen []int
	a.Progress = func(done, all int) {
		seen = append(seen, done)
		if all != 50 {
			t.Errorf("progress %d of %d, want of 50", done, all)
		}
		if done == 3 {
			cancel()
		}
	}
	_, err := a.Run(ctx, m)
	if !errors.Is(err, context.Canceled) || fmt.Sprint(seen) != "[1 2 3]" {
		t.Errorf("Run: error %v after %v, want %v after [1 2 3]", err, seen, context.Canceled)
	}
	if _, err := a.Reverse(ctx, m, rbm.NewBits(2, 6)); !errors.Is(err, context.Canceled) {
		t.Errorf("Reverse: error %v, want %v", err, context.Canceled)
	}
}

func TestBetas(t *testing.T) {
	betas := rbm.NewAIS(1, 14500, newSource(1)).Betas
	for k, want := range map[int]float64{0: 0, 250: 0.25, 500: 0.5, 2500: 0.7, 4500: 0.9, 9500: 0.95, 14500: 1} {
		if !(math.Abs(betas[k]-want) <= 1e-12) {
			t.Errorf("beta %d of 14500 is %v, want %v", k, betas[k], want)
		}
	}
	for _, n := range []int{1, 2, 3, 29, 100} {
		betas := rbm.NewAIS(1, n, newSource(1)).Betas
		if len(betas) != n+1 || betas[0] != 0 || betas[n] != 1 {
			t.Errorf("Betas(%d) = %v, want %d from 0 to 1", n, betas, n+1)
		}
		for k := range n {
			if betas[k] >= betas[k+1] {
				t.Errorf("Betas(%d) = %v, want them to rise", n, betas)
			}
		}
	}
}

func TestAISMisuse(t *testing.T) {
	m := rbm.New(3, 2)
	ctx := context.Background()
	ais := func(betas ...float64) *rbm.AIS { return &rbm.AIS{Runs: 1, Betas: betas} }
	for _, tt := range []struct {
		want string
		f    func()
	}{
		{"rbm: runs is 0, want at least 1", func() { rbm.NewAIS(0, 1, rand.NewPCG(1, 1)) }},
		{"rbm: n is 0, want at least 1 temperature", func() { rbm.NewAIS(1, 0, rand.NewPCG(1, 1)) }},
		{"rbm: source is nil", func() { rbm.NewAIS(1, 1, nil) }},
		{"rbm: betas are [], want them to rise from 0 to 1", func() { ais().Run(ctx, m) }},
		{"rbm: betas are [0 0.5], want them to rise from 0 to 1", func() { ais(0, 0.5).Run(ctx, m) }},
		{"rbm: betas are [0.1 1], want them to rise from 0 to 1", func() { ais(0.1, 1).Run(ctx, m) }},
		{"rbm: betas[1] is 0.5 and betas[2] is 0.5, want them to rise", func() { ais(0, 0.5, 0.5, 1).Run(ctx, m) }},
		{"rbm: runs is 0, want at least 1", func() { (&rbm.AIS{Betas: []float64{0, 1}}).Run(ctx, m) }},
		{"rbm: base has length 2, want 3", func() {
			a := ais(0, 1)
			a.Base = vec(make([]float64, 2))
			a.Run(ctx, m)
		}},
		{"rbm: base[1] is NaN, want a finite number", func() {
			a := ais(0, 1)
			a.Base = vec([]float64{0, math.NaN(), 0})
			a.Run(ctx, m)
		}},
		{"rbm: AIS is nil, want that of NewAIS", func() { (*rbm.AIS)(nil).Run(ctx, m) }},
		{"rbm: AIS is nil, want that of NewAIS", func() { (*rbm.AIS)(nil).Reverse(ctx, m, rbm.NewBits(2, 3)) }},
		{"rbm: start is 2×4, want n×3", func() { ais(0, 1).Reverse(ctx, m, rbm.NewBits(2, 4)) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic %q, want %q", got, tt.want)
				}
			}()
			tt.f()
		}()
	}
}
