// Package job runs pipelines, for programs whose flags stand beside those of Beam.
package job

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	"github.com/gorbm/rbm/examples/internal/cli"
)

// Parse adds a program's own flags to f, which is flag.CommandLine and has those of
// Beam, and reads them all. If they ask for help, it writes what the program is
// about and all flags, its own first, and returns flag.ErrHelp.
func Parse(f, own *flag.FlagSet, args []string, about string, help io.Writer) error {
	beams := flag.NewFlagSet("", flag.ContinueOnError)
	f.VisitAll(func(x *flag.Flag) { beams.Var(x.Value, x.Name, x.Usage) })
	own.VisitAll(func(x *flag.Flag) { f.Var(x.Value, x.Name, x.Usage) })
	err := cli.Parse(f, args, "", io.Discard)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, about)
		for _, flags := range []*flag.FlagSet{own, beams} {
			flags.SetOutput(help)
			flags.PrintDefaults()
			if flags == own {
				fmt.Fprint(help, "\nFlags of Beam:\n")
			}
		}
	}
	for _, name := range []string{"async", "execute_async"} {
		if x := f.Lookup(name); err == nil && x != nil && x.Value.String() == "true" {
			return fmt.Errorf("-%s is set, but the program has work to do after its jobs", name)
		}
	}
	return err
}

// Init begins a program that has parsed its flags. In a worker, which has none of its
// own, it does not return.
func Init(verbose bool) {
	beam.Init() // which sets a logger as well
	level := slog.LevelInfo
	switch {
	case verbose:
	case slices.Contains([]string{"", "prism"}, strings.ToLower(*runners.Runner)):
		level = slog.LevelError + 1 // Prism logs its errors several times, and returns them
	default:
		level = slog.LevelWarn
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}

// warn warns of the server that Prism starts, on all interfaces and without a password:
// its port is not ours to choose.
var warn = sync.OnceFunc(func() {
	fmt.Fprintln(os.Stderr, "warning: while this runs, others who reach this machine over the network can run programs as you: Beam's Prism takes jobs from anyone; -local needs no server")
})

// Run runs a pipeline on the engine of -runner, to its end. Of an error of a DoFn it
// returns the first line, without the plan of the job around it. Where Prism is the
// engine because no other is named, it prints a warning first.
func Run(ctx context.Context, p *beam.Pipeline) (beam.PipelineResult, error) {
	if *runners.Runner == "" && *jobopts.Endpoint == "" {
		warn()
	}
	result, err := beamx.RunWithMetrics(ctx, p)
	if err != nil {
		return nil, cause(err)
	}
	if result == nil {
		return nil, fmt.Errorf("-runner %s has no result of the job: it does not run one", *runners.Runner)
	}
	return result, nil
}

// cause returns what a DoFn has said, if err has it.
func cause(err error) error {
	text := err.Error()
	const by = "caused by:\n"
	i := strings.LastIndex(text, by)
	if i < 0 {
		return err
	}
	for line := range strings.Lines(text[i+len(by):]) {
		line = strings.TrimSpace(line)
		if line != "" && !(strings.HasPrefix(line, "DoFn[") && strings.HasSuffix(line, " failed:")) {
			return errors.New(line)
		}
	}
	return err
}
