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
	"os"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "parquet:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	f := flag.NewFlagSet("parquet", flag.ContinueOnError)
	skip := f.String("skip", "", "`names` of columns to leave out, with commas between them")
	hidden := f.Int("hidden", 16, "number of hidden units, at least 1")
	epochs := f.Int("epochs", 20, "passes over the rows, at least 1")
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(w, "Usage: parquet [flags] FILE")
		f.SetOutput(w)
		f.PrintDefaults()
	}
	switch {
	case err != nil:
		return err
	case f.NArg() != 1:
		return fmt.Errorf("there are %d arguments, want the name of one file", f.NArg())
	case *hidden < 1 || *epochs < 1:
		return fmt.Errorf("-hidden is %d and -epochs %d, want at least 1", *hidden, *epochs)
	}
	var names []string
	if *skip != "" {
		names = strings.Split(*skip, ",")
	}
	t, err := read(f.Arg(0), names)
	if err != nil {
		return err
	}
	n, nv := t.Bits.Dims()
	fmt.Fprintf(w, "%d rows of %s\n", n, strings.Join(t.Columns, ", "))
	return train(t, rbm.NewRandom(nv, *hidden, 0.1, rand.NewPCG(1, 1)), *epochs, w)
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
