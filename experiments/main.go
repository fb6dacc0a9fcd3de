// Command experiments trains the same small models on tables of ten kinds, with a grid of
// rates and lengths, with the defaults of NewTrainer and with package recipe, and prints the
// log-likelihood of test rows, exactly for up to 20 hidden units. It finds what
// docs/training.md says.
package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
)

func main() {
	o := options{table: os.Stdout}
	flag.StringVar(&o.sets, "sets", "", "comma-separated `names` of sets of data; empty: all")
	flag.StringVar(&o.settings, "settings", "", "comma-separated beginnings of the `names` of settings; empty: all")
	flag.IntVar(&o.seeds, "seeds", 1, "number of seeds, each with its own rows and models")
	flag.IntVar(&o.hidden, "hidden", 16, "hidden units; more than 20 by annealed importance sampling")
	flag.Float64Var(&o.rate, "rate", 0, "`rate` from which the recipe starts; 0: its own")
	flag.StringVar(&o.runs, "runs", "", "`file` to which runs are appended as CSV, and of which those that are there are not run again")
	flag.Parse()
	err := o.check()
	if flag.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "experiments:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	check(o.run(ctx))
}

type options struct {
	sets, settings, runs string
	seeds, hidden        int
	rate                 float64
	table                io.Writer
}

// check returns an error that names the first flag that is wrong.
func (o options) check() error {
	switch {
	case o.seeds < 1:
		return fmt.Errorf("-seeds is %d, want at least 1", o.seeds)
	case o.hidden < 1:
		return fmt.Errorf("-hidden is %d, want at least 1", o.hidden)
	case !(o.rate >= 0 && o.rate <= 10):
		return fmt.Errorf("-rate is %v, want at least 0 and at most 10", o.rate)
	}
	var names, settings []string
	for _, s := range sets {
		names = append(names, s.name)
	}
	for _, x := range o.settingsOf() {
		settings = append(settings, x.name)
	}
	for _, x := range strings.Split(o.sets, ",") {
		if o.sets != "" && !slices.Contains(names, x) {
			return fmt.Errorf("-sets has %q, want one of %q", x, names)
		}
	}
	for _, x := range strings.Split(o.settings, ",") {
		if !slices.ContainsFunc(settings, func(name string) bool { return strings.HasPrefix(name, x) }) {
			return fmt.Errorf("-settings has %q, want the beginning of one of %q", x, settings)
		}
	}
	return nil
}

// A run is a model of one set, trained by one setting and one seed.
type run struct {
	set, setting string
	seed, hidden int
}

// run makes the runs and prints the table.
func (o options) run(ctx context.Context) error {
	done, err := readRuns(o.runs)
	if err != nil {
		return err
	}
	out := csv.NewWriter(os.Stderr)
	if o.runs != "" {
		f, err := os.OpenFile(o.runs, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		out = csv.NewWriter(f)
	}
	for seed := range o.seeds {
		for _, s := range sets {
			if !chosen(o.sets, s.name) {
				continue
			}
			var d *data
			for _, x := range o.settingsOf() {
				r := run{s.name, x.name, seed + 1, o.hidden}
				if _, ok := done[r]; ok || !chosenByPrefix(o.settings, x.name) {
					continue
				}
				if d == nil {
					d = draw(s, uint64(r.seed))
				}
				m, err := x.train(ctx, d, o.hidden, uint64(r.seed))
				if err != nil {
					return fmt.Errorf("%s, %s: %w", s.name, x.name, err)
				}
				l, err := m.LogLikelihood(ctx, d.test, rbm.NewAIS(100, 2000, rand.NewPCG(1, 1)))
				if err != nil {
					return err
				}
				if !l.Believable() {
					fmt.Fprintf(os.Stderr, "%s, %s, seed %d: %v\n", s.name, x.name, r.seed, l)
				}
				done[r] = l.Mean
				out.Write([]string{r.set, r.setting, strconv.Itoa(r.seed), strconv.Itoa(r.hidden), strconv.FormatFloat(l.Mean, 'f', 4, 64)})
				if out.Flush(); out.Error() != nil {
					return out.Error()
				}
			}
		}
	}
	o.print(done)
	return nil
}

func chosen(names, name string) bool {
	return names == "" || slices.Contains(strings.Split(names, ","), name)
}

func chosenByPrefix(names, name string) bool {
	return slices.ContainsFunc(strings.Split(names, ","), func(x string) bool { return strings.HasPrefix(name, x) })
}

// readRuns returns the log-likelihoods of the runs of an earlier call.
func readRuns(name string) (map[run]float64, error) {
	done := make(map[run]float64)
	if name == "" {
		return done, nil
	}
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return done, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, line := range lines {
		if len(line) != 5 {
			return nil, fmt.Errorf("%s, record %d: %d fields, want 5", name, i+1, len(line))
		}
		seed, err1 := strconv.Atoi(line[2])
		hidden, err2 := strconv.Atoi(line[3])
		l, err3 := strconv.ParseFloat(line[4], 64)
		if err1 != nil || err2 != nil || err3 != nil {
			return nil, fmt.Errorf("%s, record %d: %q, want a set, a setting, a seed, hidden units and a log-likelihood", name, i+1, line)
		}
		done[run{line[0], line[1], seed, hidden}] = l
	}
	return done, nil
}

// data are rows to train on, to choose by and to test with.
type data struct{ train, heldOut, test *rbm.Bits }

// draw returns rows of s: a fifth to test with, and a tenth of the others held out.
func draw(s set, seed uint64) *data {
	rnd := rand.New(rand.NewPCG(seed, 77))
	rows := shuffled(s.draw(rnd), rnd)
	n, _ := rows.Dims()
	test := n / 5
	train, heldOut := recipe.Split(rows.Slice(test, n), 0.1, seed)
	return &data{train, heldOut, rows.Slice(0, test)}
}

// A setting trains a model.
type setting struct {
	name  string
	train func(ctx context.Context, d *data, hidden int, seed uint64) (*rbm.RBM, error)
}

const usualSteps = 10000

// recipeName returns the name of the setting that is the recipe.
func (o options) recipeName() string {
	if o.rate == 0 {
		return "recipe"
	}
	return fmt.Sprintf("recipe from %v", o.rate)
}

// settingsOf returns all settings.
func (o options) settingsOf() []setting {
	all := []setting{
		{"independent", func(_ context.Context, d *data, _ int, _ uint64) (*rbm.RBM, error) {
			_, nv := d.train.Dims()
			m := rbm.New(nv, 1)
			m.FitVisibleBias(d.train)
			return m, nil
		}},
		{o.recipeName(), func(ctx context.Context, d *data, hidden int, seed uint64) (*rbm.RBM, error) {
			r := recipe.Recipe{Hidden: hidden, Rate: o.rate, Seed: seed}
			if err := r.Fill(ctx, d.train, d.heldOut, nil); err != nil {
				return nil, err
			}
			t := r.Trainer(d.train, d.heldOut, nil)
			t.OnReport = warn
			if err := t.Train(ctx, r.Epochs); err != nil {
				return nil, err
			}
			return recipe.Best(t), nil
		}},
		{"NewTrainer", func(ctx context.Context, d *data, hidden int, seed uint64) (*rbm.RBM, error) {
			t := newTrainer(d, hidden, seed)
			t.OnReport, t.ReportEvery = warn, usualSteps/20
			return t.Model, t.Train(ctx, usualSteps/steps(d))
		}},
	}
	for _, n := range []int{500, 2000, 8000} {
		for _, rate := range []float64{0.02, 0.1, 0.3, 1} {
			if rate == 0.02 && n != 2000 {
				continue
			}
			all = append(all, setting{fmt.Sprintf("rate %v %d steps", rate, n), func(ctx context.Context, d *data, hidden int, seed uint64) (*rbm.RBM, error) {
				t := newTrainer(d, hidden, seed)
				t.Schedule = rbm.Linear(rate, 0, n)
				for range n {
					if err := t.Step(); err != nil {
						return nil, err
					}
				}
				return t.Model, ctx.Err()
			}})
		}
	}
	return all
}

// newTrainer returns a Trainer with the defaults, PCD with 100 chains, and fitted biases.
func newTrainer(d *data, hidden int, seed uint64) *rbm.Trainer {
	_, nv := d.train.Dims()
	src := rand.NewPCG(seed, 5)
	m := rbm.NewRandom(nv, hidden, 0.01, src)
	m.FitVisibleBias(d.train)
	return rbm.NewTrainer(m, d.train, rbm.NewPCD(100, 1, src), src)
}

// steps returns the number of steps of an epoch.
func steps(d *data) int {
	n, _ := d.train.Dims()
	return (n + 99) / 100
}

func warn(r rbm.Report) error {
	for _, w := range r.Warnings {
		fmt.Fprintf(os.Stderr, "step %d: %s\n", r.Step, w)
	}
	return nil
}

// print writes a row for each set: the mean over the seeds, and its standard error.
func (o options) print(done map[run]float64) {
	w := tabwriter.NewWriter(o.table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "set\tindependent\trate 0.02 2000 steps\tbest of the grid\t\tNewTrainer\trecipe\tbelow the best")
	for _, s := range sets {
		if !chosen(o.sets, s.name) {
			continue
		}
		best, name := result{mean: math.NaN()}, ""
		for _, x := range o.settingsOf() {
			if r := o.result(done, s.name, x.name); strings.HasPrefix(x.name, "rate") && r.runs > 0 && !(r.mean <= best.mean) {
				best, name = r, x.name
			}
		}
		fit := o.result(done, s.name, o.recipeName())
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\t%s\t%v\t%v\t%.1f %%\n", s.name, o.result(done, s.name, "independent"), o.result(done, s.name, "rate 0.02 2000 steps"), best, name,
			o.result(done, s.name, "NewTrainer"), fit, 100*(best.mean-fit.mean)/-best.mean)
	}
	w.Flush()
}

// A result is that of some runs.
type result struct {
	mean, err float64
	runs      int
}

func (r result) String() string {
	if r.runs < 2 {
		return fmt.Sprintf("%.2f", r.mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", r.mean, r.err)
}

// result returns the one of a setting, NaN unless all of its runs are done.
func (o options) result(done map[run]float64, set, setting string) result {
	var all []float64
	for seed := range o.seeds {
		l, ok := done[run{set, setting, seed + 1, o.hidden}]
		if !ok {
			return result{mean: math.NaN()}
		}
		all = append(all, l)
	}
	r := result{runs: len(all)}
	for _, l := range all {
		r.mean += l / float64(len(all))
	}
	for _, l := range all {
		r.err += (l - r.mean) * (l - r.mean)
	}
	r.err = math.Sqrt(r.err / float64(len(all)*(len(all)-1)))
	return r
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "experiments:", err)
		os.Exit(1)
	}
}
