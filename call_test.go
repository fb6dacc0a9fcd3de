package rbm_test

import (
	"bytes"
	"context"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// until returns a context that is done from the n-th look at it on.
func until(n int) *countdown {
	ctx := &countdown{Context: context.Background()}
	ctx.left.Store(int64(n - 1))
	return ctx
}

// eachLook calls f for contexts that are done from the first, second, ... look on, as
// long as f reports that its work was ended, and most times at most.
func eachLook(t *testing.T, most int, f func(ctx context.Context, n int) (ended bool)) {
	t.Helper()
	looks := new(countdown)
	looks.Context = context.Background()
	looks.left.Store(math.MaxInt64)
	if f(looks, 0) {
		t.Fatal("work was ended by a context that is never done")
	}
	all := int(math.MaxInt64 - looks.left.Load())
	if all < 3 {
		t.Errorf("there are only %d looks", all)
	}
	for i := range min(all, most) {
		n := 1 + i
		if all > most {
			n = 1 + i*(all-1)/(most-1)
		}
		// Goroutines may look less often at the end, as there is less to claim.
		if !f(until(n), n) && n < all/2 {
			t.Errorf("look %d of %d has not ended the work", n, all)
		}
	}
}

// logged is a Sampler that embeds one, and held one that has it in a field.
type logged struct {
	*rbm.PCD
	calls *int
}

func (l logged) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	*l.calls++
	v, w := l.PCD.Sample(m, data)
	if n, nv := v.Dims(); n == 0 || nv == 0 {
		panic("a sample without rows")
	}
	return v, w
}

type held struct {
	inner interface {
		rbm.Sampler
		encoding.BinaryAppender
		encoding.BinaryUnmarshaler
	}
}

func (h held) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	v, w := h.inner.Sample(m, data)
	return v, w
}

// twice is a Sampler that samples twice at each call.
type twice struct{ *rbm.PCD }

func (s twice) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.PCD.Sample(m, data)
	return s.PCD.Sample(m, data)
}

func (h held) AppendBinary(b []byte) ([]byte, error) { return h.inner.AppendBinary(b) }
func (h held) UnmarshalBinary(data []byte) error     { return h.inner.UnmarshalBinary(data) }

// own is a Sampler with chains and calculations of its own: half of its states are
// those of lower free energy.
type own struct {
	chains *rbm.Chains
	calls  int
}

func (s *own) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	if s.calls == 1 {
		s.chains.StartRandom(m, 6)
	}
	s.chains.Gibbs(m, 3)
	weights := make([]float64, 6)
	for r, f := range m.FreeEnergy(nil, s.chains.Visible()) {
		if math.IsNaN(f) || f == 0 {
			panic(fmt.Sprintf("F is %v", f))
		}
		weights[r] = 1
		if f < -1 {
			weights[r] = 2
		}
	}
	return s.chains.Visible(), weights
}
func (s *own) AppendBinary(b []byte) ([]byte, error) { return s.chains.AppendBinary(b) }
func (s *own) UnmarshalBinary(data []byte) error     { return s.chains.UnmarshalBinary(data) }

// A Trainer that a context ends in the middle of a step, or of a report, is as it was
// before, at whatever look, and goes on bit for bit.
func TestTrainIsEndedAnywhere(t *testing.T) { trainIsEnded(t, max(12, rbm.Fewer(25))) }

func trainIsEnded(t *testing.T, looks int) {
	for _, tt := range []struct {
		name   string
		nv     int
		groups bool
		new    func() rbm.Sampler
		with   func(tr *rbm.Trainer)
	}{
		{"CD", 7, true, func() rbm.Sampler { return rbm.NewCD(3, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Weights, tr.SGD.Momentum = []float64{1, 0, 2, 1, 3, 1, 1, 1, 1, 2}, 0.5
		}},
		{"PCD", 7, false, func() rbm.Sampler { return rbm.NewPCD(5, 3, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Data = &elsewhere{Bits: tr.Data.(*rbm.Bits)}
			tr.ShuffleBlock = 6
		}},
		{"PT", 7, true, func() rbm.Sampler { return newPT(4, 2, []float64{0, 0.5, 1}, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Centering.Enhanced = true
		}},
		{"PTT", 7, true, func() rbm.Sampler {
			s := rbm.NewPTT(50, 2, nil, newSource(1))
			s.MinSwapRate = 0.99
			return s
		}, func(tr *rbm.Trainer) { tr.SGD.Rate = 2 }},
		{"Exact", 7, false, func() rbm.Sampler { return new(rbm.Exact) }, func(tr *rbm.Trainer) { tr.SGD.L1 = 1e-3 }},
		{"Exact of many", 22, false, func() rbm.Sampler { return new(rbm.Exact) }, func(tr *rbm.Trainer) { tr.Centering = nil }},
		{"missing", 7, true, func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Observed, tr.MissingSweeps = randomBits(10, 7, 0.6, 3), 2
		}},
		{"sparse and frozen", 7, false, func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Sparsity = &rbm.Sparsity{Target: 0.1, Cost: 1}
			tr.Frozen = &rbm.Frozen{W: randomBits(5, 7, 0.3, 4), C: make([]bool, 5)}
		}},
		{"values", 7, true, func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(1)) }, func(tr *rbm.Trainer) {
			tr.Data, tr.HeldOut = between(tr.Data.(*rbm.Bits), 3, 5), between(tr.HeldOut.(*rbm.Bits), 3, 5)
		}},
		{"logged", 7, false, func() rbm.Sampler { return logged{rbm.NewPCD(5, 3, newSource(1)), new(int)} }, func(tr *rbm.Trainer) {}},
		{"twice", 7, false, func() rbm.Sampler { return twice{rbm.NewPCD(5, 3, newSource(1))} }, func(tr *rbm.Trainer) {}},
		{"held CD", 7, false, func() rbm.Sampler { return held{rbm.NewCD(3, newSource(1))} }, func(tr *rbm.Trainer) {}},
		{"held PT", 7, false, func() rbm.Sampler { return held{newPT(4, 3, []float64{0, 1}, newSource(1))} }, func(tr *rbm.Trainer) {}},
		{"held PTT", 7, false, func() rbm.Sampler { return held{rbm.NewPTT(4, 3, nil, newSource(1))} }, func(tr *rbm.Trainer) {}},
		{"own", 7, false, func() rbm.Sampler { return &own{chains: rbm.NewChains(newSource(1))} }, func(tr *rbm.Trainer) {}},
	} {
		const epochs = 2
		rows := randomBits(14, tt.nv, 0.5, 2)
		if tt.groups {
			for r := range 14 {
				for i := range 7 {
					if i < 3 || i >= 5 {
						rows.SetBit(r, i, i == r%3 || i == 5+r%2)
					}
				}
			}
		}
		type run struct {
			tr      *rbm.Trainer
			reports []string
		}
		start := func() *run {
			x := new(run)
			tr := rbm.NewTrainer(randomModel(tt.nv, 5, 0.5, 4), rows.Slice(0, 10), tt.new(), newSource(5))
			tr.BatchSize, tr.ReportEvery, tr.HeldOut = 4, 2, rows.Slice(10, 14)
			tr.OnReport = func(r rbm.Report) error {
				r.RowsPerSecond = 0
				x.reports = append(x.reports, fmt.Sprintf("%#v", r))
				return nil
			}
			if tt.groups {
				tr.Model.OneHot = []rbm.Group{{From: 0, To: 3}, {From: 5, To: 7}}
			}
			tt.with(tr)
			tr.Schedule = func(step int) float64 { return tr.SGD.Rate * math.Pow(0.9, float64(step+1)) }
			x.tr = tr
			return x
		}
		state := func(x *run) []byte {
			b := saved(t, x.tr)
			if s, ok := x.tr.Sampler.(*rbm.CD); ok && x.tr.Steps() > 0 {
				b = append(b, fmt.Sprint(statesOf(s.Chains.Visible()))...)
			}
			return b
		}
		var want *run
		between := map[[2]int][]byte{} // the state after so many steps and reports
		eachLook(t, looks, func(ctx context.Context, n int) (ended bool) {
			x := start()
			err := x.tr.Train(ctx, epochs)
			if n == 0 {
				want = x
			}
			if err != nil && (!errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), fmt.Sprintf("rbm: after step %d: ", x.tr.Steps()))) {
				t.Fatalf("%s, look %d: after step %d: error %v", tt.name, n, x.tr.Steps(), err)
			}
			got, at := state(x), [2]int{x.tr.Steps(), len(x.reports)}
			if before, ok := between[at]; ok && !bytes.Equal(got, before) {
				t.Errorf("%s, look %d: after %d steps and %d reports the state is another one than at another look", tt.name, n, at[0], at[1])
			}
			between[at] = got
			if err != nil {
				if err := x.tr.Train(context.Background(), epochs); err != nil {
					t.Fatalf("%s, look %d: going on: %v", tt.name, n, err)
				}
			}
			if !bytes.Equal(state(x), state(want)) {
				t.Errorf("%s, look %d: training went on to another state", tt.name, n)
			}
			if !slices.Equal(x.reports, want.reports) || len(want.reports) != 3 {
				t.Errorf("%s, look %d: reports\n%s, want\n%s", tt.name, n, x.reports, want.reports)
			}
			return err != nil
		})
		if len(between) < 5 {
			t.Errorf("%s: training was ended in %d states only", tt.name, len(between))
		}
	}
}

// The same where several goroutines work on a step.
func TestTrainIsEndedOnAllGoroutines(t *testing.T) {
	setProcs(t, 4)
	data := randomBits(300, 200, 0.3, 1)
	for _, new := range []func() rbm.Sampler{
		func() rbm.Sampler { return rbm.NewCD(2, newSource(1)) },
		func() rbm.Sampler { return rbm.NewPTT(60, 1, nil, newSource(1)) },
	} {
		start := func() *rbm.Trainer {
			tr := rbm.NewTrainer(randomModel(200, 70, 0.1, 4), data, new(), newSource(5))
			tr.BatchSize, tr.HeldOut = 200, data.Slice(0, 40)
			tr.OnReport = func(rbm.Report) error { return nil }
			return tr
		}
		var want []byte
		before := saved(t, start())
		eachLook(t, 15, func(ctx context.Context, n int) (ended bool) {
			tr := start()
			err := tr.Train(ctx, 1)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if got := saved(t, tr); tr.Steps() == 0 && !bytes.Equal(got, before) {
				t.Errorf("%T, look %d: the first step has left something", tr.Sampler, n)
			}
			trainFor(t, tr, 1)
			if n == 0 {
				want = saved(t, tr)
			}
			if !bytes.Equal(saved(t, tr), want) {
				t.Errorf("%T, look %d: training went on to another state", tr.Sampler, n)
			}
			return err != nil
		})
	}
}

// What a Sampler of the user's own has done is not undone: its step is finished, unless
// a sampler of this package that it called was ended.
func TestTrainWaitsForASampler(t *testing.T) {
	for _, own := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		inner := rbm.NewPCD(5, 1e6, newSource(1))
		calls := 0
		tr := rbm.NewTrainer(randomModel(7, 5, 0.5, 4), randomBits(10, 7, 0.5, 2), sampling(func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
			calls++
			cancel()
			if own {
				return data, nil
			}
			return inner.Sample(m, data)
		}), newSource(5))
		err := tr.Train(ctx, 1)
		if want := 1; !errors.Is(err, context.Canceled) && !own || calls != want || own != (tr.Steps() == 1) {
			t.Errorf("own %v: error %v after %d calls and %d steps", own, err, calls, tr.Steps())
		}
		if v := inner.Visible(); !own && v != nil {
			t.Errorf("own %v: the chains have been started", own)
		}
	}
}

type sampling func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64)

func (f sampling) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) { return f(m, data) }

// AIS that a context ends is as it was before, and so are the chains: what is
// estimated next is what would have been.
func TestAISIsEndedAnywhere(t *testing.T) {
	m := coupled(21, 22, 0.3, 1)
	data := chainRows(m, 9)
	type estimate func(ctx context.Context, a *rbm.AIS) (any, error)
	for name, f := range map[string]estimate{
		"Run":     func(ctx context.Context, a *rbm.AIS) (any, error) { return a.Run(ctx, m) },
		"Reverse": func(ctx context.Context, a *rbm.AIS) (any, error) { return a.Reverse(ctx, m, data) },
		"LogLikelihood": func(ctx context.Context, a *rbm.AIS) (any, error) {
			return m.LogLikelihood(ctx, data, a)
		},
		"LogLikelihood of rows elsewhere": func(ctx context.Context, a *rbm.AIS) (any, error) {
			return m.LogLikelihood(ctx, &elsewhere{Bits: data}, a)
		},
		"LogLikelihood of values": func(ctx context.Context, a *rbm.AIS) (any, error) {
			return m.LogLikelihood(ctx, rbm.Values{Matrix: gray(data, 2)}, a)
		},
	} {
		var want []string
		both := func(a *rbm.AIS) (both []string) {
			for range 2 {
				e, err := f(context.Background(), a)
				if err != nil {
					t.Fatal(err)
				}
				both = append(both, fmt.Sprint(e))
			}
			return both
		}
		eachLook(t, 60, func(ctx context.Context, n int) (ended bool) {
			a := rbm.NewAIS(5, 4, newSource(1))
			first, err := f(ctx, a)
			if n == 0 {
				second, _ := f(context.Background(), a)
				want = []string{fmt.Sprint(first), fmt.Sprint(second)}
				return false
			}
			if err == nil {
				return false
			}
			if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "rbm: ") {
				t.Fatalf("%s, look %d: error %v", name, n, err)
			}
			if !reflect.ValueOf(first).IsZero() {
				t.Errorf("%s, look %d: %+v with an error", name, n, first)
			}
			if got := both(a); !slices.Equal(got, want) {
				t.Errorf("%s, look %d: afterward %s, want %s", name, n, got, want)
			}
			return true
		})
		if len(want) != 2 || want[0] == want[1] {
			t.Errorf("%s: twice %s", name, want)
		}
	}
}

// An error of the rows leaves AIS as it was, too.
func TestLogLikelihoodOfBrokenRowsLeavesAIS(t *testing.T) {
	m := coupled(21, 22, 0.3, 1)
	data := chainRows(m, 9)
	want := logLikelihood(t, m, data, rbm.NewAIS(5, 4, newSource(1)))
	a, broken := rbm.NewAIS(5, 4, newSource(1)), errors.New("broken")
	rows := &elsewhere{Bits: data, fail: func(_, n int) error {
		if n == 1 { // those from which reverse runs start
			return broken
		}
		return nil
	}}
	if _, err := m.LogLikelihood(context.Background(), rows, a); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if got := logLikelihood(t, m, data, a); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("afterward %v, want %v", got, want)
	}
}

// LogLikelihood where it is exact is ended anywhere.
func TestLogPartitionIsEndedAnywhere(t *testing.T) {
	for _, m := range []*rbm.RBM{randomModel(13, 14, 0.3, 1), saturated(13, 14, 1e3, 1), randomModel(5, 4, 1, 1)} {
		nv, _ := m.Dims()
		for _, f := range []func(ctx context.Context) (float64, error){
			func(ctx context.Context) (float64, error) {
				l, err := m.LogLikelihood(ctx, rbm.NewBits(3, nv), nil)
				if err != nil {
					return math.NaN(), err
				}
				return l.LogZ, err
			},
		} {
			eachLook(t, 20, func(ctx context.Context, n int) (ended bool) {
				got, err := f(ctx)
				switch {
				case err == nil && got != m.LogPartition():
					t.Errorf("log Z is %v, want %v", got, m.LogPartition())
				case err != nil && (!errors.Is(err, context.Canceled) || !math.IsNaN(got)):
					t.Errorf("look %d: %v, error %v", n, got, err)
				}
				return err != nil
			})
		}
	}
}

// Looks at a context cost nothing: a step in Train allocates as little as one in Step.
func TestTrainAllocatesNothing(t *testing.T) {
	for _, s := range samplers {
		tr := rbm.NewTrainer(randomModel(200, 30, 0.1, 2), randomBits(250, 200, 0.3, 1), s.new(20), newSource(3))
		tr.OnReport, tr.BatchSize = nil, 50
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		epochs := 2
		train := func() {
			if err := tr.Train(ctx, epochs); err != nil {
				t.Fatal(err)
			}
			epochs += 2
		}
		train()
		train()
		if got := testing.AllocsPerRun(4, train); got != 0 {
			t.Errorf("%s: %v allocations in two epochs", s.name, got)
		}
	}
}

func statesOf(b *rbm.Bits) (words [][]uint64) {
	n, _ := b.Dims()
	for r := range n {
		words = append(words, b.RawRow(r))
	}
	return words
}
