package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes.
const (
	exitOK            = 0
	exitError         = 1
	exitUsage         = 2
	exitNotBelievable = 3
	exitInterrupted   = 130
)

// An env is what a command reads and writes, apart from files.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one
}

// A command is a subcommand. Setup declares its flags and returns what does the work on the
// other arguments.
type command struct {
	name     string
	args     string // that follow the name
	least    int    // number of them
	most     int
	short    string // what it does, in a line
	long     string // paragraphs more
	examples []string
	setup    func(f *flags) action
}

type action func(ctx context.Context, e *env, args []string) error

// commands returns all of them in the order of the help.
func commands() []*command {
	return []*command{trainCommand, scoreCommand, loglikCommand, sampleCommand, completeCommand, featuresCommand, classifyCommand, convertCommand, infoCommand}
}

// A usageError is one of the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

func usagef(format string, a ...any) error { return usageError(fmt.Sprintf(format, a...)) }

// errNotBelievable ends loglik after it has printed why.
var errNotBelievable = errors.New("the log-likelihood is not believable")

// run does what the arguments say and returns the exit code.
func run(ctx context.Context, args []string, e *env) int {
	err := dispatch(ctx, args, e)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintln(e.stderr, "rbm:", err)
		return exitUsage
	case errors.Is(err, errNotBelievable):
		return exitNotBelievable
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(e.stderr, "rbm: interrupted"+strings.TrimPrefix(err.Error(), context.Canceled.Error()))
		return exitInterrupted
	default:
		fmt.Fprintln(e.stderr, "rbm:", strings.TrimPrefix(err.Error(), "rbm: "))
		return exitError
	}
}

// dispatch runs the command that is named first.
func dispatch(ctx context.Context, args []string, e *env) error {
	if len(args) == 0 {
		return usagef("which command? rbm -h lists them, and rbm info has the version")
	}
	name, args := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help":
		return help(e.stdout, nil)
	case "help":
		return help(e.stdout, args)
	}
	c := find(name)
	if c == nil {
		return usagef("there is no command %q; rbm -h lists them", name)
	}
	return c.run(ctx, args, e)
}

// find returns the command of this name, or nil.
func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// run parses the arguments and does the work.
func (c *command) run(ctx context.Context, args []string, e *env) error {
	f := newFlags()
	do := c.setup(f)
	rest, err := f.parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.help(e.stdout)
	case err != nil:
		return usagef("%s: %v; rbm %[1]s -h lists the flags", c.name, err)
	case len(rest) < c.least:
		return usagef("usage: rbm %s %s; rbm %[1]s -h tells more", c.name, c.args)
	case len(rest) > c.most:
		return usagef("%s: unexpected argument %q; usage: rbm %[1]s %[3]s", c.name, rest[c.most], c.args)
	}
	return do(ctx, e, rest)
}

// help prints what all commands do, or how to use the one that is named.
func help(w io.Writer, names []string) error {
	if len(names) > 0 {
		c := find(names[0])
		if c == nil {
			return usagef("there is no command %q; rbm -h lists them", names[0])
		}
		return c.help(w)
	}
	fmt.Fprint(w, `Rbm trains binary restricted Boltzmann machines, and judges and uses them.

	rbm train rows.csv -o model.rbm    a first model
	rbm loglik model.rbm test.csv      how good it is
	rbm score model.rbm new.csv        which rows are unusual

Commands:

`)
	for _, c := range commands() {
		fmt.Fprintf(w, "	%-10s %s\n", c.name, c.short)
	}
	fmt.Fprint(w, `
rbm COMMAND -h tells more of each. Flags may stand before and after the other arguments.

RBM_SIMD=avx2 in the environment runs without AVX-512, and RBM_SIMD=off without assembly, with the same results, if a
kernel is suspected to be wrong. rbm info prints the version, the CPU and the kernels in use.

Exit codes: 0 done, 1 an error, 2 a wrong command line, 3 a log-likelihood that is not believable, 130 interrupted.
`)
	return nil
}

// help prints how to use the command.
func (c *command) help(w io.Writer) error {
	f := newFlags()
	c.setup(f)
	fmt.Fprintf(w, "usage: rbm %s %s [flags]\n", c.name, c.args)
	for _, paragraph := range strings.Split(c.long, "\n\n") {
		fmt.Fprintf(w, "\n%s\n", strings.Join(wrap(paragraph, 110), "\n"))
	}
	fmt.Fprint(w, "\nExamples:\n\n")
	for _, line := range c.examples {
		fmt.Fprintf(w, "	%s\n", line)
	}
	f.print(w)
	return nil
}
