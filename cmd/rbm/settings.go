package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
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
	Patience      int     `json:"patience"`
	ReportEpochs  int     `json:"report_epochs"`
	Seed          uint64  `json:"seed"`
}

// unset marks numbers that a rule chooses.
const unset = -1

func defaultSettings() settings {
	return settings{
		Hidden: unset, Epochs: unset, Rate: unset, Batch: unset, Chains: unset, ReportEpochs: unset, Held: unset,
		Sampler: samplers[0], Sweeps: 1, Levels: 10, MissingSweeps: 1, Patience: 10, Seed: 1,
	}
}

var samplers = []string{"pcd", "cd", "pt", "ptt"}

// declare declares the flags of the settings, whose values are the defaults.
func (s *settings) declare(f *flags) {
	f.group("Model and training")
	f.whole(&s.Hidden, "hidden", s.Hidden, 1, 1e6, "`N` hidden units (default the number of columns, at most 100)")
	f.whole(&s.Epochs, "epochs", s.Epochs, 1, 1e9, "`N` passes over the rows, at most; on -resume it may change (default 5000 steps, but 20 to 500 passes)")
	f.real(&s.Rate, "rate", s.Rate, 1e-9, 10, "learning `rate` at the start, which falls linearly to 0 (default 0.1)")
	f.whole(&s.Batch, "batch", s.Batch, 1, 1e6, "`N` rows of a step (default 100, at most a tenth of the rows)")
	f.real(&s.L2, "l2", s.L2, 0, 1, "weight decay `λ`")
	f.yes(&s.Single, "single", "single precision, which is faster on large data")
	f.yes(&s.Plain, "plain", "the ordinary gradient in place of the centered one")
	f.whole(&s.MissingSweeps, "missing-sweeps", s.MissingSweeps, 1, 1000, "`N` sweeps of the missing values of a row at each visit")
	f.seed(&s.Seed, s.Seed, "`seed` of everything random")

	f.group("Sampler of the negative phase")
	f.choice(&s.Sampler, "sampler", s.Sampler, samplers, "`NAME`: pcd (persistent chains), cd (chains from the rows), pt or ptt (tempering, for data in separate clusters)")
	f.whole(&s.Chains, "chains", s.Chains, 1, 1e5, "`N` chains of pcd, pt and ptt (default 100)")
	f.whole(&s.Sweeps, "sweeps", s.Sweeps, 1, 1e6, "`N` Gibbs sweeps a step")
	f.whole(&s.Levels, "levels", s.Levels, 2, 1000, "`N` temperatures of pt")

	f.group("Validation")
	f.real(&s.Held, "held", s.Held, 0, 0.9, "`share` of the rows that are held out to judge the model by, without missing values (default 0.1, at most 500 rows; 0 of less than 100 rows)")
	f.text(&s.Valid, "valid", s.Valid, "`FILE` of rows to judge the model by, in place of -held")
	f.whole(&s.Patience, "patience", s.Patience, 0, 1e9, "stop after `N` reports without a better model by these rows; 0: never; on -resume it may change")
	f.whole(&s.ReportEpochs, "report", s.ReportEpochs, 1, 1e9, "a report each `N` epochs (default a fiftieth of the epochs)")
}

// fill chooses what is unset, for so many rows and columns to train on.
func (s *settings) fill(rows, columns int) {
	if s.Hidden < 0 {
		s.Hidden = min(columns, 100)
	}
	if s.Batch < 0 {
		s.Batch = max(1, min(100, rows/10))
	}
	if s.Chains < 0 {
		s.Chains = 100
	}
	if s.Rate < 0 {
		s.Rate = 0.1
	}
	if s.Epochs < 0 {
		s.Epochs = max(20, min(5000*s.Batch/rows, 500))
	}
	if s.ReportEpochs < 0 {
		s.ReportEpochs = max(1, s.Epochs/50)
	}
}

// trainer returns a training of which nothing is done.
func (s *settings) trainer(d *split) *rbm.Trainer {
	src := rand.NewPCG(s.Seed, 0)
	_, nv := d.train.Dims()
	m := rbm.NewRandom(nv, s.Hidden, 0.01, src)
	m.B = m.FittedBias(d.train, nil, d.observed)
	t := rbm.NewTrainer(m, d.train, s.newSampler(m, src), src)
	t.HeldOut, t.Observed, t.MissingSweeps = d.held, d.observed, s.MissingSweeps
	t.BatchSize, t.SGD.L2, t.Single = s.Batch, s.L2, s.Single
	if s.Plain {
		t.Centering = nil
	}
	n, _ := d.train.Dims()
	epoch := (n-1)/s.Batch + 1
	t.Schedule = rbm.Linear(s.Rate, 0, s.Epochs*epoch)
	t.ReportEvery = s.ReportEpochs * epoch
	if d.held != nil {
		t.Patience = s.Patience
	}
	return t
}

// newSampler returns the sampler of the negative phase. The base of pt is the model without weights.
func (s *settings) newSampler(m *rbm.RBM, src rand.Source) rbm.Sampler {
	switch s.Sampler {
	case "cd":
		return rbm.NewCD(s.Sweeps, src)
	case "pt":
		pt := rbm.NewPT(s.Chains, s.Sweeps, s.Levels, src)
		pt.Base = m.Clone().B
		return pt
	case "ptt":
		return rbm.NewPTT(s.Chains, s.Sweeps, nil, src)
	default:
		return rbm.NewPCD(s.Chains, s.Sweeps, src)
	}
}

// check returns an error if settings do not go together.
func (s *settings) check() error {
	if s.Valid != "" && s.Held >= 0 {
		return usagef("train: -held and -valid exclude each other")
	}
	if s.Sampler == "pt" && s.Chains > 0 && s.Chains*s.Levels > 1<<22 {
		return usagef("train: %d chains at %d temperatures are too many, want at most %d in all", s.Chains, s.Levels, 1<<22)
	}
	return nil
}

func (s *settings) String() string {
	return fmt.Sprintf("%d hidden units, %d epochs, rate %.4g, batches of %d, %s-%d", s.Hidden, s.Epochs, s.Rate, s.Batch, s.Sampler, s.Sweeps)
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
	want := int(s.Held*float64(n) + 0.5)
	if s.Held < 0 {
		want = min(n/10, 500)
		if n < 100 {
			want = 0
		}
		want = min(want, len(complete)/2)
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
