package rbm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// samplers are makers of each kind that has states.
var samplers = []struct {
	name string
	new  func(n int) rbm.Sampler
}{
	{"CD", func(int) rbm.Sampler { return rbm.NewCD(1, newSource(71)) }},
	{"PCD", func(n int) rbm.Sampler { return rbm.NewPCD(n, 1, newSource(71)) }},
	{"PT", func(n int) rbm.Sampler { return newPT(n, 1, []float64{0, 0.5, 1}, newSource(71)) }},
}

// bars returns copies of all pictures of bars and of stripes.
func bars(side, copies int) *rbm.Bits {
	b := rbm.NewBits(2<<side*copies, side*side)
	for r := range 2 << side * copies {
		for i := range side {
			for j := range side {
				k := i
				if r&1 == 1 {
					k = j
				}
				b.SetBit(r, i*side+j, r>>1>>k&1 == 1)
			}
		}
	}
	return b
}

// trainFor lets tr train, and fails if it cannot.
func trainFor(t *testing.T, tr *rbm.Trainer, epochs int) {
	t.Helper()
	if err := tr.Train(context.Background(), epochs); err != nil {
		t.Fatal(err)
	}
}

// A Trainer does what the loop does that a user would write.
func TestTrainerIsTheLoop(t *testing.T) {
	const nh, n, size, epochs = 9, 100, 30, 3
	data := numbered(n)
	_, nv := data.Dims()
	weights := randomWeights(n, 1)
	schedule := func(step int) float64 { return 0.1 / float64(1+step) }
	for _, s := range samplers {
		for _, centered := range []bool{false, true} {
			for _, weighted := range []bool{false, true} {
				for _, scheduled := range []bool{false, true} {
					start := randomModel(nv, nh, 0.1, 2)
					tr := rbm.NewTrainer(start.Clone(), data, s.new(20), newSource(3))
					tr.BatchSize = size
					tr.SGD = rbm.SGD{Rate: 0.05, Momentum: 0.5, L2: 0.01}
					tr.Centering = nil

					m, sampler := start, s.new(20)
					sgd := rbm.SGD{Rate: 0.05, Momentum: 0.5, L2: 0.01}
					var c *rbm.Centering
					if centered {
						tr.Centering, c = &rbm.Centering{Rate: 0.1}, &rbm.Centering{Rate: 0.1}
					}
					if scheduled {
						tr.Schedule = schedule
					}
					if weighted {
						tr.Weights = weights
					}
					var g rbm.Gradient
					src := philox.NewSource(newSource(3).Uint64())
					steps := 0
					for range epochs {
						for batch := range rbm.Minibatches(data, size, src) {
							var w []float64
							if weighted {
								rows, _ := batch.Dims()
								for r := range rows {
									w = append(w, weights[number(batch, r)])
								}
							}
							if scheduled {
								sgd.Rate = schedule(steps)
							}
							if centered {
								m.WeightedGradient(&g, batch, w, sampler)
								c.Center(&g)
							} else {
								m.WeightedGradient(&g, batch, w, sampler)
							}
							if weighted { // as much as the rows do in the mean
								var sum, total float64
								for _, x := range w {
									sum += x
								}
								for _, x := range weights {
									total += x
								}
								f := sum / float64(len(w)) / (total / n)
								g.W.Scale(f, g.W)
								g.B.ScaleVec(f, g.B)
								g.C.ScaleVec(f, g.C)
							}
							sgd.Step(m, &g)
							steps++
						}
					}
					trainFor(t, tr, epochs)
					name := fmt.Sprintf("%s/centered=%v/weighted=%v/scheduled=%v", s.name, centered, weighted, scheduled)
					checkSame(t, name, params(tr.Model), params(m))
					if tr.Steps() != steps || tr.Epochs() != epochs {
						t.Errorf("%s: %d steps, %d epochs, want %d and %d", name, tr.Steps(), tr.Epochs(), steps, epochs)
					}
				}
			}
		}
	}
}

// noted is a Sampler that notes the rows of each minibatch.
type noted struct{ batches [][]int }

func (s *noted) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	n, _ := data.Dims()
	var rows []int
	for r := range n {
		rows = append(rows, number(data.(*rbm.Bits), r))
	}
	s.batches = append(s.batches, rows)
	return data, nil
}

func TestTrainerEpochs(t *testing.T) {
	for _, tt := range []struct{ rows, n, steps, last int }{{7, 3, 3, 1}, {6, 3, 2, 3}, {5, 5, 1, 5}, {5, math.MaxInt, 1, 5}, {4, 1, 4, 1}} {
		data := numbered(tt.rows)
		s := new(noted)
		tr := rbm.NewTrainer(rbm.New(75, 2), data, s, newSource(1))
		tr.BatchSize = tt.n
		var first []int
		for epoch := range 6 {
			s.batches = nil
			for step := range tt.steps {
				if tr.Epochs() != epoch || tr.Steps() != epoch*tt.steps+step {
					t.Errorf("%+v: %d epochs after %d steps", tt, tr.Epochs(), tr.Steps())
				}
				if err := tr.Step(); err != nil {
					t.Fatal(err)
				}
			}
			if got := len(s.batches[tt.steps-1]); got != tt.last {
				t.Errorf("%+v: last batch has %d rows", tt, got)
			}
			order := slices.Concat(s.batches...)
			if epoch == 0 {
				first = order
			} else if epoch == 5 && tt.rows > 5 && slices.Equal(first, order) {
				t.Errorf("%+v: two epochs in the order %v", tt, order)
			}
			order = slices.Sorted(slices.Values(order))
			for r, x := range order {
				if x != r || len(order) != tt.rows {
					t.Fatalf("%+v: rows of epoch %d, sorted: %v", tt, epoch, order)
				}
			}
		}
		if !mat.Equal(data, numbered(tt.rows)) {
			t.Error("the data changed")
		}
	}
}

func TestTrainerSchedule(t *testing.T) {
	tr := rbm.NewTrainer(rbm.New(5, 3), randomBits(10, 5, 0.5, 1), rbm.NewCD(1, newSource(1)), newSource(1))
	tr.BatchSize = 4
	var steps []int
	tr.Schedule = func(step int) float64 {
		steps = append(steps, step)
		return float64(step)
	}
	tr.OnReport = func(r rbm.Report) error {
		if want := float64(r.Step - 1); r.Rate != want {
			t.Errorf("rate at step %d is %v, want %v", r.Step, r.Rate, want)
		}
		return nil
	}
	trainFor(t, tr, 2)
	if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(steps, want) {
		t.Errorf("schedule asked for %v, want %v", steps, want)
	}
}

// A row without weight is as good as none.
func TestTrainerWithoutWeight(t *testing.T) {
	data := numbered(12)
	s := new(noted)
	tr := rbm.NewTrainer(rbm.New(75, 2), data, s, newSource(1))
	tr.BatchSize, tr.Weights = 1, make([]float64, 12)
	tr.Weights[7] = 2
	trainFor(t, tr, 2)
	if want := [][]int{{7}, {7}}; !slices.EqualFunc(s.batches, want, slices.Equal) {
		t.Errorf("trained on rows %v, want %v", s.batches, want)
	}
	if tr.Steps() != 24 {
		t.Errorf("%d steps, want 24", tr.Steps())
	}
}

// overfitting returns a trainer that is going to learn 50 rows by heart, and the
// rows to judge it by.
func overfitting(s rbm.Sampler) (tr *rbm.Trainer, test *rbm.Bits) {
	const nv, nh = 12, 16
	rows := exactRows(randomModel(nv, 6, 1, 1), 50+50+1000, 101)
	data := rows.Slice(0, 50)
	m := rbm.NewRandom(nv, nh, 0.1, newSource(201))
	m.FitVisibleBias(data)
	tr = rbm.NewTrainer(m, data, s, newSource(5))
	tr.BatchSize = 25
	tr.SGD.Rate = 0.1
	tr.HeldOut = rows.Slice(50, 100)
	tr.ReportEvery = 50
	return tr, rows.Slice(100, 1100)
}

// afterStep is a context that is canceled once a trainer has taken k steps.
type afterStep struct {
	context.Context
	tr *rbm.Trainer
	k  int
}

func (c *afterStep) Err() error {
	if c.tr.Steps() >= c.k {
		return context.Canceled
	}
	return nil
}

// It can be interrupted at any step, by the context or by OnReport, and goes on bit for bit.
func TestTrainerGoesOn(t *testing.T) {
	t.Parallel()
	const epochs = 5
	stop := errors.New("stop")
	for _, s := range samplers {
		run := func(interrupt func(tr *rbm.Trainer, reports *[]rbm.Report)) (*rbm.Trainer, []rbm.Report) {
			tr, _ := overfitting(s.new(7))
			tr.SGD.Momentum = 0.5
			tr.Centering.Rate = 0.1
			tr.ReportEvery = 3
			tr.BatchSize = 15
			tr.Patience = 100
			var reports []rbm.Report
			tr.OnReport = func(r rbm.Report) error {
				r.RowsPerSecond = 0
				reports = append(reports, r)
				return nil
			}
			interrupt(tr, &reports)
			trainFor(t, tr, epochs)
			return tr, reports
		}
		whole, want := run(func(*rbm.Trainer, *[]rbm.Report) {})
		if whole.Steps() != 20 || len(want) != 6 {
			t.Fatalf("%d steps, %d reports", whole.Steps(), len(want))
		}
		check := func(name string, tr *rbm.Trainer, reports []rbm.Report) {
			t.Helper()
			checkSame(t, name, params(tr.Model), params(whole.Model))
			checkSame(t, name+": best", params(tr.Best()), params(whole.Best()))
			if got, want := fmt.Sprintf("%#v", reports), fmt.Sprintf("%#v", want); got != want {
				t.Errorf("%s: reports\n%s, want\n%s", name, got, want)
			}
		}
		for k := range whole.Steps() {
			tr, reports := run(func(tr *rbm.Trainer, _ *[]rbm.Report) {
				ctx := &afterStep{Context: context.Background(), tr: tr, k: k}
				if err := tr.Train(ctx, epochs); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), fmt.Sprintf("rbm: after step %d: ", k)) {
					t.Errorf("%s: canceled after %d steps: %v", s.name, k, err)
				}
				if tr.Steps() != k {
					t.Errorf("%s: %d steps, want %d", s.name, tr.Steps(), k)
				}
			})
			check(fmt.Sprintf("%s: canceled after %d steps", s.name, k), tr, reports)
		}
		tr, reports := run(func(tr *rbm.Trainer, reports *[]rbm.Report) {
			report := tr.OnReport
			tr.OnReport = func(r rbm.Report) error {
				report(r)
				if len(*reports) == 2 {
					return stop
				}
				return nil
			}
			if err := tr.Train(context.Background(), epochs); !errors.Is(err, stop) || tr.Steps() != 6 {
				t.Errorf("%s: after %d steps: %v", s.name, tr.Steps(), err)
			}
		})
		check(s.name+": stopped by OnReport", tr, reports)
		tr, reports = run(func(tr *rbm.Trainer, _ *[]rbm.Report) {
			for epoch := range epochs {
				trainFor(t, tr, epoch)
			}
		})
		check(s.name+": epoch by epoch", tr, reports)
		tr, _ = run(func(tr *rbm.Trainer, _ *[]rbm.Report) { tr.OnReport = nil })
		check(s.name+": without OnReport", tr, want)
		tr, _ = run(func(tr *rbm.Trainer, _ *[]rbm.Report) { tr.OnReport, tr.HeldOut, tr.Patience = nil, nil, 0 })
		checkSame(t, s.name+": without OnReport and HeldOut", params(tr.Model), params(whole.Model))
	}
}

// Training stops when the model overfits, with the model that is about the best.
func TestTrainerStopsEarly(t *testing.T) {
	t.Parallel()
	const epochs = 2000
	for _, s := range samplers[:2] {
		tr, test := overfitting(s.new(50))
		top := math.Inf(-1)
		exact := func(m *rbm.RBM) float64 { return logLikelihood(t, m, test, nil).Mean }
		reports, since := 0, 0
		report := func(r rbm.Report) error {
			reports, since = reports+1, since+1
			if r.Best {
				since = 0
			}
			top = max(top, exact(tr.Model))
			return nil
		}
		tr.OnReport = report
		tr.Patience = 10
		trainFor(t, tr, epochs)
		if tr.Epochs() >= epochs || since != 10 {
			t.Fatalf("%s: %d epochs, the last %d reports not the best", s.name, tr.Epochs(), since)
		}
		stopped := exact(tr.Model)
		steps, kept := tr.Steps(), params(tr.Model)
		checkSame(t, s.name+": Best", params(tr.Best()), kept)
		trainFor(t, tr, epochs)
		if tr.Steps() != steps {
			t.Errorf("%s: %d steps after it stopped, want %d", s.name, tr.Steps(), steps)
		}
		checkSame(t, s.name+": trained again", params(tr.Model), kept)

		tr.Patience = 0
		trainFor(t, tr, epochs)
		if tr.Epochs() != epochs {
			t.Errorf("%s: %d epochs without Patience, want %d", s.name, tr.Epochs(), epochs)
		}
		end := exact(tr.Model)
		t.Logf("%s: %.3f nats after %d steps, best %.3f, in the end %.3f", s.name, stopped, steps, top, end)
		if stopped < top-0.05 || stopped < end+0.15 {
			t.Errorf("%s: %.3f nats when stopped, best %.3f, in the end %.3f", s.name, stopped, top, end)
		}
	}
}

// The best model is found also where it is not the last.
func TestTrainerBest(t *testing.T) {
	t.Parallel()
	tr, _ := overfitting(rbm.NewPCD(50, 1, newSource(1)))
	var best []float64
	tr.OnReport = func(r rbm.Report) error {
		if r.Best {
			best = params(tr.Model)
		}
		return nil
	}
	if tr.Best() != nil {
		t.Error("a best model before training")
	}
	w := tr.Model.W
	trainFor(t, tr, 1500)
	checkSame(t, "Best", params(tr.Best()), best)
	tr.Best().W.Set(0, 0, 99)
	checkSame(t, "Best after a change of the copy", params(tr.Best()), best)
	if slices.Equal(params(tr.Model), best) {
		t.Fatal("the best model is the last")
	}
	tr.Patience = 1
	trainFor(t, tr, 1500)
	checkSame(t, "Model when stopped", params(tr.Model), best)
	if tr.Model.W != w {
		t.Error("Model has another W")
	}
	tr.Model.W.Set(0, 0, 99)
	checkSame(t, "Best after a change of the model", params(tr.Best()), best)
}

func TestTrainerDiverges(t *testing.T) {
	data := randomBits(40, 7, 0.5, 1)
	for _, tt := range []struct {
		name  string
		set   func(tr *rbm.Trainer)
		steps int // at most
		want  string
	}{
		{"rate", func(tr *rbm.Trainer) { tr.SGD = rbm.SGD{Rate: 1e200, L2: 1} }, 5, "; is the rate 1e+200 too high?"},
		{"infinite W at a report", func(tr *rbm.Trainer) { // which the step makes NaN
			tr.Model.W.Set(2, 4, math.Inf(-1))
			tr.ReportEvery = 1
			tr.OnReport = func(rbm.Report) error { return errors.New("a report of NaN") }
		}, 1, "after step 1: W[2,4] is NaN"},
		{"NaN W", func(tr *rbm.Trainer) { tr.Model.W.Set(2, 4, math.NaN()) }, 0, "rbm: before the first step: W[2,4] is NaN"},
		{"NaN B", func(tr *rbm.Trainer) { tr.Model.B.SetVec(6, math.NaN()) }, 0, "rbm: before the first step: B[6] is NaN"},
		{"infinite B", func(tr *rbm.Trainer) { tr.Model.B.SetVec(6, math.Inf(1)) }, 1, "B[6] is +Inf"},
		{"infinite C", func(tr *rbm.Trainer) { tr.Model.C.SetVec(2, math.Inf(1)) }, 1, "C[2] is +Inf"},
	} {
		for _, s := range samplers {
			tr := rbm.NewTrainer(rbm.NewRandom(7, 3, 0.1, newSource(1)), data, s.new(5), newSource(2))
			tr.BatchSize = 4
			tr.Centering = nil
			tt.set(tr)
			err := tr.Train(context.Background(), 3)
			if err == nil || !strings.HasPrefix(err.Error(), "rbm: ") || !strings.Contains(err.Error(), tt.want) || tr.Steps() > tt.steps {
				t.Errorf("%s/%s: after %d steps: %v, want %q in %d", tt.name, s.name, tr.Steps(), err, tt.want, tt.steps)
			}
			if !errors.Is(err, rbm.ErrDiverged) {
				t.Errorf("%s/%s: %v is not ErrDiverged", tt.name, s.name, err)
			}
			if err := tr.Step(); !errors.Is(err, rbm.ErrDiverged) {
				t.Errorf("%s/%s: %v of a step more is not ErrDiverged", tt.name, s.name, err)
			}
		}
	}
}

// What the last step does is looked at as well.
func TestTrainerDivergesInTheEnd(t *testing.T) {
	tr := rbm.NewTrainer(rbm.New(7, 3), randomBits(40, 7, 0.5, 1), rbm.NewCD(1, newSource(1)), newSource(2))
	tr.ReportEvery = 100
	tr.Model.W.Set(2, 4, math.Inf(-1))
	if err := tr.Train(context.Background(), 1); err == nil || !strings.Contains(err.Error(), "after step 1: W[2,4] is NaN") || !errors.Is(err, rbm.ErrDiverged) {
		t.Errorf("after %d steps: %v", tr.Steps(), err)
	}
}

// checkNoAllocation fails if an epoch of three steps allocates memory, after two of them.
func checkNoAllocation(t *testing.T, name string, tr *rbm.Trainer) {
	t.Helper()
	epoch := func() {
		for range 3 {
			if err := tr.Step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	epoch()
	epoch()
	if got := testing.AllocsPerRun(4, epoch); got != 0 {
		t.Errorf("%s: %v allocations an epoch", name, got)
	}
}

func TestTrainerAllocatesNothing(t *testing.T) {
	data := randomBits(250, 200, 0.3, 1)
	for _, s := range samplers {
		tr := rbm.NewTrainer(randomModel(200, 30, 0.1, 2), data, s.new(20), newSource(3))
		tr.SGD.Momentum = 0.5
		tr.Weights, tr.ShuffleBlock = randomWeights(250, 4), 130
		tr.Schedule = func(int) float64 { return 1e-3 }
		checkNoAllocation(t, s.name, tr)
	}
}

func TestTrainerOfAnotherModel(t *testing.T) {
	tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
	trainFor(t, tr, 50)
	tr.Model = rbm.New(12, 4)
	wantPanic(t, "Step", func() { tr.Step() }, "Model is 4×12, want 16×12")
}

func TestTrainerMisuse(t *testing.T) {
	m, data, s := rbm.New(5, 3), rbm.NewBits(10, 5), rbm.NewCD(1, newSource(1))
	for _, tt := range []struct {
		name string
		call func()
		want string
	}{
		{"nil model", func() { rbm.NewTrainer(nil, data, s, newSource(1)) }, "model is nil"},
		{"nil data", func() { rbm.NewTrainer(m, nil, s, newSource(1)) }, "Data is nil"},
		{"nil Bits", func() { rbm.NewTrainer(m, (*rbm.Bits)(nil), s, newSource(1)) }, "Data is nil"},
		{"empty data", func() { rbm.NewTrainer(m, new(rbm.Bits), s, newSource(1)) }, "Data is 0×0, want n×5"},
		{"narrow data", func() { rbm.NewTrainer(m, rbm.NewBits(10, 4), s, newSource(1)) }, "Data is 10×4, want n×5"},
		{"nil sampler", func() { rbm.NewTrainer(m, data, nil, newSource(1)) }, "sampler is nil"},
		{"nil source", func() { rbm.NewTrainer(m, data, s, nil) }, "source is nil"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantPanic(t, tt.name, tt.call, tt.want) })
	}
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
		want string
	}{
		{"Model", func(tr *rbm.Trainer) { tr.Model = rbm.New(6, 3) }, "Data is 10×5, want n×6"},
		{"HeldOut", func(tr *rbm.Trainer) { tr.HeldOut = rbm.NewBits(3, 6) }, "HeldOut is 3×6, want n×5"},
		{"empty HeldOut", func(tr *rbm.Trainer) { tr.HeldOut = new(rbm.Bits) }, "HeldOut is 0×0, want n×5"},
		{"Weights", func(tr *rbm.Trainer) { tr.Weights = make([]float64, 9) }, "Weights have length 9, want 10"},
		{"zero Weights", func(tr *rbm.Trainer) { tr.Weights = make([]float64, 10) }, "Weights are all 0"},
		{"negative Weights", func(tr *rbm.Trainer) { tr.Weights = []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, -2} }, "Weights[9] is -2"},
		{"NaN Weights", func(tr *rbm.Trainer) { tr.Weights = []float64{1, math.NaN(), 1, 1, 1, 1, 1, 1, 1, 1} }, "Weights[1] is NaN"},
		{"infinite sum of Weights", func(tr *rbm.Trainer) { tr.Weights = slices.Repeat([]float64{1e308}, 10) }, "Weights have the sum +Inf, want a finite one"},
		{"BatchSize", func(tr *rbm.Trainer) { tr.BatchSize = 0 }, "BatchSize is 0, want at least 1"},
		{"ShuffleBlock", func(tr *rbm.Trainer) { tr.ShuffleBlock = -1 }, "ShuffleBlock is -1, want at least 0"},
		{"ReportEvery", func(tr *rbm.Trainer) { tr.ReportEvery = -1 }, "ReportEvery is -1"},
		{"Patience", func(tr *rbm.Trainer) { tr.Patience, tr.HeldOut = -1, data }, "Patience is -1"},
		{"Patience without HeldOut", func(tr *rbm.Trainer) { tr.Patience = 3 }, "Patience is 3 and HeldOut is nil"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := rbm.NewTrainer(m, data, s, newSource(1))
			tt.set(tr)
			wantPanic(t, "Step", func() { tr.Step() }, tt.want)
			wantPanic(t, "Train", func() { tr.Train(context.Background(), 1) }, tt.want)
		})
	}
}

// Rows of weights 9 and 1 that are opposites: p(vᵢ=1) becomes 0.9 or 0.1, of
// minibatches of any size.
func TestTrainerOfWeights(t *testing.T) {
	t.Parallel()
	const n = 100
	data, weights := rbm.NewBits(n, 3), make([]float64, n)
	for r := range n {
		weights[r] = float64(1 + 8*(r%2))
		for i := range 3 {
			data.SetBit(r, i, r%2 == 1)
		}
	}
	for _, batch := range []int{1, 2, 7, 50, n} {
		tr := rbm.NewTrainer(rbm.NewRandom(3, 2, 0.5, newSource(2)), data, new(rbm.Exact), newSource(1))
		tr.Weights, tr.BatchSize = weights, batch
		epochs := 40 + 30*batch
		tr.Schedule = rbm.Linear(0.2, 0, epochs*((n-1)/batch+1))
		trainFor(t, tr, epochs)
		var off float64 // log-likelihood lost
		lnZ := tr.Model.LogPartition()
		for r, f := range tr.Model.FreeEnergy(nil, data.Slice(0, 2)) {
			p := []float64{0.1, 0.9}[r]
			off += p * (math.Log(p) + f + lnZ)
		}
		if !(off < 0.05) {
			t.Errorf("batch %d: p(data) is off by %.3f nats", batch, off)
		}
	}
}

// stateful is a training that uses everything, up to its state.
func stateful(s rbm.Sampler, src uint64) *rbm.Trainer {
	tr := rbm.NewTrainer(rbm.NewRandom(12, 7, 0.1, newSource(src)), randomBits(95, 12, 0.4, 1), s, newSource(src+1))
	tr.HeldOut = randomBits(30, 12, 0.4, 3)
	tr.Weights = randomWeights(95, 4)
	tr.Schedule = rbm.Linear(0.2, 0, 60)
	tr.Patience = 100
	tr.ReportEvery = 4
	return tr
}

// Training 2n steps is training n, to bytes and back, and n.
func TestTrainerGoesOnFromBytes(t *testing.T) {
	t.Parallel()
	type sampler struct {
		name string
		new  func(n int) rbm.Sampler
	}
	all := []sampler{
		{"Exact", func(int) rbm.Sampler { return new(rbm.Exact) }},
		{"PTT", func(n int) rbm.Sampler {
			s := rbm.NewPTT(n, 1, nil, newSource(6))
			s.MinSwapRate = 0.97
			return s
		}},
	}
	for _, s := range samplers {
		all = append(all, sampler{s.name, s.new})
	}
	for _, s := range all {
		var reports []rbm.Report
		report := func(r rbm.Report) error {
			r.RowsPerSecond = 0
			reports = append(reports, r)
			return nil
		}
		whole := stateful(s.new(10), 2)
		whole.BatchSize, whole.SGD.Momentum, whole.SGD.L1 = 10, 0.5, 1e-3
		whole.OnReport = report
		trainFor(t, whole, 3)
		middle := saved(t, whole)
		reports = nil
		trainFor(t, whole, 6)
		want := reports

		// What the bytes hold need not be set.
		half := stateful(s.new(3), 7)
		half.Centering = nil
		w, model, chains := half.Model, half.Model, half.Sampler
		if err := half.UnmarshalBinary(slices.Clone(middle)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(saved(t, half), middle) {
			t.Errorf("%s: the state has changed on the way", s.name)
		}
		reports, half.OnReport = nil, report
		trainFor(t, half, 6)
		if !bytes.Equal(saved(t, half), saved(t, whole)) {
			t.Errorf("%s: the state differs in the end", s.name)
		}
		checkSame(t, s.name, params(half.Model), params(whole.Model))
		if got, want := fmt.Sprintf("%#v", reports), fmt.Sprintf("%#v", want); got != want {
			t.Errorf("%s: reports are %v, want %v", s.name, got, want)
		}
		if half.Model != w || half.Model != model || half.Sampler != chains {
			t.Errorf("%s: Model or Sampler is another one", s.name)
		}
		if half.Epochs() != 6 || half.SGD.L1 != 1e-3 || half.BatchSize != 10 {
			t.Errorf("%s: %d epochs, L1 %v, batch %d", s.name, half.Epochs(), half.SGD.L1, half.BatchSize)
		}
	}
}

func TestTrainerOfOtherBytes(t *testing.T) {
	pcd := func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(3)) }
	tr := stateful(pcd(), 2)
	trainFor(t, tr, 2)
	good := saved(t, tr)
	flipped := func(b *rbm.Bits) *rbm.Bits {
		r, c := b.Dims()
		b = b.Gather(nil, rand.New(newSource(1)).Perm(r))
		b.SetBit(r-1, c-1, !b.Bit(r-1, c-1))
		return b
	}
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
		want string
	}{
		{"none", func(tr *rbm.Trainer) {}, ""},
		{"Data", func(tr *rbm.Trainer) { tr.Data = flipped(tr.Data.(*rbm.Bits)) }, "rbm: Trainer: Data has checksum"},
		{"rows of Data", func(tr *rbm.Trainer) { tr.Data, tr.Weights = tr.Data.(*rbm.Bits).Slice(0, 90), tr.Weights[:90] }, "rbm: Trainer: Data is 90×12, want 95×12"},
		{"HeldOut", func(tr *rbm.Trainer) { tr.HeldOut = flipped(tr.HeldOut.(*rbm.Bits)) }, "rbm: Trainer: HeldOut has checksum"},
		{"no HeldOut", func(tr *rbm.Trainer) { tr.HeldOut, tr.Patience = nil, 0 }, "rbm: Trainer: HeldOut is 0×0, want 30×12"},
		{"Weights", func(tr *rbm.Trainer) { tr.Weights = slices.Clone(tr.Weights); tr.Weights[94] *= 2 }, "rbm: Trainer: Weights has checksum"},
		{"no Weights", func(tr *rbm.Trainer) { tr.Weights = nil }, "rbm: Trainer: Weights is 0×0, want 95×1"},
		{"Sampler", func(tr *rbm.Trainer) { tr.Sampler = rbm.NewCD(1, newSource(1)) }, `rbm: Trainer: rbm: CD: data is of kind "PCD"`},
		{"Exact", func(tr *rbm.Trainer) { tr.Sampler = new(rbm.Exact) }, "rbm: Trainer: sampler is a *rbm.Exact"},
		{"custom", func(tr *rbm.Trainer) { tr.Sampler = bare{pcd()} }, "rbm: Trainer: sampler is a rbm_test.bare, want one with AppendBinary"},
	} {
		tr := stateful(pcd(), 9)
		tt.set(tr)
		trainFor(t, tr, 1)
		before := params(tr.Model)
		err := tr.UnmarshalBinary(good)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		case tt.want != "":
			checkSame(t, tt.name, params(tr.Model), before)
			if tr.Steps() != 1 {
				t.Errorf("%s: %d steps after an error, want 1", tt.name, tr.Steps())
			}
		}
	}
	other := stateful(pcd(), 2)
	other.Sampler = bare{pcd()}
	if _, err := other.AppendBinary(nil); err == nil || !strings.Contains(err.Error(), "sampler is a rbm_test.bare") {
		t.Errorf("AppendBinary with another sampler: %v", err)
	}
	for n := range good {
		tr := stateful(pcd(), 9)
		if n%37 != 0 && n < len(good)-200 {
			continue
		}
		if err := tr.UnmarshalBinary(good[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken", n, len(good))
		}
	}
}

// A Trainer that has trained another model goes on as well as a new one, from the middle of
// an epoch too, and one that has nothing to write but the least.
func TestUsedTrainerGoesOnFromBytes(t *testing.T) {
	for _, steps := range []int{0, 1, 7, 11, 13} {
		for _, centered := range []bool{false, true} {
			whole := rbm.NewTrainer(rbm.NewRandom(20, 7, 0.1, newSource(1)), randomBits(95, 20, 0.4, 1), rbm.NewPCD(10, 1, newSource(3)), newSource(2))
			whole.BatchSize = 9
			half := rbm.NewTrainer(rbm.NewRandom(20, 70, 0.1, newSource(4)), whole.Data, rbm.NewPCD(3, 1, newSource(5)), newSource(6))
			half.Centering.Enhanced, half.SGD.Momentum = true, 0.5
			trainFor(t, half, 3)
			centering := half.Centering
			if !centered {
				whole.Centering = nil
			}
			for range steps {
				whole.Step()
			}
			if err := half.UnmarshalBinary(saved(t, whole)); err != nil {
				t.Fatal(err)
			}
			if centered && half.Centering != centering {
				t.Error("Centering is another one")
			}
			trainFor(t, half, 3)
			trainFor(t, whole, 3)
			if !bytes.Equal(saved(t, half), saved(t, whole)) {
				t.Errorf("centered=%v: the state differs in the end, saved after %d steps", centered, steps)
			}
		}
	}
}

// Parts of another size are an error, not a panic later on.
func TestTrainerOfBytesThatDoNotFit(t *testing.T) {
	replace := func(data []byte, old, new *rbm.RBM) []byte {
		return frame("Trainer", bytes.Replace(payload(data), payload(saved(t, old)), payload(saved(t, new)), 1))
	}
	for _, tt := range []struct {
		spoil func(tr *rbm.Trainer) []byte
		want  string
	}{
		{func(tr *rbm.Trainer) []byte { return saved(t, tr) }, ""},
		{func(tr *rbm.Trainer) []byte { return replace(saved(t, tr), tr.Model, rbm.New(11, 7)) }, "model has 11 visible and 7 hidden units, want 12 and 7"},
		{func(tr *rbm.Trainer) []byte { return replace(saved(t, tr), tr.Best(), rbm.New(12, 3)) }, "best model has 12 visible and 3 hidden units, want 12 and 7"},
		{func(tr *rbm.Trainer) []byte {
			other := rbm.New(12, 3)
			return replace(replace(saved(t, tr), tr.Model, other), tr.Best(), other)
		}, "velocity has 12 visible and 7 hidden units, want 12 and 3"},
		{func(tr *rbm.Trainer) []byte { tr.Centering.V = make([]float64, 11); return saved(t, tr) }, "offsets are those of 11 visible and 7 hidden units, want 12 and 7"},
		{func(tr *rbm.Trainer) []byte { tr.Centering.H = make([]float64, 8); return saved(t, tr) }, "offsets are those of 12 visible and 8 hidden units, want 12 and 7"},
	} {
		tr := stateful(rbm.NewPCD(5, 1, newSource(3)), 2)
		tr.SGD.Momentum, tr.ReportEvery = 0.5, 1
		trainFor(t, tr, 1)
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
		data := tt.spoil(tr)
		other := stateful(rbm.NewPCD(5, 1, newSource(3)), 2)
		if tt.want != "" {
			checkRefused(t, tt.want, other, data, "rbm: Trainer: ", tt.want)
		} else if err := other.UnmarshalBinary(data); err != nil {
			t.Error(err)
		}
	}
}

// Reports go on as well, where the first step moves no chain.
func TestReportOfRestoredChains(t *testing.T) {
	const n = 10
	for _, s := range []func(n int) rbm.Sampler{
		func(n int) rbm.Sampler { return rbm.NewPCD(n, 1, newSource(1)) },
		func(n int) rbm.Sampler { return newPT(n, 1, []float64{0, 0.5, 1}, newSource(1)) },
		func(n int) rbm.Sampler { return rbm.NewPTT(n, 1, nil, newSource(1)) },
	} {
		start := func(chains int) (*rbm.Trainer, *[]rbm.Report) {
			tr := rbm.NewTrainer(randomModel(7, 3, 1, 1), randomBits(n, 7, 0.5, 1), s(chains), newSource(1))
			tr.BatchSize, tr.ReportEvery, tr.Weights = 1, 1, make([]float64, n)
			tr.Weights[7] = 1
			return tr, collect(tr)
		}
		whole, want := start(20)
		first := saved(t, whole)
		trainFor(t, whole, 1)
		middle := saved(t, whole)
		trainFor(t, whole, 2)
		zero, got := start(20)
		used, gotUsed := start(30)
		trainFor(t, used, 1)
		for _, tt := range []struct {
			tr      *rbm.Trainer
			reports *[]rbm.Report
			state   []byte
			want    []rbm.Report
		}{{zero, got, middle, (*want)[n:]}, {used, gotUsed, middle, (*want)[n:]}, {used, gotUsed, first, *want}} {
			*tt.reports = nil
			if err := tt.tr.UnmarshalBinary(tt.state); err != nil {
				t.Fatal(err)
			}
			trainFor(t, tt.tr, 2)
			for k, r := range *tt.reports {
				want := tt.want[k]
				r.RowsPerSecond, want.RowsPerSecond = 0, 0
				if got, want := fmt.Sprintf("%#v", r), fmt.Sprintf("%#v", want); got != want {
					t.Errorf("%T: report %s, want %s", tt.tr.Sampler, got, want)
				}
			}
		}
	}
}

// Reports that look back further than the last one go on as well, from any step.
func TestReportsGoOnFromBytes(t *testing.T) {
	const epochs = 28 // of 10 steps
	whole, want := lookingBack()
	saves := make(map[int][]byte)
	for range 10 * epochs {
		if err := whole.Train(context.Background(), whole.Epochs()); err != nil { // the report that is due
			t.Fatal(err)
		}
		if k := whole.Steps(); k%17 == 3 || k == 30 || k == 120 {
			saves[k] = saved(t, whole)
		}
		ctx := &countdown{Context: context.Background()}
		ctx.left.Store(1)
		whole.Train(ctx, epochs)
	}
	trainFor(t, whole, epochs)
	if len(*want) != 14 || whole.Steps() != 280 {
		t.Fatalf("%d reports in %d steps", len(*want), whole.Steps())
	}
	for k, state := range saves {
		tr, got := lookingBack()
		if err := tr.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		trainFor(t, tr, epochs)
		left := (*want)[len(*want)-len(*got):]
		if wanted := 14 - k/20; len(*got) != wanted {
			t.Errorf("from step %d: %d reports, want %d", k, len(*got), wanted)
		}
		for i, r := range *got {
			r.RowsPerSecond, left[i].RowsPerSecond = 0, 0
			if got, want := fmt.Sprintf("%#v", r), fmt.Sprintf("%#v", left[i]); got != want {
				t.Errorf("from step %d: report %s, want %s", k, got, want)
			}
		}
	}
}

// lookingBack returns a trainer with reports each 20 steps, and where they go.
func lookingBack() (*rbm.Trainer, *[]rbm.Report) {
	tr := rbm.NewTrainer(randomModel(9, 4, 1, 1), randomBits(40, 9, 0.4, 2), rbm.NewPCD(10, 1, newSource(3)), newSource(4))
	tr.BatchSize, tr.ReportEvery, tr.SGD.Rate = 4, 20, 0.3
	tr.Weights = randomWeights(40, 5)
	return tr, collect(tr)
}

// A report that could not be made is not made later, when the training has gone on
// without it.
func TestReportIsNotLate(t *testing.T) {
	rows := &elsewhere{Bits: randomBits(40, 7, 0.4, 1)}
	tr := rbm.NewTrainer(rbm.New(7, 3), rows, rbm.NewCD(1, newSource(1)), newSource(2))
	tr.BatchSize, tr.ReportEvery = 10, 2
	reports := collect(tr)
	bad := errors.New("bad sector")
	rows.fail = func(int, int) error {
		if tr.Steps() == 2 {
			return bad
		}
		return nil
	}
	if err := tr.Train(context.Background(), 2); !errors.Is(err, bad) || tr.Steps() != 2 || len(*reports) != 0 {
		t.Fatalf("%d steps and %d reports, error %v", tr.Steps(), len(*reports), err)
	}
	rows.fail = nil
	if err := tr.Step(); err != nil {
		t.Fatal(err)
	}
	trainFor(t, tr, 2)
	var steps []int
	for _, r := range *reports {
		steps = append(steps, r.Step)
	}
	if want := []int{4, 6, 8}; !slices.Equal(steps, want) {
		t.Errorf("reports at steps %v, want %v", steps, want)
	}
}

// Weights have no unit, also where it changes between epochs.
func TestTrainerOfWeightsOfAnyScale(t *testing.T) {
	train := func(scales ...float64) (*rbm.Trainer, []rbm.Report) {
		tr := rbm.NewTrainer(rbm.NewRandom(9, 4, 0.5, newSource(1)), randomBits(50, 9, 0.4, 2), rbm.NewPCD(10, 1, newSource(3)), newSource(4))
		tr.BatchSize, tr.SGD.Rate = 15, 0.2
		reports := collect(tr)
		for epoch, scale := range scales {
			tr.Weights = make([]float64, 50)
			for r := range 50 {
				tr.Weights[r] = scale * float64(r%4)
			}
			trainFor(t, tr, epoch+1)
		}
		return tr, *reports
	}
	want, wantReports := train(1, 1, 1)
	for _, scales := range [][]float64{{0x1p-1040, 0x1p-1040, 0x1p-1040}, {1, 0x1p-1040, 0x1p1000}, {1024, 1, 0.25}} {
		got, reports := train(scales...)
		for i, x := range params(got.Model) {
			checkNear(t, fmt.Sprintf("%v: parameter %d", scales, i), x, params(want.Model)[i], 1e-9)
		}
		for i, r := range reports {
			checkNear(t, fmt.Sprintf("%v: PseudoLogLikelihood", scales), r.PseudoLogLikelihood, wantReports[i].PseudoLogLikelihood, 1e-9)
			checkNear(t, fmt.Sprintf("%v: IndependentLogLikelihood", scales), r.IndependentLogLikelihood, wantReports[i].IndependentLogLikelihood, 1e-10)
		}
	}
}

// Weights that are spoiled in the middle of an epoch are no reason to leave rows out.
func TestTrainerOfSpoiledWeights(t *testing.T) {
	for _, bad := range []float64{-1, math.NaN()} {
		tr := rbm.NewTrainer(rbm.New(5, 3), rbm.NewBits(10, 5), rbm.NewCD(1, newSource(1)), newSource(1))
		tr.BatchSize, tr.Weights = 1, slices.Repeat([]float64{1}, 10)
		tr.Step()
		for r := range tr.Weights {
			tr.Weights[r] = bad
		}
		wantPanic(t, fmt.Sprint(bad), func() { tr.Step() }, fmt.Sprintf("data weights[0] is %v", bad))
	}
}

// A warning counts the steps since the last report, and Patience the reports, also those of
// another program.
func TestTrainerCountsFromBytes(t *testing.T) {
	tr := stuck() // reports each 100 steps, of one epoch each
	trainFor(t, tr, 150)
	again := stuck()
	if err := again.UnmarshalBinary(saved(t, tr)); err != nil {
		t.Fatal(err)
	}
	reports := collect(again)
	trainFor(t, again, 200)
	if w := (*reports)[0].Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "the chains are stuck: in 100 steps") {
		t.Errorf("warnings %q", w)
	}

	start := func() *rbm.Trainer {
		tr, _ := still(randomModel(5, 3, 1, 1), randomBits(40, 5, 0.5, 1), rbm.NewCD(1, newSource(1)))
		tr.HeldOut, tr.Patience, tr.ReportEvery = randomBits(20, 5, 0.5, 2), 3, 2
		return tr
	}
	tr, again = start(), start()
	trainFor(t, tr, 5) // the report of step 2 is the best
	if err := again.UnmarshalBinary(saved(t, tr)); err != nil {
		t.Fatal(err)
	}
	trainFor(t, again, 100)
	if again.Steps() != 8 {
		t.Errorf("stopped after %d steps, want 8", again.Steps())
	}
}

// A report that is still due is that of the steps so far, and no more so once the state is
// another one, be it after as many steps.
func TestDueReportOfAnotherState(t *testing.T) {
	broken := errors.New("broken")
	start := func() (tr *rbm.Trainer, data *elsewhere, steps *[]int) {
		data, steps = &elsewhere{Bits: randomBits(40, 5, 0.5, 1)}, new([]int)
		tr = rbm.NewTrainer(randomModel(5, 2, 1, 1), data, rbm.NewCD(1, newSource(1)), newSource(2))
		tr.BatchSize, tr.ReportEvery = 10, 2
		tr.OnReport = func(r rbm.Report) error { *steps = append(*steps, r.Step); return nil }
		return tr, data, steps
	}
	from, _, _ := start()
	last := errors.New("the last step that was saved")
	report := from.OnReport
	from.OnReport = func(r rbm.Report) error { report(r); return last }
	if err := from.Train(context.Background(), 1); !errors.Is(err, last) || from.Steps() != 2 {
		t.Fatalf("%d steps, %v", from.Steps(), err)
	}

	tr, data, steps := start()
	tr.Schedule = func(step int) float64 { // which is asked when the rows of a step are there, before a report
		if step == 1 {
			data.fail = func(int, int) error { return broken }
		}
		return 0.01
	}
	if err := tr.Train(context.Background(), 1); !errors.Is(err, broken) || tr.Steps() != 2 || len(*steps) != 0 {
		t.Fatalf("%d steps, reports after %v, %v, want the error of a report after 2", tr.Steps(), *steps, err)
	}
	data.fail = nil
	if err := tr.UnmarshalBinary(saved(t, from)); err != nil {
		t.Fatal(err)
	}
	trainFor(t, tr, 1)
	if !slices.Equal(*steps, []int{4}) {
		t.Errorf("reports after %v steps, want 4: that after 2 has been made", *steps)
	}
}

// Rows in another order are other rows: of Data, with their weights or by themselves, of
// HeldOut, and of what is observed.
func TestTrainerOfRowsInAnotherOrder(t *testing.T) {
	const n, nv = 40, 5
	start := func() *rbm.Trainer {
		tr := rbm.NewTrainer(randomModel(nv, 2, 1, 1), randomBits(n, nv, 0.5, 1), rbm.NewCD(1, newSource(1)), newSource(2))
		tr.Weights, tr.HeldOut, tr.Observed = randomWeights(n, 3), randomBits(n, nv, 0.5, 4), randomBits(n, nv, 0.5, 5)
		return tr
	}
	good := saved(t, start())
	order := make([]int, n) // two neighbors change places, which differ
	for r := range order {
		order[r] = r
	}
	order[7], order[8] = 8, 7
	swapped := func(b *rbm.Bits) *rbm.Bits {
		if slices.Equal(b.RawRow(7), b.RawRow(8)) {
			t.Fatal("the rows are the same")
		}
		return b.Gather(nil, order)
	}
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
	}{
		{"Data", func(tr *rbm.Trainer) { tr.Data = swapped(tr.Data.(*rbm.Bits)) }},
		{"HeldOut", func(tr *rbm.Trainer) { tr.HeldOut = swapped(tr.HeldOut.(*rbm.Bits)) }},
		{"Observed", func(tr *rbm.Trainer) { tr.Observed = swapped(tr.Observed) }},
		{"Weights", func(tr *rbm.Trainer) { tr.Weights[7], tr.Weights[8] = tr.Weights[8], tr.Weights[7] }},
	} {
		tr := start()
		tt.set(tr)
		checkRefused(t, tt.name, tr, good, "rbm: Trainer: "+tt.name+" has checksum")
	}
}

// So are samplers of another size, which stay as they are.
func TestTrainerOfSamplersThatDoNotFit(t *testing.T) {
	sampled := func(s rbm.Sampler, nv int) rbm.Sampler {
		s.Sample(rbm.New(nv, 2), rbm.NewBits(1, nv))
		return s
	}
	cd := func() rbm.Sampler { return rbm.NewCD(1, newSource(3)) }
	pcd := func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(3)) }
	pt := func() rbm.Sampler { return newPT(5, 1, []float64{0, 1}, newSource(3)) }
	ptt := func() rbm.Sampler { return rbm.NewPTT(5, 1, nil, newSource(3)) }
	based := pt()
	based.(*rbm.PT).Base = vec(make([]float64, 11))
	for _, tt := range []struct {
		mine, other rbm.Sampler
		want        string
	}{
		{cd(), sampled(cd(), 11), ""},
		{pcd(), pcd(), ""},
		{pcd(), sampled(pcd(), 12), ""},
		{pcd(), sampled(pcd(), 11), "sampler has 11 visible units, want 12"},
		{pt(), pt(), ""},
		{pt(), based, "sampler has 11 visible units, want 12"},
		{pt(), sampled(pt(), 13), "sampler has 13 visible units, want 12"},
		{ptt(), ptt(), ""},
		{ptt(), rbm.NewPTT(5, 1, []*rbm.RBM{rbm.New(11, 1)}, newSource(3)), "sampler has 11 visible units, want 12"},
		{ptt(), sampled(ptt(), 13), "sampler has 13 visible units, want 12"},
	} {
		tr := stateful(tt.mine, 2)
		p, mine, other := payload(saved(t, tr)), saved(t, tt.mine.(state)), saved(t, tt.other.(state))
		p = wire.AppendInt(slices.Clone(p[:len(p)-len(mine)-8]), len(other))
		data := frame("Trainer", append(p, other...))
		if tt.want != "" {
			checkRefused(t, tt.want, tr, data, "rbm: Trainer: "+tt.want)
		} else if err := tr.UnmarshalBinary(data); err != nil || !bytes.Equal(saved(t, tt.mine.(state)), other) {
			t.Errorf("%T: %v, or the sampler is another one", tt.mine, err)
		}
	}
}

// The rate of a Trainer falls until one is set.
func TestUsualRate(t *testing.T) {
	rates := func(nv, nh int, set func(*rbm.Trainer)) (rates []float64) {
		tr := rbm.NewTrainer(rbm.New(nv, nh), randomBits(10, nv, 0.5, 1), rbm.NewCD(1, newSource(1)), newSource(2))
		tr.BatchSize = 5
		tr.OnReport = func(r rbm.Report) error {
			rates = append(rates, r.Rate)
			return nil
		}
		set(tr)
		trainFor(t, tr, 2)
		return rates
	}
	for _, tt := range []struct {
		name        string
		nv, nh      int
		set         func(*rbm.Trainer)
		first, last float64 // of steps 1 and 3
	}{
		{"small", 30, 16, func(*rbm.Trainer) {}, 0.45 / (1 + 1./1000), 0.45 / (1 + 3./1000)},
		{"large", 800, 200, func(*rbm.Trainer) {}, 130. / 400 / (1 + 1./1000), 130. / 400 / (1 + 3./1000)},
		{"SGD.Rate", 30, 16, func(tr *rbm.Trainer) { tr.SGD.Rate = 0.5 }, 0.5, 0.5},
		{"SGD.Rate of 0", 30, 16, func(tr *rbm.Trainer) { tr.SGD.Rate = 0 }, 0, 0},
		{"Schedule", 30, 16, func(tr *rbm.Trainer) { tr.Schedule = rbm.Linear(0.4, 0, 4) }, 0.3, 0.1},
	} {
		got := rates(tt.nv, tt.nh, tt.set)
		if len(got) != 2 || math.Abs(got[0]-tt.first) > 1e-15 || math.Abs(got[1]-tt.last) > 1e-15 {
			t.Errorf("%s: rates are %v, want %v and %v", tt.name, got, tt.first, tt.last)
		}
	}
}
