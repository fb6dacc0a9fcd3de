package main

import (
	"context"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

var sampleCommand = &command{
	name:  "sample",
	args:  "MODEL",
	least: 1,
	most:  1,
	short: "draw rows from a model",
	long: `
Sample draws rows from a model by Markov chains. All chains start from the visible biases and move by -burn sweeps;
then each gives a row each -thin sweeps. Rows of one chain that are few sweeps apart are alike; as many chains as rows
are independent of each other. Where chains stay in a cluster of rows, -sampler pt mixes better. A model trained with
-spins gives -1 and 1, unless -to-spins=false.`,
	examples: []string{
		"rbm sample model.rbm -n 1000 -o samples.csv",
		"rbm sample model.rbm -n 100 -chains 100 -burn 10000",
		"rbm sample model.rbm -n 1000 -sampler pt -o samples.npy",
	},
	setup: func(f *flags) action {
		o := new(sample)
		f.group("Output")
		f.whole(&o.n, "n", 100, 1, 1e8, "`N` rows")
		o.output.declare(f)
		f.group("Chains")
		f.choice(&o.sampler, "sampler", "gibbs", []string{"gibbs", "pt"}, "`NAME`: gibbs, or pt for parallel tempering")
		f.whole(&o.chains, "chains", unset, 1, 1e6, "`N` chains (default as many as rows, at most 1000)")
		f.whole(&o.burn, "burn", 1000, 0, 1e9, "`N` sweeps before the first row")
		f.whole(&o.thin, "thin", 100, 1, 1e9, "`N` sweeps from a row to the next of its chain")
		f.whole(&o.levels, "levels", 20, 2, 1000, "`N` temperatures of pt")
		f.seed(&o.seed, 1, "`seed` of the chains")
		return o.run
	},
}

type sample struct {
	n, chains, burn, thin, levels int
	sampler                       string
	seed                          uint64
	output                        tableFlags
}

const burst = 10 // sweeps between looks at whether to stop

func (o *sample) run(ctx context.Context, e *env, args []string) error {
	if o.chains < 0 {
		o.chains = min(o.n, 1000)
	}
	if o.sampler == "pt" && o.chains*o.levels > 1<<22 {
		return usagef("sample: %d chains at %d temperatures are too many, want at most %d in all", o.chains, o.levels, 1<<22)
	}
	if err := o.output.check(args...); err != nil {
		return err
	}
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	rounds := (o.n + o.chains - 1) / o.chains
	p := e.newProgress("sampling", 0, o.burn+(rounds-1)*o.thin)
	defer p.clear()
	move := o.start(m)
	nv, _ := m.Dims()
	rows := rbm.NewBits(o.n, nv)
	done, next := 0, o.burn
	for first := 0; first < o.n; first, next = first+o.chains, o.thin {
		var v *rbm.Bits
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := min(next, burst)
			v = move(k)
			next, done = next-k, done+k
			p.tenths(done)
			if next == 0 {
				break
			}
		}
		for c := range min(o.chains, o.n-first) {
			copy(rows.RawRow(first+c), v.RawRow(c))
		}
	}
	p.clear()
	t := &bitio.Table{Bits: rows}
	if side != nil {
		t.Columns = side.Rows.names()
		o.output.as(side.Rows.Spins)
	}
	return o.output.write(e, t)
}

// start starts the chains, and returns what moves them by k sweeps and returns their states.
func (o *sample) start(m *rbm.RBM) (move func(k int) *rbm.Bits) {
	src := rand.NewPCG(o.seed, 0)
	chains := rbm.NewChains(src)
	chains.StartRandom(m, o.chains)
	if o.sampler == "gibbs" {
		return func(k int) *rbm.Bits {
			if k > 0 {
				chains.Gibbs(m, k)
			}
			return chains.Visible()
		}
	}
	pt := rbm.NewPT(o.chains, 1, o.levels, src)
	return func(k int) *rbm.Bits {
		if k > 0 {
			pt.K = k
			pt.Sample(m, chains.Visible())
			return pt.Visible()
		}
		return chains.Visible()
	}
}
