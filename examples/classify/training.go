package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const offsetRows = 1000 // whose means are the offsets of an epoch's steps

// A training is a classifier and all that its next step depends on.
type training struct {
	o          options
	d          data
	classifier rbm.Classifier
	sampler    interface {
		rbm.Sampler
		checkpoint.State
	}
	centering rbm.Centering
	sgd       rbm.SGD
	schedule  rbm.Schedule
	chosen    *rbm.RBM // the best model so far, by rows held out
	progress  progress

	labeled, unlabeled deck
	drawSeed           uint64 // of pixels
	gradient           rbm.Gradient
	rows               []int
	labels             []int
	batch              *rbm.Bits
}

// newTraining returns a training of which nothing is done.
func newTraining(o options, d data) *training {
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(idx.Pixels+idx.Classes, o.hidden, 0.01, src)
	k, _ := o.kindOf()
	t := &training{
		o: o,
		d: d,
		classifier: rbm.Classifier{
			Model:          m,
			Classes:        idx.Classes,
			Discriminative: k.discriminative,
			Generative:     o.weight,
			Unlabeled:      o.unlabeled,
		},
		sgd:       rbm.SGD{Momentum: o.momentum},
		chosen:    m.Clone(),
		labeled:   deck{seed: src.Uint64(), to: len(d.labels)},
		unlabeled: deck{seed: src.Uint64(), from: len(d.labels)},
		drawSeed:  src.Uint64(),
	}
	if o.unlabeled > 0 {
		t.unlabeled.to, _ = d.train.Dims()
	}
	t.gradient.Single = true
	m.OneHot = []rbm.Group{{From: idx.Pixels, To: idx.Pixels + idx.Classes}}
	chains := rbm.NewChains(src)
	if o.sampler == "cd" {
		t.sampler = &rbm.CD{K: 1, Chains: chains}
	} else {
		chains.StartRandom(m, o.batch)
		t.sampler = &rbm.PCD{K: 1, Chains: chains}
	}
	t.schedule = rbm.Linear(o.rate, 0, o.epochs*t.epochSteps())
	return t
}

// epochSteps is the number of steps in which all rows have their turn; those with
// labels have it more than once where they are the fewer.
func (t *training) epochSteps() int {
	rows := max(t.labeled.len(), t.unlabeled.len())
	return (rows + t.o.batch - 1) / t.o.batch
}

func (t *training) describe(w io.Writer) {
	o := t.o
	fmt.Fprintf(w, "%s: %d hidden units, %d labeled rows", o.kind, o.hidden, t.labeled.len())
	if t.unlabeled.len() > 0 {
		fmt.Fprintf(w, ", %d without a label", t.unlabeled.len())
	}
	if t.d.held != nil {
		fmt.Fprintf(w, ", %d held out", len(t.d.held.Labels))
	}
	fmt.Fprintf(w, ", batches of %d, rate %v, momentum %v", o.batch, o.rate, o.momentum)
	if o.weight > 0 {
		fmt.Fprintf(w, ", generative weight %v", o.weight)
	}
	if o.sparsity > 0 {
		fmt.Fprintf(w, ", sparsity %v", o.sparsity)
	}
	fmt.Fprintln(w)
}

func (t *training) load(dir keep.Folder) (found bool, err error) {
	return dir.Load(t.settings(), t.parts()...)
}

func (t *training) parts() []checkpoint.State {
	return []checkpoint.State{t.classifier.Model, t.chosen, &t.sgd, t.sampler, &t.progress}
}

// settings are what must be the same to go on.
func (t *training) settings() keep.Settings {
	o := t.o
	n, _ := t.d.train.Dims()
	return keep.Settings{
		{"-kind", o.kind},
		{"-hidden", o.hidden},
		{"-batch", o.batch},
		{"-rate", o.rate},
		{"-momentum", o.momentum},
		{"-plain", o.plain},
		{"-threshold", o.threshold},
		{"-weight", o.weight},
		{"-sparsity", o.sparsity},
		{"-sampler", o.sampler},
		{"-labeled", o.labeled},
		{"-unlabeled", o.unlabeled},
		{"-rows", n + o.held},
		{"-held", o.held},
		{"-seed", o.seed},
		{"training images of checksum", fmt.Sprintf("%08x", t.d.trainCRC)},
		{"test images of checksum", fmt.Sprintf("%08x", t.d.test.CRC)},
	}
}

// run trains, prints a line an epoch, and saves a checkpoint after each.
func (t *training) run(dir keep.Folder, w io.Writer) error {
	fmt.Fprintf(w, "\n           errors of      log p(y|x)\n")
	fmt.Fprintf(w, "epoch  training   held-out  held-out    rows/s\n")
	for t.progress.epochs < t.o.epochs {
		if t.o.patience > 0 && t.progress.epochs-t.progress.chosen >= t.o.patience {
			fmt.Fprintf(w, "no better epoch in %d\n", t.o.patience)
			break
		}
		begin := time.Now()
		for range t.epochSteps() {
			if err := t.step(); err != nil {
				return err
			}
		}
		elapsed := time.Since(begin)
		t.progress.epochs++
		t.report(w, float64(t.epochSteps()*len(t.rows))/elapsed.Seconds())
		if err := dir.Save(t.settings(), t.parts()...); err != nil {
			return err
		}
	}
	return nil
}

// step trains on one minibatch.
func (t *training) step() error {
	t.rows = t.labeled.deal(t.rows[:0], t.progress.steps, t.o.batch)
	t.labels = t.labels[:0]
	for _, r := range t.rows {
		t.labels = append(t.labels, t.d.labels[r])
	}
	t.rows = t.unlabeled.deal(t.rows, t.progress.steps, t.o.batch)
	for len(t.labels) < len(t.rows) {
		t.labels = append(t.labels, rbm.NoLabel)
	}
	t.sgd.Rate = t.schedule(t.progress.steps)
	m := t.classifier.Model
	t.classifier.Gradient(&t.gradient, t.minibatch(), t.labels, t.sampler)
	if !t.o.plain {
		if t.centering.V == nil || t.progress.steps%t.epochSteps() == 0 {
			t.setOffsets()
		}
		// A copy, as those of t stay for the epoch.
		c := rbm.Centering{V: slices.Clone(t.centering.V), H: slices.Clone(t.centering.H)}
		c.Center(&t.gradient)
	}
	t.sgd.Step(m, &t.gradient)
	if t.o.sparsity > 0 {
		for j := range t.o.hidden {
			m.C.SetVec(j, m.C.AtVec(j)-t.o.sparsity*t.sgd.Rate)
		}
	}
	t.progress.steps++
	if !(mat.Norm(m.C, 1) <= 1e300) { // NaN, as all of it is if a parameter is
		return fmt.Errorf("after step %d the model is not finite; is -rate %v too high?", t.progress.steps, t.o.rate)
	}
	return nil
}

// minibatch returns the rows of a step.
func (t *training) minibatch() *rbm.Bits {
	if n := len(t.rows); t.batch == nil {
		t.batch = rbm.NewBits(n, idx.Pixels)
	}
	if t.o.threshold {
		return t.d.train.Gather(t.batch, t.rows)
	}
	t.d.draw(t.batch, t.rows, rand.NewPCG(t.drawSeed, uint64(t.progress.steps)))
	return t.batch
}

// setOffsets sets the offsets of the units to their means over some rows.
func (t *training) setOffsets() {
	n := min(offsetRows, t.labeled.len())
	v := t.classifier.Join(nil, t.d.train.Slice(0, n), t.d.labels[:n])
	t.centering.V, t.centering.H = columnMeans(v), columnMeans(t.classifier.Model.HiddenProbs(nil, v))
}

func columnMeans(a mat.Matrix) []float64 {
	_, c := a.Dims()
	means := make([]float64, c)
	for i := range means {
		means[i] = stat.Mean(mat.Col(nil, i, a), nil)
	}
	return means
}

// report prints the errors, and keeps the model if it is the best one.
func (t *training) report(w io.Writer, speed float64) {
	training := judge(&t.classifier, t.inputs(t.d.watched), t.d.watched)
	held := "         -         -"
	if t.d.held != nil {
		s := judge(&t.classifier, t.inputs(*t.d.held), *t.d.held)
		held = fmt.Sprintf("%8.2f %% %9.4f", s.errorRate(), s.logProb)
		if t.progress.chosen == 0 || s.wrong < t.progress.wrong {
			t.progress.chosen, t.progress.wrong = t.progress.epochs, s.wrong
			copyModel(t.chosen, t.classifier.Model)
		}
	}
	fmt.Fprintf(w, "%5d %7.2f %% %s %9.0f\n", t.progress.epochs, training.errorRate(), held, speed)
}

// inputs returns the digits of s as the classifier is judged by them.
func (t *training) inputs(s idx.Set) mat.Matrix {
	if t.o.threshold {
		return s.Images
	}
	return levels(s.Gray)
}

// confusion judges in the end.
func (t *training) confusion() *confusion {
	if t.o.test {
		return confuse(t.best(), t.inputs(t.d.test), t.d.test)
	}
	f := confuse(t.best(), t.inputs(*t.d.held), *t.d.held)
	f.of = "held-out"
	return f
}

// best returns the classifier to judge in the end.
func (t *training) best() *rbm.Classifier {
	c := t.classifier
	if t.progress.chosen > 0 {
		c.Model = t.chosen
	}
	return &c
}

func copyModel(dst, m *rbm.RBM) {
	dst.W.Copy(m.W)
	dst.B.CopyVec(m.B)
	dst.C.CopyVec(m.C)
}

// A deck is rows [from, to), dealt out shuffled, again and again.
type deck struct {
	seed     uint64
	from, to int
	round    int // of order
	order    []int
}

func (d *deck) len() int { return max(0, d.to-d.from) }

// deal appends the rows of a step, n or all there are.
func (d *deck) deal(rows []int, step, n int) []int {
	n = min(n, d.len())
	for at := step * n; at < (step+1)*n; at++ {
		if round := at / d.len(); d.order == nil || round != d.round {
			d.round, d.order = round, rand.New(rand.NewPCG(d.seed, uint64(round))).Perm(d.len())
		}
		rows = append(rows, d.from+d.order[at%d.len()])
	}
	return rows
}

// progress is how far a training is.
type progress struct {
	steps, epochs int
	chosen        int // epochs before the best model, by rows held out; 0: none yet
	wrong         int // rows held out that it gets wrong
}

var _ checkpoint.State = (*progress)(nil)

// AppendBinary appends a line.
func (p *progress) AppendBinary(b []byte) ([]byte, error) {
	return fmt.Appendln(b, p.steps, p.epochs, p.chosen, p.wrong), nil
}

// UnmarshalBinary sets p to what AppendBinary wrote.
func (p *progress) UnmarshalBinary(data []byte) error {
	var q progress
	if _, err := fmt.Sscanln(string(data), &q.steps, &q.epochs, &q.chosen, &q.wrong); err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	again, _ := q.AppendBinary(nil)
	if string(again) != string(data) || q.steps < 0 || q.epochs < 0 || q.chosen < 0 || q.chosen > q.epochs || q.wrong < 0 {
		return errors.New("progress: numbers that cannot be")
	}
	*p = q
	return nil
}
