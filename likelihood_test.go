package rbm_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/stat"
)

func logLikelihood(t testing.TB, m *rbm.RBM, data *rbm.Bits, a *rbm.AIS) rbm.LogLikelihood {
	t.Helper()
	l, err := m.LogLikelihood(context.Background(), data, a)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// chainRows returns n states of chains of m, each after many sweeps.
func chainRows(m *rbm.RBM, n int) *rbm.Bits {
	c := rbm.NewChains(rand.NewPCG(8, 8))
	c.StartRandom(m, n)
	c.Gibbs(m, 500)
	return c.Visible()
}

func TestLogLikelihoodExact(t *testing.T) {
	for _, s := range [][2]int{{50, 6}, {6, 50}} {
		m := coupled(s[0], s[1], 0.5, 1)
		data := chainRows(m, 30)
		l := logLikelihood(t, m, data, nil)
		logZ := m.LogPartition()
		want := -stat.Mean(m.FreeEnergy(nil, data), nil) - logZ
		if !l.Exact || !l.Believable() || l.LogZ != logZ || !(math.Abs(l.Mean-want) <= 1e-12*math.Abs(want)) || l.Low != l.Mean || l.High != l.Mean {
			t.Errorf("%d×%d: %+v, want exactly %v", s[1], s[0], l, want)
		}
	}
}

// On models that are too large to enumerate for LogLikelihood, but not for this
// test, the interval holds the truth.
func TestLogLikelihoodInterval(t *testing.T) {
	t.Parallel()
	stds := []float64{0.3, 0.1, 0.6}
	if testing.Short() {
		stds = stds[:1]
	}
	for _, std := range stds {
		m := coupled(26, 21, std, 2)
		data := chainRows(m, 200)
		want := -stat.Mean(m.FreeEnergy(nil, data), nil) - m.LogPartition()
		held, believed := 0, 0
		seeds := rbm.Fewer(20)
		for s := range seeds {
			l := logLikelihood(t, m, data, rbm.NewAIS(50, 100, rand.NewPCG(uint64(s), 2)))
			if l.Exact {
				t.Fatalf("%v is said to be exact", l)
			}
			if l.Low > l.Mean || l.Mean > l.High {
				t.Errorf("%v: the mean is not in the interval", l)
			}
			if l.Low <= want && want <= l.High {
				held++
			}
			if l.Believable() {
				believed++
			} else if l.Doubt == "" {
				t.Errorf("%v is not believable for no reason", l)
			}
		}
		t.Logf("weights of %v: %d of %d intervals hold the truth, %d are believable", std, held, seeds, believed)
		if held < seeds-1 || believed < seeds-2 {
			t.Errorf("weights of %v: %d of %d intervals hold the truth, %d are believable", std, held, seeds, believed)
		}
	}
}

// hole returns a model whose runs from the base model miss nearly all of its
// probability, that of one configuration: one hidden unit is on there and nowhere
// near it. It also returns that configuration.
func hole() (m *rbm.RBM, row *rbm.Bits) {
	const nv, nh, depth = 30, 21, 40
	m = rbm.NewRandom(nv, nh, 0.05, rand.NewPCG(6, 6))
	row = rbm.NewBits(1, nv)
	c := float64(depth)
	for i := range nv {
		if i%3 == 0 {
			row.SetBit(0, i, true)
			m.W.Set(0, i, 10)
			c -= 10
		} else {
			m.W.Set(0, i, -10)
		}
	}
	m.C.SetVec(0, c)
	return m, row
}

func TestLogLikelihoodOfChainsThatDoNotMix(t *testing.T) {
	t.Parallel()
	m, row := hole()
	row = row.Gather(nil, make([]int, 100))
	logZ := m.LogPartition()
	want := -m.FreeEnergy(nil, row)[0] - logZ
	for s := range uint64(5) {
		a := rbm.NewAIS(100, 300, rand.NewPCG(s, 1))
		a.Base = vec(make([]float64, 30)) // not fitted to the one row
		l := logLikelihood(t, m, row, a)
		if off := l.AIS.Mean - logZ; off > -5 {
			t.Fatalf("AIS is off by %v only: this model is not hard", off)
		}
		if l.Believable() {
			t.Errorf("%v is believable, where the truth is %v", l, want)
		}
		if l.Low > want || want > l.High {
			t.Errorf("%v does not hold the truth, %v", l, want)
		}
	}
}

// Both sides start near the data and agree on the mode that they are from; runs
// from the uniform distribution do not, as a rule.
func TestLogLikelihoodOfDataOfOneMode(t *testing.T) {
	t.Parallel()
	const nv, nh, strength, depth = 30, 21, 6, 24
	m := rbm.NewRandom(nv, nh, 0.05, rand.NewPCG(9, 1))
	rnd := rand.New(rand.NewPCG(9, 7))
	rows := rbm.NewBits(100, nv)
	for k := range 2 { // two far modes, of about the same probability
		on := 0
		for i := range nv {
			w := strength
			if rnd.IntN(2) == 0 {
				w = -strength
			} else {
				on++
			}
			m.W.Set(k, i, float64(w))
			for r := range 100 {
				rows.SetBit(r, i, w > 0) // in the end, of the second
			}
		}
		m.C.SetVec(k, float64(depth-strength*on))
	}
	logZ := m.LogPartition()
	believed, blind := 0, 0
	const seeds = 10
	for s := range uint64(seeds) {
		l := logLikelihood(t, m, rows, rbm.NewAIS(100, 150, rand.NewPCG(s, 1)))
		if l.AIS.Mean < logZ-0.4 && l.Reverse.Mean < logZ-0.4 && math.Abs(l.Gap) < 0.1 {
			blind++
		}
		if l.Believable() {
			believed++
		}
	}
	if believed > 1 || blind < 8 {
		t.Errorf("%d of %d are believed, in %d both sides see one mode", believed, seeds, blind)
	}
}

// Too few temperatures are not believed either.
func TestLogLikelihoodInAHurry(t *testing.T) {
	m := coupled(40, 30, 1, 3)
	a := rbm.NewAIS(100, 2, rand.NewPCG(1, 1))
	a.Base = vec(make([]float64, 40))
	l := logLikelihood(t, m, chainRows(m, 100), a)
	if l.Believable() || !strings.Contains(l.Doubt, "effective runs") || !strings.Contains(l.String(), l.Doubt) {
		t.Errorf("%v: believable %v, want not for few effective runs", l, l.Believable())
	}
	// Nor are so few runs.
	m = coupled(40, 30, 0.01, 3)
	if l := logLikelihood(t, m, chainRows(m, 100), rbm.NewAIS(9, 100, rand.NewPCG(1, 1))); l.Believable() {
		t.Errorf("%v of 9 runs is believable", l)
	}
}

// Reverse runs start from states of the model, not from the data as they are.
func TestLogLikelihoodOfOtherData(t *testing.T) {
	t.Parallel()
	m := coupled(26, 21, 0.3, 2)
	data := rbm.NewBits(20, 26)
	for i := range 26 {
		for r := range 20 {
			data.SetBit(r, i, m.B.AtVec(i) < 0) // the least likely
		}
	}
	a := rbm.NewAIS(100, 100, rand.NewPCG(1, 1))
	a.Base = vec(make([]float64, 26))
	l := logLikelihood(t, m, data, a)
	want := -stat.Mean(m.FreeEnergy(nil, data), nil) - m.LogPartition()
	if !l.Believable() || want < l.Low || want > l.High {
		t.Errorf("%v, want %v", l, want)
	}
}

// A NaN is no result to believe, however it was found.
func TestLogLikelihoodOfNaN(t *testing.T) {
	for _, nh := range []int{4, 22} {
		m := coupled(25, nh, 0.1, 1)
		m.C.SetVec(1, math.NaN())
		a := rbm.NewAIS(10, 10, rand.NewPCG(1, 1))
		a.Progress = func(done, all int) { t.Errorf("nh=%d: %d of %d temperatures are done", nh, done, all) }
		l := logLikelihood(t, m, rbm.NewBits(20, 25), a)
		if !math.IsNaN(l.Mean) || l.Believable() || l.Doubt != "a parameter is NaN" {
			t.Errorf("nh=%d: %v, believable %v for %q", nh, l, l.Believable(), l.Doubt)
		}
	}
}

// The base model is fitted to the data, unless there is one.
func TestLogLikelihoodBase(t *testing.T) {
	m := coupled(26, 21, 0, 2)
	data := chainRows(m, 100)
	a := rbm.NewAIS(20, 10, rand.NewPCG(1, 1))
	if l := logLikelihood(t, m, data, a); l.AIS.StdErr < 1e-3 || l.Reverse.StdErr < 1e-3 {
		t.Errorf("%v, want standard errors of a base that is not the model", l)
	}
	if a.Base != nil {
		t.Error("the base has been set")
	}
	a.Base = m.B
	if l := logLikelihood(t, m, data, a); l.AIS.StdErr > 1e-9 || l.Reverse.StdErr > 1e-9 {
		t.Errorf("%v, want no standard errors", l)
	}
}

func TestLogLikelihoodErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m := coupled(25, 22, 0.1, 1)
	data := chainRows(m, 10)
	a := rbm.NewAIS(10, 20, rand.NewPCG(1, 1))
	var last int
	a.Progress = func(done, all int) {
		if done <= last || all != 120 {
			t.Errorf("progress %d of %d after %d, want to 120", done, all, last)
		}
		last = done
	}
	if _, err := m.LogLikelihood(ctx, data, a); err != nil || last != 120 {
		t.Errorf("error %v after %d of 120", err, last)
	}
	cancel()
	if _, err := m.LogLikelihood(ctx, data, a); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	for want, f := range map[string]func(){
		"rbm: a is nil and W is 22×25: 25×22 units are too many to enumerate; pass NewAIS(100, 2000, src)":        func() { m.LogLikelihood(ctx, data, nil) },
		"rbm: W is 31×32, want at most 30 rows or columns to enumerate; LogLikelihood takes an estimate of log Z": func() { rbm.New(32, 31).LogPartition() },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

func TestFreeEnergyGap(t *testing.T) {
	m := coupled(7, 5, 1, 1)
	train, held := chainRows(m, 13), rbm.NewBits(4, 7)
	gap := m.FreeEnergyGap(train, held)
	wantA, wantB := stat.Mean(m.FreeEnergy(nil, train), nil), stat.Mean(m.FreeEnergy(nil, held), nil)
	if !(math.Abs(gap-(wantB-wantA)) <= 1e-12) || gap == 0 {
		t.Errorf("FreeEnergyGap = %v, want %v", gap, wantB-wantA)
	}
}
