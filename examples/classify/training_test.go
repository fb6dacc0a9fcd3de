package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"gonum.org/v1/gonum/mat"
)

// trainingOf returns a training with flags, of which nothing is done.
func trainingOf(t *testing.T, flags string) *training {
	t.Helper()
	o := small(t, flags)
	d, err := load(o)
	if err != nil {
		t.Fatal(err)
	}
	return newTraining(o, d)
}

func TestNewTraining(t *testing.T) {
	for flags, want := range map[string]struct {
		discriminative, generative, unlabeled float64
		sampler                               string
		steps                                 int // of an epoch
	}{
		"-kind generative":                 {0, 1, 0, "*rbm.CD", 10},
		"-kind discriminative":             {1, 0, 0, "*rbm.CD", 10},
		"-kind hybrid -sampler pcd":        {1, 0.01, 0, "*rbm.PCD", 10},
		"-kind sparse -weight 0.5":         {1, 0.5, 0, "*rbm.CD", 10},
		"-labeled 33":                      {1, 0.01, 0, "*rbm.CD", 2},
		"-labeled 33 -unlabeled 0.2":       {1, 0.01, 0.2, "*rbm.CD", 9}, // 267 rows
		"-labeled 200 -unlabeled 0.2":      {1, 0.01, 0.2, "*rbm.CD", 7}, // 200 rows
		"-batch 1000 -held 100 -rate 0.25": {1, 0.01, 0, "*rbm.CD", 1},
	} {
		training := trainingOf(t, flags)
		c := training.classifier
		if c.Discriminative != want.discriminative || c.Generative != want.generative || c.Unlabeled != want.unlabeled || c.Classes != idx.Classes {
			t.Errorf("%s: the weights are %v, %v, %v, want %v", flags, c.Discriminative, c.Generative, c.Unlabeled, want)
		}
		if nv, nh := c.Model.Dims(); nv != idx.Pixels+idx.Classes || nh != 12 {
			t.Errorf("%s: the model has %d and %d units", flags, nv, nh)
		}
		if got := fmt.Sprintf("%T", training.sampler); got != want.sampler {
			t.Errorf("%s: the sampler is %s, want %s", flags, got, want.sampler)
		}
		if got := training.epochSteps(); got != want.steps {
			t.Errorf("%s: an epoch has %d steps, want %d", flags, got, want.steps)
		}
		if first, last := training.schedule(0), training.schedule(2*want.steps); first != training.o.rate || last != 0 {
			t.Errorf("%s: the rate goes from %v to %v, want %v to 0", flags, first, last, training.o.rate)
		}
	}
}

// Each row of a step comes with its label, if it has one.
func TestStep(t *testing.T) {
	training := trainingOf(t, "-labeled 40 -unlabeled 0.5")
	for step := range 12 {
		if err := training.step(); err != nil {
			t.Fatal(err)
		}
		if len(training.rows) != 64 || len(training.labels) != 64 {
			t.Fatalf("step %d has %d rows and %d labels, want 64", step, len(training.rows), len(training.labels))
		}
		for i, r := range training.rows {
			want := rbm.NoLabel
			if i < 32 {
				want = training.d.labels[r]
			}
			if training.labels[i] != want || (r < 40) != (i < 32) {
				t.Fatalf("step %d: row %d of %d has the label %d, want %d", step, r, i, training.labels[i], want)
			}
		}
		if got, want := training.sgd.Rate, training.schedule(step); got != want {
			t.Errorf("step %d: the rate is %v, want %v", step, got, want)
		}
	}
	if training.progress.steps != 12 {
		t.Errorf("%d steps are done, want 12", training.progress.steps)
	}
}

// A step takes -sparsity times the rate from the hidden biases, and from nothing else.
func TestSparsity(t *testing.T) {
	sparse, plain := trainingOf(t, "-kind sparse -sparsity 0.5"), trainingOf(t, "-kind sparse -sparsity 0")
	for _, training := range []*training{sparse, plain} {
		if err := training.step(); err != nil {
			t.Fatal(err)
		}
	}
	a, b := sparse.classifier.Model, plain.classifier.Model
	for j := range 12 {
		if got, want := a.C.AtVec(j), b.C.AtVec(j)-0.5*sparse.o.rate; math.Abs(got-want) > 1e-15 {
			t.Errorf("C[%d] = %v, want %v", j, got, want)
		}
	}
	if !mat.Equal(a.W, b.W) || !mat.Equal(a.B, b.B) {
		t.Error("W or B differ")
	}
}

// Pixels are drawn with their gray levels, anew each step, unless there is a threshold.
func TestMinibatch(t *testing.T) {
	training := trainingOf(t, "-batch 4 -rows 100")
	training.rows = []int{7, 0, 99, 7}
	var drawn []*rbm.Bits
	for _, step := range []int{5, 6, 5} {
		training.progress.steps = step
		b := training.minibatch()
		drawn = append(drawn, b.Gather(nil, []int{0, 1, 2, 3}))
		for k, r := range training.rows {
			for i := range idx.Pixels {
				if b.Bit(k, i) && training.d.gray[r*idx.Pixels+i] == 0 {
					t.Fatalf("pixel %d of row %d is black and was drawn", i, r)
				}
			}
		}
	}
	if mat.Equal(drawn[0], drawn[1]) || !mat.Equal(drawn[0], drawn[2]) {
		t.Error("want other pixels in another step, and the same in the same one")
	}
	if mat.Equal(drawn[0].Slice(0, 1), drawn[0].Slice(3, 4)) {
		t.Error("a row that comes twice was drawn once")
	}

	threshold := trainingOf(t, "-batch 4 -rows 100 -threshold")
	threshold.rows = training.rows
	b := threshold.minibatch()
	for k, r := range threshold.rows {
		for i := range idx.Pixels {
			if got, want := b.Bit(k, i), threshold.d.gray[r*idx.Pixels+i] > idx.Threshold; got != want {
				t.Fatalf("-threshold: pixel %d of row %d is %t, want %t", i, r, got, want)
			}
		}
	}
}

// Offsets are the means of the labeled rows at the start of an epoch.
func TestOffsets(t *testing.T) {
	training := trainingOf(t, "-rows 100 -labeled 60 -threshold")
	c := &training.classifier
	for step := range 5 {
		v := c.Join(nil, training.d.train.Slice(0, 60), training.d.labels)
		h := c.Model.HiddenProbs(nil, v)
		if err := training.step(); err != nil {
			t.Fatal(err)
		}
		fresh := true
		for _, x := range []struct {
			of  mat.Matrix
			got []float64
		}{{v, training.centering.V}, {h, training.centering.H}} {
			if _, units := x.of.Dims(); len(x.got) != units {
				t.Fatalf("there are %d offsets, want %d", len(x.got), units)
			}
			for i, got := range x.got {
				want := 0.0
				for r := range 60 {
					want += x.of.At(r, i) / 60
				}
				fresh = fresh && math.Abs(got-want) < 1e-12
			}
		}
		if want := step%2 == 0; fresh != want {
			t.Errorf("step %d: the offsets are the means of the rows: %t, want %t", step, fresh, want)
		}
	}

	// A step of an ordinary gradient is another one, and has no offsets.
	models := make(map[bool]*rbm.RBM)
	for _, plain := range []bool{false, true} {
		training := trainingOf(t, "-kind discriminative -threshold -sparsity 0")
		training.o.plain = plain
		before := training.classifier.Model.Clone()
		if err := training.step(); err != nil {
			t.Fatal(err)
		}
		m := training.classifier.Model
		models[plain] = m
		if plain != (training.centering.V == nil) {
			t.Errorf("-plain=%t: the offsets are %v", plain, training.centering.V)
		}
		// Without momentum so far, the ordinary step is rate times the gradient.
		g := rbm.Gradient{Single: true}
		training.classifier.Model = before
		training.classifier.Gradient(&g, training.d.train.Gather(nil, training.rows), training.labels, nil)
		for j := range 12 {
			if got, want := m.C.AtVec(j), before.C.AtVec(j)+training.o.rate*g.C.AtVec(j); plain && math.Abs(got-want) > 1e-12 {
				t.Errorf("-plain: C[%d] = %v, want %v", j, got, want)
			}
		}
	}
	if mat.Equal(models[false].W, models[true].W) {
		t.Error("a step with and without -plain is the same")
	}
}

func TestNotFinite(t *testing.T) {
	training := trainingOf(t, "-rate 0.125")
	training.classifier.Model.B.SetVec(3, math.NaN())
	if err := training.step(); err == nil || !strings.Contains(err.Error(), "-rate 0.125") || !strings.Contains(err.Error(), "step 1 ") {
		t.Errorf("the error is %v, want it to name the step and -rate 0.125", err)
	}
}

// The model that is kept is a copy of the best one.
func TestBest(t *testing.T) {
	training := trainingOf(t, "-held 50 -epochs 1")
	if err := training.run(opened(t), io.Discard); err != nil {
		t.Fatal(err)
	}
	m := training.classifier.Model
	if training.best().Model == m || !mat.Equal(training.chosen.W, m.W) || !mat.Equal(training.chosen.B, m.B) || !mat.Equal(training.chosen.C, m.C) {
		t.Error("after the first epoch the best model is not a copy of the last one")
	}
	training.progress.epochs++
	training.report(io.Discard, 0) // as good, not better
	if training.progress.chosen != 1 {
		t.Errorf("of two epochs that are as good number %d was chosen, want the first", training.progress.chosen)
	}
	if last := trainingOf(t, ""); last.best().Model != last.classifier.Model {
		t.Error("without rows held out the best model is not the last one")
	}
}

func TestDeal(t *testing.T) {
	for _, test := range []struct{ from, to, n int }{{0, 7, 3}, {3, 10, 3}, {3, 10, 7}, {3, 10, 20}, {5, 6, 2}, {0, 300, 32}} {
		d := deck{seed: 1, from: test.from, to: test.to}
		rows := d.len()
		n := min(test.n, rows)
		var all, rounds []int
		for step := range 4 * rows {
			got := d.deal([]int{-1}, step, test.n)
			if len(got) != 1+n || got[0] != -1 {
				t.Fatalf("%+v: step %d dealt %v, want %d rows more", test, step, got, n)
			}
			anew := deck{seed: 1, from: test.from, to: test.to}
			if again := anew.deal([]int{-1}, step, test.n); !slices.Equal(again, got) {
				t.Fatalf("%+v: step %d dealt %v, another deck of the same seed %v", test, step, got, again)
			}
			all = append(all, got[1:]...)
		}
		same := 0
		for ; len(all) >= rows; all = all[rows:] {
			round := slices.Clone(all[:rows])
			if slices.Equal(round, rounds) {
				same++
			}
			rounds = slices.Clone(round)
			slices.Sort(round)
			for i, r := range round {
				if r != test.from+i {
					t.Fatalf("%+v: a round deals %v, want each row once", test, rounds)
				}
			}
		}
		if rows > 1 && same > 1 {
			t.Errorf("%+v: %d rounds are like the one before", test, same)
		}
	}
	a, b := deck{seed: 1, to: 300}, deck{seed: 2, to: 300}
	if slices.Equal(a.deal(nil, 0, 300), b.deal(nil, 0, 300)) {
		t.Error("two seeds deal the same")
	}
	empty := deck{seed: 1, from: 5}
	if got := empty.deal(nil, 3, 4); len(got) != 0 || empty.len() != 0 {
		t.Errorf("a deck without rows dealt %v", got)
	}
}

func TestProgress(t *testing.T) {
	p := progress{steps: 70, epochs: 7, chosen: 5, wrong: 12}
	b, err := p.AppendBinary([]byte("x"))
	if err != nil || b[0] != 'x' {
		t.Fatalf("AppendBinary = %q, %v", b, err)
	}
	var got progress
	if err := got.UnmarshalBinary(b[1:]); err != nil || got != p {
		t.Errorf("UnmarshalBinary(%q) gave %v, %v, want %v", b[1:], got, err, p)
	}
	for _, bad := range []string{
		"", "\n", "70 7 5\n", "70 7 5 x\n", "x 7 5 12\n", "70 7 5 12 1\n", "70.5 7 5 12\n", "99999999999999999999 7 5 12\n",
		"-1 7 5 12\n", "70 -1 5 12\n", "70 7 -1 12\n", "70 7 8 12\n",
	} {
		got := p
		if err := got.UnmarshalBinary([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "progress: ") || got != p {
			t.Errorf("UnmarshalBinary(%q) = %v and gave %v, want an error that names progress, and no change", bad, err, got)
		}
	}
}
