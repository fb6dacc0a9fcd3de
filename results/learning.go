package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"text/tabwriter"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/compare"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

var learningKind = kind{"learning", "ways to train 784×500 units on MNIST, beside each other", func(f *flag.FlagSet) action {
	o := &learning{base: mnist{
		pixels: "redrawn", drawSeed: 1, hidden: 500, batch: 100, k: 1, sampler: "pcd", rate: 0.1,
		schedule: "linear", std: 0.03, single: true, quiet: true,
	}}
	f.StringVar(&o.base.dir, "data", "", "`folder` of the four files of MNIST; empty: that of a Go module")
	whole(f, &o.base.hidden, "hidden", 500, 1, "hidden `units`")
	whole(f, &o.base.held, "held", 10000, 0, "the last so many `rows` of the 60,000 are for validation")
	whole(f, &o.epochs, "epochs", 20, 1, "`passes` over the training rows; slower ways have fewer, faster ones more")
	whole(f, &o.seeds, "seeds", 2, 1, "`number` of seeds")
	whole(f, &o.temperatures, "temperatures", 1000, 1, "`number` of temperatures of annealed importance sampling")
	f.StringVar(&o.ways, "ways", "", "comma-separated beginnings of `names` of ways; empty: all")
	return o.run
}}

type learning struct {
	base          mnist
	epochs, seeds int
	temperatures  int
	ways          string
}

// A way is a training that differs from the usual one.
type way struct {
	name   string
	share  float64 // of the epochs, for about the same processor time
	change func(o *mnist)
}

var ways = []way{
	{"usual: PCD-1, 100 rows, 100 chains, centered, rate 0.1 falling linearly to 0, single precision", 1, func(*mnist) {}},
	{"float64", 0.8, func(o *mnist) { o.single = false }},
	{"rate 0.05", 1, func(o *mnist) { o.rate = 0.05 }},
	{"rate 0.2", 1, func(o *mnist) { o.rate = 0.2 }},
	{"falling along a cosine", 1, func(o *mnist) { o.schedule = "cosine" }},
	{"falling in the last half", 1, func(o *mnist) { o.schedule = "late" }},
	{"50 rows", 0.85, func(o *mnist) { o.batch = 50 }},
	{"200 rows, rate 0.2", 1.2, func(o *mnist) { o.batch, o.rate = 200, 0.2 }},
	{"400 rows, rate 0.3", 1.4, func(o *mnist) { o.batch, o.rate = 400, 0.3 }},
	{"500 chains", 0.35, func(o *mnist) { o.chains = 500 }},
	{"two sweeps a step", 0.75, func(o *mnist) { o.k = 2 }},
	{"plain gradient", 1, func(o *mnist) { o.plain = true }},
	{"enhanced gradient", 1, func(o *mnist) { o.enhanced = true }},
	{"momentum 0.5, rate 0.05", 0.9, func(o *mnist) { o.momentum, o.rate = 0.5, 0.05 }},
	{"decay 0.0001", 0.9, func(o *mnist) { o.decay = 0.0001 }},
	{"mean of the parameters over the last fifth, at a constant rate of 0.05", 1, func(o *mnist) { o.rate, o.schedule, o.average = 0.05, "constant", 0.2 }},
	{"Adam, rate 0.001 falling to 0, plain gradient", 1, func(o *mnist) { o.adam, o.rate, o.plain = true, 0.001, true }},
	{"first weights along the ten leading principal components", 1, func(o *mnist) { o.components = 10 }},
	{"PTT", 0.2, func(o *mnist) { o.sampler = "ptt" }},
	{"Rdm-10: new chains each step, 10 sweeps", 0.25, func(o *mnist) { o.sampler, o.k = "rdm", 10 }},
	{"CD-1", 1, func(o *mnist) { o.sampler = "cd" }},
	{"CD-10", 0.35, func(o *mnist) { o.sampler, o.k = "cd", 10 }},
}

func (o *learning) run(ctx context.Context, w io.Writer) error {
	var names []string
	for _, x := range ways {
		names = append(names, x.name)
	}
	if err := checkBeginnings("-ways", o.ways, names); err != nil {
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(out, "| way\t epochs\t processor time, s\t validation rows, nats\t believable\t samples after 10 sweeps are told from rows\t")
	for _, x := range ways {
		if !beginsWith(o.ways, x.name) {
			continue
		}
		var means, short []float64
		believable, epochs, seconds := 0, 0, 0.0
		for seed := range o.seeds {
			m := o.base
			m.seed = uint64(seed + 1)
			x.change(&m)
			m.epochs = max(1, int(math.Round(x.share*float64(o.epochs))))
			d, err := m.data()
			if err != nil {
				return err
			}
			begin := processorTime()
			model, err := m.train(ctx, d)
			if err != nil {
				return fmt.Errorf("%s: %w", x.name, err)
			}
			seconds += (processorTime() - begin).Seconds()
			epochs = m.epochs
			l, err := model.LogLikelihood(ctx, d.held, rbm.NewAIS(100, o.temperatures, rand.NewPCG(m.seed, 3)))
			if err != nil {
				return err
			}
			if l.Believable() {
				believable++
			}
			means = append(means, l.Mean)
			short = append(short, fewSweeps(model, d.held, m.seed))
		}
		fmt.Fprintf(out, "| %s\t %d\t %.0f\t %s\t %d of %d\t %s\t\n", x.name, epochs, seconds/float64(o.seeds), meanOf(means), believable, o.seeds, meanOf(short))
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// fewSweeps returns how well a nearest neighbor tells samples from rows, ten sweeps after the start of chains: 0.5 if not
// at all, 1 if always.
func fewSweeps(m *rbm.RBM, held *rbm.Bits, seed uint64) float64 {
	n := min(1000, rows(held))
	c := rbm.NewChains(rand.NewPCG(seed, 4))
	c.StartRandom(m, n)
	c.Gibbs(m, 10)
	return compare.AdversarialAccuracy(held.Slice(0, n), c.Visible()).Accuracy
}

// meanOf says the mean with its standard error.
func meanOf(x []float64) string {
	if len(x) == 1 {
		return fmt.Sprintf("%.2f", x[0])
	}
	return fmt.Sprintf("%.2f ± %.2f", stat.Mean(x, nil), stat.StdErr(stat.StdDev(x, nil), float64(len(x))))
}

// rdm is a Sampler of chains that begin anew each step (Decelle, Furtlehner & Seoane, 2021).
type rdm struct {
	n, k   int
	chains *rbm.Chains
}

func (s *rdm) Sample(m *rbm.RBM, _ mat.Matrix) (v mat.Matrix, weights []float64) {
	s.chains.StartRandom(m, s.n)
	s.chains.Gibbs(m, s.k)
	return s.chains.Visible(), nil
}

// alongComponents sets the weights to random sums of the n leading principal components of rows (n×nv), by which the inputs
// of the hidden units have a standard deviation of std·√nv/2, as those of independent weights, and a mean of 0.
func alongComponents(m *rbm.RBM, rows *rbm.Bits, n int, std float64, src rand.Source) error {
	nv, nh := m.Dims()
	x := mat.DenseCopyOf(rows)
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, x, nil)
	var e mat.EigenSym
	if !e.Factorize(&covariance, true) {
		return fmt.Errorf("no principal components of %d rows", x.RawMatrix().Rows)
	}
	var directions mat.Dense
	e.VectorsTo(&directions)
	vars := e.Values(nil) // rising
	means := make([]float64, nv)
	for i := range means {
		means[i] = stat.Mean(mat.Col(nil, i, x), nil)
	}
	normal := rand.New(src)
	for j := range nh {
		row := m.W.RawRowView(j)
		clear(row)
		for k := nv - n; k < nv; k++ {
			// The input along a component of variance s² has the variance size²·s².
			size := std * math.Sqrt(float64(nv)) / 2 / math.Sqrt(float64(n)*vars[k])
			floats.AddScaled(row, size*normal.NormFloat64(), mat.Col(nil, k, &directions))
		}
		m.C.SetVec(j, -floats.Dot(row, means))
	}
	return nil
}

// adam is the rule of Kingma & Ba (2015).
type adam struct {
	step          int
	first, second [3][]float64
}

func (a *adam) climb(m *rbm.RBM, g *rbm.Gradient, rate float64) {
	const decay1, decay2, small = 0.9, 0.999, 1e-8
	a.step++
	unbias1, unbias2 := 1-math.Pow(decay1, float64(a.step)), 1-math.Pow(decay2, float64(a.step))
	for i, p := range [][2][]float64{
		{m.W.RawMatrix().Data, g.W.RawMatrix().Data},
		{m.B.RawVector().Data, g.B.RawVector().Data},
		{m.C.RawVector().Data, g.C.RawVector().Data},
	} {
		if a.first[i] == nil {
			a.first[i], a.second[i] = make([]float64, len(p[0])), make([]float64, len(p[0]))
		}
		for k, d := range p[1] {
			u, v := &a.first[i][k], &a.second[i][k]
			*u = decay1**u + (1-decay1)*d
			*v = decay2**v + (1-decay2)*d*d
			p[0][k] += rate * (*u / unbias1) / (math.Sqrt(*v/unbias2) + small)
		}
	}
}

// trainByAdam trains by a loop, as a Trainer has no other rule than SGD.
func (o *mnist) trainByAdam(ctx context.Context, t *rbm.Trainer, d data, steps int) error {
	var g rbm.Gradient
	var a adam
	g.Single = o.single
	for epoch := uint64(0); ; epoch++ {
		for rows := range rbm.Minibatches(d.train, o.batch, rand.NewPCG(o.seed, epoch)) {
			if a.step == steps {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			t.Model.Gradient(&g, rows, t.Sampler)
			if t.Centering != nil {
				t.Centering.Center(&g)
			}
			a.climb(t.Model, &g, t.Schedule(a.step))
		}
		if d.redraw != nil {
			d.redraw()
		}
	}
}

// average keeps the mean of parameters over the last part of a training.
type average struct {
	n    int
	mean *rbm.RBM
}

func (a *average) add(m *rbm.RBM) {
	a.n++
	if a.mean == nil {
		a.mean = m.Clone()
		return
	}
	step := func(mean, x []float64) {
		for k := range mean {
			mean[k] += (x[k] - mean[k]) / float64(a.n)
		}
	}
	step(a.mean.W.RawMatrix().Data, m.W.RawMatrix().Data)
	step(a.mean.B.RawVector().Data, m.B.RawVector().Data)
	step(a.mean.C.RawVector().Data, m.C.RawVector().Data)
}
