package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gorbm/rbm/examples/beam/job"
	"github.com/gorbm/rbm/examples/beam/onehot"
)

type options struct {
	Settings
	work     dir
	rounds   int
	attempts int
	timeout  time.Duration
	local    bool
	test     string
	ais      int
	verbose  bool
}

const about = `Train trains a restricted Boltzmann machine with an Apache Beam pipeline, on rows of
which each machine has a shard. The same command goes on after the last round that is
complete.

Flags, beside those of Beam, of which -runner names the engine:
`

// parse reads the flags, to which those of this program are added. If they ask for
// help, it writes that and returns flag.ErrHelp.
func parse(f *flag.FlagSet, args []string, help io.Writer) (options, error) {
	var o options
	own := flag.NewFlagSet("train", flag.ContinueOnError)
	own.StringVar(&o.Input, "input", "", "`pattern` of the files of rows, one, in quotes: text or of package bitfile")
	own.IntVar(&o.Columns, "columns", 0, "number of columns of the rows")
	own.StringVar(&o.Groups, "groups", "", onehot.Usage)
	own.StringVar((*string)(&o.work), "work", "", "`folder` to write to, and to go on from; it must be one for all machines")
	own.StringVar(&o.Mode, "mode", epoch, "what a round is: step, a step with a gradient from all shards; or epoch, a pass over each shard, after which the models are averaged")
	own.IntVar(&o.rounds, "rounds", 10, "number of rounds, in all, 1 to 1000000")
	own.IntVar(&o.Shards, "shards", 4, "number of shards, 1 to 100000")
	own.IntVar(&o.Hidden, "hidden", 100, "number of hidden units, 1 to 100000")
	own.IntVar(&o.Batch, "batch", 100, "rows of a minibatch, of each shard, 1 to 1000000")
	own.IntVar(&o.Chains, "chains", 100, "Markov chains of each shard, 1 to 1000000")
	own.IntVar(&o.K, "k", 1, "sweeps of a chain in a step, 1 to 10000")
	own.Float64Var(&o.Rate, "rate", 0.1, "learning rate at the start, up to 10; it falls linearly to 0 over all rounds")
	own.BoolVar(&o.Constant, "constant", false, "the rate does not fall, and -rounds may change from run to run")
	own.Float64Var(&o.Momentum, "momentum", 0, "momentum, at least 0 and less than 1")
	own.Uint64Var(&o.Seed, "seed", 1, "seed of everything random")
	own.IntVar(&o.attempts, "attempts", 3, "how many times a round is tried if it fails, 1 to 1000")
	own.DurationVar(&o.timeout, "timeout", 0, "after which time a job has failed, say 10m, if it is still running, at least 1s; 0 for never")
	own.BoolVar(&o.local, "local", false, "do all in a loop, without Beam and its server; to the same bits")
	own.StringVar(&o.test, "test", "", "`pattern` of files of rows, of which to print the log-likelihood at the end")
	own.IntVar(&o.ais, "ais", 1000, "temperatures of annealed importance sampling, where the log-likelihood is not exact, 1 to 1000000")
	own.BoolVar(&o.verbose, "v", false, "print what Beam logs of a job")
	err := job.Parse(f, own, args, about, help)
	if !o.Constant {
		o.Rounds = o.rounds
	}
	return o, err
}

func (o options) check() error {
	switch {
	case o.Input == "":
		return errors.New("-input is empty, want a pattern of files")
	case o.work == "":
		return errors.New("-work is empty, want a folder")
	case strings.ContainsAny(string(o.work), `*?[\`):
		return fmt.Errorf("-work is %q, want a name without any of *?[\\", o.work)
	case o.Columns < 1 || o.Columns > 1e6:
		return fmt.Errorf("-columns is %d, want 1 to 1000000", o.Columns)
	case o.Mode != step && o.Mode != epoch:
		return fmt.Errorf("-mode is %q, want step or epoch", o.Mode)
	case o.rounds < 1 || o.rounds > 1e6:
		return fmt.Errorf("-rounds is %d, want 1 to 1000000", o.rounds)
	case o.Shards < 1 || o.Shards > 1e5:
		return fmt.Errorf("-shards is %d, want 1 to 100000", o.Shards)
	case o.Hidden < 1 || o.Hidden > 1e5:
		return fmt.Errorf("-hidden is %d, want 1 to 100000", o.Hidden)
	case o.Batch < 1 || o.Batch > 1e6:
		return fmt.Errorf("-batch is %d, want 1 to 1000000", o.Batch)
	case o.Chains < 1 || o.Chains > 1e6:
		return fmt.Errorf("-chains is %d, want 1 to 1000000", o.Chains)
	case o.K < 1 || o.K > 10000:
		return fmt.Errorf("-k is %d, want 1 to 10000", o.K)
	case !(o.Rate > 0 && o.Rate <= 10):
		return fmt.Errorf("-rate is %v, want more than 0 and at most 10", o.Rate)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("-momentum is %v, want at least 0 and less than 1", o.Momentum)
	case o.attempts < 1 || o.attempts > 1000:
		return fmt.Errorf("-attempts is %d, want 1 to 1000", o.attempts)
	case o.timeout != 0 && o.timeout < time.Second:
		return fmt.Errorf("-timeout is %v, want 0 or at least 1s", o.timeout)
	case o.ais < 1 || o.ais > 1e6:
		return fmt.Errorf("-ais is %d, want 1 to 1000000", o.ais)
	}
	if _, err := onehot.Parse(o.Groups, o.Columns); err != nil {
		return fmt.Errorf("-groups is %q: %w", o.Groups, err)
	}
	return nil
}
