package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/recipe"
)

// settings are those of a training. They are kept in its checkpoint and beside its model.
type settings struct {
	Hidden        int     `json:"hidden"`
	Epochs        int     `json:"epochs"`
	Rate          float64 `json:"rate"` // at the start; it falls to 0
	Batch         int     `json:"batch"`
	Sampler       string  `json:"sampler"`
	Chains        int     `json:"chains"`
	Sweeps        int     `json:"sweeps"`
	Levels        int     `json:"levels"`
	L2            float64 `json:"l2"`
	Single        bool    `json:"single"`
	Plain         bool    `json:"plain"` // not centered
	MissingSweeps int     `json:"missing_sweeps"`
	Held          float64 `json:"held"`
	Valid         string  `json:"valid,omitempty"`
	OneHot        string  `json:"one_hot,omitempty"`
	Generative    float64 `json:"generative"` // of a classifier
	Classes       int     `json:"classes,omitempty"`
	Patience      int     `json:"patience"`
	ReportEpochs  int     `json:"report_epochs"`
	Seed          uint64  `json:"seed"`
}

// unset marks numbers that a rule chooses.
const unset = -1

func defaultSettings() settings {
	return settings{
		Hidden: unset, Epochs: unset, Rate: unset, Batch: unset, L2: unset, Chains: unset, ReportEpochs: unset, Held: unset,
		Sweeps: 1, Generative: 1, Levels: 10, MissingSweeps: 1, Seed: 1,
	}
}

var samplers = []string{"pcd", "cd", "pt", "ptt"}

// declare declares the flags of the settings, whose values are the defaults.
func (s *settings) declare(f *flags) {
	f.group("Model and training (what has no default is chosen by the rules of package recipe, and printed first)")
	f.whole(&s.Hidden, "hidden", s.Hidden, 1, 1e6, "`N` hidden units")
	f.whole(&s.Epochs, "epochs", s.Epochs, 1, 1e9, "`N` passes over the rows, at most; may change on -resume")
	f.real(&s.Rate, "rate", s.Rate, 1e-9, 10, "learning rate `ε` at the start, which falls linearly to 0")
	f.whole(&s.Batch, "batch", s.Batch, 1, 1e6, "`N` rows of a step")
	f.real(&s.L2, "l2", s.L2, 0, 1, "decay `λ` of the weights")
	f.text(&s.OneHot, "onehot", s.OneHot, "`FROM:TO,…`: groups of columns of which exactly one is 1; 2:5 are columns 2, 3 and 4, from 0, without those left out")
	f.real(&s.Generative, "generative", s.Generative, 0, 1e6, "with -label: `WEIGHT` of log p(row, class) beside log p(class|row), and of log p(row) without a label")
	f.yes(&s.Single, "single", "single precision, which is faster on large data")
	f.yes(&s.Plain, "plain", "the ordinary gradient in place of the centered one")
	f.whole(&s.MissingSweeps, "missing-sweeps", s.MissingSweeps, 1, 1000, "`N` sweeps of the missing values of a row at each visit")
	f.seed(&s.Seed, s.Seed, "`N` for everything random")

	f.group("Sampler of the negative phase")
	f.choice(&s.Sampler, "sampler", s.Sampler, samplers, "`NAME`: pcd (persistent chains), cd (chains from the rows), pt or ptt (tempering, for rows in separate clusters) (default ptt, or pcd for a large model)")
	f.whole(&s.Chains, "chains", s.Chains, 1, 1e5, "`N` chains of pcd, pt and ptt")
	f.whole(&s.Sweeps, "sweeps", s.Sweeps, 1, 1e6, "`N` Gibbs sweeps a step")
	f.whole(&s.Levels, "levels", s.Levels, 2, 1000, "`N` temperatures of pt")

	f.group("Validation")
	f.real(&s.Held, "held", s.Held, 0, 0.9, "`SHARE` of the rows to judge the model by, chosen among those without missing values (default 0.1, or none of less than 100 rows)")
	f.text(&s.Valid, "valid", s.Valid, "`FILE` of rows to judge the model by, in place of -held")
	f.whole(&s.Patience, "patience", s.Patience, 0, 1e9, "stop after `N` reports without a better model; 0: never; may change on -resume")
	f.whole(&s.ReportEpochs, "report", s.ReportEpochs, 1, 1e9, "a report each `N` epochs (default about 50 reports in all)")
}

// fill chooses what is unset.
func (s *settings) fill(ctx context.Context, d *split) error {
	r, err := s.recipe(d)
	if err != nil {
		return err
	}
	if err := r.Fill(ctx, d.train, d.held, d.observed); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	s.Hidden, s.Epochs, s.Batch, s.Chains, s.Rate, s.L2 = r.Hidden, r.Epochs, r.BatchSize, r.Chains, r.Rate, max(0, r.L2)
	return nil
}

// recipe returns the settings in the terms of its package.
func (s *settings) recipe(d *split) (*recipe.Recipe, error) {
	groups, err := parseGroups(s.OneHot)
	if _, nv := d.train.Dims(); s.Classes > 0 {
		groups = append(groups, rbm.Group{From: nv - s.Classes, To: nv})
	}
	r := &recipe.Recipe{
		Hidden: max(0, s.Hidden), Epochs: max(0, s.Epochs), BatchSize: max(0, s.Batch), Chains: max(0, s.Chains),
		Rate: max(0, s.Rate), Seed: s.Seed, OneHot: groups,
	}
	switch {
	case s.L2 == 0:
		r.L2 = -1 // none
	case s.L2 > 0:
		r.L2 = s.L2
	}
	return r, err
}

// trainer returns a training of which nothing is done, after fill.
func (s *settings) trainer(d *split) (*rbm.Trainer, error) {
	r, err := s.recipe(d)
	if err != nil {
		return nil, err
	}
	t := r.Trainer(d.train, d.held, d.observed)
	s.setSampler(t)
	if s.Classes > 0 {
		t.Classifier = s.classifier(t.Model)
	}
	t.MissingSweeps, t.Single = s.MissingSweeps, s.Single
	if s.Plain {
		t.Centering = nil
	}
	n, _ := d.train.Dims()
	epoch := (n-1)/s.Batch + 1
	if s.ReportEpochs < 0 {
		s.ReportEpochs = max(1, t.ReportEvery/epoch)
	}
	t.ReportEvery = s.ReportEpochs * epoch
	if d.held != nil {
		t.Patience = s.Patience
	}
	return t, nil
}

// classifier returns the objective by which a model of labels is trained.
func (s *settings) classifier(m *rbm.RBM) *rbm.Classifier {
	return &rbm.Classifier{Model: m, Classes: s.Classes, Discriminative: 1, Generative: s.Generative, Unlabeled: s.Generative}
}

// setSampler sets the sampler of the negative phase, or notes which one was chosen. The
// base of pt is the model without weights.
func (s *settings) setSampler(t *rbm.Trainer) {
	chosen := ""
	switch x := t.Sampler.(type) {
	case *rbm.PCD:
		chosen, x.K = "pcd", s.Sweeps
	case *rbm.PTT:
		chosen, x.K = "ptt", s.Sweeps
	}
	if s.Sampler == "" || s.Sampler == chosen {
		s.Sampler = chosen
		return
	}
	src := rand.NewPCG(s.Seed, 2)
	switch s.Sampler {
	case "pcd":
		t.Sampler = rbm.NewPCD(s.Chains, s.Sweeps, src)
	case "cd":
		t.Sampler = rbm.NewCD(s.Sweeps, src)
	case "pt":
		pt := rbm.NewPT(s.Chains, s.Sweeps, s.Levels, src)
		pt.Base = t.Model.Clone().B
		t.Sampler = pt
	case "ptt":
		t.Sampler = rbm.NewPTT(s.Chains, s.Sweeps, nil, src)
	}
}

// parseGroups returns the groups of -onehot.
func parseGroups(text string) (groups []rbm.Group, err error) {
	if text == "" {
		return nil, nil
	}
	end := 0
	for _, part := range strings.Split(text, ",") {
		var g rbm.Group
		from, to, _ := strings.Cut(part, ":")
		g.From, err = strconv.Atoi(from)
		if err == nil {
			g.To, err = strconv.Atoi(to)
		}
		if err != nil || g.From < end || g.To <= g.From {
			return nil, usagef("-onehot is %q, want FROM:TO,… in rising order, as in 0:3,3:8", text)
		}
		end = g.To
		groups = append(groups, g)
	}
	return groups, nil
}

// check returns an error if settings do not go together.
func (s *settings) check() error {
	if s.Valid != "" && s.Held >= 0 {
		return usagef("train: -held and -valid exclude each other")
	}
	if _, err := parseGroups(s.OneHot); err != nil {
		return err
	}
	if s.Sampler == "pt" && s.Chains > 0 && s.Chains*s.Levels > 1<<22 {
		return usagef("train: %d chains at %d temperatures are too many, want at most %d in all", s.Chains, s.Levels, 1<<22)
	}
	return nil
}

func (s *settings) String() string {
	text := fmt.Sprintf("%d hidden units, %d epochs, rate %.4g, decay %.3g, batches of %d, %s-%d", s.Hidden, s.Epochs, s.Rate, s.L2, s.Batch, s.Sampler, s.Sweeps)
	if s.Sampler != "cd" {
		text += fmt.Sprintf(", %d chains", s.Chains)
	}
	return text
}

// A split is the rows of a training and those it is judged by.
type split struct {
	train    *rbm.Bits
	observed *rbm.Bits // nil if all values are known
	held     *rbm.Bits // nil if there are none
}

// splitRows holds out complete rows that the seed chooses. The order of the others stays.
func splitRows(r *rows, s *settings) (*split, error) {
	n, _ := r.bits.Dims()
	complete := r.complete()
	want := int(float64(s.Held*float64(n)) + 0.5)
	if s.Held < 0 {
		want = min(n/10, len(complete)/2)
		if n < 100 {
			want = 0
		}
	}
	switch {
	case want == 0:
		return &split{train: r.bits, observed: r.observed}, nil
	case want > len(complete):
		return nil, fmt.Errorf("%s: %d rows have no missing values, want %d to hold out; -held is too large", r.path, len(complete), want)
	case want == n:
		return nil, fmt.Errorf("%s: all rows are held out; -held is too large", r.path)
	}
	out := make([]bool, n)
	var held []int
	rnd := rand.New(rand.NewPCG(s.Seed, 1))
	for _, k := range rnd.Perm(len(complete))[:want] {
		out[complete[k]] = true
	}
	var rest []int
	for i := range n {
		if out[i] {
			held = append(held, i)
		} else {
			rest = append(rest, i)
		}
	}
	d := &split{train: r.bits.Gather(nil, rest), held: r.bits.Gather(nil, held)}
	if r.observed != nil {
		d.observed = r.observed.Gather(nil, rest)
	}
	return d, nil
}
