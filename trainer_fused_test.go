package rbm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// byHand is a training loop of exported parts, which stores each gradient.
type byHand struct {
	m       *rbm.RBM
	sampler rbm.Sampler
	sgd     rbm.SGD
	c       *rbm.Centering
	g       rbm.Gradient
}

// step takes a step with a minibatch and the weights of its rows, whose mean over all rows is
// given.
func (x *byHand) step(batch mat.Matrix, weights []float64, all float64) {
	x.m.WeightedGradient(&x.g, batch, weights, x.sampler)
	if x.c != nil {
		x.c.Center(&x.g)
	}
	if weights != nil {
		f := mean(weights) / all
		x.g.W.Scale(f, x.g.W)
		x.g.B.ScaleVec(f, x.g.B)
		x.g.C.ScaleVec(f, x.g.C)
	}
	x.sgd.Step(x.m, &x.g)
}

func mean(x []float64) float64 {
	var sum float64
	for _, x := range x {
		sum += x
	}
	return sum / float64(len(x))
}

// check fails unless tr has the parameters, the offsets and the velocity of x.
func (x *byHand) check(t *testing.T, name string, tr *rbm.Trainer) {
	t.Helper()
	checkSame(t, name+": parameters", params(tr.Model), params(x.m))
	if !bytes.Equal(saved(t, &tr.SGD), saved(t, &x.sgd)) {
		t.Errorf("%s: another velocity", name)
	}
	if c := tr.Centering; c != nil {
		checkSame(t, name+": V", c.V, x.c.V)
		checkSame(t, name+": H", c.H, x.c.H)
	}
}

// chosenRows returns rows of b.
func chosenRows(b *rbm.Bits, rows []int) *rbm.Bits {
	_, cols := b.Dims()
	some := rbm.NewBits(len(rows), cols)
	for k, r := range rows {
		for i := range cols {
			some.SetBit(k, i, b.Bit(r, i))
		}
	}
	return some
}

// chosenWeights returns the elements of x with the given numbers, or nil if x is nil.
func chosenWeights(x []float64, rows []int) (some []float64) {
	for _, r := range rows {
		if x != nil {
			some = append(some, x[r])
		}
	}
	return some
}

// grayRows returns a Sampler of the user's own, whose samples are values between 0 and 1 with
// weights, other ones at each call.
func grayRows() rbm.Sampler {
	calls := uint64(0)
	return sampling(func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
		nv, _ := m.Dims()
		calls++
		return gray(randomBits(11, nv, 0.4, calls), calls), randomWeights(11, calls)
	})
}

// fusedSettings are the settings of a Trainer that a step depends on.
var fusedSettings = []struct {
	name      string
	sampler   func() rbm.Sampler
	sgd       rbm.SGD
	centering *rbm.Centering
	weighted  bool
	groups    bool
	single    bool
}{
	{name: "CD", sampler: newCD(1), sgd: rbm.SGD{Rate: 0.1}},
	{name: "CD-3/L2", sampler: newCD(3), sgd: rbm.SGD{Rate: 0.1, L2: 0.01}, centering: &rbm.Centering{}},
	{name: "CD/weights", sampler: newCD(1), sgd: rbm.SGD{Rate: 0.1}, weighted: true},
	{name: "CD/weights/momentum", sampler: newCD(1), sgd: rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 0.01}, centering: &rbm.Centering{}, weighted: true},
	{name: "CD/groups", sampler: newCD(1), sgd: rbm.SGD{Rate: 0.1, Momentum: 0.5}, centering: &rbm.Centering{}, groups: true},
	{name: "PCD/momentum/L1", sampler: newPCD, sgd: rbm.SGD{Rate: 0.1, Momentum: 0.9, L1: 0.05}, centering: &rbm.Centering{Enhanced: true}},
	{name: "PCD/weights/MaxNorm", sampler: newPCD, sgd: rbm.SGD{Rate: 0.3, MaxNorm: 0.5}, centering: &rbm.Centering{Rate: 1}, weighted: true},
	{name: "PCD/offsets", sampler: newPCD, sgd: rbm.SGD{Rate: 0.1}, centering: &rbm.Centering{Rate: 0.3, Enhanced: true, H: []float64{}}, groups: true},
	{name: "PT/all", sampler: func() rbm.Sampler { return newPT(7, 1, []float64{0, 0.5, 1}, newSource(3)) },
		sgd: rbm.SGD{Rate: 0.3, Momentum: 0.5, L2: 0.01, L1: 0.01, MaxNorm: 0.5}, centering: &rbm.Centering{Rate: 0.1, Enhanced: true}},
	{name: "PTT", sampler: func() rbm.Sampler { return rbm.NewPTT(7, 1, nil, newSource(3)) }, sgd: rbm.SGD{Rate: 1}},
	{name: "a CD of the user's own/weights", sampler: func() rbm.Sampler { return embeddedCD{rbm.NewCD(1, newSource(3))} }, sgd: rbm.SGD{Rate: 0.1}, weighted: true},
	{name: "a Sampler of real values", sampler: grayRows, sgd: rbm.SGD{Rate: 0.1, Momentum: 0.5}, centering: &rbm.Centering{Enhanced: true}, weighted: true},
	{name: "CD/single", sampler: newCD(2), sgd: rbm.SGD{Rate: 0.1, Momentum: 0.5}, centering: &rbm.Centering{Enhanced: true}, weighted: true, single: true},
	{name: "PCD/single/groups", sampler: newPCD, sgd: rbm.SGD{Rate: 0.1}, centering: &rbm.Centering{}, groups: true, single: true},
	{name: "a Sampler of real values/single", sampler: grayRows, sgd: rbm.SGD{Rate: 0.1}, centering: &rbm.Centering{}, single: true},
	{name: "Exact", sampler: func() rbm.Sampler { return new(rbm.Exact) }, sgd: rbm.SGD{Rate: 0.1}, centering: &rbm.Centering{}, weighted: true},
}

type embeddedCD struct{ *rbm.CD }

func newCD(k int) func() rbm.Sampler {
	return func() rbm.Sampler { return rbm.NewCD(k, newSource(3)) }
}
func newPCD() rbm.Sampler { return rbm.NewPCD(7, 1, newSource(3)) }

// The steps of a Trainer, which store no gradient, have the bits of the loop of exported
// parts, for all sizes and settings, on any number of goroutines.
func TestFusedStepIsTheLoop(t *testing.T) {
	const groupUnits = 5
	goroutines := []int{1, 4}
	if testing.Short() {
		goroutines = goroutines[1:]
	}
	for _, s := range []struct{ nv, nh, n, size int }{
		{1, 1, 3, 2}, {7, 5, 45, 20}, {7, 5, 1500, 1500}, {8, 8, 20, 9}, {5, 7, 20, 9}, {9, 15, 20, 9}, {16, 16, 20, 9}, {33, 17, 20, 9}, {33, 5, 20, 9},
		{64, 64, 65, 64}, {65, 16, 1100, 1100}, {130, 67, 140, 70}, {63, 63, 20, 20}, {17, 129, 130, 130}, {260, 150, 200, 80},
	} {
		for _, tt := range fusedSettings {
			if tt.name == "Exact" && min(s.nv, s.nh) > 9 || tt.groups && s.nv < groupUnits {
				continue
			}
			var first []float64
			for _, procs := range goroutines {
				t.Run(fmt.Sprintf("%d×%d/n=%d/%s/procs=%d", s.nv, s.nh, s.n, tt.name, procs), func(t *testing.T) {
					setProcs(t, procs)
					data := randomBits(s.n, s.nv, 0.3, 1)
					start := randomModel(s.nv, s.nh, 0.3, 2)
					if tt.groups {
						start.OneHot = []rbm.Group{{From: 1, To: groupUnits}}
						for r := range s.n {
							for i := 1; i < groupUnits; i++ {
								data.SetBit(r, i, i == 1+r*r%(groupUnits-1))
							}
						}
					}
					tr := rbm.NewTrainer(start.Clone(), data, tt.sampler(), newSource(4))
					tr.BatchSize, tr.SGD, tr.Centering = s.size, tt.sgd, nil
					x := &byHand{m: start, sampler: tt.sampler(), sgd: tt.sgd}
					tr.Single, x.g.Single = tt.single, tt.single
					if c := tt.centering; c != nil {
						tr.Centering = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
						x.c = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
						if c.H != nil { // some that are given
							tr.Centering.H, x.c.H = randomWeights(s.nh, 5), randomWeights(s.nh, 5)
						}
					}
					if tt.weighted {
						tr.Weights = randomWeights(s.n, 6) // of which the first is 0
						tr.Weights[s.n-1] = 0.5
					}
					src := philox.NewSource(newSource(4).Uint64())
					for epoch := range 2 {
						for k, rows := range pass(numbered(s.n), s.size, src) {
							if err := tr.Step(); err != nil {
								t.Fatal(err)
							}
							if weights := chosenWeights(tr.Weights, rows); weights == nil || slices.Max(weights) > 0 {
								x.step(chosenRows(data, rows), weights, mean(tr.Weights))
							}
							x.check(t, fmt.Sprintf("epoch %d, step %d", epoch, k), tr)
						}
					}
					if first == nil {
						first = params(tr.Model)
					}
					checkSame(t, "parameters on another number of goroutines", params(tr.Model), first)
				})
			}
		}
	}
}

// With missing values, the loop has the rows that the Trainer has completed.
func TestFusedStepOfMissingValues(t *testing.T) {
	const nv, nh, n = 70, 33, 50
	start := randomModel(nv, nh, 0.3, 1)
	cd, batch := rbm.NewCD(2, newSource(2)), new(rbm.Bits)
	tr := rbm.NewTrainer(start.Clone(), randomBits(n, nv, 0.3, 3), sampling(func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
		rows, _ := data.Dims()
		batch = rbm.NewBits(rows, nv)
		for r := range rows {
			for i := range nv {
				batch.SetBit(r, i, data.At(r, i) == 1)
			}
		}
		return cd.Sample(m, data)
	}), newSource(4))
	tr.BatchSize, tr.Observed = 20, randomBits(n, nv, 0.7, 5)
	tr.SGD.Rate = 0.01
	x := &byHand{m: start, sampler: held{rbm.NewCD(2, newSource(2))}, sgd: tr.SGD, c: &rbm.Centering{}}
	for step := range 6 {
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
		x.step(batch, nil, 1)
		x.check(t, fmt.Sprintf("step %d", step), tr)
	}
}

// A model whose parameters lie in larger matrices moves there, and nothing around it does.
func TestFusedStepOnViews(t *testing.T) {
	const nv, nh = 70, 25
	data := randomBits(40, nv, 0.3, 1)
	start := randomModel(nv, nh, 0.3, 2)
	view, around := surrounded(start)
	var models []*rbm.RBM
	for _, m := range []*rbm.RBM{start, view} {
		tr := rbm.NewTrainer(m, data, rbm.NewCD(1, newSource(3)), newSource(4))
		tr.BatchSize, tr.SGD = 15, rbm.SGD{Rate: 0.1, Momentum: 0.5, L1: 0.01, MaxNorm: 1}
		trainFor(t, tr, 2)
		models = append(models, m)
	}
	checkSame(t, "view", params(models[1]), params(models[0]))
	checkSurroundings(t, nv, nh, around)
}

// Infinite weights make some of the gradient NaN though no parameter is: a step ends as the
// loop does, which looks at the first element of C.
func TestFusedStepOfInfiniteWeights(t *testing.T) {
	const nv, nh = 12, 20
	data := rbm.NewBits(10, nv)
	for r := range 10 {
		for i := range nv {
			data.SetBit(r, i, i < 3 || (r+i)%3 == 0)
		}
	}
	for _, unit := range []int{0, 3, nh - 1} {
		m := randomModel(nv, nh, 0.3, 1)
		m.W.Set(unit, 0, math.Inf(1))
		m.W.Set(unit, 1, math.Inf(-1))
		for _, c := range []*rbm.Centering{nil, {}, {Enhanced: true}, {V: randomWeights(nv, 4), H: randomWeights(nh, 5)}} {
			diverging(t, fmt.Sprintf("unit %d, centering %v", unit, c), m, data, c)
		}
	}
	m := randomModel(nv, nh, 0.3, 1)
	m.W.Set(3, 2, math.NaN()) // which makes all of the gradient NaN
	diverging(t, "NaN", m, data, &rbm.Centering{})
	for _, rate := range []float64{0.5, 1} { // an offset that becomes NaN, or stays infinite
		diverging(t, fmt.Sprint("infinite offset, rate ", rate), rbm.New(1, 1), randomBits(5, 1, 1, 6), &rbm.Centering{Rate: rate, V: []float64{1}, H: []float64{math.Inf(1)}})
	}
}

// diverging fails unless a Trainer finds, as the loop does, that m diverges in a step with all
// of the data.
func diverging(t *testing.T, name string, m *rbm.RBM, data *rbm.Bits, c *rbm.Centering) {
	t.Helper()
	sgd := rbm.SGD{Rate: 0.1, Momentum: 0.5}
	n, _ := data.Dims()
	tr := rbm.NewTrainer(m.Clone(), data, newCD(1)(), newSource(4))
	tr.BatchSize, tr.SGD, tr.Centering = n, sgd, nil
	x := &byHand{m: m.Clone(), sampler: newCD(1)(), sgd: sgd}
	if c != nil {
		tr.Centering = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced, V: slices.Clone(c.V), H: slices.Clone(c.H)}
		x.c = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced, V: slices.Clone(c.V), H: slices.Clone(c.H)}
	}
	rows := pass(numbered(n), n, philox.NewSource(newSource(4).Uint64()))[0]
	x.m.Gradient(&x.g, chosenRows(data, rows), x.sampler)
	if x.c != nil {
		x.c.Center(&x.g)
	}
	steps := 0
	if !math.IsNaN(x.g.C.AtVec(0)) {
		x.sgd.Step(x.m, &x.g)
		steps = 1
	}
	if err := tr.Step(); !errors.Is(err, rbm.ErrDiverged) || tr.Steps() != steps {
		t.Errorf("%s: after %d steps, want %d: error %v", name, tr.Steps(), steps, err)
	}
	sameOrNaN(t, name+": parameters", params(tr.Model), params(x.m))
	if !bytes.Equal(saved(t, &tr.SGD), saved(t, &x.sgd)) {
		t.Errorf("%s: another velocity", name)
	}
	if x.c != nil {
		sameOrNaN(t, name+": V", tr.Centering.V, x.c.V)
		sameOrNaN(t, name+": H", tr.Centering.H, x.c.H)
	}
}

// sameOrNaN is checkSame that takes NaN for the same as NaN.
func sameOrNaN(t *testing.T, name string, got, want []float64) {
	t.Helper()
	withoutNaN := func(x []float64) []float64 {
		x = slices.Clone(x)
		for i := range x {
			if math.IsNaN(x[i]) {
				x[i] = 1e300
			}
		}
		return x
	}
	checkSame(t, name, withoutNaN(got), withoutNaN(want))
}

// What does not fit is found before anything moves.
func TestFusedStepMisuse(t *testing.T) {
	const nv, nh = 9, 20
	for _, tt := range []struct {
		set  func(tr *rbm.Trainer)
		want string
	}{
		{func(tr *rbm.Trainer) { tr.SGD.Momentum = 1 }, "momentum of SGD is 1"},
		{func(tr *rbm.Trainer) { tr.SGD.L1 = -1 }, "L1 of SGD is -1"},
		{func(tr *rbm.Trainer) { tr.Schedule = func(int) float64 { return math.Inf(1) } }, "rate of SGD is +Inf"},
		{func(tr *rbm.Trainer) { tr.Centering.Rate = 2 }, "rate of centering is 2"},
		{func(tr *rbm.Trainer) { tr.Centering.H = make([]float64, 3) }, "H of centering has length 3, want 20"},
		{func(tr *rbm.Trainer) {
			tr.SGD.Momentum = 0.5
			other := rbm.New(3, 2)
			tr.SGD.Step(other, &rbm.Gradient{W: other.W, B: other.B, C: other.C})
		}, "velocity has W of 2×3, want 20×9"},
	} {
		m := randomModel(nv, nh, 0.3, 1)
		tr := rbm.NewTrainer(m, randomBits(30, nv, 0.3, 2), newCD(1)(), newSource(3))
		tt.set(tr)
		want := params(m)
		wantPanic(t, tt.want, func() { tr.Step() }, tt.want)
		checkSame(t, tt.want+": parameters", params(m), want)
		tr.SGD, tr.Schedule, tr.Centering = rbm.SGD{Rate: 0.1}, nil, nil
		if err := tr.Step(); err != nil { // nothing is held
			t.Errorf("%s: %v of a step after the panic", tt.want, err)
		}
	}
}

// A step that a context ends has changed nothing, in whatever it was: no parameter, offset or
// velocity.
func TestFusedStepIsEndedAnywhere(t *testing.T) {
	for _, procs := range []int{1, 4} {
		setProcs(t, procs)
		data := randomBits(300, 130, 0.3, 1)
		start := func() *rbm.Trainer {
			tr := rbm.NewTrainer(randomModel(130, 150, 0.3, 2), data, newPCD(), newSource(3))
			tr.BatchSize, tr.Weights = 150, randomWeights(300, 4)
			tr.SGD = rbm.SGD{Rate: 0.1, Momentum: 0.5, MaxNorm: 1}
			tr.Centering = &rbm.Centering{Enhanced: true, H: randomWeights(150, 5)}
			return tr
		}
		tr := start()
		states := [][]byte{saved(t, tr)}
		for range 2 {
			if err := tr.Step(); err != nil {
				t.Fatal(err)
			}
			states = append(states, saved(t, tr))
		}
		eachLook(t, 120, func(ctx context.Context, n int) (ended bool) {
			tr := start()
			err := tr.Train(ctx, 1)
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if !bytes.Equal(saved(t, tr), states[tr.Steps()]) {
				t.Errorf("%d processors, look %d: the state is not that after %d steps", runtime.GOMAXPROCS(0), n, tr.Steps())
			}
			return err != nil
		})
	}
}

// A step with everything on allocates nothing, on any number of goroutines.
func TestFusedStepAllocatesNothing(t *testing.T) {
	tr := rbm.NewTrainer(randomModel(260, 150, 0.1, 1), randomBits(1200, 260, 0.3, 2), newCD(1)(), newSource(3))
	tr.BatchSize, tr.Weights = 1200, randomWeights(1200, 4)
	tr.SGD = rbm.SGD{Rate: 1e-3, Momentum: 0.5, L2: 1e-3, L1: 1e-3, MaxNorm: 3}
	step := func() {
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
	}
	step()
	step()
	if got := testing.AllocsPerRun(4, step); got != 0 {
		t.Errorf("%v allocations a step", got)
	}
	setProcs(t, 4)
	step()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const steps = 5
	for range steps {
		step()
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > steps*4096 {
		t.Errorf("%d bytes in %d steps on 4 processors", got, steps)
	}
}

// The bits of the centered gradient: sums over a row are added in eight lanes, and sums over
// the rows in blocks of sixteen, which are added in order.
func TestCenteringOrder(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{1, 1}, {7, 15}, {8, 16}, {70, 17}, {130, 67}, {200, 160}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		c := rbm.Centering{V: randomWeights(s.nv, 2), H: randomWeights(s.nh, 3)}
		want := m.Clone()
		var sums [][]float64
		for j, lambda := range c.H {
			var lanes [8]float64
			if j%16 == 0 {
				sums = append(sums, make([]float64, s.nv))
			}
			sum := sums[len(sums)-1]
			for i, mu := range c.V {
				w := m.W.At(j, i) - (float64(lambda*m.B.AtVec(i)) + float64(m.C.AtVec(j)*mu))
				want.W.Set(j, i, w)
				lanes[i%8] += float64(w * mu)
				sum[i] += float64(lambda * w)
			}
			for h := 4; h > 0; h /= 2 {
				for l := range h {
					lanes[l] += lanes[l+h]
				}
			}
			want.C.SetVec(j, m.C.AtVec(j)-lanes[0])
		}
		for i := range s.nv {
			var sum float64
			for k := range sums {
				sum += sums[k][i]
			}
			want.B.SetVec(i, m.B.AtVec(i)-sum)
		}
		c.Center(&rbm.Gradient{W: m.W, B: m.B, C: m.C})
		checkSame(t, fmt.Sprintf("%d×%d", s.nv, s.nh), params(m), params(want))
	}
}

// Train goes on from what a step has left in the caches, and has the bits of single steps,
// even if each report changes the model.
func TestTrainIsItsSteps(t *testing.T) {
	const epochs = 6
	for _, s := range []struct{ nv, nh, n, size int }{{7, 5, 45, 20}, {33, 17, 40, 9}, {65, 16, 300, 150}, {130, 67, 140, 70}, {64, 64, 130, 65}} {
		for _, tt := range fusedSettings {
			if tt.name == "Exact" && min(s.nv, s.nh) > 9 || tt.groups {
				continue
			}
			data := randomBits(s.n, s.nv, 0.3, 1)
			trainer := func() *rbm.Trainer {
				tr := rbm.NewTrainer(randomModel(s.nv, s.nh, 0.3, 2), data, tt.sampler(), newSource(4))
				tr.BatchSize, tr.SGD, tr.Centering, tr.Single = s.size, tt.sgd, nil, tt.single
				if c := tt.centering; c != nil {
					tr.Centering = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
				}
				if tt.weighted {
					tr.Weights = randomWeights(s.n, 6)
				}
				return tr
			}
			change := func(m *rbm.RBM, step int) {
				m.W.Set(step%s.nh, step%s.nv, float64(step%5)-2)
				m.B.SetVec(step%s.nv, float64(step%3)-1)
				m.C.SetVec(step%s.nh, float64(step%3)-1)
			}
			got, want := trainer(), trainer()
			for epoch := 2; epoch <= epochs; epoch += 2 {
				reports := epoch == 2
				got.OnReport = nil
				if reports {
					got.OnReport = func(r rbm.Report) error {
						change(got.Model, r.Step)
						return nil
					}
				}
				if err := got.Train(context.Background(), epoch); err != nil {
					t.Fatal(err)
				}
				change(got.Model, 100+epoch) // between two calls
				for want.Epochs() < epoch {
					epochs := want.Epochs()
					if err := want.Step(); err != nil {
						t.Fatal(err)
					}
					if reports && want.Epochs() > epochs {
						change(want.Model, want.Steps())
					}
				}
				change(want.Model, 100+epoch)
				checkSame(t, fmt.Sprintf("%d×%d, %s, epoch %d", s.nv, s.nh, tt.name, epoch), params(got.Model), params(want.Model))
			}
		}
	}
}
