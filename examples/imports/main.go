// Imports learns which packages Go files import together, from the source of Go itself. It
// recommends what a file imports next, beside popularity and the cosine of items, finds
// files with an import that does not fit, and draws how well both go.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"go/build"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
	"gonum.org/v1/gonum/mat"
)

const program output.Program = "imports"

// Chosen by the pseudo-log-likelihood of the validation rows.
const (
	rate = 1 // at first; it falls to 0
	l2   = 0.001
)

const shown = 3 // questions printed, and anomalies

type options struct {
	root           string
	hidden, epochs int
	seed           uint64
	out            string
}

const about = `Imports learns from the source of Go which packages files import together. It hides one
import of each test file and recommends packages in its place; and it looks for files one
of whose imports was replaced. The picture carries the mark of this program; an existing
file without it is never overwritten.

Flags:
`

func main() { cli.Main(string(program), parse, run) }

// parse reads the flags. If they ask for help, it writes that and returns flag.ErrHelp.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("imports", flag.ContinueOnError)
	f.StringVar(&o.root, "root", filepath.Join(build.Default.GOROOT, "src"), "`folder` of Go files")
	f.IntVar(&o.hidden, "hidden", 100, "number of hidden units, at least 1")
	f.IntVar(&o.epochs, "epochs", 200, "passes over the training rows, at least 1")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything random, the choice of rows too")
	f.StringVar(&o.out, "out", "imports.png", "PNG `file` to write")

	if err := cli.Parse(f, args, about, help); err != nil {
		return o, err
	}
	switch {
	case o.hidden < 1:
		return o, fmt.Errorf("-hidden is %d, want at least 1", o.hidden)
	case o.epochs < 1:
		return o, fmt.Errorf("-epochs is %d, want at least 1", o.epochs)
	}
	return o, output.CheckPNGName(o.out)
}

// run trains a model and puts it to both tests.
func run(o options, w io.Writer) error {
	if err := program.CheckPNG(o.out); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	t, err := read(o.root)
	if err != nil {
		return err
	}
	trainFiles, validFiles, testFiles := t.split(o.seed)
	if min(len(trainFiles), len(validFiles), len(testFiles)) == 0 {
		return fmt.Errorf("%s: %d files are too few folders to split", o.root, len(t.files))
	}
	train, valid := t.bits(trainFiles), t.bits(validFiles)
	fmt.Fprintf(w, "%d packages, imported by %d files to train on, %d to choose the model by, %d for the test\n\n",
		len(t.items), len(trainFiles), len(validFiles), len(testFiles))
	m, err := fit(train, valid, o, w)
	if err != nil {
		return err
	}

	rnd := rand.New(rand.NewPCG(o.seed, 1))
	q := t.ask(testFiles, rnd)
	recommenders := []recommender{
		newRecommender("RBM", q, m.UnitProbs(nil, q.input)),
		newRecommender("cosine of items", q, cosine(train, q.input)),
		newRecommender("popularity", q, popularity(train, q.input)),
	}
	printRecall(w, recommenders)
	t.printQuestions(w, q, recommenders[0], testFiles)

	spoiled := t.spoil(testFiles, counts(train), rnd)
	detectors := detect(m, train, t.bits(testFiles), t.bits(spoiled))
	printAreas(w, detectors)
	t.printOddest(w, m, spoiled)

	png, err := paint(recommenders, detectors)
	if err != nil {
		return err
	}
	if err := program.WritePNG(o.out, png); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "\n%s: the curves\n", o.out)
	return nil
}

// fit returns the model that is best on the validation rows.
func fit(train, valid *rbm.Bits, o options, w io.Writer) (*rbm.RBM, error) {
	n, items := train.Dims()
	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(items, o.hidden, 0.01, src)
	m.FitVisibleBias(train)
	t := rbm.NewTrainer(m, train, rbm.NewPCD(100, 1, src), src)
	t.SGD.L2 = l2
	t.Schedule = rbm.Linear(rate, 0, o.epochs*((n-1)/t.BatchSize+1))
	t.HeldOut = valid
	var best rbm.Report
	t.OnReport = func(r rbm.Report) error {
		if r.Best {
			best = r
		}
		return nil
	}
	if err := t.Train(context.Background(), o.epochs); err != nil {
		return nil, err
	}
	independent := rbm.New(items, 1)
	independent.FitVisibleBias(train)
	fmt.Fprintf(w, "pseudo-log-likelihood of the validation rows: %.2f nats at epoch %d, independent packages %.2f\n\n",
		best.HeldOutPseudoLogLikelihood, best.Epoch, mean(independent.PseudoLogLikelihood(nil, valid)))
	return t.Best(), nil
}

// A recommender has the ranks of the hidden items by its scores.
type recommender struct {
	name   string
	scores mat.Matrix
	ranks  []float64
}

func newRecommender(name string, q question, scores mat.Matrix) recommender {
	return recommender{name, scores, q.ranks(scores)}
}

func printRecall(w io.Writer, recommenders []recommender) {
	ks := []int{1, 3, 5, 10, 20}
	fmt.Fprintf(w, "%-18s", "hidden import is")
	for _, k := range ks {
		fmt.Fprintf(w, " in %-3d", k)
	}
	fmt.Fprintln(w)
	for _, r := range recommenders {
		fmt.Fprintf(w, "%-18s", r.name)
		for _, k := range ks {
			fmt.Fprintf(w, " %5.1f%%", 100*recall(r.ranks, k))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "standard error     at most %.1f%%\n", 100*0.5/math.Sqrt(float64(len(recommenders[0].ranks))))
}

// printQuestions prints what is recommended for the first files.
func (t table) printQuestions(w io.Writer, q question, r recommender, files []file) {
	fmt.Fprintln(w)
	for row := range min(shown, len(files)) {
		order := make([]int, 0, len(t.items))
		for i := range t.items {
			if !q.input.Bit(row, i) {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.scores.At(row, b), r.scores.At(row, a)) })
		var best []string
		for _, i := range order[:min(3, len(order))] {
			best = append(best, fmt.Sprintf("%s %.2f", t.items[i], r.scores.At(row, i)))
		}
		fmt.Fprintf(w, "%s without %s: %s\n", files[row].path, t.items[q.hidden[row]], strings.Join(best, ", "))
	}
}

// A detector scores rows by how anomalous they are.
type detector struct {
	name                string
	ordinary, anomalies []float64
}

// detect scores ordinary and spoiled rows by three scores.
func detect(m *rbm.RBM, train, ordinary, spoiled *rbm.Bits) []detector {
	_, items := train.Dims()
	independent := rbm.New(items, 1)
	independent.FitVisibleBias(train)
	return []detector{
		{"RBM, least likely import", surprise(m, ordinary), surprise(m, spoiled)},
		{"RBM, free energy", m.FreeEnergy(nil, ordinary), m.FreeEnergy(nil, spoiled)},
		{"independent packages", independent.FreeEnergy(nil, ordinary), independent.FreeEnergy(nil, spoiled)},
	}
}

// surprise returns, for each row, -log p of its least likely import given all others.
func surprise(m *rbm.RBM, rows *rbm.Bits) []float64 {
	p := m.UnitProbs(nil, rows)
	n, _ := rows.Dims()
	s := make([]float64, n)
	for r := range s {
		for _, i := range onesOf(rows, r) {
			s[r] = max(s[r], -math.Log(p.At(r, i)))
		}
	}
	return s
}

func printAreas(w io.Writer, detectors []detector) {
	fmt.Fprintf(w, "\nan import replaced, by                   area under the curve\n")
	for _, d := range detectors {
		fmt.Fprintf(w, "%-40s %.3f\n", d.name, area(d.ordinary, d.anomalies))
	}
}

// printOddest prints the most surprising imports of the spoiled files.
func (t table) printOddest(w io.Writer, m *rbm.RBM, files []file) {
	rows := t.bits(files)
	p := m.UnitProbs(nil, rows)
	order := make([]int, len(files))
	for r := range order {
		order[r] = r
	}
	s := surprise(m, rows)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s[b], s[a]) })
	fmt.Fprintln(w)
	for _, r := range order[:min(shown, len(order))] {
		odd := slices.MinFunc(files[r].imports, func(a, b int) int { return cmp.Compare(p.At(r, a), p.At(r, b)) })
		var others []string
		for _, i := range files[r].imports {
			if i != odd {
				others = append(others, t.items[i])
			}
		}
		fmt.Fprintf(w, "%s has probability %.5f beside %s\n", t.items[odd], p.At(r, odd), strings.Join(others[:min(6, len(others))], ", "))
	}
}

func mean(x []float64) float64 {
	var sum float64
	for _, x := range x {
		sum += x
	}
	return sum / float64(len(x))
}
