package rbm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// classTrainer returns a Trainer of a Classifier with weights of its terms.
func classTrainer(c *rbm.Classifier, data rbm.Rows, o [3]float64, s rbm.Sampler, src uint64) *rbm.Trainer {
	unused := s
	if s == nil {
		unused = rbm.NewCD(1, newSource(1))
	}
	tr := rbm.NewTrainer(c.Model, data, unused, newSource(src))
	tr.Sampler = s
	tr.Classifier = weighted(c, o[0], o[1], o[2])
	return tr
}

// classSamplers are makers of samplers for the weights of an objective.
var classSamplers = []struct {
	name string
	o    [3]float64
	new  func() rbm.Sampler
}{
	{"discriminative", [3]float64{1, 0, 0}, func() rbm.Sampler { return nil }},
	{"discriminative with a sampler", [3]float64{1, 0, 0}, func() rbm.Sampler { return rbm.NewPCD(9, 1, newSource(5)) }},
	{"generative", [3]float64{0, 2, 0}, func() rbm.Sampler { return rbm.NewCD(2, newSource(5)) }},
	{"hybrid", [3]float64{1, 0.1, 0}, func() rbm.Sampler { return rbm.NewPCD(9, 1, newSource(5)) }},
	{"semi-supervised", [3]float64{1, 0.1, 0.3}, func() rbm.Sampler { return rbm.NewCD(1, newSource(5)) }},
	{"unlabeled", [3]float64{0, 0, 1}, func() rbm.Sampler { return rbm.NewPCD(9, 1, newSource(5)) }},
}

// A Trainer does what the loop does that a user would write, with rows in memory,
// elsewhere, and of values.
func TestTrainerOfClassifierIsTheLoop(t *testing.T) {
	t.Parallel()
	const nh, n, classes, size, epochs = 9, 100, 3, 15, 3
	x, labels := numbered(n), cycle(n, classes, 4)
	_, nx := x.Dims()
	weights := someZero(n, 7, 1)
	for _, s := range classSamplers {
		for _, centered := range []bool{false, true} {
			for _, withWeights := range []bool{false, true} {
				for _, block := range []int{0, n} {
					c := randomClassifier(nx, nh, classes, 0.1, 2)
					joined := c.Join(nil, x, labels)
					train := func(data rbm.Rows) *rbm.Trainer {
						m := c.Model.Clone()
						tr := classTrainer(&rbm.Classifier{Model: m, Classes: classes}, data, s.o, s.new(), 3)
						tr.BatchSize, tr.ShuffleBlock = size, block
						tr.SGD = rbm.SGD{Rate: 0.05, Momentum: 0.5, L2: 0.01}
						tr.Centering = nil
						if centered {
							tr.Centering = &rbm.Centering{Rate: 0.1}
						}
						if withWeights {
							tr.Weights = weights
						}
						trainFor(t, tr, epochs)
						return tr
					}
					m, sampler := c.Model.Clone(), s.new()
					of := weighted(&rbm.Classifier{Model: m, Classes: classes}, s.o[0], s.o[1], s.o[2])
					sgd, centering := rbm.SGD{Rate: 0.05, Momentum: 0.5, L2: 0.01}, rbm.Centering{Rate: 0.1}
					var g rbm.Gradient
					src := philox.NewSource(newSource(3).Uint64())
					for range epochs {
						for batch := range rbm.Minibatches(x, size, src) {
							rows, _ := batch.Dims()
							var w []float64
							var y []int
							counts := false
							for r := range rows {
								k := number(batch, r)
								y = append(y, labels[k])
								if withWeights {
									w = append(w, weights[k])
								}
								if y[r] == rbm.NoLabel {
									counts = counts || s.o[2] > 0 && (w == nil || w[r] > 0)
								} else {
									counts = counts || s.o[0]+s.o[1] > 0 && (w == nil || w[r] > 0)
								}
							}
							if !counts {
								continue
							}
							of.WeightedGradient(&g, batch, y, w, sampler)
							if centered {
								centering.Center(&g)
							}
							if withWeights {
								f := mean(w) / mean(weights)
								g.W.Scale(f, g.W)
								g.B.ScaleVec(f, g.B)
								g.C.ScaleVec(f, g.C)
							}
							sgd.Step(m, &g)
						}
					}
					name := fmt.Sprintf("%s, centered %t, weights %t, block %d", s.name, centered, withWeights, block)
					tr := train(joined)
					checkSame(t, name, params(tr.Model), params(m))
					if !bytes.Equal(saved(t, &tr.SGD), saved(t, &sgd)) {
						t.Errorf("%s: another velocity", name)
					}
					if st, ok := sampler.(state); ok && !bytes.Equal(saved(t, tr.Sampler.(state)), saved(t, st)) {
						t.Errorf("%s: another state of the sampler", name)
					}
					if centered {
						checkSame(t, name+": V", tr.Centering.V, centering.V)
						checkSame(t, name+": H", tr.Centering.H, centering.H)
					}
					checkSame(t, name+", rows elsewhere", params(train(&elsewhere{Bits: joined}).Model), params(m))
					checkSame(t, name+", values", params(train(rbm.Values{Matrix: joined}).Model), params(m))
				}
			}
		}
	}
}

// In blocks, rows elsewhere are those in memory.
func TestTrainerOfClassifierInBlocks(t *testing.T) {
	c := randomClassifier(12, 7, 3, 0.1, 2)
	joined := c.Join(nil, randomBits(95, 12, 0.4, 1), cycle(95, 3, 5))
	train := func(data rbm.Rows, held rbm.Rows) (*rbm.Trainer, []rbm.Report) {
		tr := classTrainer(&rbm.Classifier{Model: c.Model.Clone(), Classes: 3}, data, [3]float64{1, 0.1, 0.3}, rbm.NewPCD(9, 1, newSource(5)), 3)
		tr.BatchSize, tr.ShuffleBlock, tr.HeldOut, tr.Weights = 10, 30, held, randomWeights(95, 7)
		reports := collect(tr)
		trainFor(t, tr, 3)
		return tr, *reports
	}
	want, reports := train(joined, joined.Slice(0, 40))
	got, others := train(&elsewhere{Bits: joined}, &elsewhere{Bits: joined.Slice(0, 40)})
	checkSame(t, "parameters", params(got.Model), params(want.Model))
	checkReports(t, "elsewhere", others, reports)
	got, others = train(rbm.Values{Matrix: joined}, rbm.Values{Matrix: joined.Slice(0, 40)})
	checkSame(t, "parameters", params(got.Model), params(want.Model))
	checkReports(t, "values", others, reports)
}

// Gray inputs train as they do by hand, and are judged as what they are.
func TestTrainerOfClassifierOfValues(t *testing.T) {
	const nx, n, classes = 70, 40, 3
	c := randomClassifier(nx, 9, classes, 0.2, 1)
	labels := cycle(n, classes, 4)
	x := randomReals(n, nx, 2)
	joined := mat.NewDense(n, nx+classes, nil)
	for r, y := range labels {
		copy(joined.RawRowView(r), x.RawRowView(r))
		if y != rbm.NoLabel {
			joined.Set(r, nx+y, 1)
		}
	}
	for _, s := range classSamplers {
		m := c.Model.Clone()
		tr := classTrainer(&rbm.Classifier{Model: m, Classes: classes}, rbm.Values{Matrix: joined}, s.o, s.new(), 3)
		tr.BatchSize, tr.SGD.Rate, tr.HeldOut = n, 0.1, rbm.Values{Matrix: joined}
		reports := collect(tr)
		trainFor(t, tr, 1)

		by := c.Model.Clone()
		of := weighted(&rbm.Classifier{Model: by, Classes: classes}, s.o[0], s.o[1], s.o[2])
		var g rbm.Gradient
		for order := range rbm.Minibatches(numbered(n), n, philox.NewSource(newSource(3).Uint64())) {
			rows, y := mat.NewDense(n, nx, nil), make([]int, n)
			for r := range n {
				k := number(order, r)
				rows.SetRow(r, x.RawRowView(k))
				y[r] = labels[k]
			}
			of.Gradient(&g, rows, y, s.new())
			new(rbm.Centering).Center(&g)
			(&rbm.SGD{Rate: 0.1}).Step(by, &g)
		}
		checkSame(t, s.name, params(m), params(by))
		wrong, logp := judged(of, x, labels, nil)
		checkNear(t, s.name+": Error", (*reports)[0].Error, wrong, 1e-15)
		checkNear(t, s.name+": LogProb", (*reports)[0].LogProb, logp, 1e-12)
	}
}

// judged returns the share of the rows with a label that are predicted wrongly, and the
// mean of log p(y|x), from free energies.
func judged(c *rbm.Classifier, x mat.Matrix, labels []int, weights []float64) (wrong, logp float64) {
	p := expandedLogProbs(c, x)
	var total float64
	for r, y := range labels {
		w := 1.0
		if weights != nil {
			w = weights[r]
		}
		if y == rbm.NoLabel {
			continue
		}
		total += w
		logp += w * p.At(r, y)
		for k := range c.Classes {
			if p.At(r, k) > p.At(r, y) {
				wrong += w
				break
			}
		}
	}
	return wrong / total, logp / total
}

// Generative training of rows that all have a label is training of the joined rows.
func TestTrainerOfGenerativeClassifier(t *testing.T) {
	for _, s := range samplers {
		c := randomClassifier(12, 7, 3, 0.1, 2)
		joined := c.Join(nil, randomBits(95, 12, 0.4, 1), cycle(95, 3, 0))
		plain := rbm.NewTrainer(c.Model.Clone(), joined, s.new(9), newSource(3))
		tr := classTrainer(&rbm.Classifier{Model: c.Model.Clone(), Classes: 3}, joined, [3]float64{0, 1, 0}, s.new(9), 3)
		for _, tr := range []*rbm.Trainer{plain, tr} {
			tr.BatchSize, tr.Weights, tr.SGD.Momentum, tr.Single = 10, randomWeights(96, 7)[1:], 0.5, true
			trainFor(t, tr, 3)
		}
		checkSame(t, s.name, params(tr.Model), params(plain.Model))
	}
}

// Held-out figures are those of all rows with a label, by the weights, and other figures do
// not apply.
func TestReportOfClassifier(t *testing.T) {
	const nx, nh, classes, n, held = 12, 5, 4, 60, 1700
	for _, s := range classSamplers {
		for _, withWeights := range []bool{false, true} {
			c := randomClassifier(nx, nh, classes, 1, 1)
			x, labels := randomBits(held, nx, 0.5, 2), cycle(held, classes, 3)
			tr := classTrainer(c, c.Join(nil, randomBits(n, nx, 0.4, 3), cycle(n, classes, 3)), s.o, s.new(), 3)
			tr.SGD.Rate, tr.HeldOut, tr.BatchSize = 1e-300, c.Join(nil, x, labels), 7
			if withWeights {
				tr.HeldOutWeights = someZero(held, 3, 4)
			}
			reports := collect(tr)
			trainFor(t, tr, 1)
			r := (*reports)[0]
			wrong, logp := judged(c, x, labels, tr.HeldOutWeights)
			if !(wrong > 0.5 && wrong < 0.95) {
				t.Errorf("error %v: no test", wrong)
			}
			checkNear(t, s.name+": Error", r.Error, wrong, 1e-13)
			checkNear(t, s.name+": LogProb", r.LogProb, logp, 1e-12)
			checkNear(t, s.name+": WeightRMS", r.WeightRMS, mat.Norm(c.Model.W, 2)/math.Sqrt((nx+classes)*nh), 1e-12)
			for _, x := range []float64{r.PseudoLogLikelihood, r.HeldOutPseudoLogLikelihood, r.LogLikelihood, r.HeldOutLogLikelihood, r.FreeEnergyGap, r.FreeEnergyShift, r.IndependentLogLikelihood} {
				if !math.IsNaN(x) {
					t.Errorf("%s: %v, want no figure of the log-likelihood", s.name, r)
				}
			}
			if !r.Best || !(r.HiddenActivity > 0 && r.HiddenActivity < 1) {
				t.Errorf("%s: %v", s.name, r)
			}
			// Without HeldOut there is nothing to judge by, and without a Classifier
			// nothing to classify.
			tr.HeldOut, tr.HeldOutWeights = nil, nil
			trainFor(t, tr, 2)
			if r := (*reports)[1]; !math.IsNaN(r.Error) || !math.IsNaN(r.LogProb) || r.Best {
				t.Errorf("%s without HeldOut: %v", s.name, r)
			}
		}
	}
	tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
	reports := collect(tr)
	trainFor(t, tr, 25)
	if r := (*reports)[0]; !math.IsNaN(r.Error) || !math.IsNaN(r.LogProb) {
		t.Errorf("without a Classifier: %v", r)
	}
}

// Values that are held out have their own weights, also beyond the first block.
func TestReportOfClassifierOfManyValues(t *testing.T) {
	const nx, nh, classes, held = 12, 5, 4, 1100
	c := randomClassifier(nx, nh, classes, 1, 1)
	x, labels := randomReals(held, nx, 2), cycle(held, classes, 3)
	rows := mat.NewDense(held, nx+classes, nil)
	for r, y := range labels {
		copy(rows.RawRowView(r), x.RawRowView(r))
		if y != rbm.NoLabel {
			rows.Set(r, nx+y, 1)
		}
	}
	tr := classTrainer(c, c.Join(nil, randomBits(20, nx, 0.4, 3), cycle(20, classes, 0)), [3]float64{1, 0, 0}, nil, 3)
	tr.SGD.Rate, tr.HeldOut, tr.HeldOutWeights = 1e-300, rbm.Values{Matrix: rows}, someZero(held, 3, 4)
	reports := collect(tr)
	trainFor(t, tr, 1)
	wrong, logp := judged(c, x, labels, tr.HeldOutWeights)
	checkNear(t, "Error", (*reports)[0].Error, wrong, 1e-13)
	checkNear(t, "LogProb", (*reports)[0].LogProb, logp, 1e-12)
}

// The hidden activity is that of the rows with their labels, or the predicted ones.
func TestHiddenActivityOfClassifier(t *testing.T) {
	const nx, nh, classes, n = 70, 5, 4, 30
	c := randomClassifier(nx, nh, classes, 1, 1)
	x, labels := randomBits(n, nx, 0.4, 3), cycle(n, classes, 3)
	filled := slices.Clone(labels)
	for r, y := range c.Predict(nil, x) {
		if filled[r] == rbm.NoLabel {
			filled[r] = y
		}
	}
	tr := classTrainer(c, c.Join(nil, x, labels), [3]float64{1, 0, 0}, nil, 3)
	tr.SGD.Rate = 1e-300
	reports := collect(tr)
	trainFor(t, tr, 1)
	checkNear(t, "HiddenActivity", (*reports)[0].HiddenActivity, meanOf(values(c.Model.HiddenProbs(nil, c.Join(nil, x, filled)))), 1e-12)
}

// warnedOf returns the warnings of a training, each once.
func warnedOf(reports []rbm.Report) (all []string) {
	for _, r := range reports {
		for _, w := range r.Warnings {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// Discriminative training is not warned of what it does not climb: the log-likelihood, the
// columns, idle chains.
func TestNoWarningsOfClassifier(t *testing.T) {
	t.Parallel()
	x, labels := threeClasses(400, 0.2, 1)
	for r := range 400 {
		x.SetBit(r, 5, true)
	}
	m := rbm.NewRandom(12+3, 8, 0.1, newSource(2))
	for i := range 12 {
		m.B.SetVec(i, -3) // far from what they are
	}
	m.OneHot = []rbm.Group{{From: 12, To: 15}}
	c := &rbm.Classifier{Model: m, Classes: 3}
	tr := classTrainer(c, c.Join(nil, x, labels), [3]float64{1, 0, 0}, used15(), 3)
	tr.BatchSize, tr.SGD.Rate = 20, 0.1
	tr.Schedule = rbm.Linear(0.1, 0, 600)
	reports := collect(tr)
	trainFor(t, tr, 30)
	if w := warnedOf(*reports); len(w) > 0 {
		t.Errorf("warnings %q", w)
	}
	for _, r := range *reports {
		if !math.IsNaN(r.ChainMove) || r.SwapRates != nil {
			t.Errorf("%v: chains of a sampler that is not used", r)
		}
	}
	// What makes sense is still said.
	tr.Schedule = nil
	tr.SGD.Rate = 0
	trainFor(t, tr, 31)
	if w := warnedOf((*reports)[30:]); len(w) != 1 || !strings.HasPrefix(w[0], "the rate is 0") {
		t.Errorf("warnings %q of a rate of 0", w)
	}
}

// used15 returns a sampler with chains and swap rates, of 15 units.
func used15() rbm.Sampler {
	pt := newPT(10, 1, []float64{0, 1}, newSource(1))
	m := randomModel(15, 3, 0.1, 1)
	var g rbm.Gradient
	m.Gradient(&g, randomBits(3, 15, 0.5, 1), pt)
	return pt
}

// Chains of a hybrid objective are watched.
func TestChainsOfHybridClassifier(t *testing.T) {
	c := randomClassifier(12, 7, 3, 0.1, 2)
	tr := classTrainer(c, c.Join(nil, randomBits(95, 12, 0.4, 1), cycle(95, 3, 0)), [3]float64{1, 0.1, 0}, newPT(10, 1, []float64{0, 1}, newSource(1)), 3)
	reports := collect(tr)
	trainFor(t, tr, 3)
	if r := (*reports)[2]; !(r.ChainMove > 0) || len(r.SwapRates) != 1 {
		t.Errorf("%v, want figures of the chains", r)
	}
}

// The best model is that of the least error, of several that of the largest log p(y|x), and
// Patience counts by it.
func TestPatienceOfClassifier(t *testing.T) {
	t.Parallel()
	x, labels := threeClasses(60, 0.3, 1)
	other, want := threeClasses(40, 0.3, 9)
	start := func() (*rbm.Trainer, *[]rbm.Report, *[][]float64) {
		m := rbm.NewRandom(12+3, 30, 0.3, newSource(2))
		c := &rbm.Classifier{Model: m, Classes: 3}
		tr := classTrainer(c, c.Join(nil, x, labels), [3]float64{1, 0, 0}, nil, 3)
		tr.BatchSize, tr.SGD.Rate, tr.HeldOut = 20, 0.5, c.Join(nil, other, want)
		reports, models := new([]rbm.Report), new([][]float64)
		tr.OnReport = func(r rbm.Report) error {
			*reports, *models = append(*reports, r), append(*models, params(m))
			return nil
		}
		return tr, reports, models
	}
	tr, reports, models := start()
	trainFor(t, tr, 120)
	best, ties := 0, 0
	for k, r := range *reports {
		b := (*reports)[best]
		better := k == 0 || r.Error < b.Error || r.Error == b.Error && r.LogProb > b.LogProb
		if k > 0 && r.Error == b.Error {
			ties++
		}
		if r.Best != better {
			t.Errorf("report %d: Best is %t", k, r.Best)
		}
		if better {
			best = k
		}
	}
	if best < 2 || best > 100 || ties < 3 {
		t.Errorf("the best of the reports is %d, with %d ties: no test", best, ties)
	}
	checkSame(t, "Best", params(tr.Best()), (*models)[best])

	again, reports, _ := start()
	again.Patience = 119 - best
	trainFor(t, again, 1000)
	if len(*reports) != best+1+again.Patience {
		t.Errorf("%d reports, want %d", len(*reports), best+1+again.Patience)
	}
	checkSame(t, "model after Patience", params(again.Model), params(tr.Best()))
}

// Where nothing is missing a mask changes no bit; nor does it matter whether a label is not
// observed or not there.
func TestObservedInFullOfClassifier(t *testing.T) {
	for _, nx := range []int{12, 61, 64, 70} {
		for _, s := range classSamplers {
			train := func(observed func(joined *rbm.Bits, labels []int) *rbm.Bits) *rbm.Trainer {
				c := randomClassifier(nx, 7, 4, 0.1, 2)
				labels := cycle(95, 4, 3)
				joined := c.Join(nil, randomBits(95, nx, 0.4, 1), labels)
				o := observed(joined, labels)
				tr := classTrainer(c, joined, s.o, s.new(), 3)
				tr.Weights, tr.BatchSize, tr.Observed, tr.MissingSweeps = randomWeights(95, 4), 10, o, 3
				trainFor(t, tr, 3)
				return tr
			}
			want := train(func(*rbm.Bits, []int) *rbm.Bits { return nil })
			for name, tr := range map[string]*rbm.Trainer{
				"all": train(func(*rbm.Bits, []int) *rbm.Bits { return ones(95, nx+4) }),
				"no label": train(func(joined *rbm.Bits, labels []int) *rbm.Bits {
					o := ones(95, nx+4)
					for r, y := range labels {
						for k := range 4 {
							if y == rbm.NoLabel {
								o.SetBit(r, nx+k, false)
								joined.SetBit(r, nx+k, k > 1) // anything
							}
						}
					}
					return o
				}),
			} {
				checkSame(t, fmt.Sprintf("nx=%d, %s: %s", nx, s.name, name), params(tr.Model), params(want.Model))
			}
		}
	}
}

// classWithHoles is a training of rows that miss values and labels, where data is anything.
func classWithHoles(s rbm.Sampler, o [3]float64, src uint64, anything bool) *rbm.Trainer {
	c := &rbm.Classifier{Model: rbm.NewRandom(12+3, 7, 0.1, newSource(src)), Classes: 3}
	withLabel(c)
	labels := cycle(95, 3, 6)
	joined, observed := c.Join(nil, randomBits(95, 12, 0.4, 1), labels), randomBits(95, 15, 0.7, 5)
	for r := range 95 {
		for k := range 3 {
			observed.SetBit(r, 12+k, r%5 > 0)
		}
		for i := range 12 {
			observed.SetBit(r, i, observed.Bit(r, i) || r%10 == 3)
		}
	}
	tr := classTrainer(c, without(joined, observed, anything), o, s, src+1)
	tr.HeldOut = c.Join(nil, randomBits(30, 12, 0.4, 3), cycle(30, 3, 7))
	tr.Weights, tr.HeldOutWeights = randomWeights(95, 4), randomWeights(30, 5)
	tr.Observed, tr.MissingSweeps, tr.BatchSize, tr.Patience, tr.ReportEvery = observed, 2, 10, 100, 4
	tr.Schedule = rbm.Linear(0.2, 0, 60)
	return tr
}

func TestMissingValuesOfClassifierAreNotRead(t *testing.T) {
	for _, s := range classSamplers {
		one, other := classWithHoles(s.new(), s.o, 2, false), classWithHoles(s.new(), s.o, 2, true)
		first, second := collect(one), collect(other)
		trainFor(t, one, 4)
		trainFor(t, other, 4)
		checkSame(t, s.name, params(one.Model), params(other.Model))
		checkReports(t, s.name, *first, *second)
	}
}

// Inputs are completed with the probabilities of the model given the others and the label,
// if there is one.
func TestMissingInputsOfClassifierAreOfTheModel(t *testing.T) {
	t.Parallel()
	const nx, classes, n = 4, 2, 12000
	c := randomClassifier(nx, 2, classes, 2, 2)
	kinds := c.Join(nil, numbersAsRows(nx, 0b0000, 0b0101, 0b0010, 0b1111), []int{0, 1, rbm.NoLabel, 1})
	masks := ones(4, nx+classes)
	for k, missing := range [][]int{{1, 2}, {1, 3}, {2, 3}, {1, 2, 3, 4, 5}} {
		for _, i := range missing {
			masks.SetBit(k, i, false)
		}
	}
	kinds.SetBit(1, 0, true)
	kinds.SetBit(3, 0, true)
	numbers := make([]int, n)
	for r := range n {
		numbers[r] = r % 4
	}
	// The rows of a step with the label of kind 0 or 1; of kinds 2 and 3 with each label.
	var counts [4][]float64
	for k := range counts {
		counts[k] = make([]float64, 1<<nx)
	}
	spy := sampling(func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
		rows, _ := data.Dims()
		for r := 0; r < rows; {
			x := configuration(data, r)
			k := 2 + x&1 // by the first input, which is known
			if r+1 == rows || configuration(data, r+1)&(1<<nx-1) != x&(1<<nx-1) || x>>nx == configuration(data, r+1)>>nx || x>>nx != 1 {
				k = x & 1
			} else {
				r++
			}
			counts[k][x&(1<<nx-1)]++
			r++
		}
		return data, nil
	})
	tr := classTrainer(c, kinds.Gather(nil, numbers), [3]float64{0, 1, 1}, spy, 3)
	tr.Observed, tr.MissingSweeps, tr.BatchSize, tr.SGD.Rate, tr.Centering = masks.Gather(nil, numbers), 40, 1, 0, nil
	trainFor(t, tr, 1)
	all := naiveVisible(c.Model)
	for k := range 4 {
		p, total := make([]float64, 1<<nx), 0.0
		for v, x := range all {
			agrees := v>>nx == 1 || v>>nx == 2 // one label
			for i := range nx + classes {
				known := masks.Bit(k, i) && (k != 2 || i < nx)
				agrees = agrees && (!known || kinds.Bit(k, i) == (v>>i&1 == 1))
			}
			if agrees {
				p[v&(1<<nx-1)] += x
				total += x
			}
		}
		for v := range p {
			p[v] /= total
		}
		checkFrequencies(t, fmt.Sprintf("rows of kind %d", k), counts[k], p)
	}
}

// numbersAsRows returns rows of n bits that are given as numbers.
func numbersAsRows(n int, rows ...int) *rbm.Bits {
	b := rbm.NewBits(len(rows), n)
	for r, x := range rows {
		for i := range n {
			b.SetBit(r, i, x>>i&1 == 1)
		}
	}
	return b
}

// Training on incomplete rows climbs the likelihood of what is observed, label and inputs.
func TestMissingInputsOfClassifierClimb(t *testing.T) {
	t.Parallel()
	const nx, classes, n = 4, 2, 200
	truth := randomClassifier(nx, 3, classes, 2, 7)
	rows := exactRows(truth.Model, n, 5)
	observed := randomBits(n, nx+classes, 0.7, 6)
	for r := range n {
		observed.SetBit(r, nx, r%4 > 0)
		observed.SetBit(r, nx+1, r%4 > 0)
	}
	// log p of what is observed of the rows, by a sum over all states that agree.
	objective := func(m *rbm.RBM) (sum float64) {
		p, total := naiveVisible(m), 0.0
		for v := range p {
			if on := v >> nx; on != 1 && on != 2 {
				p[v] = 0
			}
			total += p[v]
		}
		for r := range n {
			var of float64
			for v, x := range p {
				agrees := true
				for i := range nx + classes {
					agrees = agrees && (!observed.Bit(r, i) || rows.Bit(r, i) == (v>>i&1 == 1))
				}
				if agrees {
					of += x
				}
			}
			sum += math.Log(of/total) / n
		}
		return sum
	}
	c := randomClassifier(nx, 3, classes, 0.1, 8)
	before, most := objective(c.Model), objective(truth.Model)
	tr := classTrainer(c, without(rows, observed, false), [3]float64{0, 3, 1}, new(rbm.Exact), 3)
	tr.Observed, tr.BatchSize, tr.SGD.Rate = observed, 20, 0.1
	trainFor(t, tr, 150)
	if after := objective(c.Model); !(after > before+0.7*(most-before)) {
		t.Errorf("log p of what is observed goes from %v to %v, of the truth it is %v", before, after, most)
	}
}

// A label or a group that does not fit is an error that names the row and changes nothing.
func TestRowsThatDoNotFitAClassifier(t *testing.T) {
	const nx, classes, n = 6, 3, 30
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer, joined *rbm.Bits)
		want string
	}{
		{"two labels", func(_ *rbm.Trainer, joined *rbm.Bits) { joined.SetBit(17, nx+1, true); joined.SetBit(17, nx+2, true) }, "rbm: row 17 of Data has 2 units on in the label [6, 9), want 1, or 0 of a row without one"},
		{"two labels of values", func(tr *rbm.Trainer, joined *rbm.Bits) {
			joined.SetBit(17, nx+1, true)
			joined.SetBit(17, nx+2, true)
			tr.Data = rbm.Values{Matrix: joined}
		}, "rbm: row 17 of Data has 2 units on in the label [6, 9), want 1, or 0 of a row without one"},
		{"a part of a label", func(tr *rbm.Trainer, joined *rbm.Bits) {
			a := mat.DenseCopyOf(joined)
			a.Set(4, nx+1, 0.5)
			tr.Data = rbm.Values{Matrix: a}
		}, "rbm: Data[4, 7] is 0.5, want 0 or 1 in the label [6, 9)"},
		{"a value", func(tr *rbm.Trainer, joined *rbm.Bits) {
			a := mat.DenseCopyOf(joined)
			a.Set(4, 5, 1.5)
			tr.Data = rbm.Values{Matrix: a}
		}, "rbm: Data[4, 5] is 1.5, want a value in [0, 1]"},
		{"a label observed in part", func(tr *rbm.Trainer, _ *rbm.Bits) {
			tr.Observed = ones(n, nx+classes)
			tr.Observed.SetBit(8, nx+1, false)
		}, "rbm: row 8 of Observed has 2 of 3 units on in the label [6, 9), want all or none"},
		{"a group of inputs", func(tr *rbm.Trainer, joined *rbm.Bits) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 2}, {From: nx, To: nx + classes}}
			joined.SetBit(3, 1, false)
		}, "rbm: row 3 of Data has 0 units on in the group [1, 2), want 1"},
		{"a group of values", func(tr *rbm.Trainer, joined *rbm.Bits) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 2}, {From: nx, To: nx + classes}}
			joined.SetBit(3, 1, false)
			tr.Data = rbm.Values{Matrix: joined}
		}, "rbm: row 3 of Data has 0 units on in the group [1, 2), want 1"},
		{"held out", func(tr *rbm.Trainer, joined *rbm.Bits) {
			held := joined.Gather(nil, []int{0, 1, 2})
			for k := range classes {
				held.SetBit(2, nx+k, true)
			}
			tr.HeldOut = held
		}, "rbm: row 2 of HeldOut has 3 units on in the label [6, 9), want 1, or 0 of a row without one"},
		{"a group held out", func(tr *rbm.Trainer, joined *rbm.Bits) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 2}, {From: nx, To: nx + classes}}
			tr.HeldOut = joined.Gather(nil, []int{0, 1, 2})
			tr.HeldOut.(*rbm.Bits).SetBit(1, 1, false)
		}, "rbm: row 1 of HeldOut has 0 units on in the group [1, 2), want 1"},
		{"no label held out", func(tr *rbm.Trainer, joined *rbm.Bits) {
			tr.HeldOut = joined.Slice(0, 3)
			tr.HeldOutWeights = []float64{0, 1, 0}
		}, "rbm: no row of HeldOut has a label, want one to judge by"},
	} {
		c := randomClassifier(nx, 4, classes, 0.1, 2)
		x, labels := randomBits(n, nx, 0.4, 1), cycle(n, classes, 0)
		for r := range n {
			x.SetBit(r, 1, true)
		}
		labels[1], labels[17] = rbm.NoLabel, 0
		joined := c.Join(nil, x, labels)
		tr := classTrainer(c, joined, [3]float64{1, 0.1, 0.1}, rbm.NewPCD(5, 1, newSource(1)), 3)
		tr.BatchSize = n
		if tr.HeldOut == nil {
			tr.OnReport = func(rbm.Report) error { return nil }
		}
		joined.SetBit(17, nx, false)
		tt.set(tr, joined)
		before, steps := params(c.Model), tr.Steps()
		err := tr.Train(context.Background(), 1)
		if tr.HeldOut != nil {
			steps, before = 1, params(c.Model)
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
		checkSame(t, tt.name+": parameters", params(c.Model), before)
		if tr.Steps() != steps {
			t.Errorf("%s: %d steps, want %d", tt.name, tr.Steps(), steps)
		}
		if again := tr.Train(context.Background(), 1); fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("%s: error %v the second time, want %v", tt.name, again, err)
		}
	}
	// A watched row may be wrong before it is trained on.
	c := randomClassifier(nx, 4, classes, 0.1, 2)
	c.Model.OneHot = []rbm.Group{{From: 1, To: 2}, {From: nx, To: nx + classes}}
	x := ones(n, nx)
	x.SetBit(29, 1, false)
	tr := classTrainer(c, c.Join(nil, x, cycle(n, classes, 0)), [3]float64{1, 0, 0}, nil, 3)
	tr.BatchSize, tr.ReportEvery = 1, 1
	tr.OnReport = func(rbm.Report) error { return nil }
	if err := tr.Train(context.Background(), 1); err == nil || err.Error() != "rbm: row 29 of Data has 0 units on in the group [1, 2), want 1" {
		t.Errorf("error %v of a watched row", err)
	}
}

// A minibatch without a row that counts takes no step.
func TestTrainerWithoutARowThatCounts(t *testing.T) {
	c := randomClassifier(6, 4, 3, 0.5, 2)
	labels := []int{rbm.NoLabel, 1, rbm.NoLabel, 0, rbm.NoLabel, 2}
	train := func(data *rbm.Bits, weights []float64) *rbm.Trainer {
		tr := classTrainer(&rbm.Classifier{Model: c.Model.Clone(), Classes: 3}, data, [3]float64{1, 0, 0}, nil, 3)
		tr.BatchSize, tr.Weights, tr.SGD.L2, tr.SGD.Momentum = 1, weights, 0.1, 0.5
		trainFor(t, tr, 2)
		return tr
	}
	joined := c.Join(nil, randomBits(6, 6, 0.5, 1), labels)
	tr := train(joined, nil)
	if tr.Steps() != 12 || slices.Equal(params(tr.Model), params(c.Model)) {
		t.Errorf("%d steps, want 12 of which some move the model", tr.Steps())
	}
	none := train(joined, []float64{1, 0, 2, 0, 1, 0})
	checkSame(t, "labels of weight 0", params(none.Model), params(c.Model))
	if none.Centering.V != nil {
		t.Error("offsets of no rows")
	}
	alone := train(joined, []float64{0, 0, 0, 3, 0, 0})
	if slices.Equal(params(alone.Model), params(c.Model)) {
		t.Error("one row that counts does not move the model")
	}
}

func TestTrainerOfClassifierMisuse(t *testing.T) {
	c := randomClassifier(6, 4, 3, 0.5, 2)
	data := c.Join(nil, randomBits(6, 6, 0.5, 1), cycle(6, 3, 0))
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
		want string
	}{
		{"another Model", func(tr *rbm.Trainer) { tr.Classifier.Model = c.Model.Clone() }, "Classifier has the Model RBM(nv=9, nh=4, 1 groups), want that of the Trainer itself"},
		{"no Model", func(tr *rbm.Trainer) { tr.Classifier.Model = nil }, "Classifier has the Model <nil>"},
		{"no classes", func(tr *rbm.Trainer) { tr.Classifier.Classes = 0 }, "0 classes of 9 visible units"},
		{"no term", func(tr *rbm.Trainer) { tr.Classifier.Discriminative = 0 }, "Discriminative, Generative and Unlabeled are 0"},
		{"negative", func(tr *rbm.Trainer) { tr.Classifier.Discriminative = -1 }, "Discriminative is -1"},
		{"no sampler", func(tr *rbm.Trainer) { tr.Classifier.Generative = 1 }, "sampler is nil"},
		{"no sampler of the unlabeled", func(tr *rbm.Trainer) { tr.Classifier.Unlabeled = 1 }, "sampler is nil"},
		{"nil PCD", func(tr *rbm.Trainer) { tr.Sampler = (*rbm.PCD)(nil) }, "sampler is nil"},
		{"no Classifier", func(tr *rbm.Trainer) { tr.Classifier = nil }, "sampler is nil"},
		{"no group", func(tr *rbm.Trainer) {
			tr.Model.OneHot, tr.Classifier.Generative, tr.Sampler = nil, 1, rbm.NewCD(1, newSource(1))
		}, "model has no group [6, 9), want it in OneHot for the label"},
	} {
		tr := classTrainer(&rbm.Classifier{Model: c.Model.Clone(), Classes: 3}, data, [3]float64{1, 0, 0}, nil, 3)
		tt.set(tr)
		wantPanic(t, tt.name, func() { tr.Step() }, tt.want)
		wantPanic(t, tt.name, func() { tr.Train(context.Background(), 1) }, tt.want)
	}
}

// A step allocates nothing once there is memory for it.
func TestStepOfClassifierAllocatesNothing(t *testing.T) {
	setProcs(t, 1)
	for _, s := range classSamplers {
		tr := classWithHoles(s.new(), s.o, 2, false)
		for _, observed := range []*rbm.Bits{tr.Observed, nil} {
			if observed == nil {
				tr.Data = without(tr.Data.(*rbm.Bits), ones(95, 15), false)
			}
			tr.Observed = observed
			for range 40 {
				if err := tr.Step(); err != nil {
					t.Fatal(err)
				}
			}
			if got := testing.AllocsPerRun(20, func() { tr.Step() }); got != 0 {
				t.Errorf("%s, observed %v: %v allocations in a step", s.name, observed, got)
			}
		}
	}
}

// Training n steps is training some, to bytes and back, and the others: with the same best
// model and weights of the terms.
func TestTrainerOfClassifierGoesOnFromBytes(t *testing.T) {
	t.Parallel()
	for _, s := range classSamplers {
		for _, holes := range []bool{false, true} {
			start := func(src uint64) *rbm.Trainer {
				tr := classWithHoles(s.new(), s.o, src, false)
				if !holes {
					tr.Observed = nil
				}
				return tr
			}
			for _, steps := range []int{0, 1, 7, 13, 22} {
				whole := start(2)
				reports := collect(whole)
				trainSteps(t, whole, steps)
				half := start(7)
				trainFor(t, half, 1)
				half.Classifier.Discriminative, half.Classifier.Generative, half.Classifier.Unlabeled = 5, whole.Classifier.Generative, whole.Classifier.Unlabeled
				seen := len(*reports)
				if err := half.UnmarshalBinary(saved(t, whole)); err != nil {
					t.Fatal(err)
				}
				others := collect(half)
				if *half.Classifier != (rbm.Classifier{Model: half.Model, Classes: 3, Discriminative: s.o[0], Generative: s.o[1], Unlabeled: s.o[2]}) {
					t.Errorf("%s: Classifier %v", s.name, half.Classifier)
				}
				if !bytes.Equal(saved(t, half), saved(t, whole)) {
					t.Errorf("%s: the state has changed on the way, after %d steps", s.name, steps)
				}
				trainFor(t, whole, 4)
				trainFor(t, half, 4)
				if !bytes.Equal(saved(t, half), saved(t, whole)) {
					t.Errorf("%s: the state differs in the end, saved after %d steps", s.name, steps)
				}
				checkReports(t, s.name, *others, (*reports)[seen:])
				if whole.Best() == nil {
					t.Fatal("there is no best model: no test")
				}
				checkSame(t, s.name+": Best", params(half.Best()), params(whole.Best()))
			}
		}
	}
}

// trainSteps takes so many steps, with the reports that are due.
func trainSteps(t *testing.T, tr *rbm.Trainer, steps int) {
	t.Helper()
	ctx := &afterStep{Context: context.Background(), tr: tr, k: steps}
	if err := tr.Train(ctx, 100); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if tr.Steps() != steps {
		t.Fatalf("%d steps, want %d", tr.Steps(), steps)
	}
}

func TestTrainerOfClassifierOfOtherBytes(t *testing.T) {
	hybrid := [3]float64{1, 0.1, 0}
	pcd := func() rbm.Sampler { return rbm.NewPCD(9, 1, newSource(5)) }
	whole := classWithHoles(pcd(), hybrid, 2, false)
	trainFor(t, whole, 1)
	good := saved(t, whole)
	none := classWithHoles(pcd(), hybrid, 2, false)
	none.Classifier, none.HeldOut, none.HeldOutWeights, none.Patience, none.Observed = nil, nil, nil, 0, nil
	plain := saved(t, none)
	for _, tt := range []struct {
		set  func(tr *rbm.Trainer)
		data []byte
		want string
	}{
		{func(tr *rbm.Trainer) { tr.Classifier = nil }, good, "Classifier is nil, want one of 3 classes"},
		{func(tr *rbm.Trainer) {}, plain, "Classifier has 3 classes, want none"},
		{func(tr *rbm.Trainer) {
			tr.Model.OneHot[0].From++
			tr.Classifier.Classes--
			tr.Observed = nil
		}, good, "Classifier has 2 classes, want 3"},
		{func(tr *rbm.Trainer) { tr.Sampler = nil; tr.Classifier.Generative = 0 }, good, "sampler is a <nil>, want the one of the data"},
		{func(tr *rbm.Trainer) { tr.HeldOutWeights = nil }, good, "HeldOutWeights is 0×0, want 30×1"},
	} {
		tr := classWithHoles(pcd(), hybrid, 9, false)
		tt.set(tr)
		checkRefused(t, tt.want, tr, tt.data, "rbm: Trainer: "+tt.want)
	}
	for n := range good {
		if n%37 != 0 && n < len(good)-300 {
			continue
		}
		if err := classWithHoles(pcd(), hybrid, 9, false).UnmarshalBinary(good[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken", n, len(good))
		}
	}
}

// Numbers that no Classifier can have are refused.
func TestTrainerOfClassifierOfWildNumbers(t *testing.T) {
	tr := classWithHoles(rbm.NewPCD(9, 1, newSource(5)), [3]float64{1, 0.1, 0}, 2, false)
	p := payload(saved(t, tr))
	const classes = 3*8 + 2 // behind BatchSize, ShuffleBlock, MissingSweeps and two bools
	for k, name := range []string{"classes", "Discriminative", "Generative", "Unlabeled"} {
		for _, x := range []uint64{0, 2, 4, 1 << 62, 1<<64 - 1, math.Float64bits(math.NaN()), math.Float64bits(math.Inf(1)), math.Float64bits(-1)} {
			at := classes + 8*k
			data := frame("Trainer", slices.Concat(p[:at], wire.AppendUint64(nil, x), p[at+8:]))
			if f := math.Float64frombits(x); k > 0 && f >= 0 && f <= math.MaxFloat64 {
				if err := tr.UnmarshalBinary(data); err != nil {
					t.Errorf("%s = %v: %v", name, f, err)
				}
				tr.Step()
				continue
			}
			checkRefused(t, fmt.Sprintf("%s = %x", name, x), tr, data, "rbm: Trainer: ", name)
		}
	}
	none := slices.Concat(p[:classes+8], make([]byte, 24), p[classes+32:])
	checkRefused(t, "no term", tr, frame("Trainer", none), "rbm: Trainer: Discriminative, Generative and Unlabeled are 0")
	// The label of a model must be a group if there are terms that need it.
	bad := classWithHoles(nil, [3]float64{1, 0, 0}, 2, false)
	bad.Model.OneHot = nil
	p = payload(saved(t, bad))
	data := frame("Trainer", slices.Concat(p[:classes+16], wire.AppendUint64(nil, math.Float64bits(1)), p[classes+24:]))
	checkRefused(t, "no group", tr, data, "rbm: Trainer: model has no group [12, 15)")
}

// A model may be trained by one objective and then by another, each with its own best model.
func TestClassifierMayComeAndGo(t *testing.T) {
	c := randomClassifier(12, 7, 3, 0.1, 2)
	x, labels := threeClasses(100, 0.2, 1)
	other, of := threeClasses(50, 0.2, 2)
	tr := classTrainer(c, c.Join(nil, x, labels), [3]float64{1, 0, 0}, rbm.NewPCD(9, 1, newSource(5)), 3)
	tr.HeldOut, tr.Patience, tr.BatchSize, tr.SGD.Rate = c.Join(nil, other, of), 100, 10, 0.1
	reports := collect(tr)
	classifier := tr.Classifier
	for phase := range 6 {
		tr.Classifier = classifier
		if phase%2 == 1 {
			tr.Classifier = nil
		}
		trainFor(t, tr, 2*phase+2)
		r := (*reports)[2*phase]
		if !r.Best {
			t.Errorf("phase %d: the first report is not the best of its kind: %v", phase, r)
		}
		for _, w := range warnedOf((*reports)[2*phase:]) {
			if strings.Contains(w, "fell from 0 ") {
				t.Errorf("phase %d: warning %q, where there was no likelihood before", phase, w)
			}
		}
		if math.IsNaN(r.Error) != (phase%2 == 1) || math.IsNaN(r.PseudoLogLikelihood) != (phase%2 == 0) {
			t.Errorf("phase %d: %v", phase, r)
		}
		again := classTrainer(c, tr.Data, [3]float64{1, 0, 0}, rbm.NewPCD(9, 1, newSource(5)), 3)
		again.HeldOut, again.Classifier = tr.HeldOut, tr.Classifier
		if tr.Classifier != nil {
			again.Model = c.Model.Clone()
			again.Classifier = weighted(classifier, 1, 0, 0)
			again.Classifier.Model = again.Model
		}
		if err := again.UnmarshalBinary(saved(t, tr)); err != nil {
			t.Errorf("phase %d: %v", phase, err)
		}
	}
	// What is due to the last phase does not end the next one.
	tr.Classifier = nil
	tr.Patience = 1
	tr.SGD.Rate = 1e-300
	trainFor(t, tr, 20)
	at := tr.Epochs()
	if at > 15 {
		t.Fatalf("%d epochs, want Patience to run out", at)
	}
	tr.Classifier = classifier
	trainFor(t, tr, 20)
	if tr.Epochs() != at+2 {
		t.Errorf("%d epochs, want the best report and one more after %d", tr.Epochs(), at)
	}
}

// What a Sampler of the user's own has done is not undone: its step is finished.
func TestTrainOfClassifierWaitsForASampler(t *testing.T) {
	c := randomClassifier(6, 4, 3, 0.5, 2)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	calls := 0
	tr := classTrainer(c, c.Join(nil, randomBits(6, 6, 0.5, 1), cycle(6, 3, 0)), [3]float64{1, 1, 0}, sampling(func(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
		calls++
		cancel()
		return data, nil
	}), 3)
	if err := tr.Train(ctx, 2); !errors.Is(err, context.Canceled) && err != nil || calls != 1 || tr.Steps() != 1 {
		t.Errorf("error %v after %d calls and %d steps, want 1 and 1", err, calls, tr.Steps())
	}
}

// Wherever a context ends training, it goes on to where it would have come to.
func TestTrainOfClassifierIsEndedAnywhere(t *testing.T) {
	for _, s := range append(slices.Clone(classSamplers), []struct {
		name string
		o    [3]float64
		new  func() rbm.Sampler
	}{
		{"embedded", [3]float64{1, 0.2, 0.1}, func() rbm.Sampler { return logged{rbm.NewPCD(5, 3, newSource(1)), new(int)} }},
		{"held CD", [3]float64{1, 0.2, 0.1}, func() rbm.Sampler { return held{rbm.NewCD(3, newSource(1))} }},
	}...) {
		start := func() (*rbm.Trainer, *[]rbm.Report) {
			tr := classWithHoles(s.new(), s.o, 2, false)
			tr.BatchSize, tr.ReportEvery = 30, 2
			return tr, collect(tr)
		}
		var want []byte
		var reports []rbm.Report
		eachLook(t, rbm.Fewer(60), func(ctx context.Context, n int) (ended bool) {
			tr, got := start()
			err := tr.Train(ctx, 2)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				trainFor(t, tr, 2)
			}
			if n == 0 {
				want, reports = saved(t, tr), *got
			}
			if !bytes.Equal(saved(t, tr), want) {
				t.Errorf("%s, look %d: training went on to another state", s.name, n)
			}
			checkReports(t, fmt.Sprintf("%s, look %d", s.name, n), *got, reports)
			return err != nil
		})
	}
}
