package main

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// whole declares a flag of an integer that is at least least.
func whole(f *flag.FlagSet, p *int, name string, value, least int, usage string) {
	*p = value
	f.Var(&number[int]{p, least, strconv.Atoi}, name, usage)
}

// real declares a flag of a finite number that is at least 0.
func real(f *flag.FlagSet, p *float64, name string, value float64, usage string) {
	*p = value
	f.Var(&number[float64]{p, 0, func(s string) (float64, error) {
		x, err := strconv.ParseFloat(s, 64)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			err = strconv.ErrRange
		}
		return x, err
	}}, name, usage)
}

// A number is a flag with a lower bound.
type number[T int | float64] struct {
	p     *T
	least T
	parse func(s string) (T, error)
}

func (n *number[T]) String() string {
	if n.p == nil {
		return ""
	}
	return fmt.Sprint(*n.p)
}

func (n *number[T]) Set(s string) error {
	x, err := n.parse(s)
	if err != nil || x < n.least {
		return fmt.Errorf("want a number of at least %v", n.least)
	}
	*n.p = x
	return nil
}

// beginsWith reports whether name begins with one of names, which have commas between them.
func beginsWith(names, name string) bool {
	return slices.ContainsFunc(strings.Split(names, ","), func(x string) bool { return strings.HasPrefix(name, x) })
}

// checkBeginnings returns an error if one of the names of a flag is the beginning of none of all.
func checkBeginnings(flag, names string, all []string) error {
	for _, x := range strings.Split(names, ",") {
		if !slices.ContainsFunc(all, func(name string) bool { return strings.HasPrefix(name, x) }) {
			return fmt.Errorf("%s has %q, want the beginning of one of %q", flag, x, all)
		}
	}
	return nil
}
