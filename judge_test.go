package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	estimate := func(logZ, stdErr, ess float64) Estimate { return Estimate{LogZ: logZ, StdErr: stdErr, ESS: ess} }
	for _, tt := range []struct {
		ais, reverse Estimate
		reason       string // "" if believable
		low, high    float64
	}{
		{estimate(10, 0.1, 50), estimate(10.2, 0.1, 50), "", -15.4, -14.8},
		{estimate(10, 0.3, 10), estimate(9.9, 0.1, 10), "", -15.6, -14.4},
		{estimate(10, 0, 50), estimate(10.09, 0, 50), "", -15.09, -15},
		{estimate(10, 0.1, 9.9), estimate(10, 0.1, 50), "of AIS are 9.9", -15.2, -14.8},
		{estimate(10, 0.1, 50), estimate(10, 0.1, 9.9), "of reverse AIS are 9.9", -15.2, -14.8},
		{estimate(10, 0.1, 50), estimate(10.5, 0.1, 50), "0.50 nats apart, want at most 0.42", -15.7, -14.8},
		{estimate(10, 0.1, 50), estimate(9.5, 0.1, 50), "-0.50 nats apart, want at most 0.42", -15.2, -14.3},
		{estimate(10, 0, 50), estimate(10.11, 0, 50), "0.11 nats apart, want at most 0.10", -15.11, -15},
	} {
		l := LogLikelihood{AIS: tt.ais, Reverse: tt.reverse}
		l.judge(5, false)
		near := func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }
		if !near(l.LogZ, (tt.ais.LogZ+tt.reverse.LogZ)/2) || !near(l.Mean, -5-l.LogZ) || !near(l.Gap, tt.reverse.LogZ-tt.ais.LogZ) {
			t.Errorf("%+v and %+v: log Z %v, mean %v, gap %v", tt.ais, tt.reverse, l.LogZ, l.Mean, l.Gap)
		}
		if !near(l.Low, tt.low) || !near(l.High, tt.high) {
			t.Errorf("%+v and %+v: interval [%v, %v], want [%v, %v]", tt.ais, tt.reverse, l.Low, l.High, tt.low, tt.high)
		}
		if l.Believable != (tt.reason == "") || l.Believable != (l.Reason == "") || !strings.Contains(l.Reason, tt.reason) {
			t.Errorf("%+v and %+v: believable %v for reason %q, want %q", tt.ais, tt.reverse, l.Believable, l.Reason, tt.reason)
		}
	}
}

// A run from the uniform distribution counts, unless it finds less for want of
// effective runs.
func TestJudgeUniform(t *testing.T) {
	for _, tt := range []struct {
		uniform    Estimate
		believable bool
		low        float64
	}{
		{Estimate{LogZ: 10, StdErr: 0.1, ESS: 50}, true, -15.4},
		{Estimate{LogZ: 3, StdErr: 0.5, ESS: 9.9}, true, -15.4},
		{Estimate{LogZ: 3, StdErr: 0.5, ESS: 10}, false, -15.4},
		{Estimate{LogZ: 10.4, StdErr: 0.1, ESS: 50}, true, -15.6},
		{Estimate{LogZ: 10.5, StdErr: 0.1, ESS: 50}, false, -15.7},
		{Estimate{LogZ: 12, StdErr: 0.1, ESS: 2}, false, -17.2},
	} {
		l := LogLikelihood{
			AIS:     Estimate{LogZ: 10, StdErr: 0.1, ESS: 50},
			Reverse: Estimate{LogZ: 10.2, StdErr: 0.1, ESS: 50},
			Uniform: tt.uniform,
		}
		l.judge(5, true)
		if l.Believable != tt.believable || l.Believable != (l.Reason == "") || !(math.Abs(l.Low-tt.low) <= 1e-12) || !(math.Abs(l.LogZ-10.1) <= 1e-12) {
			t.Errorf("%+v: %+v, want believable %v from %v", tt.uniform, l, tt.believable, tt.low)
		}
	}
}

func TestJackknife(t *testing.T) {
	// Weights 1, 2 and 6: without each in turn, the means are 4, 3.5 and 1.5.
	x := []float64{0, math.Log(2), math.Log(6)}
	parts := []float64{math.Log(4), math.Log(3.5), math.Log(1.5)}
	mean := (parts[0] + parts[1] + parts[2]) / 3
	var want float64
	for _, p := range parts {
		want += (p - mean) * (p - mean) * 2 / 3
	}
	if got := jackknife(x); !(math.Abs(got-math.Sqrt(want)) <= 1e-14) {
		t.Errorf("jackknife = %v, want %v", got, math.Sqrt(want))
	}
	if got := jackknife(x[:1]); !math.IsInf(got, 1) {
		t.Errorf("jackknife of one = %v, want +Inf", got)
	}
}

// The parts of LogLikelihood are those it says, on the same random numbers.
func TestLogLikelihoodIsItsParts(t *testing.T) {
	const nv, nh, n, runs, steps = 25, 22, 7, 12, 230
	m := NewRandom(nv, nh, 0.3, rand.NewPCG(1, 1))
	data := NewBits(n, nv)
	for r := range n {
		data.SetBit(r, r, true)
	}
	ctx := context.Background()
	for _, rows := range []int{n, 2 * n} {
		all := data.Gather(nil, []int{0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6}[:rows])
		l, err := m.LogLikelihood(ctx, all, NewAIS(runs, steps, rand.NewPCG(2, 2)))
		if err != nil {
			t.Fatal(err)
		}
		a := NewAIS(runs, steps, rand.NewPCG(2, 2))
		fit := New(nv, 1)
		fit.FitVisibleBias(all)
		a.Base = fit.B.RawVector().Data
		ais, _ := a.Run(ctx, m)
		a.Base = make([]float64, nv)
		uniform, _ := a.Run(ctx, m)
		a.Base = fit.B.RawVector().Data
		start := []int{0, 1, 2, 3, 4, 5, 6}
		if rows > n {
			start = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12} // 12 of 14
		}
		a.chains.Start(all.Gather(nil, start))
		a.chains.Gibbs(m, steps)
		reverse, _ := a.Reverse(ctx, m, a.chains.Visible())
		for name, e := range map[string][2]Estimate{"AIS": {l.AIS, ais}, "Uniform": {l.Uniform, uniform}, "Reverse": {l.Reverse, reverse}} {
			if !slices.Equal(e[0].LogWeights, e[1].LogWeights) || e[0].LogZ != e[1].LogZ {
				t.Errorf("%d rows: %s is %+v, want %+v", rows, name, e[0], e[1])
			}
		}
	}
}
