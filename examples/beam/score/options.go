package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm/examples/beam/job"
)

type options struct {
	model    string
	input    string
	output   string
	bad      string
	parts    int
	batch    int
	features bool
	local    bool
	verbose  bool
}

const about = `Score computes the free energy of binary rows under a restricted Boltzmann machine,
and what its hidden units make of them, on any engine of Apache Beam.

Flags, beside those of Beam, of which -runner names the engine:
`

// parse reads the flags, to which those of this program are added. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(f *flag.FlagSet, args []string, help io.Writer) (options, error) {
	var o options
	own := flag.NewFlagSet("score", flag.ContinueOnError)
	own.StringVar(&o.model, "model", "", "`path` of the model, as RBM.WriteTo writes it, local or gs://")
	own.StringVar(&o.input, "input", "", "`pattern` of the files of rows, one, in quotes: text or of package bitfile")
	own.StringVar(&o.output, "output", "", "`prefix` of the files to write, PREFIX-00000-of-00001.csv …")
	own.StringVar(&o.bad, "bad", "", "`prefix` of the files with the rows that cannot be read or violate a group of the model (default PREFIX-bad, with that of -output)")
	own.IntVar(&o.parts, "parts", 1, "number of files to write of either kind, 1 to 99999; one is in memory as a whole")
	own.IntVar(&o.batch, "batch", 256, "rows to compute at a time, 1 to 1000000")
	own.BoolVar(&o.features, "features", false, "write the probability of each hidden unit too, in single precision")
	own.BoolVar(&o.local, "local", false, "score in a loop, without Beam and its server; to the same bytes")
	own.BoolVar(&o.verbose, "v", false, "log what Beam does")
	if err := job.Parse(f, own, args, about, help); err != nil {
		return o, err
	}
	if o.bad == "" {
		o.bad = o.output + "-bad"
	}
	return o, nil
}

func (o options) check() error {
	switch {
	case o.model == "":
		return errors.New("-model is empty, want a path")
	case o.input == "":
		return errors.New("-input is empty, want a pattern")
	case o.output == "":
		return errors.New("-output is empty, want a prefix")
	case strings.ContainsAny(o.output, `*?[\`):
		return fmt.Errorf("-output is %q, want a name without any of *?[\\", o.output)
	case strings.ContainsAny(o.bad, `*?[\`):
		return fmt.Errorf("-bad is %q, want a name without any of *?[\\", o.bad)
	case filepath.Clean(o.bad) == filepath.Clean(o.output):
		return fmt.Errorf("-bad is %q, as is -output; want another prefix", o.bad)
	case o.parts < 1 || o.parts > 99999:
		return fmt.Errorf("-parts is %d, want 1 to 99999", o.parts)
	case o.batch < 1 || o.batch > 1e6:
		return fmt.Errorf("-batch is %d, want 1 to 1000000", o.batch)
	}
	return nil
}
