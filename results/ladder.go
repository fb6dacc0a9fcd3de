package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

var ladderKind = kind{"ladder", "log Z along a ladder of models, beside the exact one", func(f *flag.FlagSet) action {
	o := new(climbing)
	whole(f, &o.seeds, "seeds", 100, 1, "`models`, each of other clusters")
	f.Uint64Var(&o.first, "first", 1, "first `seed`")
	whole(f, &o.visible, "visible", 48, 1, "visible `units`")
	whole(f, &o.hidden, "hidden", 22, 1, "hidden `units`, at most 30 to enumerate")
	whole(f, &o.clusters, "clusters", 6, 1, "`clusters` of rows, each half as large as the one before")
	real(f, &o.noise, "noise", 0.01, "`probability` that a unit differs from the center of its cluster")
	whole(f, &o.rows, "rows", 1000, 1, "`rows` to train on")
	whole(f, &o.epochs, "epochs", 100, 1, "`passes` over them")
	real(f, &o.rate, "rate", 0.1, "`rate` of the first step")
	real(f, &o.swaps, "swaps", 0.5, "swap `rate` below which a model joins the ladder")
	whole(f, &o.chains, "chains", 40, 1, "persistent `chains`")
	whole(f, &o.temperatures, "temperatures", 1000, 1, "`temperatures` of annealed importance sampling")
	whole(f, &o.sweeps, "sweeps", 3000, 1, "`sweeps` of the ladder")
	f.BoolVar(&o.each, "each", false, "print each model")
	return o.run
}}

// A climbing is what compares log Z along ladders with the exact one.
type climbing struct {
	seeds, visible, hidden, clusters, rows, epochs, chains, temperatures, sweeps int
	first                                                                        uint64
	noise, rate, swaps                                                           float64
	each                                                                         bool
}

// estimates are what a method has found of all models.
type estimates struct {
	believed, wrong, covered int
	square, most             float64 // of the errors of what is believed
	mostAll                  float64 // error of any
}

// add adds an estimate and its bounds, the exact figure being 0.
func (j *estimates) add(mean, low, high float64, believable bool) {
	j.mostAll = max(j.mostAll, math.Abs(mean))
	if !believable {
		return
	}
	j.believed++
	if low <= 0 && 0 <= high {
		j.covered++
	}
	if math.Abs(mean) > 0.1 {
		j.wrong++
	}
	j.square += mean * mean
	j.most = max(j.most, math.Abs(mean))
}

func (o *climbing) run(ctx context.Context, w io.Writer) error {
	if o.hidden > 30 {
		return fmt.Errorf("-hidden is %d, want at most 30", o.hidden)
	}
	var ais estimates
	ladders := []struct {
		name   string
		every  int // of so many models one is kept
		sweeps int
		estimates
	}{
		{"the ladder", 1, o.sweeps, estimates{}},
		{"the ladder, with a tenth of the sweeps", 1, o.sweeps / 10, estimates{}},
		{"every second model of the ladder", 2, o.sweeps, estimates{}},
	}
	for i := range o.seeds {
		seed := o.first + uint64(i)
		rows := o.clustered(seed)
		m, ptt, err := o.train(ctx, rows, seed)
		if err != nil {
			return err
		}
		exact := m.LogPartition()
		l, err := m.LogLikelihood(ctx, rows, rbm.NewAIS(100, o.temperatures, rand.NewPCG(seed, 3)))
		if err != nil {
			return err
		}
		ais.add(l.LogZ-exact, l.LogZ+l.Mean-l.High-exact, l.LogZ+l.Mean-l.Low-exact, l.Believable())
		if o.each {
			fmt.Fprintf(w, "seed %d: log Z %.4f; AIS %+.4f: %v\n", seed, exact, l.LogZ-exact, l)
		}
		for k := range ladders {
			x := &ladders[k]
			var kept []*rbm.RBM
			for k, saved := range ptt.Models() {
				if k%x.every == 0 {
					kept = append(kept, saved)
				}
			}
			z, err := rbm.NewPTT(o.chains, 1, kept, rand.NewPCG(seed, 4)).LogZ(ctx, m, rows, x.sweeps)
			if err != nil {
				return err
			}
			x.add(z.Mean-exact, z.Low-exact, z.High-exact, z.Believable())
			if o.each {
				fmt.Fprintf(w, "  %s %+.4f [%+.4f, %+.4f]: %v\n", x.name, z.Mean-exact, z.Low-exact, z.High-exact, z)
			}
		}
	}
	fmt.Fprintln(w, "| log Z by | believed | within its bounds | over 0.1 nats off | root mean square | largest | largest, believed or not |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|")
	ais.row(w, "AIS", o.seeds)
	for _, x := range ladders {
		x.row(w, x.name, o.seeds)
	}
	return nil
}

// row prints what was found by a method of this name. All but the last figure are of what is
// believed.
func (j *estimates) row(w io.Writer, name string, all int) {
	square, most := "–", "–"
	if j.believed > 0 {
		square, most = fmt.Sprintf("%.3f", math.Sqrt(j.square/float64(j.believed))), fmt.Sprintf("%.3f", j.most)
	}
	fmt.Fprintf(w, "| %s | %d of %d | %d | %d | %s | %s | %.3f |\n", name, j.believed, all, j.covered, j.wrong, square, most, j.mostAll)
}

// clustered returns rows around centers that are drawn at random.
func (o *climbing) clustered(seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 1))
	centers := rbm.NewBits(o.clusters, o.visible)
	for k := range o.clusters {
		for i := range o.visible {
			centers.SetBit(k, i, rnd.IntN(2) == 1)
		}
	}
	rows := rbm.NewBits(o.rows, o.visible)
	for r := range o.rows {
		k := 0
		for k < o.clusters-1 && rnd.IntN(2) == 1 {
			k++
		}
		for i := range o.visible {
			rows.SetBit(r, i, centers.Bit(k, i) != (rnd.Float64() < o.noise))
		}
	}
	return rows
}

// train returns a model of the rows, and the sampler with the ladder to it.
func (o *climbing) train(ctx context.Context, rows *rbm.Bits, seed uint64) (*rbm.RBM, *rbm.PTT, error) {
	src := rand.NewPCG(seed, 2)
	m := rbm.NewRandom(o.visible, o.hidden, 0.01, src)
	m.FitVisibleBias(rows)
	ptt := rbm.NewPTT(o.chains, 1, nil, src)
	ptt.MinSwapRate = o.swaps
	t := rbm.NewTrainer(m, rows, ptt, src)
	t.Schedule = rbm.Linear(o.rate, 0, o.epochs*((o.rows+t.BatchSize-1)/t.BatchSize))
	return m, ptt, t.Train(ctx, o.epochs)
}
