package rbm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gorbm/rbm/internal/parallel"
	"gonum.org/v1/gonum/mat"
)

// panicOf returns what f panics with, as text, or "".
func panicOf(f func()) (message string) {
	defer func() {
		if p := recover(); p != nil {
			message = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

// While something is in use, every method that another goroutine must not call then
// panics, and after a panic of its own it is no longer in use.
func TestUseByTwoGoroutines(t *testing.T) {
	src := rand.NewPCG(1, 2)
	m := NewRandom(9, 4, 0.1, src)
	x := NewBits(3, 9)
	for r := range 3 {
		x.SetBit(r, r, true)
	}
	bad := mat.NewDense(3, 9, []float64{26: 2}) // 2 is no probability
	other := NewBits(3, 8)
	var g, computed Gradient
	m.Gradient(&computed, x, new(Exact))
	var phases, sums Phases
	m.Phases(&sums, x, nil, new(Exact))
	chains := NewChains(src)
	chains.Start(x)
	cd, pcd := NewCD(1, src), NewPCD(2, 1, src)
	pt, ptt := newPT(2, 1, []float64{0, 1}, src), NewPTT(2, 1, nil, src)
	ais := NewAIS(5, 10, src)
	exact := new(Exact)
	centering, sgd, sparsity := new(Centering), new(SGD), new(Sparsity)
	sums.Gradient(&g)
	sparsity.Penalize(&g)
	centering.Center(&g)
	sgd.Step(m, &computed)
	trainer := NewTrainer(m, x, cd, src)
	ctx := context.Background()
	labels := NewPCD(2, 1, src)
	labeled := m.Clone()
	labeled.OneHot = []Group{{6, 9}}
	classifier := &Classifier{Model: labeled, Classes: 3, Generative: 1, Unlabeled: 1}
	inputs := NewBits(2, 6)
	var cg Gradient
	wide := NewRandom(30, 4, 0.1, src)
	for _, tt := range []struct {
		name  string
		guard *parallel.Guard
		of    string // the name in the message
		use   func()
		panic func() // that begins and then fails; may be nil
	}{
		{"Chains.Start", &chains.guard, "Chains", func() { chains.Start(x) }, func() { chains.Start(bad) }},
		{"Chains.StartRandom", &chains.guard, "Chains", func() { chains.StartRandom(m, 3) }, func() { chains.StartRandom(m, 0) }},
		{"Chains.StartGiven", &chains.guard, "Chains", func() { chains.StartGiven(m, x, nil) }, nil},
		{"Chains.Gibbs", &chains.guard, "Chains", func() { chains.Gibbs(m, 1) }, func() { chains.Gibbs(wide, 1) }},
		{"Chains.GibbsGiven", &chains.guard, "Chains", func() { chains.GibbsGiven(m, 1, x) }, func() { chains.GibbsGiven(m, 1, other) }},
		{"Chains.MeansGiven", &chains.guard, "Chains", func() { chains.MeansGiven(nil, m, 1, x) }, func() { chains.MeansGiven(nil, m, 1, other) }},
		{"CD.Sample", &cd.Chains.guard, "CD", func() { cd.Sample(m, x) }, func() { cd.Sample(m, bad) }},
		{"Gradient of CD", &cd.Chains.guard, "CD", func() { m.Gradient(&g, x, cd) }, func() { m.Gradient(&g, bad, cd) }},
		{"PCD.Sample", &pcd.Chains.guard, "PCD", func() { pcd.Sample(m, x) }, func() { pcd.Sample(wide, x) }},
		{"Gradient of PCD", &pcd.Chains.guard, "PCD", func() { m.Gradient(&g, x, pcd) }, func() { m.Gradient(&g, bad, pcd) }},
		{"PT.Sample", &pt.chains.guard, "PT", func() { pt.Sample(m, x) }, func() { pt.Sample(wide, x) }},
		{"Gradient of PT", &pt.chains.guard, "PT", func() { m.Gradient(&g, x, pt) }, func() { m.Gradient(&g, bad, pt) }},
		{"PTT.Sample", &ptt.chains.guard, "PTT", func() { ptt.Sample(m, x) }, func() { ptt.Sample(wide, x) }},
		{"Gradient of PTT", &ptt.chains.guard, "PTT", func() { m.Gradient(&g, x, ptt) }, func() { m.Gradient(&g, bad, ptt) }},
		{"AIS.Run", &ais.chains.guard, "AIS", func() { ais.Run(ctx, m) }, nil},
		{"AIS.Reverse", &ais.chains.guard, "AIS", func() { ais.Reverse(ctx, m, x) }, func() { ais.Reverse(ctx, m, bad) }},
		{"Exact.Sample", &exact.guard, "Exact", func() { exact.Sample(m, x) }, func() { exact.Sample(wide, x) }},
		{"Gradient of Exact", &exact.guard, "Exact", func() { m.Gradient(&g, x, exact) }, func() { m.Gradient(&g, bad, exact) }},
		{"RBM.Gradient", &g.guard, "Gradient", func() { m.Gradient(&g, x, cd) }, func() { m.Gradient(&g, bad, cd) }},
		{"RBM.WeightedGradient", &g.guard, "Gradient", func() { m.WeightedGradient(&g, x, nil, cd) }, func() { m.WeightedGradient(&g, x, []float64{1}, cd) }},
		{"RBM.FreeEnergyGradient", &g.guard, "Gradient", func() { m.FreeEnergyGradient(&g, x, nil) }, func() { m.FreeEnergyGradient(&g, bad, nil) }},
		{"RBM.LogPartitionGradient", &g.guard, "Gradient", func() { m.LogPartitionGradient(&g) }, func() { wide.LogPartitionGradient(&g) }},
		{"Gradient of Exact and many units", &cg.guard, "Gradient", func() { wide.Gradient(&cg, NewBits(3, 30), exact) }, nil},
		{"RBM.Phases", &phases.Data.guard, "Gradient", func() { m.Phases(&phases, x, nil, cd) }, func() { m.Phases(&phases, bad, nil, cd) }},
		{"Centering.Center", &centering.state.guard, "Centering", func() { centering.Center(&computed) }, func() {
			defer func() { centering.Rate = 0 }()
			centering.Rate = 2
			centering.Center(&computed)
		}},
		{"g of Centering.Center", &computed.guard, "Gradient", func() { centering.Center(&computed) }, func() { centering.Center(&wrongPhases().Data) }},
		{"Sparsity.Penalize", &sparsity.state.guard, "Sparsity", func() { computed.hasMeans = true; sparsity.Penalize(&computed) }, func() {
			computed.hasMeans = false
			sparsity.Penalize(&computed)
		}},
		{"g of Sparsity.Penalize", &computed.guard, "Gradient", func() { computed.hasMeans = true; sparsity.Penalize(&computed) }, func() { sparsity.Penalize(&wrongPhases().Data) }},
		{"SGD.Step", &sgd.state.guard, "SGD", func() { sgd.Step(m, &computed) }, nil},
		{"Trainer.Step", &trainer.guard, "Trainer", func() { trainer.Step() }, func() {
			defer func(s Sampler) { trainer.Sampler = s }(trainer.Sampler)
			trainer.Sampler = nil
			trainer.Step()
		}},
		{"Trainer.Train", &trainer.guard, "Trainer", func() { trainer.Train(ctx, trainer.Epochs()+1) }, nil},
		{"Classifier.Gradient", &computed.guard, "Gradient", func() { classifier.Gradient(&computed, inputs, []int{1, NoLabel}, labels) }, nil},
		{"Classifier.Gradient of PCD", &labels.Chains.guard, "PCD", func() { classifier.Gradient(&computed, inputs, []int{1, NoLabel}, labels) }, nil},
		{"Classifier.Gradient of CD", &cd.Chains.guard, "CD", func() { classifier.Gradient(&computed, inputs, []int{1, NoLabel}, cd) }, nil},
		{"Classifier.Gradient of labels and CD", &cd.Chains.guard, "CD", func() { classifier.Gradient(&computed, inputs, []int{1, 0}, cd) }, nil},
	} {
		if tt.use == nil {
			tt.use, tt.panic = tt.panic, nil
		} else if message := panicOf(tt.use); message != "" {
			t.Errorf("%s: panic with %q", tt.name, message)
		}
		want := "rbm: " + tt.of + " is used by two goroutines at once"
		tt.guard.Take("the test")
		if message := panicOf(tt.use); !strings.HasPrefix(message, want) {
			t.Errorf("%s in use: panic with %q, want %q", tt.name, message, want)
		}
		tt.guard.Release()
		if tt.panic == nil {
			continue
		}
		if message := panicOf(tt.panic); message == "" || strings.HasPrefix(message, want) {
			t.Errorf("%s: panic with %q, want another one", tt.name, message)
		}
		if message := panicOf(tt.use); message != "" {
			t.Errorf("%s after a panic: panic with %q", tt.name, message)
		}
	}
}

// wrongPhases are those of a model of other sizes.
func wrongPhases() *Phases {
	var p Phases
	New(2, 1).Phases(&p, NewBits(1, 2), nil, new(Exact))
	return &p
}

// PCD in two goroutines moves its chains as often as it has not panicked, and they
// are those of one goroutine then. Run with -race, it shows that a use that panics
// has touched nothing.
func TestPCDInTwoGoroutines(t *testing.T) {
	const calls = 200
	m := NewRandom(30, 20, 0.5, rand.NewPCG(1, 2))
	data := NewBits(10, 30)
	pcd := NewPCD(10, 1, rand.NewPCG(3, 4))
	before := runtime.NumGoroutine()
	var moved [2]int
	var both sync.WaitGroup
	for k := range moved {
		both.Add(1)
		go func() {
			defer both.Done()
			var g Gradient
			for range calls {
				switch message := panicOf(func() { m.Gradient(&g, data, pcd) }); {
				case message == "":
					moved[k]++
				case !strings.HasPrefix(message, "rbm: PCD is used by two goroutines at once"):
					t.Error(message)
				}
				runtime.Gosched()
			}
		}()
	}
	both.Wait()
	t.Logf("%d and %d of %d calls", moved[0], moved[1], calls)
	want := NewPCD(10, 1, rand.NewPCG(3, 4))
	for range moved[0] + moved[1] {
		want.Sample(m, data)
	}
	if !mat.Equal(pcd.Chains.Visible(), want.Chains.Visible()) {
		t.Error("chains used in two goroutines are not where as many calls in one lead")
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 1e6 {
			t.Fatalf("%d goroutines afterward, want %d", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

// wrapped is a Sampler of a user's around one of the package.
type wrapped struct{ *PCD }

func (s wrapped) Sample(m *RBM, data mat.Matrix) (mat.Matrix, []float64) {
	new(Gradient).sum(m, data, nil, 1)
	return s.PCD.Sample(m, data)
}

// What is no use by two goroutines: OnReport that does anything at all, also to what
// is being trained, and a Sampler that has another one.
func TestUseByOneGoroutine(t *testing.T) {
	src := rand.NewPCG(1, 2)
	m := NewRandom(24, 22, 0.1, src)
	data := NewBits(20, 24)
	pcd := NewPCD(5, 1, src)
	trainer := NewTrainer(m, data, wrapped{pcd}, src)
	trainer.ReportEvery = 1
	ctx := context.Background()
	ais := NewAIS(5, 10, src)
	reports := 0
	trainer.OnReport = func(Report) error {
		reports++
		var g Gradient
		m.Gradient(&g, data, trainer.Sampler)
		trainer.Centering.Center(&g)
		trainer.SGD.Step(m, &g)
		pcd.Chains.Gibbs(m, 1)
		if err := trainer.Step(); err != nil {
			return err
		}
		ais.Progress = func(int, int) { pcd.Chains.Gibbs(m, 1) }
		_, err := m.LogLikelihood(ctx, data, ais)
		return err
	}
	if err := trainer.Train(ctx, 3); err != nil || reports == 0 {
		t.Errorf("%d reports, error %v", reports, err)
	}
}
