package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// spikes returns bins of neurons that fire at a rate of 2%, but for an assembly of the
// first that fires at 90% in a tenth of the bins, and for the last, which are silent.
func spikes(n, neurons, assembly, silent int) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(5, uint64(assembly)))
	b := rbm.NewBits(n, neurons)
	for r := range n {
		active := rnd.IntN(10) == 0
		for i := range neurons - silent {
			p := 0.02
			if active && i < assembly {
				p = 0.9
			}
			b.SetBit(r, i, rnd.Float64() < p)
		}
	}
	return b
}

// likes returns what users of one of five tastes like, few items each, some of them
// more often than others.
func likes(users, items int) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(6, 1))
	b := rbm.NewBits(users, items)
	for r := range users {
		taste := rnd.IntN(5)
		for i := range items {
			p := 0.02 / float64(1+i%3)
			if i%5 == taste {
				p *= 10
			}
			b.SetBit(r, i, rnd.Float64() < p)
		}
	}
	return b
}

// spins returns chains of Ising spins, of which neighbors are equal with the given
// probability.
func spins(n, length int, equal float64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(7, 1))
	b := rbm.NewBits(n, length)
	for r := range n {
		up := rnd.IntN(2) == 1
		for i := range length {
			b.SetBit(r, i, up)
			up = up == (rnd.Float64() < equal)
		}
	}
	return b
}

// answers returns one of three for each of the questions, one-hot, the first of which
// decides about the next ones but for a share that is drawn at random.
func answers(n, questions int, random float64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(8, 1))
	b := rbm.NewBits(n, 3*questions)
	for r := range n {
		first := rnd.IntN(3)
		for q := range questions {
			answer := first
			if rnd.Float64() < random {
				answer = rnd.IntN(3)
			}
			b.SetBit(r, 3*q+answer, true)
		}
	}
	return b
}

// start returns a trainer with the usual start, and PCD with 100 chains.
func start(data *rbm.Bits, nh int, rate float64) *rbm.Trainer {
	_, nv := data.Dims()
	m := rbm.NewRandom(nv, nh, 0.01, newSource(1))
	m.FitVisibleBias(data)
	tr := rbm.NewTrainer(m, data, rbm.NewPCD(100, 1, newSource(2)), newSource(3))
	tr.SGD.Rate, tr.ReportEvery = rate, 50
	return tr
}

// falls lets the rate of tr fall to 0 over so many steps.
func falls(tr *rbm.Trainer, rate float64, steps int) *rbm.Trainer {
	tr.Schedule = rbm.Linear(rate, 0, steps)
	return tr
}

func withSampler(tr *rbm.Trainer, s rbm.Sampler) *rbm.Trainer {
	tr.Sampler = s
	return tr
}

// questions returns groups of three answers each.
func questions(n int) (groups []rbm.Group) {
	for q := range n {
		groups = append(groups, rbm.Group{From: 3 * q, To: 3*q + 3})
	}
	return groups
}

// Training that goes well has no warnings.
func TestNoFalseAlarms(t *testing.T) {
	if testing.Short() {
		t.Skip("trainings of this length have the same bits in every build")
	}
	t.Parallel()
	strokes := benchRows(600)
	for _, tt := range []struct {
		name   string
		epochs int
		tr     func() *rbm.Trainer
	}{
		{"bars, PCD", 1500, func() *rbm.Trainer {
			tr := rbm.NewTrainer(rbm.NewRandom(16, 12, 0.1, newSource(1)), bars(4, 1), rbm.NewPCD(30, 1, newSource(2)), newSource(3))
			tr.SGD.Rate, tr.ReportEvery = 0.05, 100
			return tr
		}},
		{"bars, CD", 1500, func() *rbm.Trainer {
			tr := rbm.NewTrainer(rbm.NewRandom(16, 12, 0.1, newSource(1)), bars(4, 1), rbm.NewCD(1, newSource(2)), newSource(3))
			tr.SGD.Rate, tr.ReportEvery, tr.Centering = 0.25, 50, nil
			return tr
		}},
		{"bars, PT", 100, func() *rbm.Trainer {
			return withSampler(falls(start(bars(4, 30), 16, 0), 0.1, 1000), newPT(20, 1, []float64{0, 0.5, 1}, newSource(2)))
		}},
		{"bars, PTT", 100, func() *rbm.Trainer {
			return withSampler(falls(start(bars(4, 30), 16, 0), 0.1, 1000), rbm.NewPTT(20, 1, nil, newSource(2)))
		}},
		{"bars, Exact", 300, func() *rbm.Trainer {
			tr := withSampler(start(bars(3, 8), 8, 0.25), new(rbm.Exact))
			tr.ReportEvery = 50
			return tr
		}},
		{"strokes, CD with momentum and HeldOut", 10, func() *rbm.Trainer {
			tr := withSampler(start(strokes.Slice(0, 500), 30, 0.05), rbm.NewCD(1, newSource(2)))
			tr.SGD.Momentum, tr.HeldOut = 0.5, strokes.Slice(500, 600)
			return tr
		}},
		{"strokes, PCD and Inverse", 20, func() *rbm.Trainer {
			tr := start(strokes, 20, 0)
			tr.Schedule = rbm.Inverse(0.1, 50)
			return tr
		}},
		{"spins", 60, func() *rbm.Trainer { return start(spins(1000, 12, 0.8), 12, 0.1) }},
		{"spins that are hardly coupled", 100, func() *rbm.Trainer { return falls(start(spins(1000, 30, 0.55), 10, 0), 0.1, 1000) }},
		{"spins, enhanced gradient", 60, func() *rbm.Trainer {
			tr := start(spins(1000, 20, 0.9), 20, 0.05)
			tr.Centering.Enhanced = true
			return tr
		}},
		{"spikes", 100, func() *rbm.Trainer { return falls(start(spikes(1000, 20, 8, 3), 8, 0), 0.1, 1000) }},
		{"spikes, CD", 60, func() *rbm.Trainer {
			return withSampler(start(spikes(1000, 20, 8, 3), 8, 0.05), rbm.NewCD(1, newSource(2)))
		}},
		{"likes", 30, func() *rbm.Trainer { return falls(start(likes(1000, 200), 10, 0), 2, 300) }},
		{"likes, L1", 60, func() *rbm.Trainer {
			tr := falls(start(likes(500, 200), 10, 0), 2, 300)
			tr.SGD.L1 = 1e-4
			return tr
		}},
		{"groups", 80, func() *rbm.Trainer {
			tr := start(answers(1000, 4, 0.3), 6, 0.05)
			tr.Model.OneHot = questions(4)
			return tr
		}},
		{"groups that are independent, half of them missing", 300, func() *rbm.Trainer {
			tr := start(answers(300, 4, 1), 6, 0.05)
			tr.Model.OneHot = questions(4)
			tr.Observed = rbm.NewBits(300, 12)
			for r := range 300 {
				for i := range 12 {
					tr.Observed.SetBit(r, i, (r+i/3)%2 == 0)
				}
			}
			return tr
		}},
		{"missing values", 100, func() *rbm.Trainer {
			tr := start(spins(1000, 10, 0.9), 10, 0.1)
			tr.Observed = randomBits(1000, 10, 0.7, 4)
			return tr
		}},
		{"eight rows", 1000, func() *rbm.Trainer {
			tr := start(randomBits(8, 5, 0.5, 1), 4, 0.02)
			tr.ReportEvery = 10
			return tr
		}},
		{"one row", 1000, func() *rbm.Trainer {
			tr := start(randomBits(1, 9, 0.5, 1), 3, 0.05)
			tr.ReportEvery = 10
			return tr
		}},
		{"one unit on each side", 50, func() *rbm.Trainer { return start(randomBits(1000, 1, 0.3, 1), 1, 0.05) }},
		{"weights and Cosine", 100, func() *rbm.Trainer {
			tr := start(spins(1000, 12, 0.85), 8, 0)
			tr.Weights = randomWeights(1000, 1)
			for r := range 400 {
				tr.Weights[r] = 0
			}
			tr.Schedule = rbm.Cosine(0.1, 0, 1000)
			return tr
		}},
		{"HeldOut and Patience", 300, func() *rbm.Trainer {
			tr := start(spins(300, 12, 0.8), 8, 0.05)
			tr.HeldOut, tr.Patience = spins(500, 12, 0.8).Slice(300, 500), 20
			return tr
		}},
		{"blocks of rows, odd batches", 60, func() *rbm.Trainer {
			tr := start(spins(1003, 12, 0.85), 8, 0.1)
			tr.ShuffleBlock, tr.BatchSize = 128, 37
			return tr
		}},
		{"independent units", 220, func() *rbm.Trainer { return start(randomBits(1000, 10, 0.2, 1), 4, 0.05) }},
		{"warm up", 15, func() *rbm.Trainer {
			tr := start(spins(1000, 12, 0.85), 8, 0)
			tr.Schedule = rbm.Linear(0, 0.05, 50)
			tr.ReportEvery = 1
			return tr
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := tt.tr()
			log := watchFall(tr, !strings.HasPrefix(tt.name, "groups"))
			trainFor(t, tr, tt.epochs)
			t.Log(log)
			if len(log.warnings) > 0 {
				t.Errorf("%d warnings, at first %q", len(log.warnings), log.warnings[0])
			}
			if !(log.fall < 0.4) {
				t.Errorf("the run is not healthy: %v", log)
			}
		})
	}
}

// A fall is how far the exact log-likelihood of the rows of Data has been below the
// best before, if it is known, and what warnings there were.
type fall struct {
	best, fall, last float64
	warnings         []string
	report           rbm.Report // the last
}

func (f *fall) String() string {
	if math.IsInf(f.best, -1) {
		return fmt.Sprintf("pseudo-log-likelihood %.3f, %.3f of independent units, %d warnings",
			f.report.PseudoLogLikelihood, f.report.IndependentLogLikelihood, len(f.warnings))
	}
	return fmt.Sprintf("log-likelihood %.3f, best %.3f, as far as %.3f below the best before, pseudo-log-likelihood %.3f, %.3f of independent units, %d warnings",
		f.last, f.best, f.fall, f.report.PseudoLogLikelihood, f.report.IndependentLogLikelihood, len(f.warnings))
}

// watchFall makes tr note it at each report, if the model can be enumerated.
func watchFall(tr *rbm.Trainer, exact bool) *fall {
	log := &fall{best: math.Inf(-1)}
	nv, nh := tr.Model.Dims()
	exact = exact && min(nv, nh) <= 16 && tr.Observed == nil && tr.Weights == nil
	tr.OnReport = func(r rbm.Report) error {
		for _, w := range r.Warnings {
			log.warnings = append(log.warnings, fmt.Sprintf("step %d: %s", r.Step, w))
		}
		log.report = r
		if exact {
			log.last = exactMean(tr)
			log.best = max(log.best, log.last)
			log.fall = max(log.fall, log.best-log.last)
		}
		return nil
	}
	return log
}

// exactMean returns the mean log-likelihood of the rows of Data.
func exactMean(tr *rbm.Trainer) float64 {
	return -meanOf(tr.Model.FreeEnergy(nil, tr.Data.(*rbm.Bits))) - tr.Model.LogPartition()
}

// twoModes returns rows of ones and rows of zeros, in turn.
func twoModes(n, nv int) *rbm.Bits {
	b := rbm.NewBits(n, nv)
	for r := 0; r < n; r += 2 {
		for i := range nv {
			b.SetBit(r, i, true)
		}
	}
	return b
}

// A constant added to the biases of a group changes the pseudo-log-likelihood and not
// the model, so that it is no bad sign there to be worse than coins.
func TestCoinsAndGroups(t *testing.T) {
	for _, grouped := range []bool{true, false} {
		tr := start(answers(500, 5, 0.3), 4, 0.01)
		tr.ReportEvery = 5
		if grouped {
			tr.Model.OneHot = questions(5)
		}
		for i := range 3 {
			tr.Model.B.SetVec(i, tr.Model.B.AtVec(i)+20)
		}
		told, reports := false, 0
		tr.OnReport = func(r rbm.Report) error {
			reports++
			told = told || strings.Contains(fmt.Sprint(r.Warnings), "tossing coins")
			return nil
		}
		trainFor(t, tr, 2)
		if told == grouped || reports == 0 {
			t.Errorf("groups: %v; %d reports tell of coins: %v", grouped, reports, told)
		}
	}
}

// The only report of a training tells of stuck chains, too, and after a restart as well.
func TestWarningOfTheOnlyReport(t *testing.T) {
	t.Parallel()
	data := twoModes(1000, 20)
	train := func(stops bool) rbm.Report {
		tr := start(data, 4, 0.05)
		tr.ReportEvery = 1200
		var reports []rbm.Report
		tr.OnReport = func(r rbm.Report) error {
			reports = append(reports, r)
			return nil
		}
		if stops {
			trainFor(t, tr, 115)
			state, err := tr.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			again := start(data, 4, 0.05)
			again.ReportEvery, again.OnReport = tr.ReportEvery, tr.OnReport
			if err := again.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			tr = again
		}
		trainFor(t, tr, 120)
		if len(reports) != 1 {
			t.Fatalf("%d reports, want 1", len(reports))
		}
		return reports[0]
	}
	got, again := train(false), train(true)
	if !strings.Contains(fmt.Sprint(got.Warnings), "the chains are stuck: in 100 steps") {
		t.Errorf("warnings %q, chains moved %v, want one that they are stuck", got.Warnings, got.ChainMove)
	}
	if again.ChainMove != got.ChainMove || fmt.Sprint(again.Warnings) != fmt.Sprint(got.Warnings) {
		t.Errorf("after a restart %v and %q, want %v and %q", again.ChainMove, again.Warnings, got.ChainMove, got.Warnings)
	}
}

// Where the exact log-likelihood falls far at a constant rate, there is a word of it,
// and what it advises helps.
func TestWarningsOfDrift(t *testing.T) {
	t.Parallel()
	linear := func(tr *rbm.Trainer, steps int) { tr.Schedule = rbm.Linear(tr.SGD.Rate, 0, steps) }
	for _, tt := range []struct {
		name   string
		data   *rbm.Bits
		nh     int
		rate   float64
		epochs int
		every  int
		want   string
		help   func(tr *rbm.Trainer, steps int)
	}{
		{"spikes", spikes(1000, 30, 16, 5), 8, 0.1, 120, 50, "the model goes up and down", linear},
		{"bars", bars(4, 1), 10, 0.5, 1000, 100, "the model goes up and down", linear},
		{"two modes", twoModes(1000, 20), 4, 0.05, 120, 10, "the chains are stuck", func(tr *rbm.Trainer, _ int) {
			tr.Sampler = rbm.NewPTT(50, 1, nil, newSource(2))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := start(tt.data, tt.nh, tt.rate)
			tr.ReportEvery = tt.every
			constant := watchFall(tr, true)
			trainFor(t, tr, tt.epochs)
			t.Log(constant)
			if constant.fall < 1 {
				t.Fatalf("bad case: %v", constant)
			}
			told := 0
			for _, w := range constant.warnings {
				if strings.Contains(w, tt.want) {
					told++
				}
			}
			if told == 0 {
				t.Errorf("no warning that %q among %q", tt.want, constant.warnings)
			}
			better := start(tt.data, tt.nh, tt.rate)
			tt.help(better, tr.Steps())
			trainFor(t, better, tt.epochs)
			if got := exactMean(better); got < constant.last+0.5 {
				t.Errorf("log-likelihood %.3f as advised, %.3f before", got, constant.last)
			}
		})
	}
}
