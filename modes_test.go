package rbm

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// farModes returns a model with two far modes of about the same probability, and their centers.
func farModes(nv, nh int, seed uint64) (m *RBM, centers *Bits) {
	m, centers = NewRandom(nv, nh, 0.05, rand.NewPCG(seed, 1)), NewBits(2, nv)
	rnd := rand.New(rand.NewPCG(seed, 7))
	for k := range 2 {
		on := 0.
		for i := range nv {
			w := -6.
			if rnd.IntN(2) == 0 {
				w = 6
				on++
				centers.SetBit(k, i, true)
			}
			m.W.Set(k, i, w)
		}
		m.C.SetVec(k, 0.8*float64(nv)-6*on)
	}
	return m, centers
}

// Whatever the modes are, the mean weight is Z without bias: with few temperatures and few
// runs, where a part that is left out, counted twice or in a wrong proportion shows.
func TestModesAreUnbiased(t *testing.T) {
	for _, groups := range [][]Group{nil, {{From: 1, To: 4}}} {
		m := NewRandom(12, 5, 0.7, rand.NewPCG(1, 1))
		m.OneHot = groups
		rnd := rand.New(rand.NewPCG(4, 4))
		states := NewBits(25, 12) // of two kinds, far apart
		for r := range 25 {
			for i := range 12 {
				states.SetBit(r, i, r < 13 != (rnd.IntN(8) == 0))
			}
			for _, g := range groups {
				for i := g.From; i < g.To; i++ {
					states.SetBit(r, i, i == g.From+r/13)
				}
			}
		}
		logZ := m.LogPartition()
		var weights []float64
		parts := 0
		for seed := range uint64(400) {
			a := NewAIS(61, 1, rand.NewPCG(seed, 1))
			a.Betas = []float64{0, 0.3, 0.6, 0.8, 1}
			ais, err := a.Run(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			ends := a.chains.v.Gather(nil, numbers(61))
			a.chains.Start(states)
			e := a.modes(m, states.Slice(0, 13), ends, ais)
			if len(e.LogWeights) != 2*61 {
				t.Fatalf("%d weights, want %d", len(e.LogWeights), 2*61)
			}
			outside := [2]int{}
			for r, x := range e.LogWeights {
				if math.IsInf(x, -1) {
					outside[r/61]++
				}
			}
			if outside[0] > 0 && outside[1] > 0 {
				parts++
			}
			weights = append(weights, math.Exp(e.Mean-logZ))
		}
		if parts < 300 {
			t.Fatalf("groups %v: in %d of 400 runs have left their modes: this test is easy", groups, parts)
		}
		var sum, squares float64
		for _, w := range weights {
			sum += w / 400
			squares += w * w / 400
		}
		if err := math.Sqrt((squares - sum*sum) / 400); !(math.Abs(sum-1) <= 4*err) || !(err < 0.05) {
			t.Errorf("groups %v: the mean weight is %v ± %v of Z, want all", groups, sum, err)
		}
	}
}

// Where the chains are those from the rows there is nothing to add.
func TestModesOfTheRows(t *testing.T) {
	m, centers := farModes(30, 5, 1)
	states := centers.Gather(nil, []int{0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0})
	for _, tt := range []struct {
		chains []int
		want   int
	}{
		{[]int{0, 1, 0, 1, 0, 1}, 0},
		{[]int{0, 0, 0, 0, 0, 0}, 0},
	} {
		a := NewAIS(20, 2, rand.NewPCG(1, 1))
		ais, err := a.Run(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		ends := a.chains.v.Gather(nil, numbers(20))
		a.chains.Start(centers.Gather(nil, tt.chains))
		if e := a.modes(m, states, ends, ais); len(e.LogWeights) != tt.want {
			t.Errorf("chains in modes %v: %d weights, want %d", tt.chains, len(e.LogWeights), tt.want)
		}
		a.chains.Start(centers.Gather(nil, tt.chains))
		if e := a.modes(m, states.Slice(1, 2), ends, ais); len(e.LogWeights) != 40 {
			t.Errorf("chains in modes %v, rows in the second: %d weights", tt.chains, len(e.LogWeights))
		}
	}
}

// States of far modes are told apart, and those of one are not.
func TestModesOf(t *testing.T) {
	m, centers := farModes(30, 5, 1)
	rnd := rand.New(rand.NewPCG(3, 3))
	states, want := NewBits(60, 30), [2]int{}
	for r := range 60 {
		k := min(1, r%7)
		want[k]++
		for i := range 30 {
			states.SetBit(r, i, centers.Bit(k, i) != (rnd.IntN(20) == 0))
		}
	}
	modes := modesOf(states, m, 8)
	if len(modes) != 2 {
		t.Fatalf("%d modes, want 2", len(modes))
	}
	for _, x := range modes {
		kind := min(1, x.rows[0]%7)
		for _, r := range x.rows {
			if min(1, r%7) != kind || nearest(modes, states.row(r)) != nearest(modes, states.row(x.rows[0])) {
				t.Errorf("state %d is in the mode of state %d", r, x.rows[0])
			}
		}
		if len(x.rows) != want[kind] {
			t.Errorf("%d states, want %d", len(x.rows), want[kind])
		}
		// The base model is a distribution over the visible states.
		small := modeOf(states.Slice(0, 2), &RBM{}, []int{0, 1})
		if got := logZOfBiases(0, small.bias, nil); small.logZ != got {
			t.Errorf("log Z is %v, want %v", small.logZ, got)
		}
	}
	if modes := modesOf(states, m, 1); len(modes) != 1 || len(modes[0].rows) != 60 {
		t.Errorf("at most one mode: %d", len(modes))
	}
	for r := range 60 {
		for i := range 30 {
			states.SetBit(r, i, rnd.IntN(2) == 0)
		}
	}
	same := NewBits(9, 30)
	for name, b := range map[string]*Bits{"independent units": states, "equal states": same, "a state": same.Slice(0, 1)} {
		if modes := modesOf(b, m, 8); len(modes) != 1 {
			t.Errorf("%s: %d modes, want 1", name, len(modes))
		}
	}
}

// The lowest minimum of F is among the states, though no random state leads there, and what a
// hidden unit looks like is.
func TestElsewhere(t *testing.T) {
	const nv, nh, runs = 70, 21, 40
	for _, groups := range [][]Group{nil, {{From: 60, To: 67}}} {
		m := NewRandom(nv, nh, 0.05, rand.NewPCG(6, 6))
		m.OneHot = groups
		c := 40. // of a unit that is on at one configuration alone
		row := NewBits(1, nv)
		for i := range nv {
			inGroup := len(groups) > 0 && groups[0].From <= i && i < groups[0].To
			if inGroup && i == 63 || !inGroup && i%3 == 0 {
				row.SetBit(0, i, true)
				m.W.Set(4, i, 10)
				c -= 10
			} else {
				m.W.Set(4, i, -10)
			}
		}
		m.C.SetVec(4, c)
		states := NewBits(3, nv)
		for r := range 3 * len(groups) {
			states.SetBit(r, 61, true)
		}
		a := NewAIS(runs, 5, rand.NewPCG(2, 2))
		var seen distinct
		start := a.elsewhere(m, states, states, &seen)
		if err := m.CheckRows(start); err != nil || start.rows != runs {
			t.Fatalf("%d states, error %v, want %d", start.rows, err, runs)
		}
		found := 0
		for r := range runs {
			if slices.Equal(start.row(r), row.row(0)) {
				found++
			}
		}
		if least := -m.FreeEnergy(nil, row)[0]; found == 0 || !(seen.logZ() >= least) {
			t.Errorf("groups %v: %d of %d states are the minimum, the bound is %v, want at least %v", groups, found, runs, seen.logZ(), least)
		}
	}
}

func TestComplements(t *testing.T) {
	b := NewBits(2, 70)
	b.SetBit(0, 3, true)
	b.SetBit(1, 66, true)
	c := complements(b, []Group{{From: 60, To: 67}})
	for r := range 2 {
		for i := range 70 {
			if want := b.Bit(r, i) != (i < 60 || i >= 67); c.Bit(r, i) != want {
				t.Errorf("unit %d of state %d is %v, want %v", i, r, c.Bit(r, i), want)
			}
		}
	}
	if c.RawRow(0)[1]>>6 != 0 {
		t.Error("there are bits behind the last column")
	}
}

// phases returns a model that is the same with all units changed, and has most of them on or
// off: two broad modes.
func phases(nv, nh int) *RBM {
	m := New(nv, nh)
	w := 8 / math.Sqrt(float64(nv*nh))
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, w)
		}
		m.C.SetVec(j, -w*float64(nv)/2)
	}
	for i := range nv {
		m.B.SetVec(i, -w*float64(nh)/2)
	}
	return m
}

// Rows of one of two modes: AIS, Reverse and, often, Uniform see the mode of the rows alone.
// What is believed holds the truth. Narrow modes are among the states seen, broad ones are not.
func TestLogLikelihoodOfOneOfTwoModes(t *testing.T) {
	t.Parallel()
	testOneOfTwoModes(t, fewer(25))
}

func testOneOfTwoModes(t *testing.T, seeds int) {
	t.Helper()
	far, centers := farModes(30, 21, 1)
	for _, tt := range []struct {
		name  string
		m     *RBM
		row   *Bits
		alone int // how often at least Modes are what tells, in a hundred
	}{
		{"narrow", far, centers.Slice(1, 2), 0},
		{"broad", phases(60, 21), NewBits(1, 60), 80},
	} {
		logZ := tt.m.LogPartition()
		rows := tt.row.Gather(nil, make([]int, 50))
		want := -tt.m.FreeEnergy(nil, rows)[0] - logZ
		blind, believed, missed, alone := 0, 0, 0, 0
		for seed := range uint64(seeds) {
			l, err := tt.m.LogLikelihood(context.Background(), rows, NewAIS(50, 100, rand.NewPCG(seed, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if l.AIS.Mean < logZ-0.3 && l.Reverse.Mean < logZ-0.3 {
				blind++
			}
			if strings.HasPrefix(l.Doubt, "AIS from other modes") {
				alone++
			}
			if l.Believable() {
				believed++
				if !(l.Low <= want && want <= l.High) {
					missed++
				}
			}
		}
		t.Logf("%s: in %d of %d both sides see one mode, %d are believed, of which %d miss; in %d the modes tell", tt.name, blind, seeds, believed, missed, alone)
		if 100*blind < 80*seeds || 100*missed > 2*seeds || 100*alone < tt.alone*seeds {
			t.Errorf("%s: in %d of %d both sides see one mode, %d are believed, of which %d miss; in %d the modes tell", tt.name, blind, seeds, believed, missed, alone)
		}
	}
}

// Modes count if they find more, and only then.
func TestJudgeModes(t *testing.T) {
	for _, tt := range []struct {
		modes      LogZ
		believable bool
		low        float64
	}{
		{LogZ{Mean: 10, StdErr: 0.1, ESS: 50}, true, -15.4},
		{LogZ{Mean: 3, StdErr: 5, ESS: 50}, true, -15.4},
		{LogZ{Mean: math.Inf(-1), StdErr: math.NaN(), ESS: math.NaN()}, true, -15.4},
		{LogZ{Mean: 10.4, StdErr: 0.1, ESS: 50}, true, -15.6},
		{LogZ{Mean: 10.5, StdErr: 0.1, ESS: 50}, false, -15.7},
		{LogZ{Mean: 12, StdErr: 0.1, ESS: 2}, false, -17.2},
	} {
		tt.modes.LogWeights = make([]float64, 100)
		l := LogLikelihood{
			AIS:     LogZ{Mean: 10, StdErr: 0.1, ESS: 50},
			Reverse: LogZ{Mean: 10.2, StdErr: 0.1, ESS: 50},
			Modes:   tt.modes,
		}
		l.judge(5, 9, false)
		if l.Believable() != tt.believable || !(math.Abs(l.Low-tt.low) <= 1e-12) || !(math.Abs(l.LogZ-10.1) <= 1e-12) {
			t.Errorf("%+v: %+v, want believable %v from %v", tt.modes, l, tt.believable, tt.low)
		}
		if !tt.believable && !strings.Contains(l.Doubt, fmt.Sprintf("AIS from other modes is %.2f nats off", tt.modes.Mean-10)) {
			t.Errorf("doubt %q", l.Doubt)
		}
	}
}
