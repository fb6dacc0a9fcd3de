package rbm_test

import (
	"context"
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
	tr.SGD.Rate = 0
	return tr, collect(tr)
}

// collect makes tr put its reports there.
func collect(tr *rbm.Trainer) *[]rbm.Report {
	reports := new([]rbm.Report)
	tr.Report = func(r rbm.Report) error {
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
	for _, weighted := range []bool{false, true} {
		for _, withHeld := range []bool{false, true} {
			m := randomModel(nv, nh, 1, 4)
			tr, reports := still(m, data, rbm.NewCD(1, newSource(1)))
			tr.Batch = 25
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
				tr.Held = other
			}
			trainFor(t, tr, 2)
			if len(*reports) != 2 {
				t.Fatalf("%d reports, want 2", len(*reports))
			}
			for k, r := range *reports {
				if r.Step != 3*(k+1) || r.Epoch != k+1 || r.Rate != 0 {
					t.Errorf("report %d is of step %d, epoch %d, rate %v", k, r.Step, r.Epoch, r.Rate)
				}
				if !(r.RowsPerSecond > 0) || math.IsInf(r.RowsPerSecond, 0) {
					t.Errorf("%v rows a second", r.RowsPerSecond)
				}
				if r.Best != (tr.Held != nil && k == 0) {
					t.Errorf("report %d: Best is %v", k, r.Best)
				}
				checkNear(t, "PseudoLogLikelihood", r.PseudoLogLikelihood, weightedSum(m.PseudoLogLikelihood(nil, data), w), 1e-12)
				heldMean, gap := math.NaN(), math.NaN()
				if tr.Held != nil {
					heldMean = meanOf(m.PseudoLogLikelihood(nil, other))
					gap = meanOf(m.FreeEnergy(nil, other)) - weightedSum(m.FreeEnergy(nil, data), w)
				}
				for _, x := range [][2]float64{{r.HeldPseudoLogLikelihood, heldMean}, {r.FreeEnergyGap, gap}} {
					if math.IsNaN(x[1]) {
						if !math.IsNaN(x[0]) {
							t.Errorf("without Held: %v, want NaN", x[0])
						}
						continue
					}
					checkNear(t, "with Held", x[0], x[1], 1e-12)
				}
				checkNear(t, "WeightRMS", r.WeightRMS, mat.Norm(m.W, 2)/math.Sqrt(nv*nh), 1e-12)
				p := m.HiddenProbs(nil, rows)
				watched, _ := p.Dims()
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
		tr.Held = held
		trainFor(t, tr, 1)
		shifted[k] = (*reports)[0]
	}
	a, b := shifted[0], shifted[1]
	checkNear(t, "gap", a.FreeEnergyGap, b.FreeEnergyGap, 1e-11)
	checkNear(t, "pseudo-log-likelihood", a.PseudoLogLikelihood, b.PseudoLogLikelihood, 1e-11)
	checkNear(t, "held pseudo-log-likelihood", a.HeldPseudoLogLikelihood, b.HeldPseudoLogLikelihood, 1e-11)
}

func TestReportEvery(t *testing.T) {
	for _, tt := range []struct {
		every int
		want  []int
	}{{0, []int{4, 8, 12}}, {1, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, {5, []int{5, 10}}, {12, []int{12}}, {13, nil}} {
		tr, reports := still(rbm.New(5, 2), randomBits(40, 5, 0.5, 1), rbm.NewCD(1, newSource(1)))
		tr.Batch, tr.Every = 11, tt.every
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
	pt := rbm.NewPT(5, 1, []float64{0, 0.5, 1}, newSource(1))
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
	for _, s := range []rbm.Sampler{rbm.NewPCD(n, 1, newSource(1)), rbm.NewPT(n, 1, []float64{0, 1}, newSource(1))} {
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
			tr.Held = randomBits(30, nv, 0.5, 2)
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
			tr.Every = 100
			tr.SGD.Rate = 5
			tr.Centering.Rate = 1
			return tr
		}, 700, []string{"the pseudo-log-likelihood fell from -0.0"}},
		{"alike", func() *rbm.Trainer {
			m := rbm.NewRandom(nv, 6, 0.1, newSource(1))
			rows := randomBits(n, nv, 0.5, 1)
			pcd := rbm.NewPCD(20, 1, newSource(1))
			tr, _ := still(m, rows, pcd)
			tr.Every = 2
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
		{"stuck", stuck, 200, []string{"the chains are stuck: in 100 steps they moved 0% as far as two of them are apart"}},
		{"not yet stuck", func() *rbm.Trainer {
			tr := stuck()
			tr.Every = 99
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

// stuck returns a trainer with chains that are all on or all off, and stay so.
func stuck() *rbm.Trainer {
	const nv = 10
	m := rbm.New(nv, 1)
	for i := range nv {
		m.W.Set(0, i, 40)
		m.B.SetVec(i, -20)
	}
	m.C.SetVec(0, -200)
	rows := rbm.NewBits(40, nv)
	pcd := rbm.NewPCD(20, 1, newSource(1))
	for r := range 20 {
		for i := range nv {
			rows.SetBit(r, i, true)
		}
	}
	pcd.Chains.Start(rows.Slice(10, 30))
	tr, _ := still(m, rows, pcd)
	tr.Every = 100
	return tr
}

// Training that goes well has no warnings.
func TestNoFalseAlarms(t *testing.T) {
	t.Parallel()
	check := func(name string, tr *rbm.Trainer, epochs int) {
		t.Helper()
		tr.Report = func(r rbm.Report) error {
			if len(r.Warnings) > 0 {
				t.Errorf("%s: step %d: %q", name, r.Step, r.Warnings)
			}
			return nil
		}
		if err := tr.Train(context.Background(), epochs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, s := range samplers {
		for _, rate := range []float64{0.05, 0.25, 1} {
			for _, centred := range []bool{false, true} {
				data := bars(4, 1)
				tr := rbm.NewTrainer(rbm.NewRandom(16, 12, 0.1, newSource(1)), data, s.new(30), newSource(3))
				tr.SGD.Rate = rate
				if !centred {
					tr.Centering = nil
				}
				tr.Every = 100
				check(fmt.Sprintf("bars/%s/rate=%v/centred=%v", s.name, rate, centred), tr, 1500)
			}
		}
		rows := benchRows(1200)
		data := rows.Slice(0, 1000)
		m := rbm.NewRandom(benchVisible, 40, 0.01, newSource(1))
		m.FitVisibleBias(data)
		tr := rbm.NewTrainer(m, data, s.new(20), newSource(3))
		tr.SGD = rbm.SGD{Rate: 0.05, Momentum: 0.5}
		tr.Held = rows.Slice(1000, 1200)
		tr.Every = 40
		check("strokes/"+s.name, tr, 20)
	}
}
