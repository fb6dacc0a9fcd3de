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
	f.StringVar(&o.pixels, "pixels", "drawn", "`drawn` once, a gray level being the probability of a one, or `above` 127")
	f.Uint64Var(&o.drawSeed, "draw", 1, "`seed` of the pixels that are drawn")
	f.IntVar(&o.hidden, "hidden", 500, "hidden `units`")
	f.IntVar(&o.epochs, "epochs", 100, "passes over the training rows")
	f.IntVar(&o.batch, "batch", 100, "`rows` of a step")
	f.IntVar(&o.chains, "chains", 0, "persistent chains; 0: as many as rows of a step")
	f.IntVar(&o.k, "k", 1, "Gibbs sweeps a step")
	f.StringVar(&o.sampler, "sampler", "pcd", "`pcd`, `cd` or `ptt`")
	f.Float64Var(&o.rate, "rate", 0.02, "`rate` of the first step")
	f.StringVar(&o.schedule, "schedule", "linear", "how the rate falls to 0: `linear`, `cosine`, `late` (linear over the last half)")
	f.Float64Var(&o.decay, "decay", 0, "L2 `decay` of the weights")
	f.Float64Var(&o.momentum, "momentum", 0, "`momentum`")
	f.Float64Var(&o.std, "std", 0.03, "standard `deviation` of the first weights")
	f.BoolVar(&o.plain, "plain", false, "the ordinary gradient in place of the centered one")
	f.BoolVar(&o.single, "single", false, "sums in single precision")
	f.IntVar(&o.held, "held", 10000, "the last so many `rows` of the 60,000 are for validation, 0: train on all")
	f.BoolVar(&o.test, "test", false, "judge the test rows too, at the end")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the model and of its training")
	f.IntVar(&o.temperatures, "temperatures", 2000, "`number` of temperatures of annealed importance sampling")
	f.StringVar(&o.out, "out", "", "`file` to save the model to")
	return o.run
}}

// A mnist is a model of MNIST and its training.
type mnist struct {
	dir, pixels, sampler, schedule, out    string
	drawSeed, seed                         uint64
	hidden, epochs, batch, chains, k, held int
	temperatures                           int
	rate, decay, momentum, std             float64
	plain, single, test                    bool
}

func (o *mnist) run(ctx context.Context, w io.Writer) error {
	train, held, test, err := o.rows()
	if err != nil {
		return err
	}
	t, err := o.training(train, held)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := t.Train(ctx, o.epochs); err != nil {
		return err
	}
	fmt.Fprintf(w, "trained %d×%d for %d epochs, %d steps, in %.1f minutes\n", idx.Pixels, o.hidden, o.epochs, t.Steps(), time.Since(begin).Minutes())
	if o.out != "" {
		if err := save(o.out, t.Model); err != nil {
			return err
		}
	}
	sets := []struct {
		name string
		rows *rbm.Bits
	}{{"validation", held}, {"test", nil}, {"training", nil}}
	if o.test {
		sets[1].rows, sets[2].rows = test, train.Slice(0, 10000)
	}
	for _, s := range sets {
		if s.rows == nil {
			continue
		}
		begin = time.Now()
		l, err := t.Model.LogLikelihood(ctx, s.rows, rbm.NewAIS(100, o.temperatures, rand.NewPCG(o.seed, 3)))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s rows: %v (%.1f minutes)\n", s.name, l, time.Since(begin).Minutes())
	}
	return nil
}

// rows returns the rows to train on, those for validation, or nil, and those to test with.
func (o *mnist) rows() (train, held, test *rbm.Bits, err error) {
	a, b, err := idx.Images(o.dir)
	if err != nil {
		return nil, nil, nil, err
	}
	train, test = a.Images, b.Images
	switch o.pixels {
	case "above":
	case "drawn":
		train, test = drawn(a.Grey, o.drawSeed, 1), drawn(b.Grey, o.drawSeed, 2)
	default:
		return nil, nil, nil, fmt.Errorf("-pixels is %q, want drawn or above", o.pixels)
	}
	n, _ := train.Dims()
	if o.held < 0 || o.held >= n {
		return nil, nil, nil, fmt.Errorf("-held is %d, want fewer than the %d rows", o.held, n)
	}
	if o.held > 0 {
		held = train.Slice(n-o.held, n)
		train = train.Slice(0, n-o.held)
	}
	return train, held, test, nil
}

// drawn returns bits, each a one with the probability level/255.
func drawn(levels []byte, seed, set uint64) *rbm.Bits {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], set)
	uniform := rand.New(rand.NewChaCha8(key))
	b := rbm.NewBits(len(levels)/idx.Pixels, idx.Pixels)
	for i, level := range levels {
		if uniform.IntN(255) < int(level) {
			b.SetBit(i/idx.Pixels, i%idx.Pixels, true)
		}
	}
	return b
}

// training returns a Trainer of which no step is taken.
func (o *mnist) training(train, held *rbm.Bits) (*rbm.Trainer, error) {
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(idx.Pixels, o.hidden, o.std, src)
	m.FitVisibleBias(train)
	chains := o.chains
	if chains == 0 {
		chains = o.batch
	}
	var s rbm.Sampler
	switch o.sampler {
	case "pcd":
		s = rbm.NewPCD(chains, o.k, src)
	case "cd":
		s = rbm.NewCD(o.k, src)
	case "ptt":
		ptt := rbm.NewPTT(chains, o.k, nil, src)
		ptt.MinSwapRate = 0.1
		s = ptt
	default:
		return nil, fmt.Errorf("-sampler is %q, want pcd, cd or ptt", o.sampler)
	}
	t := rbm.NewTrainer(m, train, s, src)
	t.BatchSize = o.batch
	t.Single = o.single
	t.SGD.L2, t.SGD.Momentum = o.decay, o.momentum
	if o.plain {
		t.Centering = nil
	}
	n, _ := train.Dims()
	steps := o.epochs * ((n + o.batch - 1) / o.batch)
	switch o.schedule {
	case "linear":
		t.Schedule = rbm.Linear(o.rate, 0, steps)
	case "cosine":
		t.Schedule = rbm.Cosine(o.rate, 0, steps)
	case "late":
		fall := rbm.Linear(o.rate, 0, steps-steps/2)
		t.Schedule = func(step int) float64 { return fall(max(0, step-steps/2)) }
	default:
		return nil, fmt.Errorf("-schedule is %q, want linear, cosine or late", o.schedule)
	}
	if held != nil {
		t.HeldOut = held
	}
	t.ReportEvery = max(1, steps/20)
	t.OnReport = func(r rbm.Report) error {
		fmt.Fprintf(os.Stderr, "%v\n", r)
		for _, warning := range r.Warnings {
			fmt.Fprintln(os.Stderr, warning)
		}
		return nil
	}
	return t, nil
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
