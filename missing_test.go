package rbm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// without returns v with zeros, or ones, in place of what is not observed.
func without(v, observed *rbm.Bits, instead bool) *rbm.Bits {
	n, nv := v.Dims()
	dst := rbm.NewBits(n, nv)
	for r := range n {
		for i := range nv {
			if observed.Bit(r, i) {
				dst.SetBit(r, i, v.Bit(r, i))
			} else {
				dst.SetBit(r, i, instead)
			}
		}
	}
	return dst
}

// Where nothing is missing, a mask changes no bit.
func TestObservedInFull(t *testing.T) {
	for _, nv := range []int{12, 64, 70} {
		for _, s := range samplers {
			for _, centered := range []bool{false, true} {
				train := func(observed *rbm.Bits) *rbm.Trainer {
					tr := rbm.NewTrainer(randomModel(nv, 7, 0.1, 2), randomBits(95, nv, 0.4, 1), s.new(10), newSource(3))
					tr.Weights, tr.BatchSize, tr.Observed, tr.MissingSweeps = randomWeights(95, 4), 10, observed, 3
					if !centered {
						tr.Centering = nil
					}
					trainFor(t, tr, 3)
					return tr
				}
				name := fmt.Sprintf("nv=%d/%s/centered=%v", nv, s.name, centered)
				got, want := train(ones(95, nv)), train(nil)
				checkSame(t, name, params(got.Model), params(want.Model))
				if !bytes.Equal(saved(t, got.Sampler.(state)), saved(t, want.Sampler.(state))) {
					t.Errorf("%s: the sampler is in another state", name)
				}
			}
		}
	}
}

// completed is a Sampler that counts the rows of minibatches by their first two units.
type completed struct {
	counts [4][]float64
	check  func(kind int, row *rbm.Bits)
}

func (s *completed) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	n, nv := data.Dims()
	for r := range n {
		x := configuration(data, r)
		if s.counts[x&3] == nil {
			s.counts[x&3] = make([]float64, 1<<nv)
		}
		s.counts[x&3][x]++
		s.check(x&3, data.(*rbm.Bits).Slice(r, r+1))
	}
	return data, nil
}

// Rows are completed with the probabilities of the model given what is observed of each,
// and not before they forgot the biases, from which they start.
func TestMissingUnitsAreOfTheModel(t *testing.T) {
	t.Parallel()
	const nv, nh, n = 6, 2, 8000
	m := randomModel(nv, nh, 2, 2)
	kinds, masks := rbm.NewBits(4, nv), randomBits(4, nv, 0.3, 4) // number k has k in its first two units
	for k := range 4 {
		for i := range nv {
			kinds.SetBit(k, i, i < 2 && k>>i&1 == 1 || i >= 2 && i%2 == k%2)
		}
		masks.SetBit(k, 0, true)
		masks.SetBit(k, 1, true)
	}
	for i := range nv {
		masks.SetBit(3, i, true) // which misses nothing
	}
	masks.SetBit(0, 3, false)
	masks.SetBit(2, 5, false)
	numbers := make([]int, n)
	for r := range n {
		numbers[r] = r % 4
	}
	data, observed := kinds.Gather(nil, numbers), masks.Gather(nil, numbers)
	s := new(completed)
	s.check = func(kind int, row *rbm.Bits) {
		if !mat.Equal(without(row, masks.Slice(kind, kind+1), false), without(kinds.Slice(kind, kind+1), masks.Slice(kind, kind+1), false)) {
			t.Fatalf("row %v, want %v where %v are 1", mat.Formatted(row), mat.Formatted(kinds.Slice(kind, kind+1)), mat.Formatted(masks.Slice(kind, kind+1)))
		}
	}
	start := func(sweeps int) *rbm.Trainer {
		tr := rbm.NewTrainer(m, without(data, observed, true), s, newSource(3))
		tr.Observed, tr.MissingSweeps, tr.BatchSize, tr.SGD.Rate, tr.Centering = observed, sweeps, 300, 0, nil
		return tr
	}
	biases := rbm.New(nv, nh)
	biases.B.CopyVec(m.B)
	check := func(name string, tr *rbm.Trainer, epoch int, want func(k int, among func(int) bool) []float64) {
		s.counts = [4][]float64{}
		trainFor(t, tr, epoch)
		for k := range 4 {
			if mat.Sum(masks.Slice(k, k+1)) == nv {
				continue
			}
			checkFrequencies(t, fmt.Sprintf("%s, rows of kind %d", name, k), s.counts[k], want(k, agreeing(nil, kinds, masks, k)))
		}
	}
	after := func(sweeps int) func(_ int, among func(int) bool) []float64 {
		return func(_ int, among func(int) bool) []float64 {
			p := mat.NewVecDense(1<<nv, visibleAmong(biases, among))
			for range sweeps {
				p.MulVec(transitionAmong(m, among).T(), p)
			}
			return p.RawVector().Data
		}
	}
	check("3 sweeps at once", start(3), 1, after(3))
	tr := start(0)
	check("a sweep", tr, 1, after(1))
	check("a second sweep", tr, 2, after(2))
	tr.MissingSweeps = 30
	check("32 sweeps", tr, 3, func(_ int, among func(int) bool) []float64 { return visibleAmong(m, among) })

	// what becomes known is read, and what no longer is goes on from there
	for k := range 4 {
		for i := 2; i < nv; i++ {
			masks.SetBit(k, i, !masks.Bit(k, i))
		}
	}
	tr.Data, tr.Observed = data, masks.Gather(nil, numbers)
	check("other units", tr, 4, func(_ int, among func(int) bool) []float64 { return visibleAmong(m, among) })
}

// withHoles is a training of rows that miss values. Where they do, data is anything.
func withHoles(s rbm.Sampler, src uint64, anything bool) *rbm.Trainer {
	observed := randomBits(95, 12, 0.7, 5)
	for i := range 12 { // two of the rows miss nothing
		observed.SetBit(3, i, true)
		observed.SetBit(94, i, true)
	}
	tr := stateful(s, src)
	tr.Data = without(tr.Data.(*rbm.Bits), observed, anything)
	tr.Observed, tr.MissingSweeps, tr.BatchSize = observed, 2, 10
	return tr
}

func TestMissingValuesAreNotRead(t *testing.T) {
	for _, s := range samplers {
		one, other := withHoles(s.new(10), 2, false), withHoles(s.new(10), 2, true)
		first, second := collect(one), collect(other)
		trainFor(t, one, 4)
		trainFor(t, other, 4)
		checkSame(t, s.name, params(one.Model), params(other.Model))
		checkReports(t, s.name, *first, *second)
	}
}

func TestMissingGoesOnFromBytes(t *testing.T) {
	t.Parallel()
	for _, s := range samplers {
		for _, steps := range []int{0, 1, 7, 13, 20} {
			whole := withHoles(s.new(10), 2, true)
			for range steps {
				if err := whole.Step(); err != nil {
					t.Fatal(err)
				}
			}
			half := withHoles(s.new(3), 7, true)
			half.MissingSweeps = 0
			trainFor(t, half, 1)
			if err := half.UnmarshalBinary(saved(t, whole)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(saved(t, half), saved(t, whole)) {
				t.Errorf("%s: the state has changed on the way, after %d steps", s.name, steps)
			}
			trainFor(t, whole, 4)
			trainFor(t, half, 4)
			if !bytes.Equal(saved(t, half), saved(t, whole)) {
				t.Errorf("%s: the state differs in the end, saved after %d steps", s.name, steps)
			}
		}
	}
}

func TestMissingOfOtherBytes(t *testing.T) {
	pcd := func() rbm.Sampler { return rbm.NewPCD(5, 1, newSource(3)) }
	tr := withHoles(pcd(), 2, false)
	trainFor(t, tr, 1)
	tr.Step()
	good := saved(t, tr)
	for _, tt := range []struct {
		set  func(tr *rbm.Trainer)
		want string
	}{
		{func(tr *rbm.Trainer) { tr.Observed.SetBit(94, 11, false) }, "rbm: Trainer: Observed has checksum"},
		{func(tr *rbm.Trainer) { tr.Observed = nil }, "rbm: Trainer: Observed is 0×0, want 95×12"},
	} {
		tr := withHoles(pcd(), 9, false)
		tt.set(tr)
		checkRefused(t, tt.want, tr, good, tt.want)
	}
	none := withHoles(pcd(), 2, false)
	none.Observed = nil
	checkRefused(t, "with Observed", withHoles(pcd(), 2, false), saved(t, none), "Observed is 95×12, want 0×0")
	for n := range good {
		if n%37 != 0 && n < len(good)-300 {
			continue
		}
		if err := withHoles(pcd(), 9, false).UnmarshalBinary(good[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken", n, len(good))
		}
	}
}

// MissingSweeps is the number of sweeps, 0 being one.
func TestSweepsOfTheMissing(t *testing.T) {
	drawn := func(sweeps int) []float64 {
		tr := withHoles(rbm.NewCD(1, newSource(1)), 2, false)
		tr.Model.W.Scale(50, tr.Model.W) // so that chains remember
		tr.MissingSweeps = sweeps
		trainFor(t, tr, 1)
		return params(tr.Model)
	}
	one := drawn(1)
	checkSame(t, "MissingSweeps=0", drawn(0), one)
	if slices.Equal(drawn(2), one) {
		t.Error("MissingSweeps=2 is one sweep")
	}
}

// A mask may come and go: where there is none, nothing is left of it.
func TestObservedMayChange(t *testing.T) {
	one, other := withHoles(rbm.NewCD(1, newSource(1)), 2, false), withHoles(rbm.NewCD(1, newSource(1)), 2, false)
	observed := one.Observed
	one.Model.W.Scale(50, one.Model.W) // so that chains remember
	one.MissingSweeps = 1
	trainFor(t, one, 1)
	one.Observed, other.Observed = nil, nil
	trainFor(t, one, 2)
	if err := other.UnmarshalBinary(saved(t, one)); err != nil {
		t.Fatal(err)
	}
	one.Observed, other.Observed = observed, observed
	trainFor(t, one, 3)
	trainFor(t, other, 3)
	if !bytes.Equal(saved(t, one), saved(t, other)) {
		t.Error("the state differs")
	}
}

func TestMissingSameForEveryGOMAXPROCS(t *testing.T) {
	setProcs(t, 1)
	train := func() []float64 {
		tr := rbm.NewTrainer(randomModel(130, 70, 0.1, 1), randomBits(1500, 130, 0.3, 2), rbm.NewPCD(50, 1, newSource(3)), newSource(4))
		tr.Observed, tr.BatchSize = randomBits(1500, 130, 0.7, 5), 400
		trainFor(t, tr, 2)
		return params(tr.Model)
	}
	want := train()
	for _, p := range procs[:2] {
		runtime.GOMAXPROCS(p)
		checkSame(t, fmt.Sprintf("GOMAXPROCS = %d", p), train(), want)
	}
}

func TestMissingAllocatesNothing(t *testing.T) {
	for _, s := range samplers {
		tr := rbm.NewTrainer(randomModel(200, 30, 0.1, 2), randomBits(250, 200, 0.3, 1), s.new(20), newSource(3))
		tr.Observed, tr.Weights = randomBits(250, 200, 0.7, 5), randomWeights(250, 4)
		if _, ok := tr.Sampler.(*rbm.PCD); ok {
			tr.Model.OneHot = []rbm.Group{{From: 70, To: 80}}
			for r := range 250 {
				for i := 70; i < 80; i++ {
					tr.Observed.SetBit(r, i, false)
				}
			}
		}
		checkNoAllocation(t, s.name, tr)
	}
}

// What is learned of rows that miss a third of their values is nearly what complete rows
// teach, and far more than of rows with zeros in their place.
func TestTrainingOnMissingValues(t *testing.T) {
	t.Parallel()
	const nv, nh, n, epochs = 8, 3, 2000, 120
	truth := randomModel(nv, nh, 1.5, 1)
	p, all := naiveVisible(truth), configs(nv)
	rows, observed := exactRows(truth, n, 2), randomBits(n, nv, 0.7, 3)
	gain := func(m *rbm.RBM) (nats float64) { // ⟨log p⟩ of what the truth has
		logZ := m.LogPartition()
		for x, f := range m.FreeEnergy(nil, all) {
			nats -= p[x] * (f + logZ)
		}
		return nats
	}
	seen := func(m *rbm.RBM) float64 { // ⟨log p⟩ of what is observed
		rest := m.LogProbGiven(nil, rows, observed)
		logZ := m.LogPartition()
		var sum float64
		for r, f := range m.FreeEnergy(nil, rows) {
			sum -= (f + logZ + rest[r]) / n
		}
		return sum
	}
	train := func(data, observed *rbm.Bits) *rbm.RBM {
		tr := rbm.NewTrainer(rbm.NewRandom(nv, 4, 0.1, newSource(4)), data, new(rbm.Exact), newSource(5))
		tr.Observed, tr.BatchSize = observed, 200
		tr.Schedule = rbm.Linear(0.6, 0.01, epochs*n/200)
		trainFor(t, tr, epochs)
		return tr.Model
	}
	zeros := without(rows, observed, false)
	complete, incomplete, filled := train(rows, nil), train(zeros, observed), train(zeros, nil)
	best := gain(truth)
	t.Logf("all rows: truth %.4f, complete %.4f, with holes %.4f, with zeros %.4f nats", best, gain(complete), gain(incomplete), gain(filled))
	t.Logf("observed: truth %.4f, complete %.4f, with holes %.4f, with zeros %.4f nats", seen(truth), seen(complete), seen(incomplete), seen(filled))
	// n rows allow for an error of about half a nat for each parameter, of all rows
	// together, and more where values are missing.
	off := float64(nv*4+nv+4) / 2 / n
	if x := gain(incomplete); !(x > gain(complete)-2*off) || !(x > gain(filled)+20*off) {
		t.Errorf("%.4f nats of rows with holes, %.4f of complete ones, %.4f with zeros; want it within %.4f of the first", x, gain(complete), gain(filled), 2*off)
	}
	if x := seen(incomplete); !(x > seen(truth)-off) || !(x > seen(complete)-off) {
		t.Errorf("what is observed has %.4f nats, %.4f in truth, %.4f with complete rows", x, seen(truth), seen(complete))
	}
}

// Whether a column is constant is seen where it is observed.
func TestWarningsOfMissingValues(t *testing.T) {
	tr, reports := still(rbm.New(5, 3), randomBits(40, 5, 0.5, 1), rbm.NewCD(1, newSource(1)))
	tr.Observed = randomBits(40, 5, 0.7, 2)
	data := tr.Data.(*rbm.Bits)
	for r := range 40 {
		data.SetBit(r, 3, tr.Observed.Bit(r, 3))
		data.SetBit(r, 1, false)
		tr.Observed.SetBit(r, 1, false)
	}
	trainFor(t, tr, 1)
	if w := (*reports)[0].Warnings; !slices.ContainsFunc(w, func(w string) bool {
		return strings.HasPrefix(w, "1 of 5 columns of Data are constant (the first is 3)")
	}) {
		t.Errorf("warnings %q", w)
	}
}

// A parameter that is not finite is an error as ever, of groups too.
func TestMissingDiverges(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1)} {
		for _, grouped := range []bool{false, true} {
			tr := rbm.NewTrainer(rbm.NewRandom(7, 3, 0.1, newSource(1)), rbm.NewBits(40, 7), rbm.NewCD(1, newSource(1)), newSource(2))
			if grouped {
				tr.Model.OneHot = []rbm.Group{{From: 0, To: 7}}
			}
			tr.Observed, tr.Centering, tr.BatchSize = rbm.NewBits(40, 7), nil, 9
			tr.Model.W.Set(1, 0, x)
			tr.Model.W.Set(2, 0, -x)
			tr.Model.C.SetVec(1, 50)
			tr.Model.C.SetVec(2, 50)
			if err := tr.Train(context.Background(), 2); !errors.Is(err, rbm.ErrDiverged) || !strings.Contains(err.Error(), "W[1,0] is") {
				t.Errorf("%v, grouped=%v: %v", x, grouped, err)
			}
		}
	}
}

// A step with a model that is NaN moves nothing.
func TestMissingOfNaN(t *testing.T) {
	one, other := withHoles(rbm.NewPCD(10, 1, newSource(1)), 2, false), withHoles(rbm.NewPCD(10, 1, newSource(1)), 2, false)
	trainFor(t, one, 1)
	trainFor(t, other, 1)
	w := one.Model.W.At(2, 3)
	one.Model.W.Set(2, 3, math.NaN())
	if err := one.Step(); !errors.Is(err, rbm.ErrDiverged) {
		t.Errorf("a step with NaN gives the error %v", err)
	}
	one.Model.W.Set(2, 3, w)
	if !bytes.Equal(saved(t, one), saved(t, other)) {
		t.Error("the state has changed")
	}
}

func TestMissingMisuse(t *testing.T) {
	for _, tt := range []struct {
		set  func(tr *rbm.Trainer)
		want string
	}{
		{func(tr *rbm.Trainer) { tr.Observed = rbm.NewBits(10, 4) }, "Observed is 10×4, want 10×5"},
		{func(tr *rbm.Trainer) { tr.Observed = rbm.NewBits(1, 5) }, "Observed is 1×5, want 10×5"},
		{func(tr *rbm.Trainer) { tr.Observed = new(rbm.Bits) }, "Observed is 0×0, want 10×5"},
		{func(tr *rbm.Trainer) { tr.MissingSweeps = -1 }, "MissingSweeps is -1, want at least 0"},
		{func(tr *rbm.Trainer) { tr.MissingSweeps = 1<<24 + 1 }, "MissingSweeps is 16777217, want at most 16777216"},
		{func(tr *rbm.Trainer) { tr.Data = &elsewhere{Bits: rbm.NewBits(10, 5)} }, "Data is a *rbm_test.elsewhere with Observed, want a *rbm.Bits"},
		{func(tr *rbm.Trainer) {
			tr.Model.OneHot = []rbm.Group{{From: 3, To: 9}}
		}, "group is [3, 9), want one of 5 units"},
	} {
		tr := rbm.NewTrainer(rbm.New(5, 3), rbm.NewBits(10, 5), rbm.NewCD(1, newSource(1)), newSource(1))
		tr.Observed = rbm.NewBits(10, 5)
		tt.set(tr)
		wantPanic(t, "Step", func() { tr.Step() }, tt.want)
	}
}

// Rows that do not fit the groups, where they are observed, are an error that names the
// row in Data, and change nothing; so are rows held out.
func TestTrainerOfRowsThatDoNotFitTheGroups(t *testing.T) {
	for _, tt := range []struct {
		set  func(tr *rbm.Trainer)
		want string
	}{
		{func(tr *rbm.Trainer) { tr.Data.(*rbm.Bits).SetBit(7, 1, true) }, "row 7 of Data has 2 units on in the group [1, 4), want 1"},
		{func(tr *rbm.Trainer) { tr.Data.(*rbm.Bits).SetBit(7, 2, false) }, "row 7 of Data has 0 units on in the group [1, 4), want 1"},
		{func(tr *rbm.Trainer) {
			tr.Data.(*rbm.Bits).SetBit(7, 2, false)
			tr.Data = &elsewhere{Bits: tr.Data.(*rbm.Bits)}
			tr.ShuffleBlock = 4
		}, "row 7 of Data has 0 units on in the group [1, 4), want 1"},
		{func(tr *rbm.Trainer) {
			tr.Data.(*rbm.Bits).SetBit(7, 2, false)
			tr.Observed = ones(10, 5)
		}, "row 7 of Data has 0 units on in the group [1, 4), want 1"},
		{func(tr *rbm.Trainer) {
			tr.Data.(*rbm.Bits).SetBit(7, 2, false)
			tr.Observed = ones(10, 5)
			tr.Observed.SetBit(7, 3, false)
		}, ""},
		{func(tr *rbm.Trainer) { tr.HeldOut = rbm.NewBits(3, 5) }, "row 0 of HeldOut has 0 units on in the group [1, 4), want 1"},
		{func(tr *rbm.Trainer) {}, ""},
	} {
		for _, s := range samplers {
			tr := rbm.NewTrainer(rbm.New(5, 3), rbm.NewBits(10, 5), s.new(4), newSource(1))
			tr.Model.OneHot = []rbm.Group{{From: 1, To: 4}}
			for r := range 10 {
				tr.Data.(*rbm.Bits).SetBit(r, 1+r%3, true)
			}
			tt.set(tr)
			if err := tr.Train(context.Background(), 2); tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: error %v, want %q", s.name, err, tt.want)
			}
		}
	}
}
