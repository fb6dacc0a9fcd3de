package main

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// The kind prints a row of the table for each sampler.
func TestSamplingRuns(t *testing.T) {
	for _, by := range []string{"ptt", "pcd"} {
		var out bytes.Buffer
		args := []string{"sampling", "-models", "warm spins,digits", "-scale", "0.002", "-chains", "10", "-train", by}
		if err := run(context.Background(), &out, args); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"warm spins", "digits"} {
			if n := strings.Count(out.String(), "| "+name); n != 4 {
				t.Errorf("-train %s: %d rows of %s, want 4:\n%s", by, n, name, &out)
			}
		}
	}
	for _, args := range [][]string{{"-chains", "3"}, {"-train", "cd"}, {"-scale", "0"}, {"-least", "1"}, {"-models", "nothing"}} {
		if err := run(context.Background(), new(bytes.Buffer), append([]string{"sampling"}, args...)); err == nil || !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%v: error %v, want one that names the flag", args, err)
		}
	}
}

// patterns is a model of two patterns of 12 units, all off and all on, between which chains of
// Gibbs sampling do not cross, the second one more probable. Its ladder has weaker weights.
func patterns() *subject {
	at := func(strength float64) *rbm.RBM {
		m := rbm.New(12, 3)
		for j := range 3 {
			for i := range 12 {
				m.W.Set(j, i, strength)
			}
			m.C.SetVec(j, -6*strength)
		}
		for i := range 12 {
			m.B.SetVec(i, -1.5*strength+0.05)
		}
		return m
	}
	rows, labels := rbm.NewBits(40, 12), make([]int, 40)
	for r := range 40 {
		labels[r] = r % 2
		for i := range 12 {
			rows.SetBit(r, i, r%2 == 1 != (i == r%12))
		}
	}
	s := &subject{m: at(2), rows: rows, centers: centersOf(rows, labels), axes: principal(rows, 2), passes: 5000, source: rand.NewPCG(1, 1)}
	for _, strength := range []float64{0, 0.4, 0.8, 1.2, 1.6} {
		s.ladder = append(s.ladder, at(strength))
	}
	s.truth = s.shares(independent(s.m, 100000, s.source))
	return s
}

// R̂ tells the chains that stay in their cluster, whose effective sample size is their number
// and no more, from those that cross and find the shares.
func TestSamplersAreTold(t *testing.T) {
	s := patterns()
	if s.truth[1] < 0.55 || s.truth[1] > 0.8 {
		t.Fatalf("shares are %.3f, want the second to be larger", s.truth)
	}
	results, err := (&sampling{chains: 40}).measure(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		off := apart(r.shares, s.truth)
		switch {
		case r.sampler == "Gibbs":
			if r.rhat < 1.5 || verdict(r.rhat) != "disagree" || off < 0.05 || r.ess > 80 {
				t.Errorf("Gibbs: R̂ %.3f, shares off by %.3f, ESS %.0f, want chains that stay where they are", r.rhat, off, r.ess)
			}
		case r.sampler == "PT": // its base is that of the model, in which all units are off
			if r.rhat < 1.1 && off > 0.05 {
				t.Errorf("PT: R̂ %.3f, shares off by %.3f, want a larger R̂", r.rhat, off)
			}
		case r.rhat > 1.05 || off > 0.04 || r.ess < 500:
			t.Errorf("%s: R̂ %.3f, shares off by %.3f, ESS %.0f, want chains that cross", r.sampler, r.rhat, off, r.ess)
		}
	}
}

// The model given some units is that of the others: its probabilities are those of
// LogProbGiven.
func TestGiven(t *testing.T) {
	m := rbm.NewRandom(7, 4, 1, rand.NewPCG(7, 7))
	for i := range 7 {
		m.B.SetVec(i, 0.2*float64(i)-0.5)
	}
	m.C.SetVec(1, -0.4)
	v, observed := rbm.NewBits(1, 7), rbm.NewBits(1, 7)
	for _, i := range []int{1, 2, 5} {
		observed.SetBit(0, i, true)
		v.SetBit(0, i, i != 2)
	}
	rest := given(m, v, observed)
	rows, logProbs := m.CompletionsGiven(v, observed)
	logZ := rest.LogPartition()
	for i, f := range rest.FreeEnergy(nil, without(rows, observed)) {
		if got, want := math.Exp(-f-logZ), logProbs[i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("completion %d has the probability %g, want %g", i, got, want)
		}
	}
}

// Independent samples have the probabilities of the model.
func TestIndependentSamples(t *testing.T) {
	const n = 100000
	m := rbm.NewRandom(5, 3, 1, rand.NewPCG(1, 1))
	for i := range 5 {
		m.B.SetVec(i, 0.3*float64(i)-0.5)
	}
	m.C.SetVec(0, -0.7)
	rows := independent(m, n, rand.NewPCG(2, 2))
	var count [32]float64
	for r := range n {
		count[rows.RawRow(r)[0]]++
	}
	all := rbm.NewBits(32, 5)
	for x := range 32 {
		all.RawRow(x)[0] = uint64(x)
	}
	logZ := m.LogPartition()
	for x, f := range m.FreeEnergy(nil, all) {
		p := math.Exp(-f - logZ)
		if z := (count[x]/n - p) / math.Sqrt(p*(1-p)/n); math.Abs(z) > 4.5 {
			t.Errorf("state %05b: share %.4f, want %.4f, %.1f standard errors", x, count[x]/n, p, z)
		}
	}
}

// The clusters and the statistics are those of their definitions.
func TestClustersAndValues(t *testing.T) {
	const n, nv = 50, 70
	rnd := rand.New(rand.NewPCG(3, 3))
	v, labels := rbm.NewBits(n, nv), make([]int, n)
	for r := range n {
		labels[r] = r % 3
		for i := range nv {
			v.SetBit(r, i, rnd.IntN(4) < labels[r]+1)
		}
	}
	s := &subject{m: rbm.NewRandom(nv, 4, 0.1, rnd), rows: v, centers: centersOf(v, labels), axes: principal(v, 2)}
	got, values := s.clusters(v), s.values(v)
	for r := range n {
		row := mat.Row(nil, r, v)
		distance := make([]float64, 3)
		for k := range distance {
			for i := range row {
				distance[k] += (row[i] - s.centers.At(k, i)) * (row[i] - s.centers.At(k, i))
			}
		}
		if want := slices.Index(distance, slices.Min(distance)); got[r] != want {
			t.Errorf("row %d is in cluster %d, want %d", r, got[r], want)
		}
		on, along := 0., 0.
		for i := range row {
			on += row[i]
			along += row[i] * s.axes.At(i, 1)
		}
		if values[1][r] != on || math.Abs(values[3][r]-along) > 1e-9 {
			t.Errorf("row %d: %g units on and component %g, want %g and %g", r, values[1][r], values[3][r], on, along)
		}
	}
	// A principal direction is an eigenvector; the first has the largest eigenvalue.
	variance := func(x []float64) float64 {
		mean, sum := 0., 0.
		for _, x := range x {
			mean += x / n
		}
		for _, x := range x {
			sum += (x - mean) * (x - mean)
		}
		return sum / (n - 1)
	}
	first := variance(values[2])
	if second := variance(values[3]); first <= second {
		t.Errorf("variances along the principal directions are %g and %g, want them to fall", first, second)
	}
	for range 20 {
		x := make([]float64, nv)
		norm := 0.
		for i := range x {
			x[i] = rnd.NormFloat64()
			norm += x[i] * x[i]
		}
		if got := variance(sums(v, x)) / norm; got > first {
			t.Errorf("a direction has the variance %g, more than the principal one, %g", got, first)
		}
	}
}

// All pairs of tuned temperatures swap at one rate, of about a half.
func TestTune(t *testing.T) {
	s := &subject{m: rbm.NewRandom(40, 30, 0.8, rand.NewPCG(4, 4)), source: rand.NewPCG(5, 5)}
	betas := s.tune(nil)
	pt := rbm.NewPT(50, 200, len(betas), s.source)
	copy(pt.Betas, betas)
	pt.Sample(s.m, nil)
	for k, rate := range pt.SwapRates() {
		if rate < 0.35 || rate > 0.75 {
			t.Errorf("level %d of %d swaps with the next at the rate %.2f, want about a half", k, len(betas), rate)
		}
	}
}

// Of the spins that do not point up, only a share is kept.
func TestSpinsShare(t *testing.T) {
	for _, x := range []struct{ share, low, high float64 }{{0, 1, 1}, {0.5, 0.60, 0.74}, {1, 0.42, 0.58}} {
		sum := 0.
		for _, label := range up(spins(rand.New(rand.NewPCG(6, 6)), 500, 5, 2.1, x.share)) {
			sum += float64(label)
		}
		if got := sum / 500; got < x.low || got > x.high {
			t.Errorf("share %g: %g of the rows point up, want %g to %g", x.share, got, x.low, x.high)
		}
	}
}
