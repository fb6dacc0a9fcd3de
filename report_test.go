package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// still returns a trainer of a model that stays as it is, and its reports.
func still(m *rbm.RBM, data *rbm.Bits, s rbm.Sampler) (tr *rbm.Trainer, reports *[]rbm.Report) {
	tr = rbm.NewTrainer(m, data, s, newSource(1))
	tr.SGD.Rate = 1e-300 // no warning of 0
	return tr, collect(tr)
}

// collect makes tr put its reports there.
func collect(tr *rbm.Trainer) *[]rbm.Report {
	reports := new([]rbm.Report)
	tr.OnReport = func(r rbm.Report) error {
		*reports = append(*reports, r)
		return nil
	}
	return reports
}

func weightedSum(x, w []float64) (sum float64) {
	for i := range x {
		sum += w[i] * x[i]
	}
	return sum
}

func meanOf(x []float64) float64 { return floats.Sum(x) / float64(len(x)) }

// Of few rows, all are watched.
func TestReportFigures(t *testing.T) {
	const nv, nh, n = 7, 4, 60
	data, held := randomBits(n, nv, 0.4, 1), randomBits(n, nv, 0.6, 2)
	equal, weights := make([]float64, n), randomWeights(n, 3)
	for r := range equal {
		equal[r] = 1 / float64(n)
	}
	weights[5] = 0
	var some []int // rows that have weights
	for r, x := range weights {
		if x > 0 {
			some = append(some, r)
		}
	}
	independent := func(data *rbm.Bits, w []float64, n int) []float64 { // w has a sum of 1
		l := make([]float64, len(w))
		for i := range nv {
			var on float64
			for r := range w {
				on += w[r] * data.At(r, i)
			}
			p := (on*float64(n) + 0.5) / float64(n+1)
			for r := range w {
				l[r] += data.At(r, i)*math.Log(p) + (1-data.At(r, i))*math.Log(1-p)
			}
		}
		return l
	}
	for _, weighted := range []bool{false, true} {
		for _, withHeld := range []bool{false, true} {
			m := randomModel(nv, nh, 1, 4)
			tr, reports := still(m, data, rbm.NewCD(1, newSource(1)))
			tr.BatchSize = 25
			tr.Centering = nil
			w := equal
			if weighted {
				tr.Weights = weights
				var total float64
				for _, x := range weights {
					total += x
				}
				w = make([]float64, n)
				for i, x := range weights {
					w[i] = x / total
				}
			}
			rows, other := data, held
			if weighted {
				rows, other = data.Gather(nil, some), held.Slice(0, len(some))
			}
			if withHeld {
				tr.HeldOut = other
			}
			trainFor(t, tr, 2)
			if len(*reports) != 2 {
				t.Fatalf("%d reports, want 2", len(*reports))
			}
			for k, r := range *reports {
				if r.Step != 3*(k+1) || r.Epoch != k+1 || r.Rate != 1e-300 {
					t.Errorf("report %d is of step %d, epoch %d, rate %v", k, r.Step, r.Epoch, r.Rate)
				}
				if !(r.RowsPerSecond > 0) || math.IsInf(r.RowsPerSecond, 0) {
					t.Errorf("%v rows a second", r.RowsPerSecond)
				}
				if r.Best != (tr.HeldOut != nil && k == 0) {
					t.Errorf("report %d: Best is %v", k, r.Best)
				}
				watched, _ := rows.Dims()
				checkNear(t, "PseudoLogLikelihood", r.PseudoLogLikelihood, weightedSum(m.PseudoLogLikelihood(nil, data), w), 1e-12)
				checkNear(t, "IndependentLogLikelihood", r.IndependentLogLikelihood, weightedSum(independent(data, w, watched), w), 1e-12)
				if x := r.FreeEnergyShift; k == 0 && !math.IsNaN(x) || k > 0 && x != 0 {
					t.Errorf("report %d: FreeEnergyShift is %v, want NaN at first and then 0", k, x)
				}
				heldMean, gap := math.NaN(), math.NaN()
				if tr.HeldOut != nil {
					heldMean = meanOf(m.PseudoLogLikelihood(nil, other))
					gap = meanOf(m.FreeEnergy(nil, other)) - weightedSum(m.FreeEnergy(nil, data), w)
				}
				for _, x := range [][2]float64{{r.HeldOutPseudoLogLikelihood, heldMean}, {r.FreeEnergyGap, gap}} {
					if math.IsNaN(x[1]) {
						if !math.IsNaN(x[0]) {
							t.Errorf("without HeldOut: %v, want NaN", x[0])
						}
						continue
					}
					checkNear(t, "with HeldOut", x[0], x[1], 1e-12)
				}
				checkNear(t, "WeightRMS", r.WeightRMS, mat.Norm(m.W, 2)/math.Sqrt(nv*nh), 1e-12)
				p := m.HiddenProbs(nil, rows)
				checkNear(t, "HiddenActivity", r.HiddenActivity, mat.Sum(p)/float64(nh*watched), 1e-12)
				if r.SwapRates != nil || !math.IsNaN(r.ChainMove) {
					t.Errorf("CD has swap rates %v, chain move %v", r.SwapRates, r.ChainMove)
				}
			}
		}
	}
}

// Adding a constant to all energies changes nothing: no figure has a zero to lose.
// Here the constant stands in a column that is always 1.
func TestReportOfShiftedEnergy(t *testing.T) {
	const nv, nh, n = 6, 3, 40
	column := func(b *rbm.Bits) *rbm.Bits {
		for r := range n {
			b.SetBit(r, 0, true)
		}
		return b
	}
	data, held := column(randomBits(n, nv, 0.5, 1)), column(randomBits(n, nv, 0.4, 2))
	var shifted [2]rbm.Report
	for k, c := range []float64{40, 1000} { // p(v₀=1) is 1 to within e⁻⁴⁰ for both
		m := randomModel(nv, nh, 0.5, 3)
		m.B.SetVec(0, c)
		tr, reports := still(m, data, rbm.NewCD(1, newSource(1)))
		tr.HeldOut = held
		trainFor(t, tr, 1)
		shifted[k] = (*reports)[0]
	}
	a, b := shifted[0], shifted[1]
	checkNear(t, "gap", a.FreeEnergyGap, b.FreeEnergyGap, 1e-11)
	checkNear(t, "pseudo-log-likelihood", a.PseudoLogLikelihood, b.PseudoLogLikelihood, 1e-11)
	checkNear(t, "held-out pseudo-log-likelihood", a.HeldOutPseudoLogLikelihood, b.HeldOutPseudoLogLikelihood, 1e-11)
}

func TestReportEvery(t *testing.T) {
	for _, tt := range []struct {
		every int
		want  []int
	}{{0, []int{4, 8, 12}}, {1, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, {5, []int{5, 10}}, {12, []int{12}}, {13, nil}} {
		tr, reports := still(rbm.New(5, 2), randomBits(40, 5, 0.5, 1), rbm.NewCD(1, newSource(1)))
		tr.BatchSize, tr.ReportEvery = 11, tt.every
		trainFor(t, tr, 3)
		var steps []int
		for _, r := range *reports {
			steps = append(steps, r.Step)
			if r.Epoch != r.Step/4 {
				t.Errorf("step %d in epoch %d", r.Step, r.Epoch)
			}
		}
		if !slices.Equal(steps, tt.want) {
			t.Errorf("every %d: reports at %v, want %v", tt.every, steps, tt.want)
		}
	}
}

func TestReportSwapRates(t *testing.T) {
	pt := newPT(5, 1, []float64{0, 0.5, 1}, newSource(1))
	tr, reports := still(randomModel(5, 3, 1, 1), randomBits(40, 5, 0.5, 1), pt)
	trainFor(t, tr, 10)
	checkSame(t, "SwapRates", (*reports)[9].SwapRates, pt.SwapRates())
	if len(pt.SwapRates()) != 2 {
		t.Errorf("swap rates %v", pt.SwapRates())
	}
}

// Chains of a model without weights forget at once; those of one with two states
// that cannot be left stay.
func TestReportChainMove(t *testing.T) {
	const nv, n = 50, 200
	data := randomBits(40, nv, 0.5, 1)
	free := rbm.New(nv, 2)
	for i := range nv {
		free.B.SetVec(i, float64(i%5)-2)
	}
	for _, s := range []rbm.Sampler{rbm.NewPCD(n, 1, newSource(1)), newPT(n, 1, []float64{0, 1}, newSource(1))} {
		tr, reports := still(free, data, s)
		trainFor(t, tr, 3)
		if got := (*reports)[0].ChainMove; !math.IsNaN(got) {
			t.Errorf("%T: first ChainMove is %v, want NaN", s, got)
		}
		for _, r := range (*reports)[1:] {
			// n·nv bits, of which one in six or so differs
			checkNear(t, fmt.Sprintf("%T: ChainMove", s), r.ChainMove, 1, 5*math.Sqrt(6./(n*nv)))
		}
	}
	pcd := rbm.NewPCD(1, 1, newSource(1))
	tr, reports := still(free, data, pcd)
	trainFor(t, tr, 2)
	if got := (*reports)[1].ChainMove; !math.IsNaN(got) {
		t.Errorf("ChainMove of one chain is %v, want NaN", got)
	}
}

// clockwork is a Sampler of two chains that differ in as many units as there were
// calls.
type clockwork struct{ v *rbm.Bits }

func (s *clockwork) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	for i := range 500 {
		if !s.v.Bit(1, i) {
			s.v.SetBit(1, i, true)
			break
		}
	}
	return s.v, nil
}

func (s *clockwork) Visible() *rbm.Bits { return s.v }

// A report is compared with one that is at least 100 steps back, and not much more,
// or with the first.
func TestReportLooksBack(t *testing.T) {
	for _, every := range []int{1, 7, 99, 100, 130} {
		tr, reports := still(rbm.New(500, 1), rbm.NewBits(1, 500), &clockwork{rbm.NewBits(2, 500)})
		tr.ReportEvery = every
		trainFor(t, tr, 450)
		for k, r := range *reports {
			if k == 0 {
				continue
			}
			// Of 2·500 bits as many changed as there were steps since, and two chains
			// differ in as many of 500 as there were steps in all.
			back := r.ChainMove * 2 * float64(r.Step)
			since := int(math.Round(back))
			if math.Abs(back-float64(since)) > 1e-9 || (r.Step-since)%every != 0 {
				t.Fatalf("every %d: step %d is compared with %v steps before", every, r.Step, back)
			}
			oldest := max(every, (199+every)/every*every)
			if since < 100 && since != r.Step-every || since > oldest {
				t.Errorf("every %d: step %d is compared with step %d", every, r.Step, r.Step-since)
			}
		}
	}
}

// The shift of free energies is that of its formula, of all rows since the report
// before.
func TestReportFreeEnergyShift(t *testing.T) {
	for _, scale := range []float64{0, 1, 1e-310, 1e300} {
		tr := rbm.NewTrainer(randomModel(12, 5, 1, 1), randomBits(60, 12, 0.4, 1), rbm.NewCD(1, newSource(1)), newSource(2))
		tr.SGD.Rate, tr.ReportEvery = 1, 100
		w := slices.Repeat([]float64{1. / 60}, 60)
		if scale > 0 {
			tr.Weights = make([]float64, 60)
			for r := range w {
				w[r] = float64(1+r%3) / 120
				tr.Weights[r] = scale * float64(1+r%3)
			}
		}
		var before []float64
		tr.OnReport = func(r rbm.Report) error {
			f := tr.Model.FreeEnergy(nil, tr.Data.(*rbm.Bits))
			if before != nil {
				var mean, exp float64
				for k := range f {
					mean += w[k] * (f[k] - before[k])
					exp += w[k] * math.Exp(f[k]-before[k])
				}
				want := math.Log(exp) - mean
				checkNear(t, fmt.Sprintf("scale %v: FreeEnergyShift", scale), r.FreeEnergyShift, want, 1e-4*want)
				if scale != 1e-310 {
					checkNear(t, fmt.Sprintf("scale %v: FreeEnergyShift", scale), r.FreeEnergyShift, want, 1e-10)
				}
				if !(want > 0.02) {
					t.Fatalf("bad case: it is %v", want)
				}
			}
			before = f
			return nil
		}
		trainFor(t, tr, 300)
	}
}

// By hand: two chains that differ in all units, of which one unit is then changed in one.
func TestReportChainMoveByHand(t *testing.T) {
	const nv = 10
	m := rbm.New(nv, nv)
	for i := range nv { // each unit stays as it is
		m.W.Set(i, i, 200)
		m.B.SetVec(i, -100)
		m.C.SetVec(i, -100)
	}
	pcd := rbm.NewPCD(2, 1, newSource(1))
	v := rbm.NewBits(2, nv)
	for i := range nv {
		v.SetBit(1, i, true)
	}
	pcd.Chains.Start(v)
	tr, reports := still(m, randomBits(40, nv, 0.5, 1), pcd)
	trainFor(t, tr, 2)
	pcd.Chains.Visible().SetBit(0, 3, true)
	trainFor(t, tr, 3)
	if got := (*reports)[1].ChainMove; got != 0 {
		t.Errorf("ChainMove is %v, want 0", got)
	}
	// One of 20 bits moved; the chains differ in 9 of 10.
	checkNear(t, "ChainMove", (*reports)[2].ChainMove, 0.05/0.9, 1e-15)
}

// Each warning, provoked.
func TestWarnings(t *testing.T) {
	t.Parallel()
	const nv, n = 10, 60
	data := randomBits(n, nv, 0.5, 1)
	for _, tt := range []struct {
		name   string
		tr     func() *rbm.Trainer
		epochs int
		want   []string // of the last report, the beginnings
	}{
		{"nothing", func() *rbm.Trainer {
			tr, _ := still(rbm.NewRandom(nv, 3, 0.1, newSource(1)), data, rbm.NewPCD(20, 1, newSource(1)))
			return tr
		}, 200, nil},
		{"off", func() *rbm.Trainer {
			m := rbm.NewRandom(nv, 6, 0.1, newSource(1))
			for _, j := range []int{2, 3, 5} {
				m.C.SetVec(j, -9)
			}
			tr, _ := still(m, data, rbm.NewCD(1, newSource(1)))
			return tr
		}, 1, []string{"3 of 6 hidden units are off for all 60 rows watched (the first is 2)"}},
		{"off and on", func() *rbm.Trainer {
			m := rbm.NewRandom(nv, 6, 0.1, newSource(1))
			m.C.SetVec(1, 9)
			m.C.SetVec(4, -9)
			tr, _ := still(m, data, rbm.NewCD(1, newSource(1)))
			tr.HeldOut = randomBits(30, nv, 0.5, 2)
			return tr
		}, 2, []string{
			"1 of 6 hidden units is off for all 30 rows watched (the first is 4)",
			"1 of 6 hidden units is on for all 30 rows watched (the first is 1)",
		}},
		{"off for most rows", func() *rbm.Trainer {
			m := rbm.NewRandom(nv, 6, 0.1, newSource(1))
			m.C.SetVec(1, -20) // on for the one row that has all units on
			for i := range nv {
				m.W.Set(1, i, 3)
			}
			rows := randomBits(n, nv, 0.2, 3)
			for i := range nv {
				rows.SetBit(44, i, true)
			}
			tr, _ := still(m, rows, rbm.NewCD(1, newSource(1)))
			return tr
		}, 1, nil},
		{"few rows", func() *rbm.Trainer {
			m := rbm.New(nv, 6)
			m.C.SetVec(2, -9)
			tr, _ := still(m, data.Slice(0, 19), rbm.NewCD(1, newSource(1)))
			return tr
		}, 1, nil},
		{"constant columns", func() *rbm.Trainer {
			rows := randomBits(n, nv, 0.5, 2)
			for r := range n {
				rows.SetBit(r, 3, true)
				rows.SetBit(r, 7, false)
			}
			tr, _ := still(rbm.New(nv, 6), rows, rbm.NewCD(1, newSource(1)))
			return tr
		}, 1, []string{"2 of 10 columns of Data are constant (the first is 3) and the model gives their other value a probability of 0.5: "}},
		{"constant columns, later", func() *rbm.Trainer {
			tr, _ := still(rbm.New(nv, 6), rbm.NewBits(n, nv), rbm.NewCD(1, newSource(1)))
			return tr
		}, 2, nil},
		{"constant columns, known", func() *rbm.Trainer {
			rows := randomBits(n, nv, 0.5, 2)
			for r := range n {
				rows.SetBit(r, 3, true)
			}
			m := rbm.New(nv, 6)
			m.FitVisibleBias(rows)
			tr, _ := still(m, rows, rbm.NewCD(1, newSource(1)))
			return tr
		}, 1, nil},
		{"worse than coins", func() *rbm.Trainer {
			m := rbm.New(nv, 6)
			for i := range nv {
				m.B.SetVec(i, 4)
			}
			tr, _ := still(m, data, rbm.NewCD(1, newSource(1)))
			tr.SGD.Rate = 1e-9
			return tr
		}, 1, []string{"the pseudo-log-likelihood is -"}},
		{"fallen", func() *rbm.Trainer {
			tr := rbm.NewTrainer(rbm.NewRandom(16, 16, 0.1, newSource(2)), bars(4, 1), rbm.NewPCD(32, 1, newSource(1)), newSource(3))
			tr.ReportEvery = 100
			tr.SGD.Rate = 5
			tr.Centering.Rate = 1
			return tr
		}, 700, []string{"the pseudo-log-likelihood fell from -0.0", "the model goes up and down: in 100 steps"}},
		{"alike", func() *rbm.Trainer {
			m := rbm.NewRandom(nv, 6, 0.1, newSource(1))
			rows := randomBits(n, nv, 0.5, 1)
			pcd := rbm.NewPCD(20, 1, newSource(1))
			tr, _ := still(m, rows, pcd)
			tr.ReportEvery = 2
			for i := range nv {
				m.B.SetVec(i, 30) // all chains on
			}
			return tr
		}, 2, []string{"the pseudo-log-likelihood is -", "the chains are nearly alike: two of them differ in 0% of the visible units, two rows of Data in 5"}},
		{"alike as the data", func() *rbm.Trainer {
			m := rbm.New(nv, 6)
			rows := rbm.NewBits(n, nv)
			for i := range nv {
				m.B.SetVec(i, 30)
				for r := range n {
					rows.SetBit(r, i, true)
				}
			}
			tr, _ := still(m, rows, rbm.NewPCD(20, 1, newSource(1)))
			return tr
		}, 2, nil},
		{"one chain", func() *rbm.Trainer {
			tr, _ := still(rbm.NewRandom(nv, 3, 0.1, newSource(1)), data, rbm.NewPCD(1, 1, newSource(1)))
			return tr
		}, 2, nil},
		{"rate 0", func() *rbm.Trainer {
			tr, _ := still(rbm.New(nv, 3), data, rbm.NewCD(1, newSource(1)))
			tr.SGD.Rate = 0
			return tr
		}, 1, []string{"the rate is 0, and so the model learns nothing: "}},
		{"Schedule of 0", func() *rbm.Trainer { return scheduled(data, rbm.Constant(0), 1) }, 1, []string{"the rate of Schedule is 0 from the first step on, and so the model learns nothing: "}},
		{"Schedule of 0, later", func() *rbm.Trainer { return scheduled(data, rbm.Constant(0), 4) }, 8, []string{"the rate of Schedule is 0 from the first step on, and so the model learns nothing: "}},
		{"Schedule that ends early", func() *rbm.Trainer { return scheduled(data, rbm.Linear(1e-3, 0, 8), 5) }, 15, []string{"the rate of Schedule is 0 before step 15, and so the model no longer learns: "}},
		{"Schedule that ends between reports", func() *rbm.Trainer { return scheduled(data, rbm.Linear(1e-3, 0, 8), 5) }, 10, nil},
		{"Schedule that ends a step early", func() *rbm.Trainer { return scheduled(data, rbm.Linear(1e-3, 0, 9), 1) }, 10, nil},
		{"Schedule that starts at 0", func() *rbm.Trainer { return scheduled(data, rbm.Linear(0, 1e-3, 9), 1) }, 1, nil},
		{"huge weights", func() *rbm.Trainer { return stuckBy(51) }, 100, []string{"the weights are huge, 51 in the root mean square"}},
		{"large weights", func() *rbm.Trainer { return stuckBy(49) }, 100, nil},
		{"long ladder", func() *rbm.Trainer { return ladder(data, 31) }, 1, []string{"the ladder of PTT has 31 models"}},
		{"ladder", func() *rbm.Trainer { return ladder(data, 30) }, 1, nil},
		{"nothing learned", func() *rbm.Trainer { return lazy(40, 40, 2000) }, 2000, []string{"after 2000 steps the model knows little more than the means of Data: its pseudo-log-likelihood is -5.54"}},
		{"nothing learned in few steps", func() *rbm.Trainer { return lazy(40, 40, 1999) }, 1999, nil},
		{"nothing learned in few epochs", func() *rbm.Trainer { return lazy(2250, 10, 225) }, 9, nil},
		{"nothing learned in many epochs", func() *rbm.Trainer { return lazy(2250, 10, 225) }, 10, []string{"after 2250 steps the model knows little more than the means of Data: "}},
		{"nothing learned while the rate fell", func() *rbm.Trainer {
			tr := lazy(40, 40, 1)
			tr.Schedule, tr.SGD.L1 = rbm.Linear(1e-6, 0, 20), 1e-9
			return tr
		}, 20, []string{"after 20 steps the model knows little more than the means of Data: its pseudo-log-likelihood is -5.54"}},
		{"nothing learned while the rate still falls", func() *rbm.Trainer {
			tr := lazy(40, 40, 1)
			tr.Schedule = rbm.Linear(1e-6, 0, 20)
			return tr
		}, 18, nil},
		{"nothing to learn", func() *rbm.Trainer {
			tr := lazy(40, 40, 2000)
			tr.Data = randomBits(40, 8, 0.5, 1)
			return tr
		}, 2000, nil},
		{"nothing learned of groups", func() *rbm.Trainer {
			tr := lazy(40, 40, 2000)
			tr.Model.OneHot = []rbm.Group{{From: 0, To: 2}}
			tr.Data, tr.Sampler = rbm.NewBits(40, 8), rbm.NewPCD(10, 1, newSource(1))
			for r := range 40 {
				for i := range 8 {
					tr.Data.(*rbm.Bits).SetBit(r, i, i%2 == r%2)
				}
			}
			return tr
		}, 2000, []string{"after 2000 steps the model knows little more than the means of Data: "}},
		{"stuck", stuck, 200, []string{"the chains are stuck: in 100 steps they moved 0% as far as two of them are apart"}},
		{"not yet stuck", func() *rbm.Trainer {
			tr := stuck()
			tr.ReportEvery = 99
			return tr
		}, 198, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := tt.tr()
			reports := collect(tr)
			trainFor(t, tr, tt.epochs)
			warnings := (*reports)[len(*reports)-1].Warnings
			if len(warnings) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", warnings, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(warnings[i], want) {
					t.Errorf("warning %q, want %q", warnings[i], want)
				}
			}
			t.Log(warnings)
		})
	}
}

// A model that is worse than independent units either started so or has become so.
func TestWarningsOfWorseThanIndependent(t *testing.T) {
	tr := lazy(48, 48, 1000)
	reports := collect(tr)
	bias := func(b float64) {
		for i := range 8 {
			tr.Model.B.SetVec(i, b)
		}
	}
	last := func(epochs int, want string) {
		t.Helper()
		trainFor(t, tr, epochs)
		if got := (*reports)[len(*reports)-1].Warnings; len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("warnings %q, want %q", got, want)
		}
	}
	bias(0.6)
	last(2000, "after 2000 steps the pseudo-log-likelihood is -5.9019 nats, worse than the -5.5452 of independent units: call FitVisibleBias before training, or take a higher rate")
	bias(0)
	trainFor(t, tr, 3000)
	bias(0.6)
	last(4000, "after 4000 steps the pseudo-log-likelihood is -5.9021 nats, worse than the -5.5452 of independent units: it was -5.5453, and the rate 1e-06 may be too high")
}

// Where the rate is far too high, but the parameters stay finite, it is told.
func TestWarningsOfExplosion(t *testing.T) {
	for _, s := range samplers {
		for _, rate := range []float64{100, 1e4, 1e10, 1e30} {
			for name, data := range map[string]*rbm.Bits{"bars": bars(4, 1), "spikes": spikes(100, 20, 8, 3)} {
				tr := start(data, 6, rate)
				tr.Sampler, tr.ReportEvery = s.new(20), 1
				reports := collect(tr)
				trainFor(t, tr, 30)
				for _, r := range (*reports)[1:] {
					if len(r.Warnings) == 0 {
						t.Errorf("%s/%s/rate=%v: no warning at step %d: %+v", name, s.name, rate, r.Step, r)
					}
				}
			}
		}
	}
}

// scheduled returns a trainer of a step an epoch.
func scheduled(data *rbm.Bits, s rbm.Schedule, every int) *rbm.Trainer {
	_, nv := data.Dims()
	tr, _ := still(rbm.NewRandom(nv, 3, 0.1, newSource(1)), data, rbm.NewCD(1, newSource(1)))
	tr.Schedule, tr.ReportEvery = s, every
	return tr
}

// ladder returns a trainer with PTT of so many models.
func ladder(data *rbm.Bits, n int) *rbm.Trainer {
	_, nv := data.Dims()
	m := rbm.NewRandom(nv, 3, 0.1, newSource(1))
	tr, _ := still(m, data, rbm.NewPTT(3, 1, slices.Repeat([]*rbm.RBM{m}, n), newSource(1)))
	return tr
}

// lazy returns a trainer that learns next to nothing of rows in which pairs of units
// are equal, half of them on.
func lazy(rows, batch, every int) *rbm.Trainer {
	data := rbm.NewBits(rows, 8)
	for r := range rows {
		for i := range 8 {
			data.SetBit(r, i, r>>(i/2)&1 == 1)
		}
	}
	tr := rbm.NewTrainer(rbm.NewRandom(8, 2, 0.01, newSource(1)), data, rbm.NewCD(1, newSource(2)), newSource(3))
	tr.SGD.Rate, tr.BatchSize, tr.ReportEvery = 1e-6, batch, every
	return tr
}

// stuck returns a trainer with chains that are all on or all off, and stay so.
func stuck() *rbm.Trainer { return stuckBy(40) }

// stuckBy is stuck with the given weights.
func stuckBy(weight float64) *rbm.Trainer {
	const nv = 10
	m := rbm.New(nv, 1)
	for i := range nv {
		m.W.Set(0, i, weight)
		m.B.SetVec(i, -weight/2)
	}
	m.C.SetVec(0, -nv/2*weight)
	rows := rbm.NewBits(40, nv)
	pcd := rbm.NewPCD(20, 1, newSource(1))
	for r := range 20 {
		for i := range nv {
			rows.SetBit(r, i, true)
		}
	}
	pcd.Chains.Start(rows.Slice(10, 30))
	tr, _ := still(m, rows, pcd)
	tr.ReportEvery = 100
	return tr
}
