// Command results makes the numbers of docs/results.md, docs/likelihood.md, docs/sampling.md
// and, of large models, docs/training.md again, one kind at a time:
//
//	go run -C results . NAME [flags]
//	go run -C results . NAME -help
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// A kind is one of the tables.
type kind struct {
	name  string
	short string // what it makes, in a few words
	setup func(f *flag.FlagSet) action
}

// An action runs with the flags that setup has declared, and prints to w.
type action func(ctx context.Context, w io.Writer) error

// kinds lists all of them.
func kinds() []kind {
	return []kind{
		publishedKind,
		mnistKind,
		verdictKind,
		samplingKind,
		learningKind,
		dnaKind,
		patternsKind,
		ladderKind,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, args []string) error {
	var names []string
	for _, k := range kinds() {
		if len(args) > 0 && args[0] == k.name {
			f := flag.NewFlagSet("results "+k.name, flag.ContinueOnError)
			do := k.setup(f)
			f.SetOutput(io.Discard)
			if err := f.Parse(args[1:]); err != nil {
				if errors.Is(err, flag.ErrHelp) {
					f.SetOutput(os.Stderr)
					f.Usage()
				}
				return err
			}
			if f.NArg() > 0 {
				return fmt.Errorf("%s takes no argument %q", k.name, f.Arg(0))
			}
			return do(ctx, w)
		}
		names = append(names, fmt.Sprintf("  %-12s%s", k.name, k.short))
	}
	return fmt.Errorf("want one of\n%s", strings.Join(names, "\n"))
}
