package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// flags are those of a command, in groups as the help shows them.
type flags struct {
	set    *flag.FlagSet
	groups []group
}

type group struct {
	title string
	names []string
}

func newFlags() *flags {
	f := &flags{set: flag.NewFlagSet("", flag.ContinueOnError)}
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	return f
}

// group begins a group, which the next flags belong to.
func (f *flags) group(title string) { f.groups = append(f.groups, group{title: title}) }

// add notes a flag for the help.
func (f *flags) add(name string) {
	g := &f.groups[len(f.groups)-1]
	g.names = append(g.names, name)
}

func (f *flags) text(p *string, name, value, usage string) {
	f.set.StringVar(p, name, value, usage)
	f.add(name)
}

func (f *flags) yes(p *bool, name, usage string) {
	f.set.BoolVar(p, name, *p, usage)
	f.add(name)
}

// whole declares an integer from low to high. A value out of this range says that a rule
// chooses, as the usage tells.
func (f *flags) whole(p *int, name string, value, low, high int, usage string) {
	*p = value
	f.set.Var(&number[int]{p, low, high, strconv.Atoi}, name, usage)
	f.add(name)
}

// real declares a number from low to high, as whole does.
func (f *flags) real(p *float64, name string, value, low, high float64, usage string) {
	*p = value
	f.set.Var(&number[float64]{p, low, high, parseFloat}, name, usage)
	f.add(name)
}

func (f *flags) seed(p *uint64, value uint64, usage string) {
	f.set.Uint64Var(p, "seed", value, usage)
	f.add("seed")
}

// choice declares one of some words.
func (f *flags) choice(p *string, name, value string, words []string, usage string) {
	*p = value
	f.set.Var(&choice{p, words}, name, usage)
	f.add(name)
}

// given reports whether the command line has the flag.
func (f *flags) given(name string) (found bool) {
	f.set.Visit(func(x *flag.Flag) { found = found || x.Name == name })
	return found
}

// parse reads flags and returns the other arguments. Flags may follow them, up to "--".
func (f *flags) parse(args []string) (rest []string, err error) {
	for {
		if err := f.set.Parse(args); err != nil {
			return nil, reword(err)
		}
		left := f.set.Args()
		if len(left) == 0 || len(left) < len(args) && args[len(args)-len(left)-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// reword returns an error of package flag in the words of this command.
func reword(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: "); ok {
		return fmt.Errorf("there is no flag %s", name)
	}
	return err
}

// print prints the groups that have flags, with defaults.
func (f *flags) print(w io.Writer) {
	for _, g := range f.groups {
		if len(g.names) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n\n", g.title)
		for _, name := range g.names {
			printFlag(w, f.set.Lookup(name))
		}
	}
}

// printFlag prints a flag, its default and what it does.
func printFlag(w io.Writer, x *flag.Flag) {
	value, usage := flag.UnquoteUsage(x)
	usage = strings.TrimPrefix(usage, value+": ")
	head := "-" + x.Name
	if value != "" && value != "value" {
		head += " " + value
	}
	if x.DefValue != "" && x.DefValue != "false" {
		usage += " (default " + x.DefValue + ")"
	}
	for _, line := range wrap(usage, 90) {
		fmt.Fprintf(w, "  %-18s  %s\n", head, line)
		head = ""
	}
}

// wrap returns the lines of a text.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// A number is a flag with bounds.
type number[T int | float64] struct {
	p         *T
	low, high T
	parse     func(s string) (T, error)
}

// String returns the value, or nothing where a rule is to choose it.
func (n *number[T]) String() string {
	if n.p == nil || *n.p < n.low {
		return ""
	}
	return fmt.Sprint(*n.p)
}

func (n *number[T]) Set(s string) error {
	x, err := n.parse(s)
	if err != nil || !(x >= n.low && x <= n.high) {
		return fmt.Errorf("want a number from %v to %v", n.low, n.high)
	}
	*n.p = x
	return nil
}

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// A choice is a flag with a few values.
type choice struct {
	p     *string
	words []string
}

func (c *choice) String() string {
	if c.p == nil {
		return ""
	}
	return *c.p
}

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return errors.New("want " + strings.Join(c.words[:len(c.words)-1], ", ") + " or " + c.words[len(c.words)-1])
	}
	*c.p = s
	return nil
}
