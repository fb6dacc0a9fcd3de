package recipe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
	"gonum.org/v1/gonum/mat"
)

// likes returns n rows of 12 items, of two kinds: a user likes few, and mostly of one kind.
func likes(n int, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 1))
	rows := rbm.NewBits(n, 12)
	for r := range n {
		kind := rnd.IntN(2)
		for i := range 12 {
			p := 0.02
			if i%2 == kind {
				p = 0.5 / math.Sqrt(float64(1+i/2))
			}
			rows.SetBit(r, i, rnd.Float64() < p)
		}
	}
	return rows
}

// ring returns n rows of 10 spins in a ring, of which neighbors mostly agree.
func ring(n int, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 2))
	rows := rbm.NewBits(n, 10)
	for r := range n {
		up := rnd.IntN(2) == 0
		for i := range 10 {
			if rnd.IntN(8) == 0 {
				up = !up
			}
			rows.SetBit(r, i, up)
		}
	}
	return rows
}

func logLikelihood(t *testing.T, m *rbm.RBM, rows *rbm.Bits) float64 {
	t.Helper()
	l, err := m.LogLikelihood(context.Background(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Exact {
		t.Fatalf("the log-likelihood is %v, want an exact one", l)
	}
	return l.Mean
}

func fill(t *testing.T, r recipe.Recipe, train, heldOut, observed *rbm.Bits) recipe.Recipe {
	t.Helper()
	if err := r.Fill(context.Background(), train, heldOut, observed); err != nil {
		t.Fatal(err)
	}
	return r
}

// The recipe is about as good as the best of a grid, and better than what knows the means
// alone; no report says that it learns nothing.
func TestBesideGrid(t *testing.T) {
	if testing.Short() {
		t.Skip("trainings of this length have the same bits in every build")
	}
	for _, tt := range []struct {
		name  string
		draw  func(int, uint64) *rbm.Bits
		gains float64 // over independent units, at least
	}{
		{"likes", likes, 0.3},
		{"ring", ring, 1.5},
	} {
		train, heldOut, test := tt.draw(500, 1), tt.draw(200, 2), tt.draw(2000, 3)
		_, nv := train.Dims()
		best := math.Inf(-1)
		for _, rate := range []float64{0.01, 0.1, 1} {
			for _, steps := range []int{300, 2000} {
				src := rand.NewPCG(1, 1)
				m := rbm.NewRandom(nv, 5, 0.01, src)
				m.FitVisibleBias(train)
				tr := rbm.NewTrainer(m, train, rbm.NewPCD(100, 1, src), src)
				tr.Schedule = rbm.Linear(rate, 0, steps)
				if err := tr.Train(context.Background(), steps/5); err != nil {
					t.Fatal(err)
				}
				best = max(best, logLikelihood(t, m, test))
			}
		}
		r := fill(t, recipe.Recipe{Hidden: 5, Epochs: 600, Seed: 1}, train, heldOut, nil)
		tr := r.Trainer(train, heldOut, nil)
		tr.OnReport = func(r rbm.Report) error {
			for _, w := range r.Warnings {
				if strings.Contains(w, "little more than the means") || strings.Contains(w, "learns nothing") {
					t.Errorf("%s, step %d: %s", tt.name, r.Step, w)
				}
			}
			return nil
		}
		if err := tr.Train(context.Background(), r.Epochs); err != nil {
			t.Fatal(err)
		}
		got := logLikelihood(t, recipe.Best(tr), test)
		independent := rbm.New(nv, 1)
		independent.FitVisibleBias(train)
		means := logLikelihood(t, independent, test)
		t.Logf("%s: %.3f, best of the grid %.3f, independent units %.3f", tt.name, got, best, means)
		if got < 1.02*best {
			t.Errorf("%s: log-likelihood is %.3f, want at most 2 %% below the best of the grid, %.3f", tt.name, got, best)
		}
		if got < means+tt.gains {
			t.Errorf("%s: log-likelihood is %.3f, want at least %.3f", tt.name, got, means+tt.gains)
		}
	}
}

// What is given stays, and the rest is by the rules.
func TestFill(t *testing.T) {
	for _, tt := range []struct {
		name   string
		n, nv  int
		r      recipe.Recipe
		wanted recipe.Recipe
	}{
		{"all", 5000, 60, recipe.Recipe{Seed: 7}, recipe.Recipe{Hidden: 60, Epochs: 200, BatchSize: 100, Chains: 100, Rate: 0.5, L2: 1. / 5000, Seed: 7}},
		{"few rows", 30, 60, recipe.Recipe{}, recipe.Recipe{Hidden: 1, Epochs: 10000, BatchSize: 30, Chains: 100, Rate: 0.5, L2: 1. / 30}},
		{"a row", 1, 2, recipe.Recipe{}, recipe.Recipe{Hidden: 1, Epochs: 10000, BatchSize: 1, Chains: 100, Rate: 0.5, L2: 1}},
		{"few rows for the columns", 400, 60, recipe.Recipe{}, recipe.Recipe{Hidden: 20, Epochs: 2500, BatchSize: 100, Chains: 100, Rate: 0.5, L2: 1. / 400}},
		{"large", 20000, 784, recipe.Recipe{}, recipe.Recipe{Hidden: 500, Epochs: 50, BatchSize: 100, Chains: 100, Rate: 140 / math.Sqrt(784*500), L2: 1. / 20000}},
		{"given", 5000, 60, recipe.Recipe{Hidden: 3, Epochs: 2, BatchSize: 7, Chains: 9, Rate: 0.01, L2: -1}, recipe.Recipe{Hidden: 3, Epochs: 2, BatchSize: 7, Chains: 9, Rate: 0.01, L2: -1}},
		{"BatchSize given", 5000, 60, recipe.Recipe{BatchSize: 500}, recipe.Recipe{Hidden: 60, Epochs: 1000, BatchSize: 500, Chains: 100, Rate: 0.5, L2: 1. / 5000}},
	} {
		if got := fill(t, tt.r, rbm.NewBits(tt.n, tt.nv), nil, nil); got.Hidden != tt.wanted.Hidden || got.Epochs != tt.wanted.Epochs || got.BatchSize != tt.wanted.BatchSize ||
			got.Chains != tt.wanted.Chains || got.Rate != tt.wanted.Rate || got.L2 != tt.wanted.L2 || got.Seed != tt.wanted.Seed {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.wanted)
		}
	}
}

// The Trainer has the settings, a report at the end of the last epoch and no more than wanted.
func TestTrainer(t *testing.T) {
	train, heldOut := likes(60, 1), likes(20, 2)
	observed := rbm.NewBits(60, 12)
	for r := range 60 {
		for i := range 12 {
			observed.SetBit(r, i, (r+i)%4 != 0)
		}
	}
	groups := []rbm.Group{{From: 0, To: 1}}
	for r := range 60 {
		train.SetBit(r, 0, true)
	}
	for r := range 20 {
		heldOut.SetBit(r, 0, true)
	}
	r := fill(t, recipe.Recipe{Hidden: 3, Epochs: 120, BatchSize: 25, Chains: 11, Rate: 0.25, L2: 0.125, OneHot: groups}, train, heldOut, observed)
	tr := r.Trainer(train, heldOut, observed)
	if nv, nh := tr.Model.Dims(); nv != 12 || nh != 3 || len(tr.Model.OneHot) != 1 {
		t.Errorf("the model is %v", tr.Model)
	}
	if want := tr.Model.FittedBias(train, nil, observed); !mat.Equal(tr.Model.B, want) {
		t.Errorf("visible biases are %v, want %v", tr.Model.B, want)
	}
	if tr.Data != train || tr.HeldOut != heldOut || tr.Observed != observed || tr.BatchSize != 25 || tr.SGD.L2 != 0.125 || tr.Centering == nil {
		t.Errorf("the trainer is %v", tr)
	}
	if first, half, last := tr.Schedule(0), tr.Schedule(180), tr.Schedule(360); first != 0.25 || half != 0.125 || last != 0 {
		t.Errorf("the rate goes from %v by %v to %v, want 0.25, 0.125 and 0", first, half, last)
	}
	if got, want := fmt.Sprint(tr.Sampler), "PTT(K=1, MinSwapRate=0.1, 11 chains"; !strings.HasPrefix(got, want) {
		t.Errorf("the sampler is %s, want %s", got, want)
	}
	var reports, steps int
	tr.OnReport = func(r rbm.Report) error {
		reports++
		steps = r.Step
		return nil
	}
	if err := tr.Train(context.Background(), r.Epochs); err != nil {
		t.Fatal(err)
	}
	if reports != 40 || steps != 360 {
		t.Errorf("%d reports, the last after step %d, want 40 and 360", reports, steps)
	}
	if tr.Best() == nil || !mat.Equal(recipe.Best(tr).W, tr.Best().W) {
		t.Error("Best is not the best model")
	}
	r.L2 = -1
	if tr = r.Trainer(train, nil, nil); tr.SGD.L2 != 0 || recipe.Best(tr) != tr.Model {
		t.Errorf("without HeldOut and decay, the trainer is %v", tr)
	}
	r.Hidden = 1 << 15
	if _, ok := r.Trainer(train, nil, nil).Sampler.(*rbm.PCD); !ok {
		t.Error("the sampler of a large model is not PCD")
	}
}

// The same settings give the same bits on any number of processors, and after a checkpoint.
func TestSameBits(t *testing.T) {
	train, heldOut := ring(150, 1), ring(50, 2)
	r := fill(t, recipe.Recipe{Hidden: 4, Epochs: 40, Seed: 3}, train, heldOut, nil)
	trained := func(procs int, seed uint64) *rbm.Trainer {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		r := r
		r.Seed = seed
		tr := r.Trainer(train, heldOut, nil)
		if err := tr.Train(context.Background(), r.Epochs); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	same := func(a, b *rbm.RBM) bool { return mat.Equal(a.W, b.W) && mat.Equal(a.B, b.B) && mat.Equal(a.C, b.C) }
	want := trained(1, 3)
	if !same(trained(4, 3).Model, want.Model) {
		t.Error("the model depends on GOMAXPROCS")
	}
	if same(trained(1, 4).Model, want.Model) {
		t.Error("the model does not depend on the seed")
	}
	half := r.Trainer(train, heldOut, nil)
	if err := half.Train(context.Background(), 17); err != nil {
		t.Fatal(err)
	}
	saved, err := half.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	again := r.Trainer(train, heldOut, nil)
	if err := again.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	if err := again.Train(context.Background(), r.Epochs); err != nil {
		t.Fatal(err)
	}
	if !same(again.Model, want.Model) || !same(recipe.Best(again), recipe.Best(want)) {
		t.Error("the model that was resumed is another one")
	}
}

// Split returns each row once.
func TestSplit(t *testing.T) {
	rows := rbm.NewBits(64, 6)
	for r := range 64 {
		for i := range 6 {
			rows.SetBit(r, i, r>>i&1 == 1)
		}
	}
	train, heldOut := recipe.Split(rows, 0.1, 1)
	seen := make(map[uint64]bool)
	inOrder := true
	for k, part := range []*rbm.Bits{train, heldOut} {
		n, _ := part.Dims()
		if want := []int{58, 6}[k]; n != want {
			t.Errorf("part %d has %d rows, want %d", k, n, want)
		}
		for r := range n {
			x := part.RawRow(r)[0]
			seen[x] = true
			inOrder = inOrder && int(x) == r
		}
	}
	if len(seen) != 64 || inOrder {
		t.Errorf("%d different rows, in order: %v, want 64 in random order", len(seen), inOrder)
	}
}

func TestTrain(t *testing.T) {
	m, err := recipe.Train(context.Background(), likes(40, 1))
	if err != nil {
		t.Fatal(err)
	}
	if nv, nh := m.Dims(); nv != 12 || nh != 2 {
		t.Errorf("the model is %v, want 12 visible and 2 hidden units", m)
	}
	independent := rbm.New(12, 1)
	independent.FitVisibleBias(likes(40, 1))
	if got, least := logLikelihood(t, m, likes(40, 1)), logLikelihood(t, independent, likes(40, 1)); got < least {
		t.Errorf("log-likelihood of the rows is %.3f, want at least that of independent units, %.3f", got, least)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var r recipe.Recipe
	if err := r.Fill(ctx, likes(10, 1), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Fill: %v", err)
	}
	if m, err := recipe.Train(ctx, likes(200, 1)); m != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Train: %v, %v", m, err)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		r    recipe.Recipe
		want string
	}{
		{recipe.Recipe{Hidden: -1}, "Hidden is -1"},
		{recipe.Recipe{Epochs: -2}, "Epochs is -2"},
		{recipe.Recipe{BatchSize: -3}, "BatchSize is -3"},
		{recipe.Recipe{Chains: -4}, "Chains is -4"},
		{recipe.Recipe{Rate: -0.5}, "Rate is -0.5"},
		{recipe.Recipe{Rate: math.NaN()}, "Rate is NaN"},
		{recipe.Recipe{Rate: math.Inf(1)}, "Rate is +Inf"},
		{recipe.Recipe{L2: math.NaN()}, "L2 is NaN"},
	} {
		before := tt.r
		err := tt.r.Fill(context.Background(), likes(10, 1), nil, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error is %v, want %q", before, err, tt.want)
		}
	}
}

func TestPanics(t *testing.T) {
	ctx, rows := context.Background(), likes(10, 1)
	var r recipe.Recipe
	for _, tt := range []struct {
		name string
		do   func()
		want string
	}{
		{"nil", func() { r.Fill(ctx, nil, nil, nil) }, "train is nil"},
		{"empty", func() { r.Fill(ctx, new(rbm.Bits), nil, nil) }, "train is empty"},
		{"heldOut", func() { r.Fill(ctx, rows, rbm.NewBits(3, 11), nil) }, "heldOut is 3×11, want n×12"},
		{"observed", func() { r.Fill(ctx, rows, nil, rbm.NewBits(9, 12)) }, "observed is 9×12, want 10×12"},
		{"not filled", func() { r.Trainer(rows, nil, nil) }, "want those of Fill"},
		{"split of all", func() { recipe.Split(rows, 1, 1) }, "a share of 1 of 10 rows is 10"},
		{"split of none", func() { recipe.Split(rows, 0.01, 1) }, "a share of 0.01 of 10 rows is 0"},
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, tt.want) {
					t.Errorf("%s: panic is %q, want %q", tt.name, s, tt.want)
				}
			}()
			tt.do()
			t.Errorf("%s: no panic", tt.name)
		}()
	}
}

// tastes returns n rows of 40 items, of four kinds: a user likes mostly one of them.
func tastes(n int, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 3))
	rows := rbm.NewBits(n, 40)
	for r := range n {
		kind := rnd.IntN(4)
		for i := range 40 {
			p := 0.1
			if i%4 == kind {
				p = 0.4
			}
			rows.SetBit(r, i, rnd.Float64() < p)
		}
	}
	return rows
}

// A model that overfits is trained for less, and is as good for it; one that does not is trained
// for as long as ever.
func TestShorten(t *testing.T) {
	const usual = 3300
	train, heldOut, test := tastes(300, 1), tastes(200, 2), tastes(1000, 3)
	r := recipe.Recipe{Hidden: 15, Chains: 20}
	if err := r.Fill(context.Background(), train, heldOut, nil); err != nil {
		t.Fatal(err)
	}
	if r.Epochs >= usual/4 {
		t.Fatalf("%d epochs, want less than a quarter of %d", r.Epochs, usual)
	}
	if r.Epochs != 264 {
		t.Errorf("%d epochs, want 264 in every build", r.Epochs)
	}
	if testing.Short() {
		return // what follows takes ten times as long
	}
	// The best report of the first quarter of a usual training is at half of Epochs.
	whole, best := r, 0
	whole.Epochs = usual
	beginning := whole.Trainer(train, heldOut, nil)
	beginning.OnReport = func(r rbm.Report) error {
		if r.Best {
			best = r.Epoch
		}
		return nil
	}
	if err := beginning.Train(context.Background(), usual/4); err != nil {
		t.Fatal(err)
	}
	if r.Epochs != 2*best {
		t.Errorf("%d epochs, want twice the %d after which the rows held out are most likely", r.Epochs, best)
	}
	score := func(epochs int) float64 {
		r := r
		r.Epochs = epochs
		tr := r.Trainer(train, heldOut, nil)
		if err := tr.Train(context.Background(), epochs); err != nil {
			t.Fatal(err)
		}
		return logLikelihood(t, recipe.Best(tr), test)
	}
	const more = 1000
	if short, long := score(r.Epochs), score(more); short < long-0.02 {
		t.Errorf("after %d epochs the log-likelihood is %v, after %d %v; want it not to be less", r.Epochs, short, more, long)
	}

	r = recipe.Recipe{Hidden: 12}
	if err := r.Fill(context.Background(), ring(1000, 1), ring(200, 2), nil); err != nil {
		t.Fatal(err)
	}
	if r.Epochs != 1000 {
		t.Errorf("%d epochs for rows that a model cannot overfit, want 1000", r.Epochs)
	}
}
