package rbm

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm/internal/wire"
)

// The rows watched are different ones, as many on both sides, as likely each as any
// other, and always the same.
func TestWatch(t *testing.T) {
	data := func(n int) *Bits {
		b := NewBits(n, 11)
		for r := range n {
			for i := range 11 {
				b.SetBit(r, i, r>>i&1 == 1)
			}
		}
		return b
	}
	numbers := func(b *Bits) (rows []int) {
		for r := range b.rows {
			rows = append(rows, int(b.row(r)[0]))
		}
		return rows
	}
	weights := make([]float64, 1000)
	for r := range weights {
		weights[r] = float64(r % 5)
	}
	for _, tt := range []struct{ n, held, want, weighted int }{
		{1000, 0, 500, 500}, {1000, 2000, 500, 500}, {1000, 400, 400, 400}, {300, 1000, 300, 240}, {300, 7, 7, 7}, {1, 9, 1, 0},
	} {
		for _, weighted := range []bool{false, true} {
			tr := NewTrainer(New(11, 2), data(tt.n), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, uint64(tt.n)))
			want := tt.want
			if tt.held > 0 {
				tr.HeldOut = data(tt.held)
			}
			if weighted {
				if want = tt.weighted; want == 0 {
					continue
				}
				tr.Weights = weights[:tt.n]
			}
			v, w, _ := tr.watch(tr.Data, tr.Weights, watchData)
			rows := numbers(v.(*Bits))
			if len(rows) != want || !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != want {
				t.Errorf("%+v: rows %v of Data, want %d", tt, rows, want)
			}
			for i, r := range rows {
				if weighted && (w[i] != weights[r] || w[i] == 0) {
					t.Errorf("%+v: weight of row %d is %v, want %v", tt, r, w[i], weights[r])
				}
			}
			if !weighted && w != nil {
				t.Errorf("%+v: weights %v", tt, w)
			}
			if again, _, _ := tr.watch(tr.Data, tr.Weights, watchData); !slices.Equal(numbers(again.(*Bits)), rows) {
				t.Errorf("%+v: other rows the second time", tt)
			}
			if tr.HeldOut == nil {
				continue
			}
			v, _, _ = tr.watch(tr.HeldOut, nil, watchHeld)
			held := numbers(v.(*Bits))
			if len(held) != want || !slices.IsSorted(held) || len(slices.Compact(slices.Clone(held))) != want {
				t.Errorf("%+v: rows %v of HeldOut, want %d", tt, held, want)
			}
		}
	}

	const trials = 20000
	var count [10]float64
	src := rand.NewPCG(3, 3)
	tr := NewTrainer(New(11, 2), data(10), NewCD(1, rand.NewPCG(1, 1)), src)
	tr.HeldOut = data(3)
	for range trials {
		tr.state.seed = src.Uint64()
		v, _, _ := tr.watch(tr.Data, nil, watchData)
		for _, r := range numbers(v.(*Bits)) {
			count[r]++
		}
	}
	for r, k := range count {
		if !(math.Abs(k-0.3*trials) <= 5*math.Sqrt(0.3*0.7*trials)) {
			t.Errorf("row %d was watched %v times of %d, want 3 in 10", r, k, trials)
		}
	}
}

// The order of an epoch is that of the seed, also if that has changed since.
func TestEpochRowsOfAnotherSeed(t *testing.T) {
	tr := NewTrainer(New(5, 2), NewBits(50, 5), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
	epochRows := func() []int {
		tr.order.start(tr.Data, nil, 0, tr.state.seed, 0, nil)
		return tr.order.from(0, nil)
	}
	first := slices.Clone(epochRows())
	tr.state.seed++
	if second := epochRows(); slices.Equal(first, second) {
		t.Errorf("two seeds gave the order %v", second)
	}
	tr.state.seed--
	if again := epochRows(); !slices.Equal(first, again) {
		t.Errorf("order %v, want %v", again, first)
	}
}

// What was trained on before a state was restored is no part of the next RowsPerSecond.
func TestSpeedOfRestored(t *testing.T) {
	tr := NewTrainer(New(5, 2), NewBits(50, 5), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
	b, err := tr.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Train(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	if err := tr.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if tr.rows != 0 || tr.elapsed != 0 {
		t.Errorf("%d rows in %v", tr.rows, tr.elapsed)
	}
}

// Completions agree with what is observed, have one unit of a group on, and are what a
// report watches. Of a state they must agree, too.
func TestCompletions(t *testing.T) {
	const n, nv = 40, 7
	start := func(src uint64) *Trainer {
		s := NewPCD(9, 1, rand.NewPCG(1, src))
		tr := NewTrainer(NewRandom(nv, 3, 1, rand.NewPCG(1, src)), NewBits(n, nv), s, rand.NewPCG(2, src))
		tr.Model.OneHot = []Group{{2, 6}}
		data := tr.Data.(*Bits)
		tr.Observed = NewBits(n, nv)
		for r := range n {
			data.SetBit(r, 2+r/2%4, true)
			data.SetBit(r, 6, r%3 == 0)
			for i := range nv {
				tr.Observed.SetBit(r, i, r%2 == 0 && i >= 2 || i == 6 || r%10 == 4) // all of the label, or nothing
			}
		}
		tr.BatchSize, tr.ReportEvery = 9, 1
		return tr
	}
	tr := start(1)
	check := func(tr *Trainer) {
		t.Helper()
		labels := make(map[int]bool)
		for r := range n {
			on := 0
			for i := range nv {
				x := tr.state.drawn.Bit(r, i)
				if want := tr.Data.(*Bits).Bit(r, i); tr.Observed.Bit(r, i) && x != want {
					t.Fatalf("step %d: completion of row %d has %v in column %d, want %v", tr.Steps(), r, x, i, want)
				}
				if x && 2 <= i && i < 6 {
					on++
					labels[i+10*(r%2)] = true
				}
			}
			if on != 1 {
				t.Fatalf("step %d: the completion of row %d has %d units of the group on, want 1", tr.Steps(), r, on)
			}
		}
		if len(labels) < 7 {
			t.Errorf("step %d: labels %v, want all kinds, observed and drawn", tr.Steps(), labels)
		}
	}
	tr.startMissing()
	check(tr)
	first, _ := BitsOf(&tr.state.drawn)
	for range 5 {
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
		check(tr)
	}
	reports := 0
	tr.OnReport = func(r Report) error {
		reports++
		check(tr)
		if want := weightedMean(tr.Model.PseudoLogLikelihood(nil, &tr.state.drawn), nil); r.PseudoLogLikelihood != want {
			t.Errorf("step %d: pseudo-log-likelihood is %v, want %v, that of the completions", r.Step, r.PseudoLogLikelihood, want)
		}
		return nil
	}
	if err := tr.Train(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	if d := tr.state.drawn.difference(first); reports != 10 || d < 0.1 {
		t.Errorf("%d reports, and completions have changed by %v since the start", reports, d)
	}
	good, err := tr.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	before := tr.state.drawn.write(nil)
	type drawn struct {
		drawn *Bits
		want  string
	}
	tests := []drawn{
		{&tr.state.drawn, ""},
		{NewBits(n, nv-1), "completions are 40×6, want 40×7"},
		{NewBits(n+1, nv), "completions are 41×7, want 40×7"},
	}
	for r := range n {
		for i := range nv {
			wrong, _ := BitsOf(&tr.state.drawn)
			wrong.SetBit(r, i, !wrong.Bit(r, i))
			if tr.Observed.Bit(r, i) {
				tests = append(tests, drawn{wrong, fmt.Sprintf("completion of row %d differs in column %d, which is observed", r, i)})
			}
		}
	}
	for _, tt := range tests {
		payload := good[32 : len(good)-4]
		if bytes.Count(payload, before) != 1 {
			t.Fatal("the completions are not in the state")
		}
		bad, _ := wire.AppendFrame(nil, "Trainer", func(b []byte) ([]byte, error) {
			return append(b, bytes.Replace(payload, before, tt.drawn.write(nil), 1)...), nil
		})
		again := start(7)
		err := again.UnmarshalBinary(bad)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
		if err == nil {
			if err := again.Train(context.Background(), 5); err != nil {
				t.Fatal(err)
			}
			check(again)
		}
	}
}

// All rows start from random numbers of their own.
func TestCompletionsAreIndependent(t *testing.T) {
	const n, nv = 2*startRows + 100, 64
	tr := NewTrainer(New(nv, 2), NewBits(n, nv), NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
	tr.Observed = NewBits(n, nv)
	tr.startMissing()
	rows := make(map[uint64]int)
	for r := range n {
		x := tr.state.drawn.row(r)[0]
		if other, ok := rows[x]; ok {
			t.Fatalf("rows %d and %d start alike", other, r)
		}
		rows[x] = r
	}
}

func TestFull(t *testing.T) {
	for _, nv := range []int{1, 63, 64, 65, 128, 130} {
		b := NewBits(3, nv)
		for i := range nv {
			b.SetBit(1, i, true)
		}
		if b.full(0) || !b.full(1) {
			t.Errorf("nv=%d: rows of zeros and of ones are full: %v, %v", nv, b.full(0), b.full(1))
		}
		for i := range nv {
			b.SetBit(1, i, false)
			if b.full(1) {
				t.Errorf("nv=%d: a row without unit %d is full", nv, i)
			}
			b.SetBit(1, i, true)
		}
	}
}

// A fall is measured by what independent units know.
func TestWarnOfFall(t *testing.T) {
	for _, tt := range []struct {
		independent, peak, now float64
		want                   string
	}{
		{-10, -5, -6.9, ""},
		{-10, -5, -7.1, "the pseudo-log-likelihood fell from -5 to -7.1 nats"},
		{-100, -40, -59, ""},
		{-100, -40, -61, "the pseudo-log-likelihood fell from -40 to -61 nats"},
		{-0.1, -0.02, -0.06, ""}, // of rows that are nearly all the same
		{-0.1, -0.02, -0.08, "the pseudo-log-likelihood fell from -0.02 to -0.08 nats"},
	} {
		r := &Report{IndependentLogLikelihood: tt.independent, PseudoLogLikelihood: tt.now, Rate: 0.5}
		if got := warnOfFall(r, tt.peak, -200*math.Ln2); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// A shift is too large beside the gain, from a floor on, and only at a rate that does
// not fall.
func TestWarnOfShift(t *testing.T) {
	for _, tt := range []struct {
		independent, gain, shift, before, rate float64
		steps                                  int
		warned                                 bool
	}{
		{-10, 0, 0.74, 0.1, 0.1, 100, false},
		{-10, 0, 0.76, 0.1, 0.1, 100, true},
		{-10, -3, 0.76, 0.1, 0.1, 100, true},
		{-10, 0, 0.76, 0.1, 0.1, 99, false},
		{-10, 0, 0.76, 0.1, 0.099, 100, false},
		{-10, 0, 0.76, 0.1, 0.2, 100, true},
		{-10, 1, 2.74, 0.1, 0.1, 100, false},
		{-10, 1, 2.76, 0.1, 0.1, 100, true},
		{-100, 0, 4.9, 0.1, 0.1, 100, false},
		{-100, 0, 5.1, 0.1, 0.1, 100, true},
		{-10, 0, math.NaN(), 0.1, 0.1, 100, false},
	} {
		var p past
		p.keep(50, tt.before, -8, nil, nil)
		r := &Report{Step: 50 + tt.steps, Rate: tt.rate, IndependentLogLikelihood: tt.independent, PseudoLogLikelihood: -8 + tt.gain, FreeEnergyShift: tt.shift}
		got := warnOfShift(r, p.before(r.Step))
		if (got != "") != tt.warned {
			t.Errorf("%+v: %q", tt, got)
		}
		if want := fmt.Sprintf("in %d steps the free energies of the rows moved by %.2g nats against each other, and the pseudo-log-likelihood by %+.2g", tt.steps, tt.shift, tt.gain); tt.warned && !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", tt, got, want)
		}
	}
	if got := warnOfShift(&Report{Step: 500, FreeEnergyShift: 9}, nil); got != "" {
		t.Errorf("at the first report: %q", got)
	}
}

func TestWarnOfChains(t *testing.T) {
	for _, tt := range []struct {
		move, spread float64
		steps        int
		want         string
	}{
		{0.09, 0.3, 100, "the chains are stuck: in 100 steps they moved 9%"},
		{0.11, 0.3, 100, ""},
		{0.09, 0.3, 99, ""},
		{math.NaN(), 0.3, 100, ""},
		{0.5, 0.019, 100, "the chains are nearly alike: two of them differ in 1.9% of the visible units, two rows of Data in 40%"},
		{0.5, 0.021, 100, ""},
	} {
		var p past
		p.keep(50, 0, 0, nil, nil)
		r := &Report{Step: 50 + tt.steps, ChainMove: tt.move}
		if got := warnOfChains(r, p.before(r.Step), tt.spread, 0.4); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	if got := warnOfChains(&Report{Step: 500, ChainMove: math.NaN()}, nil, 0.3, 0.4); got != "" {
		t.Errorf("at the first report: %q", got)
	}
}
