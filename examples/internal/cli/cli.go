// Package cli has what command lines have in common.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Parse reads flags, and nothing but flags. If they ask for help, it writes what the
// program is about and all flags, and returns flag.ErrHelp.
func Parse(f *flag.FlagSet, args []string, about string, help io.Writer) error {
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, about)
		f.SetOutput(help)
		f.PrintDefaults()
	}
	if err == nil && f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return err
}

// Main runs a program with the options that parse makes of its arguments. It exits
// with 2 if they are wrong and with 1 if the program fails, after a line that says
// why.
func Main[O any](name string, parse func(args []string, help io.Writer) (O, error), run func(o O, w io.Writer) error) {
	o, err := parse(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		Fail(name, 2, err)
	}
	if err := run(o, os.Stdout); err != nil {
		Fail(name, 1, err)
	}
}

// Fail prints an error of the program and exits.
func Fail(name string, code int, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(code)
}
