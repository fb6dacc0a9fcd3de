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

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/job"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/mnist/cli"
)

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
		if test, err = rows.Load(ctx, o.test, o.Columns); err != nil {
			return fmt.Errorf("-test: %w", err)
		}
	}
	found, err := o.Settings.check(ctx, o.work)
	if err != nil {
		return err
	}
	last, err := o.work.last(ctx)
	if err != nil {
		return err
	}
	switch {
	case found && last < 0:
		return fmt.Errorf("%s has settings, but no round that is complete; give another -work", o.work)
	case found:
		fmt.Fprintf(w, "going on from %s: %d of %d rounds are done\n", o.work, last, o.rounds)
	case last > 0:
		return fmt.Errorf("%s has %d rounds, but no settings; give another -work", o.work, last)
	default:
		if err := pack(ctx, o.work, o.Settings, w); err != nil {
			return err
		}
		if err := o.Settings.save(ctx, o.work); err != nil {
			return err
		}
		last = 0
	}
	for ; last < o.rounds; last++ {
		began := time.Now()
		if err := o.round(ctx, last, w); err != nil {
			return err
		}
		if err := o.work.clean(ctx, last); err != nil {
			return err
		}
		fmt.Fprintf(w, "round %d: %.2f s\n", last+1, time.Since(began).Seconds())
	}
	m, err := Round{Work: o.work, Settings: o.Settings, Number: last}.load(ctx)
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
	fmt.Fprintf(w, "%s: the model of %d rounds\n", o.work.model(), last)
	if test != nil {
		return o.judge(ctx, &m.rbm, test, w)
	}
	return nil
}

// round makes one round, in as many attempts as it takes.
func (o options) round(ctx context.Context, number int, w io.Writer) error {
	r := Round{Work: o.work, Settings: o.Settings, Number: number}
	for attempt := 1; ; attempt++ {
		err := o.attempt(ctx, r)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("round %d, attempt %d of %d: %w", number+1, attempt, o.attempts, err)
		if attempt == o.attempts {
			return err
		}
		fmt.Fprintln(w, err)
	}
}

func (o options) attempt(ctx context.Context, r Round) error {
	if o.local {
		return r.local(ctx)
	}
	shards := make([]int, o.Shards)
	for k := range shards {
		shards[k] = k
	}
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.timeout > 0 { // no deadline: Prism panics at one
		defer time.AfterFunc(o.timeout, cancel).Stop()
	}
	if _, err := job.Run(limited, r.pipeline(shards)); err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return fmt.Errorf("the job takes longer than %v", o.timeout)
		}
		return err
	}
	if last, err := o.work.last(ctx); err != nil || last > r.Number {
		return err
	}
	return fmt.Errorf("the job has ended without %s", o.work.round(r.Number+1))
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
