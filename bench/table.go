package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A series is the speeds of one contestant at a case, round by round.
type series struct {
	name   string
	speeds []float64
	note   string // why there are none
}

// An outcome is that of a case.
type outcome struct {
	c     benchCase
	ours  []series // variants
	peers []series
	other float64 // share of the CPUs that other work took; NaN if unknown
}

// tooMuch is the share of other work from which on speeds say little.
const tooMuch = 0.05

// number returns x with three digits that count and commas.
func number(x float64) string {
	if x < 100 {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	s := strconv.FormatFloat(math.Round(x/unit)*unit, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// times returns a ratio: 12.3, 1.23 or 0.12.
func times(x float64) string {
	if x >= 10 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// print writes an outcome for reading on a terminal.
func (o outcome) print(w io.Writer) {
	fmt.Fprintf(w, "\n%-28s %10s %10s %10s\n", o.c, "min", "median", "max")
	line := func(name, unit string, x []float64, format func(float64) string) {
		s := summarize(x)
		fmt.Fprintf(w, "  %-26s %10s %10s %10s  %s\n", name, format(s.min), format(s.median), format(s.max), unit)
	}
	for _, s := range slices.Concat(o.ours, o.peers) {
		if len(s.speeds) == 0 {
			fmt.Fprintf(w, "  %-26s %s\n", s.name, s.note)
			continue
		}
		line(s.name, o.c.unit(), s.speeds, number)
	}
	for _, p := range o.peers {
		for _, s := range o.ours {
			if r := ratios(s.speeds, p.speeds); len(r) > 0 {
				line(s.name, "times as fast as "+p.name, r, times)
			}
		}
	}
	if o.other > tooMuch {
		fmt.Fprintf(w, "  Other work took %.0f %% of the CPUs: measure on an idle machine.\n", 100*o.other)
	}
}

// markdown writes a table of all outcomes, with the peers that have been measured.
func markdown(w io.Writer, all []outcome) {
	var names []string
	for _, o := range all {
		for _, p := range o.peers {
			if len(p.speeds) > 0 && !slices.Contains(names, p.name) {
				names = append(names, p.name)
			}
		}
	}
	row := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	head := []string{"rows/s", "rbm"}
	for _, name := range names {
		head = append(head, name, "ratio")
	}
	row(head)
	fmt.Fprintf(w, "%s|\n", strings.Repeat("|---", len(head)))
	for _, o := range all {
		for _, s := range o.ours {
			what := strings.Replace(o.c.String(), "x", "×", 1)
			if o.c.unit() != "rows/s" {
				what += ", " + o.c.unit()
			}
			cells := []string{what + ", `" + s.name + "`", median(s.speeds)}
			for _, name := range names {
				speed, ratio := "–", "–"
				for _, p := range o.peers {
					if r := ratios(s.speeds, p.speeds); p.name == name && len(r) > 0 {
						x := summarize(r)
						speed, ratio = median(p.speeds), fmt.Sprintf("%s (%s–%s)", times(x.median), times(x.min), times(x.max))
					}
				}
				cells = append(cells, speed, ratio)
			}
			row(cells)
		}
	}
}

func median(speeds []float64) string {
	if len(speeds) == 0 {
		return "–"
	}
	return number(summarize(speeds).median)
}
