package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
)

type options struct {
	hidden  int
	epochs  int
	rate    float64
	sampler string
	k       int
	seed    uint64
	out     string
}

const about = `Digits trains a restricted Boltzmann machine on handwritten digits and writes a
picture of what it has learned. A picture carries the mark of this program in a
PNG text chunk; an existing file without it is never overwritten unless it
is empty.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("digits", flag.ContinueOnError)
	f.IntVar(&o.hidden, "hidden", 128, "number of hidden units, 1 to 10000")
	f.IntVar(&o.epochs, "epochs", 50, "number of passes over the training digits")
	f.Float64Var(&o.rate, "rate", 0.2, "learning rate at the start, up to 10; it falls linearly to 0")
	f.StringVar(&o.sampler, "sampler", "pcd", "negative phase: cd or pcd")
	f.IntVar(&o.k, "k", 1, "number of Gibbs sweeps an update")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random but the choice of held-out digits")
	f.StringVar(&o.out, "out", "digits.png", "PNG `file` to write")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o options) check() error {
	switch {
	case o.hidden < 1 || o.hidden > 10000:
		return fmt.Errorf("-hidden is %d, want 1 to 10000", o.hidden)
	case o.epochs < 1:
		return fmt.Errorf("-epochs is %d, want at least 1", o.epochs)
	case !(o.rate > 0 && o.rate <= 10):
		return fmt.Errorf("-rate is %v, want more than 0 and at most 10", o.rate)
	case o.sampler != "cd" && o.sampler != "pcd":
		return fmt.Errorf("-sampler is %q, want cd or pcd", o.sampler)
	case o.k < 1:
		return fmt.Errorf("-k is %d, want at least 1", o.k)
	}
	return output.CheckPNGName(o.out)
}
