package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm/internal/product"
)

func TestJudge(t *testing.T) {
	estimate := func(logZ, stdErr, ess float64) LogZ { return LogZ{Mean: logZ, StdErr: stdErr, ESS: ess} }
	for _, tt := range []struct {
		ais, reverse LogZ
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
		l.judge(5, 9, false)
		near := func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }
		if !near(l.LogZ, (tt.ais.Mean+tt.reverse.Mean)/2) || !near(l.Mean, -5-l.LogZ) || !near(l.Gap, tt.reverse.Mean-tt.ais.Mean) {
			t.Errorf("%+v and %+v: log Z %v, mean %v, gap %v", tt.ais, tt.reverse, l.LogZ, l.Mean, l.Gap)
		}
		if !near(l.Low, tt.low) || !near(l.High, tt.high) {
			t.Errorf("%+v and %+v: interval [%v, %v], want [%v, %v]", tt.ais, tt.reverse, l.Low, l.High, tt.low, tt.high)
		}
		if l.Believable() != (tt.reason == "") || l.Believable() != (l.Doubt == "") || !strings.Contains(l.Doubt, tt.reason) {
			t.Errorf("%+v and %+v: believable %v for reason %q, want %q", tt.ais, tt.reverse, l.Believable(), l.Doubt, tt.reason)
		}
	}
}

// A run from the uniform distribution counts, unless it finds less for want of
// effective runs.
func TestJudgeUniform(t *testing.T) {
	for _, tt := range []struct {
		uniform    LogZ
		believable bool
		low        float64
	}{
		{LogZ{Mean: 10, StdErr: 0.1, ESS: 50}, true, -15.4},
		{LogZ{Mean: 3, StdErr: 0.5, ESS: 9.9}, true, -15.4},
		{LogZ{Mean: 3, StdErr: 0.5, ESS: 10}, false, -15.4},
		{LogZ{Mean: 10.4, StdErr: 0.1, ESS: 50}, true, -15.6},
		{LogZ{Mean: 10.5, StdErr: 0.1, ESS: 50}, false, -15.7},
		{LogZ{Mean: 12, StdErr: 0.1, ESS: 2}, false, -17.2},
		// The standard error of few effective runs is no excuse for more than 2 nats.
		{LogZ{Mean: 11.9, StdErr: 2, ESS: 9.9}, true, -18.9},
		{LogZ{Mean: 12.1, StdErr: 2, ESS: 9.9}, false, -19.1},
		{LogZ{Mean: 12.1, StdErr: 2, ESS: 10}, true, -21.1},
	} {
		l := LogLikelihood{
			AIS:     LogZ{Mean: 10, StdErr: 0.1, ESS: 50},
			Reverse: LogZ{Mean: 10.2, StdErr: 0.1, ESS: 50},
			Uniform: tt.uniform,
		}
		l.judge(5, 9, true)
		if l.Believable() != tt.believable || l.Believable() != (l.Doubt == "") || !(math.Abs(l.Low-tt.low) <= 1e-12) || !(math.Abs(l.LogZ-10.1) <= 1e-12) {
			t.Errorf("%+v: %+v, want believable %v from %v", tt.uniform, l, tt.believable, tt.low)
		}
	}
}

// What is certain bounds the mean and the interval; estimates that are below it by
// more than their errors are not believed.
func TestJudgeBound(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct {
		ais, reverse, uniform LogZ
		f, bound              float64
		reason                string // "" if believable
		low, mean, high       float64
	}{
		// In the middle of the interval, above it by rounding, and by more.
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, 5, 9.9, "", -15.2, -15, -14.9},
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, 5, 10.1, "", -15.2, -15.1, -15.1},
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, 5, 10.29, "", -15.29, -15.29, -15.29},
		{LogZ{10, 0.2, 50, nil}, LogZ{10, 0.2, 50, nil}, LogZ{}, 5, 10.55, "", -15.55, -15.55, -15.55},
		{LogZ{10, 0, 50, nil}, LogZ{10, 0, 50, nil}, LogZ{}, 5, 10.09, "", -15.09, -15.09, -15.09},
		{LogZ{10, 0, 50, nil}, LogZ{10, 0, 50, nil}, LogZ{}, 5, 10.11, "at least 10.11, that of configurations seen, and AIS finds 10.00", -inf, -15.11, -15.11},
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, 5, 10.31, "and AIS finds 10.00", -inf, -15.31, -15.31},
		// One side alone.
		{LogZ{10, 0.2, 50, nil}, LogZ{10.5, 0.1, 50, nil}, LogZ{}, 5, 10.55, "", -15.7, -15.55, -15.55},
		{LogZ{10, 0.2, 50, nil}, LogZ{10.5, 0.1, 50, nil}, LogZ{}, 5, 10.61, "and AIS finds 10.00", -15.7, -15.61, -15.61},
		{LogZ{10.5, 0.1, 50, nil}, LogZ{10, 0.2, 50, nil}, LogZ{}, 5, 10.61, "and reverse AIS finds 10.00", -15.7, -15.61, -15.61},
		// With what else there is to doubt, and alone where there is nothing else.
		{LogZ{10, 0.1, 9, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, 5, 20, "and AIS finds 10.00; effective runs of AIS", -inf, -25, -25},
		// The uniform one is an upper end, too.
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{25, 0.1, 50, nil}, 5, 20, "and AIS finds 10.00; AIS from the uniform distribution is 15.00", -30.2, -25, -25},
		// The mean is never above 0.
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, -10.05, 9, "", -0.15, 0, 0},
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, -12, 9, "at least 12.00", -inf, 0, 0},
		// What is not a number is no bound, and nothing to believe.
		{LogZ{inf, 0.1, 50, nil}, LogZ{inf, 0.1, 50, nil}, LogZ{}, 5, 9, "NaN nats apart", -inf, -inf, -inf},
		{LogZ{inf, 0.1, 50, nil}, LogZ{inf, 0.1, 50, nil}, LogZ{}, -inf, 9, "log Z is not finite", math.NaN(), math.NaN(), math.NaN()},
		{LogZ{10, 0.1, 50, nil}, LogZ{10, 0.1, 50, nil}, LogZ{}, math.NaN(), math.NaN(), "a parameter is NaN", math.NaN(), math.NaN(), math.NaN()},
		{LogZ{math.NaN(), math.NaN(), math.NaN(), nil}, LogZ{math.NaN(), math.NaN(), math.NaN(), nil}, LogZ{}, math.NaN(), 9, "a parameter is NaN", math.NaN(), math.NaN(), math.NaN()},
	} {
		l := LogLikelihood{AIS: tt.ais, Reverse: tt.reverse, Uniform: tt.uniform}
		l.judge(tt.f, tt.bound, tt.uniform.ESS > 0)
		for name, x := range map[string][2]float64{"Low": {l.Low, tt.low}, "Mean": {l.Mean, tt.mean}, "High": {l.High, tt.high}} {
			if x[0] != x[1] && !(math.Abs(x[0]-x[1]) <= 1e-12) && !(math.IsNaN(x[0]) && math.IsNaN(x[1])) {
				t.Errorf("%+v: %s is %v, want %v", tt, name, x[0], x[1])
			}
		}
		if l.Believable() != (tt.reason == "") || l.Believable() != (l.Doubt == "") || !strings.Contains(l.Doubt, tt.reason) {
			t.Errorf("%+v: believable %v for reason %q, want %q", tt, l.Believable(), l.Doubt, tt.reason)
		}
	}
}

// A mean above 0 that is rounding is 0, and nothing else is.
func TestExactly(t *testing.T) {
	for _, tt := range []struct{ f, logZ, mean, usedZ float64 }{
		{5, 10, -15, 10},
		{-1e6, 1e6 - 1e-9, 0, 1e6},
		{-1e6, 1e6 - 1, 1, 1e6 - 1},
		{0, -1e-16, 0, 0},
		{math.Inf(1), 10, math.Inf(-1), 10},
		{math.NaN(), 10, math.NaN(), 10},
		{5, math.NaN(), math.NaN(), math.NaN()},
		{math.Inf(-1), math.Inf(1), math.NaN(), math.Inf(1)},
	} {
		l := exactly(tt.f, tt.logZ)
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !same(l.Mean, tt.mean) || !same(l.Low, tt.mean) || !same(l.High, tt.mean) || !same(l.LogZ, tt.usedZ) || !l.Exact {
			t.Errorf("F %v, log Z %v: %+v, want mean %v, log Z %v", tt.f, tt.logZ, l, tt.mean, tt.usedZ)
		}
		if l.Believable() == math.IsNaN(tt.mean) || l.Believable() != (l.Doubt == "") {
			t.Errorf("F %v, log Z %v: believable %v for reason %q", tt.f, tt.logZ, l.Believable(), l.Doubt)
		}
	}
}

// Configurations count once, whenever and however they come, up to a number.
func TestDistinct(t *testing.T) {
	for _, nv := range []int{5, 64, 130} {
		m := NewRandom(nv, 3, 1, rand.NewPCG(1, 1))
		rows := NewBits(6, nv)
		for r := range 6 {
			rows.SetBit(r, nv-1, r%2 == 1)
			rows.SetBit(r, 1, r >= 4) // 0 and 1, twice, and then others
		}
		f := m.FreeEnergy(nil, rows)
		want := func(rows ...int) float64 {
			var sum float64
			for _, r := range rows {
				sum += math.Exp(-f[r])
			}
			return math.Log(sum)
		}
		d := distinct{most: 3}
		if got := d.logZ(); !math.IsInf(got, -1) {
			t.Errorf("nv=%d: the bound without any is %v", nv, got)
		}
		for _, tt := range []struct {
			from, to int
			want     float64
		}{
			{0, 2, want(0, 1)},
			{2, 4, want(0, 1)},
			{0, 5, want(0, 1, 4)},
			{4, 6, want(0, 1, 4)}, // are enough
		} {
			d.add(rows.Slice(tt.from, tt.to), f[tt.from:tt.to])
			if got := d.logZ(); !(math.Abs(got-tt.want) <= 1e-12) {
				t.Errorf("nv=%d: after rows [%d, %d) the bound is %v, want %v", nv, tt.from, tt.to, got, tt.want)
			}
		}
		c := NewChains(rand.NewPCG(1, 1))
		c.Start(rows)
		d.addStates(m, c)
		if got, want := d.logZ(), want(0, 1, 4, 5); !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("nv=%d: with states of chains the bound is %v, want %v", nv, got, want)
		}
	}
}

// All rows are seen, block by block.
func TestSurveySeesAllRows(t *testing.T) {
	const nv = 130
	m := NewRandom(nv, 3, 0.1, rand.NewPCG(1, 1))
	n := passBlock(nv) + 3
	rows := NewBits(n, nv)
	var want []float64
	for r := range n {
		for i := range 4 {
			rows.SetBit(r, i*40, (r%10)>>i&1 == 1)
		}
		if r == n-1 {
			rows.SetBit(r, 129, true)
		}
		if r < 10 || r == n-1 {
			want = append(want, math.Exp(-m.FreeEnergy(nil, rows.Slice(r, r+1))[0]))
		}
	}
	seen := distinct{most: mostSeen}
	f, _, err := m.survey(rows, nil, &seen, new(scored))
	if err != nil || !(math.Abs(seen.logZ()-math.Log(product.Sum(want))) <= 1e-12) {
		t.Errorf("the bound is %v, want %v, error %v", seen.logZ(), math.Log(product.Sum(want)), err)
	}
	if mean := product.Sum(m.FreeEnergy(nil, rows)) / float64(n); !(math.Abs(f-mean) <= 1e-12*math.Abs(mean)) {
		t.Errorf("the mean free energy is %v, want %v", f, mean)
	}

	// Rows of weight 0 are as good as left out, in whichever block.
	weights := make([]float64, n)
	var numbers []int
	var some []float64
	for r := range n {
		if r%3 > 0 {
			weights[r] = 0.5 + float64(r%7)
			numbers, some = append(numbers, r), append(some, weights[r])
		}
	}
	f, ones, err := m.survey(rows, withoutUnit(weights, nil), new(distinct), new(scored))
	g, ofSome, _ := m.survey(rows.Gather(nil, numbers), withoutUnit(some, nil), new(distinct), new(scored))
	if err != nil || f != g || !slices.Equal(ones, ofSome) {
		t.Errorf("the mean free energy by weights is %v and the sums %v, want %v and %v, error %v", f, ones, g, ofSome, err)
	}
}

// However bad the estimates are, the result is within what the rows allow: log Z is
// at least the log of the sum of exp(-F) over those that differ, and so the mean at
// most minus their entropy.
func TestLogLikelihoodIsPossible(t *testing.T) {
	const nv, nh = 23, 21
	ctx := context.Background()
	contradicted := 0
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		m := NewRandom(nv, nh, math.Exp(3*rnd.Float64()-1), rand.NewPCG(seed, 1))
		rows := NewBits(1+rnd.IntN(40), nv)
		kinds := 1 + rnd.IntN(4)
		count := make([]int, kinds)
		for r := range rows.rows {
			k := rnd.IntN(kinds)
			count[k]++
			for i := range nv {
				rows.SetBit(r, i, (uint64(k)*0x9e3779b97f4a7c15>>i)&1 == 1)
			}
		}
		bound, f, entropy := math.Inf(-1), 0., 0.
		for k, n := range count {
			if n == 0 {
				continue
			}
			row := NewBits(1, nv)
			for i := range nv {
				row.SetBit(0, i, (uint64(k)*0x9e3779b97f4a7c15>>i)&1 == 1)
			}
			share := float64(n) / float64(rows.rows)
			e := m.FreeEnergy(nil, row)[0]
			bound = max(bound, -e) + math.Log1p(math.Exp(-math.Abs(bound+e)))
			f += share * e
			entropy -= share * math.Log(share)
		}
		for _, runs := range []int{1, 20} {
			l, err := m.LogLikelihood(ctx, rows, NewAIS(runs, 1+int(seed%3), rand.NewPCG(seed, 2)))
			if err != nil {
				t.Fatal(err)
			}
			if !(l.Low <= l.Mean && l.Mean <= l.High) {
				t.Errorf("seed %d: %v: the mean is not in the interval", seed, l)
			}
			if !(l.LogZ >= bound-1e-9) || !(l.High <= -f-bound+1e-9) || !(l.High <= -entropy+1e-9) || !(l.High <= 0) {
				t.Errorf("seed %d: %v, log Z %v: want log Z of at least %v and at most %v and %v", seed, l, l.LogZ, bound, -f-bound, -entropy)
			}
			if strings.Contains(l.Doubt, "configurations seen") {
				contradicted++
			}
		}
	}
	if contradicted < 10 {
		t.Errorf("%d of 60 estimates are below the bound: this test is easy", contradicted)
	}
}

// What runs have come to is certain, too, wherever they started.
func TestLogLikelihoodKnowsItsStates(t *testing.T) {
	const nv, nh = 30, 21
	m, rows := New(nv, nh), NewBits(10, nv)
	for i := range nv {
		m.B.SetVec(i, 5) // a sweep goes from the rows, all of zeros, to ones
	}
	l, err := m.LogLikelihood(context.Background(), rows, NewAIS(100, 1, rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	logZ := nv*math.Log1p(math.Exp(5)) + nh*math.Ln2
	if !(l.LogZ >= logZ-0.3) || !(l.LogZ <= logZ) || l.Believable() || !(l.AIS.Mean < logZ-20) {
		t.Errorf("%v, log Z %v, want nearly %v", l, l.LogZ, logZ)
	}
}

// Of a model that is sure of a row the mean is 0, or what rounding leaves below.
func TestLogLikelihoodOfACertainRow(t *testing.T) {
	for seed := range uint64(100) {
		m := NewRandom(7, 3, 10, rand.NewPCG(seed, 1))
		row := NewBits(3, 7)
		for i := range 7 {
			m.B.SetVec(i, 1e7+float64(seed))
			for r := range 3 {
				row.SetBit(r, i, true)
			}
		}
		l, err := m.LogLikelihood(context.Background(), row, nil)
		if err != nil || !(l.Mean <= 0) || !(l.Mean >= -1e-6) || !l.Believable() {
			t.Errorf("seed %d: %v, %v, error %v, want 0", seed, l, l.Mean, err)
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
	// Where one weight is nearly all, the rest is not lost: without it the mean is
	// 2e⁻⁵⁰/2, and without one of the others 1/2.
	one := []float64{0, -50, -50}
	parts = []float64{-50, math.Log(0.5), math.Log(0.5)}
	mean, want = (parts[0]+parts[1]+parts[2])/3, 0
	for _, p := range parts {
		want += (p - mean) * (p - mean) * 2 / 3
	}
	if got := jackknife(one); !(math.Abs(got-math.Sqrt(want)) <= 1e-12) {
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
		a.Base = fit.B
		ais, _ := a.Run(ctx, m)
		a.Base = vec(make([]float64, nv))
		uniform, _ := a.Run(ctx, m)
		a.Base = fit.B
		start := []int{0, 1, 2, 3, 4, 5, 6}
		if rows > n {
			start = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12} // 12 of 14
		}
		a.chains.Start(all.Gather(nil, start))
		a.chains.Gibbs(m, steps)
		reverse, _ := a.Reverse(ctx, m, a.chains.Visible())
		for name, e := range map[string][2]LogZ{"AIS": {l.AIS, ais}, "Uniform": {l.Uniform, uniform}, "Reverse": {l.Reverse, reverse}} {
			if !slices.Equal(e[0].LogWeights, e[1].LogWeights) || e[0].Mean != e[1].Mean {
				t.Errorf("%d rows: %s is %+v, want %+v", rows, name, e[0], e[1])
			}
		}
	}
}

// A believable ladder replaces what is not believed, unless runs of AIS find more.
func TestClimb(t *testing.T) {
	const seen = 9
	runs := []float64{0, 0}
	usual := LogZ{9.5, 0.1, 50, runs}
	for _, tt := range []struct {
		ladder              LadderLogZ
		ais, uniform, modes LogZ
		bound               float64
		reason              string // "" if believable
	}{
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, usual, LogZ{}, seen, ""},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4, Doubt: "few trips"}, usual, usual, LogZ{}, seen, "few trips"},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, LogZ{10.4, 0.1, 50, runs}, usual, LogZ{}, seen, ""},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, LogZ{10.5, 0.1, 50, runs}, usual, LogZ{}, seen, "AIS from the base model finds 0.50 nats more, want at most 0.42"},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, LogZ{10.5, 0.1, 50, runs}, LogZ{}, seen, "AIS from the uniform distribution finds 0.50"},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, LogZ{1, 0.1, 50, runs}, LogZ{}, seen, ""},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, usual, LogZ{10.5, 0.1, 50, runs}, seen, "AIS from other modes finds 0.50"},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, usual, LogZ{10 + mostLoose - 0.1, 5, 2, runs}, seen, ""},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, usual, LogZ{10 + mostLoose + 0.1, 5, 2, runs}, seen, "AIS from other modes finds"},
		{LadderLogZ{Mean: 10, StdErr: 0.1, Low: 9.7, High: 10.4}, usual, usual, LogZ{}, 10.5, "log Z is at least 10.50"},
	} {
		l := LogLikelihood{AIS: tt.ais, Reverse: usual, Uniform: tt.uniform, Modes: tt.modes, Ladder: tt.ladder, LogZ: 9.5, Mean: -14.5, Doubt: "old"}
		l.climb(5, tt.bound, true)
		if tt.reason == "" {
			if !l.Believable() || l.LogZ != 10 || l.Mean != -15 || l.Low != -5-tt.ladder.High || l.High != -5-tt.ladder.Low {
				t.Errorf("%+v: %+v, want the ladder believed", tt, l)
			}
			continue
		}
		if l.Doubt != "old" || l.LogZ != 9.5 || !strings.Contains(l.Ladder.Doubt, tt.reason) {
			t.Errorf("%+v: %+v, want the old doubt, and %q of the ladder", tt, l, tt.reason)
		}
	}
}
