package rbm_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Samplers that embed one of the package, and note how often they are called.
type (
	notedCD struct {
		*rbm.CD
		calls int
	}
	notedPCD struct {
		*rbm.PCD
		calls int
	}
	notedPT struct {
		rbm.PT
		calls int
	}
	notedPTT struct {
		*rbm.PTT
		calls int
	}
	notedExact struct {
		*rbm.Exact
		calls int
	}
)

func (s *notedCD) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	return s.CD.Sample(m, data)
}

func (s *notedPCD) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	return s.PCD.Sample(m, data)
}

func (s *notedPT) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	return s.PT.Sample(m, data)
}

func (s *notedPTT) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	return s.PTT.Sample(m, data)
}

func (s *notedExact) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.calls++
	return s.Exact.Sample(m, data)
}

// wrappers are the samplers of the package, and each in a wrapper that counts its calls.
var wrappers = []struct {
	name    string
	sampler func() rbm.Sampler
	wrapper func() (s rbm.Sampler, calls *int)
}{
	{"CD", func() rbm.Sampler { return wrappedCD().CD }, func() (rbm.Sampler, *int) { s := wrappedCD(); return s, &s.calls }},
	{"PCD", func() rbm.Sampler { return wrappedPCD().PCD }, func() (rbm.Sampler, *int) { s := wrappedPCD(); return s, &s.calls }},
	{"PT", func() rbm.Sampler { return &wrappedPT().PT }, func() (rbm.Sampler, *int) { s := wrappedPT(); return s, &s.calls }},
	{"PTT", func() rbm.Sampler { return wrappedPTT().PTT }, func() (rbm.Sampler, *int) { s := wrappedPTT(); return s, &s.calls }},
	{"Exact", func() rbm.Sampler { return new(rbm.Exact) }, func() (rbm.Sampler, *int) { s := &notedExact{Exact: new(rbm.Exact)}; return s, &s.calls }},
}

func wrappedCD() *notedCD   { return &notedCD{CD: rbm.NewCD(2, newSource(3))} }
func wrappedPCD() *notedPCD { return &notedPCD{PCD: rbm.NewPCD(7, 2, newSource(3))} }
func wrappedPT() *notedPT {
	return &notedPT{PT: *newPT(7, 2, []float64{0, 0.5, 1}, newSource(3))}
}
func wrappedPTT() *notedPTT {
	s := rbm.NewPTT(7, 2, nil, newSource(3))
	s.MinSwapRate = 0.99 // so that the ladder grows
	return &notedPTT{PTT: s}
}

// A sampler in a wrapper, whose Sample is called, gives the same gradients as by itself,
// bit for bit, with weights too.
func TestWrappedGradient(t *testing.T) {
	const nv, nh, n = 7, 4, 20
	data, weights := randomBits(n, nv, 0.5, 1), randomWeights(n, 2)
	for _, tt := range wrappers {
		m := randomModel(nv, nh, 1, 1)
		s := tt.sampler()
		w, calls := tt.wrapper()
		var a, b rbm.Gradient
		var pa, pb rbm.Phases
		for step := range 4 {
			var of []float64
			if step%2 == 1 {
				of = weights
			}
			m.WeightedGradient(&a, data, of, s)
			m.WeightedGradient(&b, data, of, w)
			checkSame(t, fmt.Sprintf("%s: gradient %d", tt.name, step), params(&rbm.RBM{W: a.W, B: a.B, C: a.C}), params(&rbm.RBM{W: b.W, B: b.B, C: b.C}))
			m.Phases(&pa, data, of, s)
			m.Phases(&pb, data, of, w)
			if !slices.Equal(saved(t, &pa), saved(t, &pb)) {
				t.Errorf("%s: phases %d differ", tt.name, step)
			}
			(&rbm.SGD{Rate: 0.5}).Step(m, &a)
		}
		if *calls != 8 {
			t.Errorf("%s: %d calls, want 8", tt.name, *calls)
		}
	}
}

// lopsided is a wrapper of CD whose sample is another one than that of CD.
type lopsided struct {
	*rbm.CD
	v       *rbm.Bits
	weights []float64
}

func (s lopsided) Sample(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return s.v, s.weights }

// Weights of rows are those of samples only where a sample belongs to each row, and has
// none of its own.
func TestWrappersWithSamplesOfTheirOwn(t *testing.T) {
	m, data, weights := randomModel(5, 3, 1, 1), randomBits(6, 5, 0.5, 1), randomWeights(6, 2)
	for _, s := range []lopsided{
		{CD: rbm.NewCD(1, newSource(1)), v: randomBits(4, 5, 0.5, 3)},
		{CD: rbm.NewCD(1, newSource(1)), v: randomBits(6, 5, 0.5, 3), weights: randomWeights(6, 4)},
	} {
		var g rbm.Gradient
		m.WeightedGradient(&g, data, weights, s)
		checkGradient(t, "WeightedGradient", &g, naiveWeightedGradient(m, data, weights, s.v, s.weights), "naive", 1e-12)
	}
}

// Visible is what was sampled last, and nil before.
func TestVisibleOfSamplers(t *testing.T) {
	m := randomModel(70, 4, 1, 1)
	for _, tt := range wrappers {
		w, _ := tt.wrapper()
		chains, ok := w.(interface{ Visible() *rbm.Bits })
		if want := tt.name != "CD" && tt.name != "Exact"; ok != want {
			t.Errorf("%s: has Visible: %t, want %t", tt.name, ok, want)
		}
		if !ok {
			continue
		}
		if v := chains.Visible(); v != nil {
			t.Errorf("%s: Visible is %v before the first sample, want nil", tt.name, v)
		}
		for k := range 3 {
			v, _ := w.Sample(m, nil)
			if got := chains.Visible(); !mat.Equal(got, v) {
				t.Errorf("%s: Visible is not sample %d", tt.name, k)
			}
		}
		again, _ := tt.wrapper()
		if err := again.(state).UnmarshalBinary(saved(t, w.(state))); err != nil {
			t.Fatal(err)
		}
		if !mat.Equal(again.(interface{ Visible() *rbm.Bits }).Visible(), chains.Visible()) {
			t.Errorf("%s: Visible is another one after a restart", tt.name)
		}
	}
	if v := new(rbm.PCD).Visible(); v != nil {
		t.Errorf("Visible of an empty PCD is %v, want nil", v)
	}
}

// Reports, with their warnings, and checkpoints of a sampler in a wrapper are those of the
// sampler by itself.
func TestWrappedSamplersInTrainers(t *testing.T) {
	for _, tt := range wrappers {
		w, calls := tt.wrapper()
		var ends [2][]byte
		var told [2]string
		for k, s := range []rbm.Sampler{tt.sampler(), w} {
			tr := stuckWith(s)
			reports := collect(tr)
			trainFor(t, tr, 100)
			for _, r := range *reports {
				r.RowsPerSecond = 0
				told[k] += fmt.Sprintf("%+v\n", r)
			}
			ends[k] = saved(t, tr)
			other := stuckWith(s)
			if err := other.UnmarshalBinary(ends[k]); err != nil || other.Steps() != tr.Steps() {
				t.Errorf("%s: %d steps from bytes, %v", tt.name, other.Steps(), err)
			}
		}
		if told[0] != told[1] || !slices.Equal(ends[0], ends[1]) {
			t.Errorf("%s: in a wrapper it trains in another way, or is told of as\n%swant\n%s", tt.name, told[1], told[0])
		}
		if tt.name == "PCD" && !strings.Contains(told[1], "chains are") {
			t.Errorf("%s: no warning of its chains in\n%s", tt.name, told[1])
		}
		if *calls != 200 {
			t.Errorf("%s: %d calls, want 200", tt.name, *calls)
		}
	}
}

// stuckWith returns a Trainer of a model with two states that chains cannot leave.
func stuckWith(s rbm.Sampler) *rbm.Trainer {
	const nv = 6
	data := rbm.NewBits(40, nv)
	m := rbm.New(nv, 3)
	for i := range nv {
		for r := 0; r < 40; r += 2 {
			data.SetBit(r, i, true)
		}
		m.W.Set(0, i, 40)
		m.B.SetVec(i, -20)
	}
	m.C.SetVec(0, -20*nv)
	tr := rbm.NewTrainer(m, data, s, newSource(1))
	tr.SGD.Rate, tr.BatchSize, tr.ReportEvery = 0, 20, 100
	return tr
}

// A report before the first sample has no chains: those of no minibatch so far are started.
func TestReportsBeforeTheFirstSample(t *testing.T) {
	type own struct { // a sampler of a user
		*rbm.Chains
		rbm.Sampler
	}
	samplers := []rbm.Sampler{own{rbm.NewChains(newSource(1)), rbm.NewPCD(3, 1, newSource(1))}, &rbm.PCD{K: 1}}
	for _, tt := range wrappers {
		w, _ := tt.wrapper()
		samplers = append(samplers, w)
	}
	for _, s := range samplers {
		tr, reports := still(rbm.New(5, 2), randomBits(40, 5, 0.5, 1), s)
		tr.Weights = append(make([]float64, 39), 1)
		tr.BatchSize, tr.ReportEvery = 1, 1
		ctx, cancel := context.WithCancel(context.Background())
		report := tr.OnReport
		tr.OnReport = func(r rbm.Report) error { cancel(); return report(r) }
		tr.Train(ctx, 1)
		if len(*reports) != 1 || !math.IsNaN((*reports)[0].ChainMove) {
			t.Errorf("%T: reports %+v, want one without chains", s, *reports)
		}
	}
}

// A sampler in a wrapper keeps to groups as it does alone: of missing values, and for a
// classifier.
func TestWrappedGroups(t *testing.T) {
	const nv, n = 6, 60
	for k, tt := range wrappers {
		var ends [2][]byte
		var gradients [2]rbm.Gradient
		w, _ := tt.wrapper()
		for k, s := range []rbm.Sampler{tt.sampler(), w} {
			c := weighted(randomClassifier(3, 4, 3, 1, 1), 1, 0.5, 0.25)
			x, labels := randomBits(30, 3, 0.5, 2), cycle(30, 3, 4)
			for range 3 {
				c.Gradient(&gradients[k], x, labels, s)
			}
			c.Model.OneHot = nil
			wantPanic(t, tt.name+" without the group", func() { c.Gradient(&gradients[k], x, labels, s) }, "no group [3, 6)", "OneHot")

			data, observed := rbm.NewBits(n, nv), rbm.NewBits(n, nv)
			for r := range n {
				data.SetBit(r, 3+r%3, true)
				observed.SetBit(r, r%3, true)
				if r%2 == 0 {
					for i := 3; i < 6; i++ {
						observed.SetBit(r, i, true)
					}
				}
			}
			tr := rbm.NewTrainer(randomModel(nv, 3, 1, 1), data, s, newSource(1))
			tr.Model.OneHot = []rbm.Group{{From: 3, To: 6}}
			tr.Observed, tr.BatchSize = observed, 7
			trainFor(t, tr, 3)
			ends[k] = saved(t, tr)
		}
		a, b := &gradients[0], &gradients[1]
		if k < 2 { // CD and PCD; a wrapper of PT or PTT has a model of its own
			checkSame(t, tt.name+": gradient of the classifier", params(&rbm.RBM{W: a.W, B: a.B, C: a.C}), params(&rbm.RBM{W: b.W, B: b.B, C: b.C}))
		}
		if !slices.Equal(ends[0], ends[1]) {
			t.Errorf("%s: in a wrapper it completes rows in another way", tt.name)
		}
	}
}

// What an infinite parameter makes of p(y|x) is NaN and no misuse, in a wrapper either.
func TestWrappedCDOfInfiniteParameters(t *testing.T) {
	c := weighted(randomClassifier(3, 4, 3, 1, 1), 0, 0, 1)
	c.Model.B.SetVec(4, math.Inf(1))
	c.Model.B.SetVec(5, math.Inf(1))
	for _, s := range []rbm.Sampler{wrappedCD(), wrappedCD().CD} {
		chains := rbm.NewChains(newSource(1))
		switch s := s.(type) {
		case *rbm.CD:
			s.Chains = chains
		case *notedCD:
			s.Chains = chains
		}
		var g rbm.Gradient
		c.Gradient(&g, rbm.NewBits(2, 3), []int{rbm.NoLabel, rbm.NoLabel}, s)
		if !math.IsNaN(g.W.At(0, 0)) {
			t.Errorf("%T: W[0,0] is %v, want NaN", s, g.W.At(0, 0))
		}
	}
}
