package main

import (
	"flag"
	"fmt"
	"io"

	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
)

type options struct {
	hidden int
	epochs int
	seed   uint64
	out    string
}

const about = `Anomaly trains a restricted Boltzmann machine on benign tumors, finds malignant
ones by their free energy, says why, and draws how well that goes. The picture
carries the mark of this program in a PNG text chunk; an existing file without it is
never overwritten unless it is empty.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("anomaly", flag.ContinueOnError)
	f.IntVar(&o.hidden, "hidden", 128, "number of hidden units, 1 to 10000")
	f.IntVar(&o.epochs, "epochs", 400, "most passes over the training rows; fewer if those held out stop it")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random, the choice of training rows too")
	f.StringVar(&o.out, "out", "anomaly.png", "PNG `file` to write")

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
	}
	return output.CheckPNGName(o.out)
}
