// Score computes the free energy of binary rows under a restricted Boltzmann machine,
// and what its hidden units make of them, on any engine of Apache Beam.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/gorbm/rbm/examples/beam/job"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/internal/cli"
)

func main() {
	flag.CommandLine.Init("score", flag.ContinueOnError) // it has the flags of Beam
	cli.Main("score", func(args []string, help io.Writer) (options, error) {
		o, err := parse(flag.CommandLine, args, help)
		if err != nil {
			return o, err
		}
		job.Init(o.verbose)
		return o, o.check()
	}, func(o options, w io.Writer) error { return run(context.Background(), o, w) })
}

// run scores all rows.
func run(ctx context.Context, o options, w io.Writer) error {
	m, err := load(ctx, o.model) // each worker does so again: here it is for its shape
	if err != nil {
		return fmt.Errorf("-model: %w", err)
	}
	if _, err := rows.Files(ctx, o.input); err != nil {
		return fmt.Errorf("-input: %w", err)
	}
	of := shapeOf(m)
	scores, bads := o.tables(of.nh)
	for _, t := range []rows.Table{scores, bads} {
		if err := t.Check(ctx); err != nil {
			return fmt.Errorf("-parts: %w; remove it, or give another -output", err)
		}
	}
	how := o.pipeline
	if o.local {
		how = o.loop
	}
	good, bad, err := how(ctx, of)
	if err != nil {
		return err
	}
	if good == 0 && bad > 0 {
		return fmt.Errorf("no row can be scored, %d are bad: %s", bad, bads.Pattern())
	}
	fmt.Fprintf(w, "%d rows scored: %s\n%d bad rows: %s\n", good, scores.Pattern(), bad, bads.Pattern())
	return nil
}
