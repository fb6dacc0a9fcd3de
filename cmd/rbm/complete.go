package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"gonum.org/v1/gonum/mat"
)

var completeCommand = &command{
	name:  "complete",
	args:  "MODEL ROWS",
	least: 2,
	most:  2,
	short: "fill in missing values",
	long: `
Complete writes the rows with their missing values filled in: by the probabilities p(vᵢ=1|known values), or with -draw by
a draw of all missing values together. Rows with at most -exact missing values are enumerated, which is exact; the
probabilities of others are means over -sweeps sweeps of a Markov chain, after -burn sweeps.`,
	examples: []string{
		"rbm complete model.rbm rows.csv -o probabilities.csv",
		"rbm complete model.rbm rows.csv -draw -seed 7 -o filled.csv",
		"rbm complete model.rbm rows.csv -burn 10000 -sweeps 100000 -o probabilities.npy",
	},
	setup: func(f *flags) action {
		o := new(completion)
		f.group("Output")
		o.output.declare(f)
		f.yes(&o.draw, "draw", "zeros and ones, drawn from the model")
		f.group("Computation")
		f.whole(&o.exact, "exact", maxExact, 0, maxExact, "enumerate rows with at most `N` missing values")
		f.whole(&o.burn, "burn", 1000, 0, 1e9, "`N` sweeps of other rows before those that count")
		f.whole(&o.sweeps, "sweeps", 10000, 1, 1e9, "`N` sweeps that count, for probabilities")
		f.seed(&o.seed, 1, "`seed` of chains and draws")
		o.data.declare(f)
		return o.run
	},
}

const maxExact = 16 // missing values of a row

type completion struct {
	draw                bool
	exact, burn, sweeps int
	seed                uint64
	output              tableFlags
	data                dataFlags
}

func (o *completion) run(ctx context.Context, e *env, args []string) error {
	check := o.output.check
	if !o.draw {
		check = func(inputs ...string) error { return checkValuesOutput(o.output.out, inputs...) }
	}
	if err := check(args...); err != nil {
		return err
	}
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	r, err := o.data.readFor(ctx, e, args[1], m, side)
	if err != nil {
		return err
	}
	if err := checkGroups(m.OneHot, r); err != nil {
		return err
	}
	if o.draw {
		return o.writeDraws(ctx, e, m, r)
	}
	return o.writeMeans(ctx, e, m, r)
}

// parts returns the numbers of the rows to enumerate and to sample.
func (o *completion) parts(r *rows) (few, many []int) {
	n, _ := r.bits.Dims()
	for i := range n {
		switch missing := r.missing(i); {
		case missing == 0:
		case missing <= o.exact:
			few = append(few, i)
		default:
			many = append(many, i)
		}
	}
	return few, many
}

// writeMeans writes probabilities.
func (o *completion) writeMeans(ctx context.Context, e *env, m *rbm.RBM, r *rows) error {
	few, many := o.parts(r)
	x := mat.DenseCopyOf(r.bits)
	p := e.newProgress("completing", 0, len(few)+(o.burn+o.sweeps)*min(1, len(many)))
	defer p.clear()
	for k, i := range few {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.SetRow(i, m.MeansGiven(nil, r.bits.Slice(i, i+1), r.observed.Slice(i, i+1)).RawRowView(0))
		p.reach(k + 1)
	}
	if len(many) > 0 {
		chains, observed, err := o.chains(ctx, m, r, many, func(done int) { p.reach(len(few) + done) })
		if err != nil {
			return err
		}
		for done := 0; done < o.sweeps; {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := min(burst, o.sweeps-done)
			means := chains.MeansGiven(nil, m, k, observed)
			for c, i := range many {
				to := x.RawRowView(i)
				for j, mean := range means.RawRowView(c) {
					if !r.observed.Bit(i, j) {
						to[j] += float64((mean-to[j])*float64(k)) / float64(done+k)
					}
				}
			}
			done += k
			p.reach(len(few) + o.burn + done)
		}
	}
	p.clear()
	return writeValues(e, o.output.out, x, r.names, r.columns, r.format.ID)
}

// writeDraws writes zeros and ones.
func (o *completion) writeDraws(ctx context.Context, e *env, m *rbm.RBM, r *rows) error {
	few, many := o.parts(r)
	filled := r.bits
	p := e.newProgress("completing", 0, len(few)+o.burn*min(1, len(many)))
	defer p.clear()
	for k, i := range few {
		if err := ctx.Err(); err != nil {
			return err
		}
		all, weights := m.CompletionsGiven(r.bits.Slice(i, i+1), r.observed.Slice(i, i+1))
		rnd := rand.New(rand.NewPCG(o.seed, uint64(i)+1))
		copy(filled.RawRow(i), all.RawRow(choose(rnd.Float64(), weights)))
		p.reach(k + 1)
	}
	if len(many) > 0 {
		chains, _, err := o.chains(ctx, m, r, many, func(done int) { p.reach(len(few) + done) })
		if err != nil {
			return err
		}
		for c, i := range many {
			copy(filled.RawRow(i), chains.Visible().RawRow(c))
		}
	}
	p.clear()
	o.output.as(r.format.Spins)
	o.output.id = r.format.ID
	return o.output.write(e, &bitio.Table{Bits: filled, Columns: r.columns, Rows: r.names})
}

// chains returns chains of some rows after -burn sweeps of what is missing.
func (o *completion) chains(ctx context.Context, m *rbm.RBM, r *rows, some []int, reach func(done int)) (*rbm.Chains, *rbm.Bits, error) {
	observed := r.observed.Gather(nil, some)
	c := rbm.NewChains(rand.NewPCG(o.seed, 0))
	c.StartGiven(m, r.bits.Gather(nil, some), observed)
	for done := 0; done < o.burn; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		k := min(burst, o.burn-done)
		c.GibbsGiven(m, k, observed)
		done += k
		reach(done)
	}
	return c, observed, nil
}

// choose returns the index at which the running sum of weights, which add up to 1, exceeds u.
func choose(u float64, weights []float64) int {
	sum, last := 0.0, 0
	for k, w := range weights {
		if w == 0 {
			continue
		}
		last = k
		if sum += w; u < sum {
			break
		}
	}
	return last
}

// checkGroups returns an error if the known values of a row contradict a group.
func checkGroups(groups []rbm.Group, r *rows) error {
	n, _ := r.bits.Dims()
	for i := range n {
		for _, g := range groups {
			on, unknown := 0, r.observed != nil && !r.allKnown(i, g)
			for j := g.From; j < g.To; j++ {
				if r.bits.Bit(i, j) {
					on++
				}
			}
			if on > 1 || on == 0 && !unknown {
				return fmt.Errorf("%s: row %s has %d units of the group %v on, want 1", r.path, r.rowName(i), on, g)
			}
		}
	}
	return nil
}

// allKnown reports whether row i has all values of a group.
func (r *rows) allKnown(i int, g rbm.Group) bool {
	for j := g.From; j < g.To; j++ {
		if !r.observed.Bit(i, j) {
			return false
		}
	}
	return true
}
