// Anomaly trains a restricted Boltzmann machine on measurements of benign tumors and
// takes those of large free energy for anomalies: how many malignant ones it finds,
// and why it takes them for such.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
)

const program output.Program = "anomaly"

const (
	batchSize = 20
	chains    = 50 // of PCD
	rate      = 0.03
	every     = 10 // epochs between reports
	printed   = 50 // epochs between those printed
	patience  = 10 // reports without a better one

	most    = 5 // tumors shown of the most anomalous
	least   = 3 // of the least
	reasons = 3 // given for each of the most anomalous
)

func main() { cli.Main(string(program), parse, run) }

// run trains a model on benign tumors and puts it to the test.
func run(o options, w io.Writer) error {
	if err := program.CheckPNG(o.out); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	all, err := load()
	if err != nil {
		return err
	}
	src := rand.NewPCG(o.seed, 0)
	train, held, test, err := all.split(src)
	if err != nil {
		return err
	}
	c := newCode(train.values)
	m, err := fit(c, train, held, o, src, w)
	if err != nil {
		return err
	}
	s, err := scores(m, c, train, test)
	if err != nil {
		return err
	}
	compare(s, test, w)
	describe(m, c, s[0].values, test, w)
	png, err := paint(s, test.malignant)
	if err != nil {
		return err
	}
	if err := program.WritePNG(o.out, png); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "\n%s: the curves, and the free energies of both kinds\n", o.out)
	return nil
}

// fit returns a model of the tumors of train, the best by those of held.
func fit(c code, train, held tumors, o options, src rand.Source, w io.Writer) (*rbm.RBM, error) {
	data := c.encode(train.values)
	m := rbm.NewRandom(c.units(), o.hidden, 0.01, src)
	m.FitVisibleBias(data)
	t := rbm.NewTrainer(m, data, rbm.NewPCD(chains, 1, src), src)
	t.HeldOut = c.encode(held.values)
	t.BatchSize = batchSize
	t.SGD.Rate = rate
	t.ReportEvery = min(every, o.epochs) * ((len(train.number)-1)/batchSize + 1)
	t.Patience = patience
	best := 0 // epoch
	t.OnReport = func(r rbm.Report) error {
		if r.Best {
			best = r.Epoch
		}
		if r.Epoch%printed == 0 {
			fmt.Fprintf(w, "%5d %11.2f %10.2f\n", r.Epoch, r.PseudoLogLikelihood, r.HeldOutPseudoLogLikelihood)
		}
		return nil
	}
	fmt.Fprintf(w, "%d benign tumors to train on, %d to stop by; %d measurements, %d bits; %d hidden units\n\n",
		len(train.number), len(held.number), measurements(), c.units(), o.hidden)
	fmt.Fprintf(w, "       pseudo-log-likelihood\nepoch    training   held-out   (nats a row)\n")
	if err := t.Train(context.Background(), o.epochs); err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\nthe model is that of epoch %d, the best of %d\n", best, t.Epochs())
	return t.Best(), nil
}

// compare prints how well scores tell malignant from benign tumors.
func compare(s []score, test tumors, w io.Writer) {
	malignant := 0
	for _, is := range test.malignant {
		if is {
			malignant++
		}
	}
	fmt.Fprintf(w, "\n%d other benign tumors, %d malignant ones\n\n", len(test.number)-malignant, malignant)
	fmt.Fprintf(w, "%-28s area under    found at a false positive rate of\n%-28s the curve        1%%      5%%     10%%\n", "", "score")
	for _, s := range s {
		c := newROC(s.values, test.malignant)
		fmt.Fprintf(w, "%-28s %9.4f %9.1f%% %6.1f%% %6.1f%%\n", s.name, c.area(), 100*c.at(0.01), 100*c.at(0.05), 100*c.at(0.1))
	}
}

// describe prints the most anomalous tumors, with reasons, and the least.
func describe(m *rbm.RBM, c code, f []float64, test tumors, w io.Writer) {
	order := make([]int, len(f))
	for r := range order {
		order[r] = r
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f[b], f[a]) })
	bits := c.encode(test.values)
	fmt.Fprintf(w, "\nmost anomalous, and by how many nats F would fall if one measurement alone were more usual\n")
	for _, r := range order[:min(most, len(order))] {
		var why []string
		for _, x := range explain(m, c, bits, r)[:reasons] {
			why = append(why, fmt.Sprintf("%s %.4g (%.1f)", measurement(x.measurement), test.values.At(r, x.measurement), x.nats))
		}
		fmt.Fprintf(w, "F = %6.1f  %s  %s\n", f[r], test.title(r), strings.Join(why, ", "))
	}
	fmt.Fprintf(w, "\nleast anomalous\n")
	for _, r := range order[max(0, len(order)-least):] {
		fmt.Fprintf(w, "F = %6.1f  %s\n", f[r], test.title(r))
	}
}

// title returns the number and kind of row r.
func (t tumors) title(r int) string {
	kind := "benign"
	if t.malignant[r] {
		kind = "malignant"
	}
	return fmt.Sprintf("%-9s #%-3d", kind, t.number[r])
}
