// Train trains a restricted Boltzmann machine on rows that are spread over the shards of
// an Apache Beam pipeline. It can be stopped at any time and goes on from the last
// round that is complete, to the same bits.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/job"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
	"github.com/gorbm/rbm/examples/mnist/keep"
)

const program output.Program = "beam/train"

const annealingRuns = 100 // of annealed importance sampling, from either side

func main() {
	flag.CommandLine.Init("train", flag.ContinueOnError)
	cli.Main("train", func(args []string, help io.Writer) (options, error) {
		o, err := parse(flag.CommandLine, args, help)
		if err != nil {
			return o, err
		}
		job.Init(o.verbose)
		return o, o.check()
	}, func(o options, w io.Writer) error { return run(context.Background(), o, w) })
}

// run makes the rounds that are left.
func run(ctx context.Context, o options, w io.Writer) error {
	var test *rbm.Bits
	if o.test != "" { // now, as it may fail
		var err error
		if test, err = rows.Load(ctx, o.test, o.Columns, o.oneHot()...); err != nil {
			return fmt.Errorf("-test: %w", err)
		}
	}
	name, err := o.Settings.find(ctx, o.work)
	if err != nil {
		return err
	}
	found := name != ""
	if !found {
		if name, err = o.pack(ctx, w); err != nil {
			return err
		}
		if err := o.Settings.save(ctx, o.work, name); err != nil {
			return err
		}
	}
	folder := o.work.training(name)
	last, err := folder.last(ctx)
	if err != nil {
		return err
	}
	if found {
		fmt.Fprintln(w, keep.Progress(string(folder), last, o.rounds, "rounds"))
	}
	r := Round{Work: folder, Settings: o.Settings, Number: last}
	for ; r.Number < o.rounds; r.Number++ {
		began := time.Now()
		if err := o.round(ctx, r, w); err != nil {
			return err
		}
		if err := folder.clean(ctx, r.Number); err != nil {
			return err
		}
		fmt.Fprintf(w, "round %d: %.2f s\n", r.Number+1, time.Since(began).Seconds())
	}
	m, err := r.load(ctx)
	if err != nil {
		return err
	}
	b, err := m.rbm.MarshalBinary()
	if err == nil {
		err = files.Write(ctx, o.work.model(), b)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: the model of %d rounds\n", o.work.model(), r.Number)
	if test != nil {
		return o.judge(ctx, &m.rbm, test, w)
	}
	return nil
}

// round makes one round, in as many attempts as it takes.
func (o options) round(ctx context.Context, r Round, w io.Writer) error {
	return o.try(ctx, fmt.Sprintf("round %d", r.Number+1), w, func() error { return o.attempt(ctx, r) })
}

// try does something until it succeeds, -attempts times at most.
func (o options) try(ctx context.Context, what string, w io.Writer, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s, attempt %d of %d: %w", what, attempt, o.attempts, err)
		if attempt == o.attempts || ctx.Err() != nil {
			return err
		}
		fmt.Fprintln(w, err)
	}
}

// run runs a job, and waits for it as long as -timeout says. It does not cancel one that
// is late: Prism may panic then, and other engines would go on with it all the same.
func (o options) run(ctx context.Context, p *beam.Pipeline) (beam.PipelineResult, error) {
	type outcome struct {
		result beam.PipelineResult
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := job.Run(ctx, p)
		done <- outcome{result, err}
	}()
	var late <-chan time.Time // never
	if o.timeout > 0 {
		late = time.After(o.timeout)
	}
	select {
	case x := <-done:
		return x.result, x.err
	case <-late:
		return nil, fmt.Errorf("the job takes longer than %v", o.timeout)
	}
}

// attempt makes a round once.
func (o options) attempt(ctx context.Context, r Round) error {
	if o.local {
		return r.local(ctx)
	}
	shards := make([]int, o.Shards)
	for k := range shards {
		shards[k] = k
	}
	if _, err := o.run(ctx, r.pipeline(shards)); err != nil {
		return err
	}
	return r.check(ctx)
}

// judge prints the log-likelihood of rows.
func (o options) judge(ctx context.Context, m *rbm.RBM, test *rbm.Bits, w io.Writer) error {
	l, err := m.LogLikelihood(ctx, test, rbm.NewAIS(annealingRuns, o.ais, o.source(aisStream)))
	if err != nil {
		return err
	}
	n, _ := test.Dims()
	fmt.Fprintf(w, "log-likelihood of %d rows: %v\n", n, l)
	return nil
}
