package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
)

var mnistKind = kind{"mnist", "the likelihood of MNIST, by a model trained on it", func(f *flag.FlagSet) action {
	o := new(mnist)
	f.StringVar(&o.dir, "data", "", "`folder` of the four files of MNIST; empty: that of a Go module")
	f.StringVar(&o.pixels, "pixels", "drawn", "`how` gray levels become bits: drawn once by these probabilities; redrawn, where the rows to train on are drawn again each epoch, and the others once; above 127")
	f.Uint64Var(&o.drawSeed, "draw", 1, "`seed` of the pixels that are drawn")
	whole(f, &o.hidden, "hidden", 500, 1, "hidden `units`")
	whole(f, &o.epochs, "epochs", 100, 1, "passes over the training rows")
	whole(f, &o.batch, "batch", 100, 1, "`rows` of a step")
	whole(f, &o.chains, "chains", 0, 0, "persistent chains; 0: as many as rows of a step")
	whole(f, &o.k, "k", 1, 1, "Gibbs sweeps a step")
	f.StringVar(&o.sampler, "sampler", "pcd", "`name` of the sampler: pcd, cd, ptt, or rdm, chains that begin anew each step")
	real(f, &o.rate, "rate", 0.02, "`rate` of the first step")
	f.StringVar(&o.schedule, "schedule", "linear", "`how` the rate falls to 0: linear, cosine, late (linear over the last half); or constant")
	real(f, &o.decay, "decay", 0, "L2 `decay` of the weights")
	real(f, &o.momentum, "momentum", 0, "`momentum`")
	real(f, &o.std, "std", 0.03, "standard `deviation` of the first weights")
	f.BoolVar(&o.plain, "plain", false, "the ordinary gradient in place of the centered one")
	f.BoolVar(&o.enhanced, "enhanced", false, "the enhanced gradient")
	f.BoolVar(&o.single, "single", false, "sums in single precision")
	whole(f, &o.held, "held", 10000, 0, "the last so many `rows` of the 60,000 are for validation, 0: train on all")
	f.BoolVar(&o.test, "test", false, "judge the test rows too, at the end")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the model and of its training")
	whole(f, &o.temperatures, "temperatures", 2000, 1, "`number` of temperatures of annealed importance sampling")
	f.StringVar(&o.out, "out", "", "`file` to save the model to")
	f.StringVar(&o.model, "model", "", "`file` of a model to judge in place of one that is trained")
	return o.run
}}

// A mnist is a model of MNIST and its training.
type mnist struct {
	dir, pixels, sampler, schedule, out, model string
	drawSeed, seed                             uint64
	hidden, epochs, batch, chains, k, held     int
	temperatures                               int
	rate, decay, momentum, std                 float64
	plain, enhanced, single, test              bool

	// Of the ways to train.
	quiet      bool
	components int     // principal ones, along which the first weights are; 0: none
	adam       bool    // in place of SGD
	average    float64 // last part of the training, over which parameters are averaged
}

func (o *mnist) run(ctx context.Context, w io.Writer) error {
	d, err := o.data()
	if err != nil {
		return err
	}
	begin := time.Now()
	m := new(rbm.RBM)
	if o.model != "" {
		err = load(o.model, m)
	} else if m, err = o.train(ctx, d); err == nil {
		fmt.Fprintf(w, "trained %d×%d for %d epochs in %.1f minutes, %.1f of processor time\n",
			idx.Pixels, o.hidden, o.epochs, time.Since(begin).Minutes(), processorTime().Minutes())
	}
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := save(o.out, m); err != nil {
			return err
		}
	}
	sets := []struct {
		name string
		rows *rbm.Bits
	}{{"validation", d.held}, {"test", nil}, {"training", nil}}
	if o.test {
		sets[1].rows = d.test
		if o.model == "" {
			sets[2].rows = d.train
		}
	}
	for _, s := range sets {
		if s.rows == nil {
			continue
		}
		begin = time.Now()
		l, err := m.LogLikelihood(ctx, s.rows, rbm.NewAIS(100, o.temperatures, rand.NewPCG(o.seed, 3)))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s rows: %v (%.1f minutes)\n", s.name, l, time.Since(begin).Minutes())
	}
	return nil
}

// data are rows to train on, rows for validation, or nil, and rows to test with.
type data struct {
	train, held, test *rbm.Bits
	redraw            func() // draws those to train on again, or nil
}

func (o *mnist) data() (d data, err error) {
	train, test, err := idx.Images(o.dir)
	if err != nil {
		return d, err
	}
	n := rows(train.Images)
	if o.held < 0 || o.held >= n {
		return d, fmt.Errorf("-held is %d, want fewer than the %d rows", o.held, n)
	}
	d.train, d.test = train.Images, test.Images
	switch o.pixels {
	case "above":
		d.held = d.train.Slice(n-o.held, n)
		d.train = d.train.Slice(0, n-o.held)
	case "drawn", "redrawn":
		cut := (n - o.held) * idx.Pixels
		x := newDraw(train.Gray[:cut], o.drawSeed, 1)
		d.train, d.test = x.bits, newDraw(test.Gray, o.drawSeed, 2).bits
		if o.held > 0 {
			d.held = newDraw(train.Gray[cut:], o.drawSeed, 3).bits
		}
		if o.pixels == "redrawn" {
			d.redraw = x.again
		}
	default:
		return d, fmt.Errorf("-pixels is %q, want drawn, redrawn or above", o.pixels)
	}
	return d, nil
}

// rows returns how many b has.
func rows(b *rbm.Bits) int {
	n, _ := b.Dims()
	return n
}

// A draw makes bits of gray levels: a one with the probability level/255.
type draw struct {
	bits    *rbm.Bits
	pixels  []int // that are neither black nor white
	levels  []byte
	uniform *rand.ChaCha8
}

func newDraw(levels []byte, seed, set uint64) *draw {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], set)
	d := &draw{bits: rbm.NewBits(len(levels)/idx.Pixels, idx.Pixels), uniform: rand.NewChaCha8(key)}
	for i, level := range levels {
		switch level {
		case 0:
		case 255:
			d.bits.SetBit(i/idx.Pixels, i%idx.Pixels, true)
		default:
			d.pixels, d.levels = append(d.pixels, i), append(d.levels, level)
		}
	}
	d.again()
	return d
}

// again draws all of the bits again.
func (d *draw) again() {
	var u uint64
	left := 0 // bytes of u
	for k, i := range d.pixels {
		x := byte(255)
		for x == 255 {
			if left == 0 {
				u, left = d.uniform.Uint64(), 8
			}
			x, u, left = byte(u), u>>8, left-1
		}
		d.bits.SetBit(i/idx.Pixels, i%idx.Pixels, x < d.levels[k])
	}
}

// train returns a model that has been trained.
func (o *mnist) train(ctx context.Context, d data) (*rbm.RBM, error) {
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(idx.Pixels, o.hidden, o.std, src)
	m.FitVisibleBias(d.train)
	if o.components > 0 {
		if err := alongComponents(m, d.train.Slice(0, min(5000, rows(d.train))), o.components, o.std, src); err != nil {
			return nil, err
		}
	}
	s, err := o.newSampler(src)
	if err != nil {
		return nil, err
	}
	t := rbm.NewTrainer(m, d.train, s, src)
	t.BatchSize = o.batch
	t.Single = o.single
	t.SGD.L2, t.SGD.Momentum = o.decay, o.momentum
	t.Centering.Enhanced = o.enhanced
	if o.plain {
		t.Centering = nil
	}
	steps := o.epochs * ((rows(d.train) + o.batch - 1) / o.batch)
	switch o.schedule {
	case "linear":
		t.Schedule = rbm.Linear(o.rate, 0, steps)
	case "cosine":
		t.Schedule = rbm.Cosine(o.rate, 0, steps)
	case "late":
		fall := rbm.Linear(o.rate, 0, steps-steps/2)
		t.Schedule = func(step int) float64 { return fall(max(0, step-steps/2)) }
	case "constant":
		t.Schedule = func(int) float64 { return o.rate }
	default:
		return nil, fmt.Errorf("-schedule is %q, want linear, cosine, late or constant", o.schedule)
	}
	if o.adam {
		return m, o.trainByAdam(ctx, t, d, steps)
	}
	if d.held != nil && !o.quiet {
		t.HeldOut = d.held
	}
	every := max(1, o.epochs/20) // epochs
	var mean average
	if o.average > 0 {
		t.ReportEvery = 50
	}
	redrawn := 0 // epochs
	t.OnReport = func(r rbm.Report) error {
		if d.redraw != nil && r.Epoch > redrawn {
			d.redraw()
			redrawn = r.Epoch
		}
		if o.average > 0 && float64(r.Step) > (1-o.average)*float64(steps) {
			mean.add(m)
		}
		if o.quiet || r.Epoch%every > 0 {
			return nil
		}
		fmt.Fprintf(os.Stderr, "%v\n", r)
		for _, warning := range r.Warnings {
			fmt.Fprintln(os.Stderr, warning)
		}
		return nil
	}
	if err := t.Train(ctx, o.epochs); err != nil {
		return nil, err
	}
	if mean.n > 0 {
		return mean.mean, nil
	}
	return m, nil
}

// newSampler returns the sampler of a training.
func (o *mnist) newSampler(src rand.Source) (rbm.Sampler, error) {
	chains := o.chains
	if chains == 0 {
		chains = o.batch
	}
	switch o.sampler {
	case "pcd":
		return rbm.NewPCD(chains, o.k, src), nil
	case "cd":
		return rbm.NewCD(o.k, src), nil
	case "ptt":
		s := rbm.NewPTT(chains, o.k, nil, src)
		s.MinSwapRate = 0.1
		return s, nil
	case "rdm":
		return &rdm{n: chains, k: o.k, chains: rbm.NewChains(src)}, nil
	}
	return nil, fmt.Errorf("-sampler is %q, want pcd, cd, ptt or rdm", o.sampler)
}

// save writes a model to a file, which the command rbm reads.
func save(name string, m *rbm.RBM) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := m.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// load reads a model that save has written.
func load(name string, m *rbm.RBM) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := m.ReadFrom(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if nv, _ := m.Dims(); nv != idx.Pixels {
		return fmt.Errorf("%s: the model has %d visible units, want %d", name, nv, idx.Pixels)
	}
	return nil
}
