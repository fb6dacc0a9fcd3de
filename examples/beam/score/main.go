// Score computes the free energy of binary rows under a restricted Boltzmann machine,
// and what its hidden units make of them, on any engine of Apache Beam.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/mnist/cli"
)

func main() {
	cli.Main("score", func(args []string, help io.Writer) (options, error) {
		flag.CommandLine.Init("score", flag.ContinueOnError) // it has the flags of Beam
		o, err := parse(flag.CommandLine, args, help)
		if err != nil {
			return o, err
		}
		beam.Init() // from which a worker, which has no flags of ours, does not return
		return o, o.check()
	}, run)
}

// run scores all rows.
func run(o options, w io.Writer) error {
	if !o.verbose {
		slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	}
	ctx := context.Background()
	m, err := load(ctx, o.model) // each worker does so again: here it is for its size
	if err != nil {
		return fmt.Errorf("-model: %w", err)
	}
	paths, err := files.List(ctx, o.input)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no file matches %s", o.input)
	}
	if err != nil {
		return fmt.Errorf("-input: %w", err)
	}
	nv, nh := m.Dims()
	p, s := beam.NewPipelineWithRoot()
	score(s, o, nv, nh)
	job, err := beamx.RunWithMetrics(ctx, p)
	if err != nil {
		return err
	}
	if job == nil { // as of an engine that only draws the job
		return nil
	}
	good, bad := rows.Counts(job)
	fmt.Fprintf(w, "%d rows scored: %s\n", good, partPath(o.output, "*", o.parts))
	fmt.Fprintf(w, "%d bad rows: %s\n", bad, o.bad)
	return nil
}
