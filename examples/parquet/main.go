// Parquet trains a restricted Boltzmann machine on the boolean and integer columns of a
// Parquet file or of an Arrow IPC file, nulls being missing values.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/examples/internal/cli"
)

func main() { cli.Main("parquet", parse, run) }

type options struct {
	file   string
	skip   []string // columns
	hidden int
	epochs int
}

// parse reads the flags and the name of the file. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("parquet", flag.ContinueOnError)
	f.Func("skip", "`names` of columns to leave out, with commas between them", func(names string) error {
		if o.skip = nil; names != "" {
			o.skip = strings.Split(names, ",")
		}
		return nil
	})
	f.IntVar(&o.hidden, "hidden", 16, "number of hidden units, at least 1")
	f.IntVar(&o.epochs, "epochs", 20, "passes over the rows, at least 1")
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(help, "Usage: parquet [flags] FILE")
		f.SetOutput(help)
		f.PrintDefaults()
	}
	switch {
	case err != nil:
		return o, err
	case f.NArg() != 1:
		return o, fmt.Errorf("there are %d arguments, want the name of one file", f.NArg())
	case o.hidden < 1:
		return o, fmt.Errorf("-hidden is %d, want at least 1", o.hidden)
	case o.epochs < 1:
		return o, fmt.Errorf("-epochs is %d, want at least 1", o.epochs)
	}
	o.file = f.Arg(0)
	return o, nil
}

// run reads the file and trains a model.
func run(o options, w io.Writer) error {
	t, err := read(o.file, o.skip)
	if err != nil {
		return err
	}
	n, nv := t.Bits.Dims()
	fmt.Fprintf(w, "%d rows of %s\n", n, strings.Join(t.Columns, ", "))
	return train(t, rbm.NewRandom(nv, o.hidden, 0.1, rand.NewPCG(1, 1)), o.epochs, w)
}

// train trains m on what is known of t, and reports how it goes.
func train(t *bitio.Table, m *rbm.RBM, epochs int, w io.Writer) error {
	m.B = m.FittedBias(t.Bits, nil, t.Observed)
	trainer := rbm.NewTrainer(m, t.Bits, rbm.NewPCD(100, 1, rand.NewPCG(2, 2)), rand.NewPCG(3, 3))
	trainer.Observed = t.Observed
	trainer.SGD.Rate = 0.05
	trainer.OnReport = func(r rbm.Report) error {
		_, err := fmt.Fprintln(w, r)
		return err
	}
	return trainer.Train(context.Background(), epochs)
}
