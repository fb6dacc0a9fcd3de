package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

type options struct {
	rounds   int
	time     time.Duration
	cpus     []int // nil: all
	threads  int   // 0: as many as CPUs
	python   string
	only     *regexp.Regexp
	markdown bool
}

const about = `Bench compares the speed of package rbm with NumPy, PyTorch and scikit-learn, as far as
they are installed. All take turns on the same CPUs.

Flags:
`

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	o := options{only: regexp.MustCompile("")}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "rounds, in each of which all take their turns")
	f.DurationVar(&o.time, "time", time.Second, "time of a turn, after a fifth of it to warm up")
	f.Func("cpus", "`list` of CPUs to pin all to, such as 0,2-4 (default all that the process may use)", func(s string) (err error) {
		o.cpus, err = parseCPUs(s)
		return err
	})
	f.IntVar(&o.threads, "threads", 0, "threads of each (default as many as CPUs)")
	f.StringVar(&o.python, "python", "python3", "Python `program` that has the peers")
	f.Func("only", "run the cases alone whose names match this `regexp`", func(s string) (err error) {
		o.only, err = regexp.Compile(s)
		return err
	})
	f.BoolVar(&o.markdown, "markdown", false, "print a table in Markdown at the end")

	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, about)
		f.SetOutput(help)
		f.PrintDefaults()
	}
	if err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return o, o.check()
}

func (o options) check() error {
	switch {
	case o.rounds < 1:
		return fmt.Errorf("-rounds is %d, want at least 1", o.rounds)
	case o.time <= 0:
		return fmt.Errorf("-time is %v, want more than 0", o.time)
	case o.threads < 0:
		return fmt.Errorf("-threads is %d, want at least 0", o.threads)
	case len(o.chosen()) == 0:
		var names []string
		for _, c := range cases {
			names = append(names, c.String())
		}
		return fmt.Errorf("-only matches no case, of\n%s", strings.Join(names, "\n"))
	}
	return nil
}

// chosen returns the cases to run.
func (o options) chosen() []benchCase {
	var chosen []benchCase
	for _, c := range cases {
		if o.only.MatchString(c.String()) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}
