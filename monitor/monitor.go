// Package monitor shows how training goes: it makes lines, a bar and a table of the reports
// of an [rbm.Trainer].
//
//	table, err := monitor.CSV("history.csv", t.Steps()) // appends, without later steps
//	…
//	bar := monitor.NewBar(os.Stdout, t.Epochs(), epochs)
//	defer bar.Close()
//	t.OnReport = monitor.All(bar.Report, table)
//
// Module monitor/plot, for programs in a checkout, draws curves of the same reports.
package monitor

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"

	"github.com/gorbm/rbm"
)

// All returns a function that calls each of these, up to the first error.
func All(each ...func(rbm.Report) error) func(rbm.Report) error {
	return func(r rbm.Report) error {
		for _, f := range each {
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// figures are the columns of a line, of which those are shown that are numbers in the first
// report.
var figures = []struct {
	name   string
	width  int
	format string
	of     func(r *rbm.Report) float64
}{
	{"log-lik", 9, "%*.3f", func(r *rbm.Report) float64 { return r.LogLikelihood }},
	{"held out", 9, "%*.3f", func(r *rbm.Report) float64 { return r.HeldOutLogLikelihood }},
	{"pseudo-ll", 10, "%*.3f", func(r *rbm.Report) float64 { return r.PseudoLogLikelihood }},
	{"held out", 9, "%*.3f", func(r *rbm.Report) float64 { return r.HeldOutPseudoLogLikelihood }},
	{"error", 7, "%*.4f", func(r *rbm.Report) float64 { return r.Error }},
	{"log p(y|x)", 11, "%*.4f", func(r *rbm.Report) float64 { return r.LogProb }},
	{"gap", 8, "%*.3f", func(r *rbm.Report) float64 { return r.FreeEnergyGap }},
	{"weights", 8, "%*.4f", func(r *rbm.Report) float64 { return r.WeightRMS }},
}

// Lines returns a function that writes a line for each report to w, at first with the names
// of the columns: of the log-likelihoods in nats a row, the free-energy gap and the root mean
// square of W. A star marks the best so far. A warning gets a line of its own, once.
func Lines(w io.Writer) func(rbm.Report) error {
	var shown []int
	begun, told := false, make(map[string]bool)
	return func(r rbm.Report) error {
		var s strings.Builder
		if !begun {
			begun = true
			fmt.Fprintf(&s, "%5s %8s", "epoch", "step")
			for k, f := range figures {
				if !math.IsNaN(f.of(&r)) {
					shown = append(shown, k)
					fmt.Fprintf(&s, " %*s", f.width, f.name)
				}
			}
			fmt.Fprintf(&s, " %8s\n", "rows/s")
		}
		fmt.Fprintf(&s, "%5d %8d", r.Epoch, r.Step)
		for _, k := range shown {
			s.WriteByte(' ')
			fmt.Fprintf(&s, figures[k].format, figures[k].width, figures[k].of(&r))
		}
		fmt.Fprintf(&s, " %8.0f", r.RowsPerSecond)
		if r.Best {
			s.WriteString(" *")
		}
		s.WriteByte('\n')
		for _, warning := range r.Warnings {
			if kind := number.ReplaceAllString(warning, "#"); !told[kind] {
				told[kind] = true
				fmt.Fprintf(&s, "      warning: %s\n", warning)
			}
		}
		_, err := io.WriteString(w, s.String())
		return err
	}
}

// number is what two warnings of a kind differ in.
var number = regexp.MustCompile(`[-+]?\d[-+.\de]*`)
