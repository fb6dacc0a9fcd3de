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
	"gonum.org/v1/gonum/mat"
)

// between returns b with values in (0, 1) in columns [i, k) of every other row.
func between(b *rbm.Bits, i, k int) rbm.Values {
	n, _ := b.Dims()
	a, x := mat.DenseCopyOf(b), randomReals(n, k-i, 1)
	for r := 0; r < n; r += 2 {
		for j := i; j < k; j++ {
			a.Set(r, j, x.At(r, j-i))
		}
	}
	return rbm.Values{Matrix: a}
}

// pickRows returns the rows of a with the given numbers.
func pickRows(a mat.Matrix, rows []int) *mat.Dense {
	_, c := a.Dims()
	some := mat.NewDense(len(rows), c, nil)
	for k, r := range rows {
		for i := range c {
			some.Set(k, i, a.At(r, i))
		}
	}
	return some
}

// turned is a matrix that is neither a *mat.Dense nor Bits.
func turned(a mat.Matrix) mat.Matrix { return mat.DenseCopyOf(a.T()).T() }

// Training on values has the bits of the loop of exported parts over minibatches of a
// *mat.Dense, for all settings, on any number of goroutines, wherever the values are.
func TestTrainerOfValuesIsTheLoop(t *testing.T) {
	const groupUnits = 5
	goroutines := []int{1, 4}
	if testing.Short() {
		goroutines = goroutines[1:]
	}
	for _, s := range []struct{ nv, nh, n, size int }{{7, 5, 45, 20}, {33, 17, 20, 9}, {65, 16, 1100, 1100}, {130, 67, 140, 70}} {
		for _, tt := range fusedSettings {
			if tt.name == "Exact" && min(s.nv, s.nh) > 9 {
				continue
			}
			for _, procs := range goroutines {
				setProcs(t, procs)
				name := fmt.Sprintf("%d×%d/n=%d/%s/procs=%d", s.nv, s.nh, s.n, tt.name, procs)
				data := gray(randomBits(s.n, s.nv, 0.3, 1), 2)
				start := randomModel(s.nv, s.nh, 0.3, 2)
				if tt.groups {
					start.OneHot = []rbm.Group{{From: 1, To: groupUnits}}
					for r := range s.n {
						for i := 1; i < groupUnits; i++ {
							data.Set(r, i, 0)
						}
						data.Set(r, 1+r*r%(groupUnits-1), 1)
					}
				}
				x := &byHand{m: start, sampler: tt.sampler(), sgd: tt.sgd}
				x.g.Single = tt.single
				var trainers []*rbm.Trainer
				for _, v := range []rbm.Rows{rbm.Values{Matrix: data}, &rbm.Values{Matrix: strided(data)}, rbm.Values{Matrix: turned(data)}} {
					tr := rbm.NewTrainer(start.Clone(), v, tt.sampler(), newSource(4))
					tr.BatchSize, tr.SGD, tr.Centering, tr.Single = s.size, tt.sgd, nil, tt.single
					if c := tt.centering; c != nil {
						tr.Centering = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
						x.c = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
					}
					if tt.weighted {
						tr.Weights = randomWeights(s.n, 6)
						tr.Weights[s.n-1] = 0.5
					}
					trainers = append(trainers, tr)
				}
				all := trainers[0].Weights
				src := philox.NewSource(newSource(4).Uint64())
				for epoch := range 2 {
					for k, rows := range pass(numbered(s.n), s.size, src) {
						if weights := chosenWeights(all, rows); weights == nil || slices.Max(weights) > 0 {
							x.step(pickRows(data, rows), weights, mean(all))
						}
						for _, tr := range trainers {
							if err := tr.Step(); err != nil {
								t.Fatal(err)
							}
							x.check(t, fmt.Sprintf("%s: epoch %d, step %d", name, epoch, k), tr)
						}
					}
				}
			}
		}
	}
}

// With blocks, the order is that of Bits.
func TestShuffledBlocksOfValues(t *testing.T) {
	const n, nv, size, block = 50, 9, 8, 12
	order := blockwise(numbered(n), size, block)
	var rows [][]int
	order.Sampler = sampling(func(_ *rbm.RBM, v mat.Matrix) (mat.Matrix, []float64) {
		var batch []int
		k, _ := v.Dims()
		for r := range k {
			batch = append(batch, number(v.(*rbm.Bits), r))
		}
		rows = append(rows, batch)
		return v, nil
	})
	trainFor(t, order, 2)

	data := gray(randomBits(n, nv, 0.4, 1), 2)
	start := randomModel(nv, 4, 0.3, 2)
	tr := rbm.NewTrainer(start.Clone(), rbm.Values{Matrix: data}, newCD(1)(), newSource(4))
	tr.BatchSize, tr.ShuffleBlock, tr.SGD.Rate = size, block, 0.01
	x := &byHand{m: start, sampler: newCD(1)(), sgd: tr.SGD, c: new(rbm.Centering)}
	for k, batch := range rows {
		x.step(pickRows(data, batch), nil, 1)
		if err := tr.Step(); err != nil {
			t.Fatal(err)
		}
		x.check(t, fmt.Sprintf("step %d", k), tr)
	}
}

// Values of zeros and ones are Bits: parameters, reports with their warnings, and states.
func TestTrainerOfValuesThatAreBits(t *testing.T) {
	const n, nv = 95, 70
	bits := randomBits(n, nv, 0.4, 1)
	for r := range n {
		for i := range nv {
			if i < 3 {
				bits.SetBit(r, i, i == 1) // constant
			} else {
				bits.SetBit(r, i, bits.Bit(r, i/3*3)) // of each other
			}
		}
	}
	asValues := func(rows rbm.Rows) rbm.Rows { return rbm.Values{Matrix: mat.DenseCopyOf(rows.(*rbm.Bits))} }
	var warnings string
	for _, tt := range []struct {
		batch, block int
		rate         float64
		weighted     bool
	}{{10, 0, 0.2, true}, {10, 20, 0.2, true}, {30, 7, 5, false}, {200, 10, 1e-9, false}, {9, 95, 1e-9, true}} {
		name := fmt.Sprintf("batch=%d/block=%d", tt.batch, tt.block)
		start := func(real bool) *rbm.Trainer {
			tr := blockwise(bits, tt.batch, tt.block)
			tr.Schedule = rbm.Constant(tt.rate)
			if tt.rate < 1e-3 {
				tr.Schedule = rbm.Linear(tt.rate, tt.rate/100, 20) // which ends with the warning of what is not learned
			}
			if !tt.weighted {
				tr.Weights = nil
			}
			if real {
				tr.Data, tr.HeldOut = asValues(tr.Data), asValues(tr.HeldOut)
			}
			return tr
		}
		whole, tr := start(false), start(true)
		want, got := collect(whole), collect(tr)
		trainFor(t, whole, 12)
		trainFor(t, tr, 12)
		checkSame(t, name, params(tr.Model), params(whole.Model))
		checkReports(t, name, *got, *want)
		for _, r := range *want {
			warnings += strings.Join(r.Warnings, "\n")
		}
		if !bytes.Equal(saved(t, tr), saved(t, whole)) {
			t.Errorf("%s: the state differs", name)
		}
		if err := tr.UnmarshalBinary(saved(t, whole)); err != nil {
			t.Errorf("%s: values do not go on from Bits: %v", name, err)
		}
	}
	for _, want := range []string{"columns of Data are constant", "tossing coins", "of independent units"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no report warned of %q", want)
		}
	}
}

// Training on values goes on bit for bit, and not with others.
func TestTrainerOfValuesGoesOn(t *testing.T) {
	const n, nv = 95, 20
	data, held := gray(randomBits(n, nv, 0.4, 1), 2), gray(randomBits(30, nv, 0.4, 3), 4)
	start := func() *rbm.Trainer {
		tr := blockwise(rbm.Values{Matrix: mat.DenseCopyOf(data)}, 10, 20)
		tr.HeldOut = rbm.Values{Matrix: mat.DenseCopyOf(held)}
		return tr
	}
	whole := start()
	want := collect(whole)
	trainFor(t, whole, 6)
	from := start()
	var got []rbm.Report
	for from.Epochs() < 6 {
		stop := errors.New("stop")
		from.OnReport = func(r rbm.Report) error {
			got = append(got, r)
			return stop
		}
		if err := from.Train(context.Background(), 6); err != nil && !errors.Is(err, stop) {
			t.Fatal(err)
		}
		to := start()
		if err := to.UnmarshalBinary(saved(t, from)); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	checkSame(t, "parameters", params(from.Model), params(whole.Model))
	checkReports(t, "reports", got, *want)
	if !bytes.Equal(saved(t, from), saved(t, whole)) {
		t.Error("the state differs in the end")
	}

	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
		want string
	}{
		{"elsewhere", func(tr *rbm.Trainer) { tr.Data = rbm.Values{Matrix: turned(data)} }, ""},
		{"Data", func(tr *rbm.Trainer) {
			a := tr.Data.(rbm.Values).Matrix.(*mat.Dense)
			a.Set(94, 19, math.Nextafter(a.At(94, 19), 0.5))
		}, "rbm: Trainer: Data has checksum"},
		{"rounded", func(tr *rbm.Trainer) { tr.Data = randomBits(n, nv, 0.4, 1) }, "rbm: Trainer: Data has checksum"},
		{"HeldOut", func(tr *rbm.Trainer) {
			a := tr.HeldOut.(rbm.Values).Matrix.(*mat.Dense)
			a.Set(0, 0, 0.25)
		}, "rbm: Trainer: HeldOut has checksum"},
		{"size", func(tr *rbm.Trainer) { tr.HeldOut = rbm.Values{Matrix: held.Slice(0, 29, 0, nv)} }, "rbm: Trainer: HeldOut is 29×20, want 30×20"},
	} {
		tr := start()
		saved(t, tr) // which must not be remembered
		tt.set(tr)
		err := tr.UnmarshalBinary(saved(t, whole))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// The figures are the formulas with values in the place of bits.
func TestReportOfValues(t *testing.T) {
	const nv, nh, n, nHeld = 7, 4, 60, 20
	for _, weighted := range []bool{false, true} {
		data, held := gray(randomBits(n, nv, 0.4, 1), 2), gray(randomBits(nHeld, nv, 0.6, 3), 4)
		m := randomModel(nv, nh, 1, 5)
		m.OneHot = []rbm.Group{{From: 4, To: 7}}
		for _, a := range []*mat.Dense{data, held} {
			rows, _ := a.Dims()
			for r := range rows {
				for i := range 3 {
					a.Set(r, 4+i, 0)
				}
				a.Set(r, 4+r*r%3, 1)
			}
		}
		tr := rbm.NewTrainer(m, rbm.Values{Matrix: data}, rbm.NewPCD(9, 1, newSource(1)), newSource(2))
		tr.HeldOut, tr.BatchSize, tr.SGD.Rate = rbm.Values{Matrix: held}, n, 1e-300
		w := slices.Repeat([]float64{1. / n}, n)
		if weighted {
			// As many are watched of Data as of HeldOut: all that have a weight.
			w = make([]float64, n)
			for r := 0; r < n; r += 3 {
				w[r] = float64(r+1) / 590
			}
			tr.Weights = w
		} else {
			tr.HeldOut = rbm.Values{Matrix: mat.DenseCopyOf(data)}
			held = data
		}
		reports := collect(tr)
		trainFor(t, tr, 1)
		r := (*reports)[0]

		watched := n
		if weighted {
			watched = nHeld
		}
		var bias []float64 // of independent units, as FittedBias documents
		for i := range nv {
			var s float64
			for r := range n {
				s += w[r] * float64(watched) * data.At(r, i)
			}
			if all := float64(watched); i < 4 {
				bias = append(bias, math.Log((s+0.5)/(all-s+0.5)))
			} else {
				bias = append(bias, math.Log((s+0.5)/(all+1.5)))
			}
		}
		var independent float64
		for r := range n {
			var l, z float64
			for i, b := range bias {
				if p := 1 / (1 + math.Exp(-b)); i < 4 {
					l += data.At(r, i)*math.Log(p) + (1-data.At(r, i))*math.Log(1-p)
				} else {
					l += data.At(r, i) * b
					z += math.Exp(b)
				}
			}
			independent += w[r] * (l - math.Log(z))
		}
		checkNear(t, "IndependentLogLikelihood", r.IndependentLogLikelihood, independent, 1e-12)
		checkNear(t, "PseudoLogLikelihood", r.PseudoLogLikelihood, weightedSum(m.PseudoLogLikelihood(nil, data), w), 1e-12)
		checkNear(t, "HeldOutPseudoLogLikelihood", r.HeldOutPseudoLogLikelihood, meanOf(m.PseudoLogLikelihood(nil, held)), 1e-12)
		checkNear(t, "FreeEnergyGap", r.FreeEnergyGap, meanOf(m.FreeEnergy(nil, held))-weightedSum(m.FreeEnergy(nil, data), w), 1e-12)
		p := m.HiddenProbs(nil, data)
		var active float64
		for r := range n {
			for j := range nh {
				if w[r] > 0 {
					active += p.At(r, j) / float64(watched*nh)
				}
			}
		}
		checkNear(t, "HiddenActivity", r.HiddenActivity, active, 1e-12)
	}
}

// Columns of Data that are 0 or 1 in all rows are constant. Those of another value are not: no
// model with a unit of 0 or 1 is sure of them.
func TestWarningOfColumnsOfValues(t *testing.T) {
	data := mat.NewDense(50, 6, nil)
	for r := range 50 {
		data.SetRow(r, []float64{0, 1, 0.5, float64(r % 2), float64(r) / 50, 0.25 * float64(r%2)})
	}
	tr := rbm.NewTrainer(rbm.New(6, 2), rbm.Values{Matrix: data}, rbm.NewCD(1, newSource(1)), newSource(1))
	tr.SGD.Rate = 1e-300
	reports := collect(tr)
	trainFor(t, tr, 1)
	want := "2 of 6 columns of Data are constant (the first is 0) and the model gives their other value a probability of 0.5"
	if w := (*reports)[0].Warnings; len(w) != 1 || !strings.HasPrefix(w[0], want) {
		t.Errorf("warnings %q, want %q", w, want)
	}
	tr = rbm.NewTrainer(rbm.New(6, 2), rbm.Values{Matrix: data}, rbm.NewCD(1, newSource(1)), newSource(1))
	tr.Model.FitVisibleBias(data)
	tr.SGD.Rate = 1e-300
	reports = collect(tr)
	trainFor(t, tr, 1)
	if w := (*reports)[0].Warnings; len(w) != 0 {
		t.Errorf("warnings %q of a model that knows the means", w)
	}
}

// A model that learns nothing from values that depend on each other is told so, and one that
// has nothing to learn is not; nor are chains stuck or alike where they move as they should.
func TestWarningsOfValues(t *testing.T) {
	const n, nv = 400, 12
	x := randomReals(n, nv, 1)
	alike := mat.DenseCopyOf(x)
	alike.Apply(func(r, i int, _ float64) float64 { return 0.9*float64(r%2) + 0.1*x.At(r, i) }, alike)
	for _, tt := range []struct {
		name string
		data *mat.Dense
		rate float64
		want string
	}{
		{"independent", x, 1e-9, ""},
		{"alike", alike, 1e-9, "after 2000 steps the model knows little more than the means of Data"},
		{"learned", alike, 0.02, ""},
	} {
		tr := rbm.NewTrainer(rbm.NewRandom(nv, 6, 0.01, newSource(1)), rbm.Values{Matrix: tt.data}, rbm.NewPCD(100, 1, newSource(1)), newSource(1))
		tr.Model.FitVisibleBias(tt.data)
		tr.ReportEvery = 2000
		tr.Schedule = rbm.Linear(tt.rate, tt.rate/2, 2000)
		reports := collect(tr)
		trainFor(t, tr, 500)
		w := (*reports)[0].Warnings
		if tt.want == "" && len(w) > 0 || tt.want != "" && (len(w) != 1 || !strings.HasPrefix(w[0], tt.want)) {
			t.Errorf("%s: warnings %q, want %q", tt.name, w, tt.want)
		}
	}
}

// What is no row of values is an error that names row, column and value, and changes nothing.
func TestTrainerOfWrongValues(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer, data, held *mat.Dense)
		want string
	}{
		{"right", func(tr *rbm.Trainer, data, held *mat.Dense) {}, ""},
		{"NaN", func(tr *rbm.Trainer, data, held *mat.Dense) { data.Set(7, 4, math.NaN()) }, "rbm: Data[7, 4] is NaN, want a value in [0, 1]"},
		{"above", func(tr *rbm.Trainer, data, held *mat.Dense) { data.Set(9, 0, math.Nextafter(1, 2)) }, "rbm: Data[9, 0] is 1.0000000000000002, want a value in [0, 1]"},
		{"below, turned", func(tr *rbm.Trainer, data, held *mat.Dense) {
			data.Set(3, 2, -0.5)
			tr.Data, tr.ShuffleBlock = rbm.Values{Matrix: turned(data)}, 4
		}, "rbm: Data[3, 2] is -0.5, want a value in [0, 1]"},
		{"infinite", func(tr *rbm.Trainer, data, held *mat.Dense) { data.Set(0, 1, math.Inf(1)) }, "rbm: Data[0, 1] is +Inf, want a value in [0, 1]"},
		{"gray level of a group", func(tr *rbm.Trainer, data, held *mat.Dense) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 4}}
			data.Set(6, 2, 0.5)
		}, "rbm: Data[6, 2] is 0.5, want 0 or 1 in the group [1, 4)"},
		{"none of a group", func(tr *rbm.Trainer, data, held *mat.Dense) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 4}}
			for i := 1; i < 4; i++ {
				data.Set(8, i, 0)
			}
		}, "rbm: row 8 of Data has 0 units on in the group [1, 4), want 1"},
		{"HeldOut", func(tr *rbm.Trainer, data, held *mat.Dense) { held.Set(39, 4, 2) }, "rbm: HeldOut[39, 4] is 2, want a value in [0, 1]"},
		{"group of HeldOut", func(tr *rbm.Trainer, data, held *mat.Dense) {
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 4}}
			held.Set(38, 1, 0.25)
		}, "rbm: HeldOut[38, 1] is 0.25, want 0 or 1 in the group [1, 4)"},
		{"not known as Values", func(tr *rbm.Trainer, data, held *mat.Dense) {
			tr.Data = struct{ rbm.Values }{rbm.Values{Matrix: data}}
		}, ", column 0 is 0.5, want 0 or 1 where values are read as Bits"},
	} {
		data, held := mat.NewDense(10, 5, nil), mat.NewDense(40, 5, nil)
		for _, a := range []*mat.Dense{data, held} {
			rows, _ := a.Dims()
			for r := range rows {
				a.Set(r, 1+r%3, 1)
				a.Set(r, 0, 0.5)
			}
		}
		for _, s := range samplers {
			tr := rbm.NewTrainer(randomModel(5, 3, 1, 1), rbm.Values{Matrix: data}, s.new(4), newSource(1))
			tr.HeldOut, tr.BatchSize = rbm.Values{Matrix: held}, 10
			tt.set(tr, data, held)
			before := params(tr.Model)
			err := tr.Train(context.Background(), 1)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s, %s: error %v, want %q", tt.name, s.name, err, tt.want)
			}
			if err != nil && !strings.Contains(tt.name, "HeldOut") { // which are read at the report
				if tr.Steps() != 0 {
					t.Errorf("%s, %s: %d steps before the error", tt.name, s.name, tr.Steps())
				}
				checkSame(t, tt.name, params(tr.Model), before)
			}
		}
	}
}

func TestValuesMisuse(t *testing.T) {
	values := rbm.Values{Matrix: mat.NewDense(4, 5, nil)}
	for _, v := range []rbm.Rows{rbm.Values{}, &rbm.Values{}, (*rbm.Values)(nil), rbm.Values{Matrix: (*mat.Dense)(nil)}} {
		name := fmt.Sprintf("%#v", v)
		wantPanic(t, name, func() { rbm.NewTrainer(rbm.New(5, 2), v, newCD(1)(), newSource(1)) }, "Data is nil")
		wantPanic(t, name, func() { rbm.New(5, 2).LogLikelihood(context.Background(), v, nil) }, "data is nil")
		wantPanic(t, name, func() { rbm.Blocks(v, 1) }, "rows are nil")
	}
	wantPanic(t, "columns", func() { rbm.NewTrainer(rbm.New(6, 2), values, newCD(1)(), newSource(1)) }, "Data is 4×5, want n×6")
	tr := rbm.NewTrainer(rbm.New(5, 2), values, newCD(1)(), newSource(1))
	tr.HeldOut = rbm.Values{Matrix: mat.NewDense(4, 4, nil)}
	wantPanic(t, "HeldOut", func() { tr.Step() }, "HeldOut is 4×4, want n×5")
	tr.HeldOut, tr.Observed = nil, ones(4, 5)
	wantPanic(t, "Observed", func() { tr.Step() }, "Data is a rbm.Values with Observed, want a *rbm.Bits")
	for _, v := range []rbm.Rows{(*rbm.Bits)(nil), rbm.Values{}} { // as good as none
		tr := rbm.NewTrainer(rbm.New(5, 2), values, newCD(1)(), newSource(1))
		tr.HeldOut = v
		trainFor(t, tr, 1)
		saved(t, tr)
		if tr.Best() != nil {
			t.Errorf("%T: a best model without HeldOut", v)
		}
		tr.Patience = 1
		wantPanic(t, "Patience", func() { tr.Step() }, "Patience is 1 and HeldOut is nil")
	}

	wantPanic(t, "dst", func() { values.ReadRows(nil, 0) }, "dst is nil")
	wantPanic(t, "Values", func() { rbm.Values{}.ReadRows(rbm.NewBits(1, 5), 0) }, "Values is nil")
	wantPanic(t, "columns of dst", func() { values.ReadRows(rbm.NewBits(1, 4), 0) }, "dst is 1×4, want n×5")
	wantPanic(t, "before", func() { values.ReadRows(rbm.NewBits(1, 5), -1) }, "no rows [-1, 0) in Values of 4×5")
	wantPanic(t, "behind", func() { values.ReadRows(rbm.NewBits(3, 5), 2) }, "no rows [2, 5) in Values of 4×5")
}

// Those who read Bits alone read zeros and ones, and an error of anything else.
func TestReadRowsOfValues(t *testing.T) {
	b := randomBits(30, 70, 0.4, 1)
	a := mat.DenseCopyOf(b)
	for _, v := range []rbm.Values{{Matrix: a}, {Matrix: turned(a)}, {Matrix: b}} {
		i := 0
		for block, err := range rbm.Blocks(v, 7) {
			if err != nil {
				t.Fatal(err)
			}
			n, _ := block.Dims()
			if !mat.Equal(block, b.Slice(i, i+n)) {
				t.Errorf("%T: other rows from %d on", v.Matrix, i)
			}
			i += n
		}
		if i != 30 {
			t.Errorf("%T: %d rows, want 30", v.Matrix, i)
		}
	}
	for _, x := range []float64{0.5, math.NaN(), -1, 2} {
		a := mat.DenseCopyOf(b)
		a.Set(17, 65, x)
		dst := ones(4, 70)
		err := rbm.Values{Matrix: a}.ReadRows(dst, 15)
		checkError(t, fmt.Sprint(x), err, fmt.Sprintf("row 17, column 65 is %v, want 0 or 1", x))
		for _, err := range rbm.Blocks(rbm.Values{Matrix: a}, 30) {
			checkError(t, fmt.Sprint(x), err, "rbm: rows [0, 30): ", fmt.Sprintf("row 17, column 65 is %v", x))
		}
	}
	dst := ones(4, 70)
	if err := (rbm.Values{Matrix: a}).ReadRows(dst, 15); err != nil || !mat.Equal(dst, b.Slice(15, 19)) {
		t.Errorf("error %v, or other rows", err)
	}
}

// Rows held out may be elsewhere, and errors of them end a report, which can be tried again.
func TestHeldOutElsewhere(t *testing.T) {
	data := randomBits(95, 70, 0.4, 1)
	whole := blockwise(data, 10, 0)
	want := collect(whole)
	trainFor(t, whole, 4)
	tr, broken, fails := blockwise(data, 10, 0), errors.New("broken"), 2
	tr.HeldOut = &elsewhere{Bits: tr.HeldOut.(*rbm.Bits), fail: func(_, _ int) error {
		if fails > 0 {
			fails--
			return broken
		}
		return nil
	}}
	got := collect(tr)
	for range 2 {
		if err := tr.Train(context.Background(), 4); !errors.Is(err, broken) {
			t.Fatalf("error %v, want %v", err, broken)
		}
	}
	trainFor(t, tr, 4)
	checkSame(t, "parameters", params(tr.Model), params(whole.Model))
	checkReports(t, "reports", *got, *want)
	if !bytes.Equal(saved(t, tr), saved(t, whole)) {
		t.Error("the state differs")
	}
}

func TestTrainerOfValuesAllocatesNothing(t *testing.T) {
	data := gray(randomBits(250, 200, 0.3, 1), 2)
	for _, block := range []int{0, 130} {
		for _, v := range []rbm.Values{{Matrix: data}, {Matrix: strided(data)}} {
			for _, s := range samplers {
				tr := rbm.NewTrainer(randomModel(200, 30, 0.1, 2), v, s.new(20), newSource(3))
				tr.SGD.Momentum = 0.5
				tr.Weights, tr.ShuffleBlock = randomWeights(250, 4), block
				checkNoAllocation(t, fmt.Sprintf("%s, block %d", s.name, block), tr)
			}
		}
	}
}

// Minibatches of a *mat.Dense have the rows that those of Bits have.
func TestMinibatchesOfDense(t *testing.T) {
	for _, tt := range []struct{ rows, n int }{{1, 1}, {7, 3}, {6, 3}, {5, 100}, {130, 64}} {
		bits := numbered(tt.rows)
		a := mat.DenseCopyOf(bits)
		a.Apply(func(_, _ int, x float64) float64 { return x * 0.75 }, a)
		for _, a := range []*mat.Dense{a, strided(a)} {
			batches := pass(bits, tt.n, newSource(1))
			var first *mat.Dense
			for batch := range rbm.Minibatches(a, tt.n, newSource(1)) {
				if !mat.Equal(batch, pickRows(a, batches[0])) {
					t.Fatalf("%d rows, %d at a time: other rows than %v", tt.rows, tt.n, batches[0])
				}
				batches = batches[1:]
				if rows, _ := batch.Dims(); rows == tt.n {
					if first != nil && first != batch {
						t.Error("new memory for a minibatch")
					}
					first = batch
				}
			}
			if len(batches) > 0 {
				t.Errorf("%d rows, %d at a time: %d minibatches are missing", tt.rows, tt.n, len(batches))
			}
		}
	}
	wantPanic(t, "nil", func() { rbm.Minibatches((*mat.Dense)(nil), 1, newSource(1)) }, "data is nil")
	wantPanic(t, "empty", func() { rbm.Minibatches(new(mat.Dense), 1, newSource(1)) }, "data is 0×0")
	wantPanic(t, "n", func() { rbm.Minibatches(mat.NewDense(1, 1, nil), 0, newSource(1)) }, "n is 0, want at least 1")
}
