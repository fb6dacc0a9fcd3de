package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/logistic"
	"gonum.org/v1/gonum/mat"
)

var scoreCommand = &command{
	name:  "score",
	args:  "MODEL ROWS",
	least: 2,
	most:  2,
	short: "free energy, likelihood and surprise of each row",
	long: `
Score prints a line for each row: its name or number, its free energy F(v), which is large for unusual rows, and its
pseudo-log-likelihood. -loglik adds log p(v) = -F(v) - log Z, and -units the surprise -log p(vᵢ|other units) of each
unit, which says where a row is unusual. All are in nats.

Exit code 3 says that log Z is not believable; the scores are written all the same.`,
	examples: []string{
		"rbm score model.rbm new.csv",
		"rbm score model.rbm new.csv -loglik -o scores.csv",
		"rbm score model.rbm new.csv -units -o surprise.npy",
	},
	setup: func(f *flags) action {
		o := new(score)
		f.group("Output")
		f.text(&o.out, "o", "", "`FILE` of the scores, .csv, .tsv or .npy (default CSV on the standard output)")
		f.yes(&o.loglik, "loglik", "add the log-likelihood")
		f.yes(&o.units, "units", "add the surprise of each unit, of -log p(group|other units) for a group")
		o.ais.declare(f)
		o.data.declare(f)
		return o.run
	},
}

type score struct {
	out           string
	loglik, units bool
	ais           aisFlags
	data          dataFlags
}

func (o *score) run(ctx context.Context, e *env, args []string) error {
	if err := checkValuesOutput(o.out, args...); err != nil {
		return err
	}
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	r, err := o.data.readComplete(ctx, e, args[1], m, side)
	if err != nil {
		return err
	}
	free := m.FreeEnergy(nil, r.bits)
	names, columns := []string{"free_energy"}, [][]float64{free}
	var doubt error
	if o.loglik {
		l, err := o.ais.logLikelihood(ctx, e, m, r.bits)
		if err != nil {
			return err
		}
		if !l.Believable() {
			fmt.Fprintf(e.stderr, "rbm: log Z is not believable: %s\n", l.Doubt)
			doubt = errNotBelievable
		}
		all := make([]float64, len(free))
		for i, f := range free {
			all[i] = -f - l.LogZ
		}
		names, columns = append(names, "log_likelihood"), append(columns, all)
	}
	names, columns = append(names, "pseudo_log_likelihood"), append(columns, m.PseudoLogLikelihood(nil, r.bits))
	x := mat.NewDense(len(free), len(columns), nil)
	for k, column := range columns {
		x.SetCol(k, column)
	}
	if o.units {
		s, err := surprise(ctx, e, m, r.bits, free)
		if err != nil {
			return err
		}
		names = append(names, unitNames(m, columnNames(r.columns, r.width()))...)
		var all mat.Dense
		all.Augment(x, s)
		x = &all
	}
	if err := writeValues(e, o.out, x, r.rowNames(), names, ""); err != nil {
		return err
	}
	return doubt
}

// surprise returns -log p(vᵢ|other units) of each row and free unit or group i. Free has
// the free energies of the rows.
func surprise(ctx context.Context, e *env, m *rbm.RBM, v *rbm.Bits, free []float64) (*mat.Dense, error) {
	const block = 256
	n, _ := v.Dims()
	units := freeUnits(m)
	s := mat.NewDense(n, len(units), nil)
	p := e.newProgress("surprise", 0, n)
	defer p.clear()
	for first := 0; first < n; first += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last := min(first+block, n)
		probs := m.UnitProbs(nil, v.Slice(first, last))
		for r := first; r < last; r++ {
			for i, u := range units {
				x := u.surprise(probs.RawRowView(r-first), v, r)
				if x >= surprising {
					x = u.exactSurprise(m, v, r, free[r])
				}
				s.Set(r, i, x)
			}
		}
		p.reach(last)
	}
	return s, nil
}

// surprising is where 1-p has lost too many digits.
const surprising = 7

// A unit is a free visible unit, or a group of which one is on.
type unit struct {
	from, to int
	group    bool
}

// freeUnits returns the free units and the groups in order.
func freeUnits(m *rbm.RBM) []unit {
	nv, _ := m.Dims()
	var units []unit
	groups := m.OneHot
	for i := 0; i < nv; {
		if len(groups) > 0 && groups[0].From == i {
			units = append(units, unit{i, groups[0].To, true})
			i, groups = groups[0].To, groups[1:]
			continue
		}
		units = append(units, unit{i, i + 1, false})
		i++
	}
	return units
}

// surprise returns -log p of row r of v by the probabilities that the units are 1.
func (u unit) surprise(probs []float64, v *rbm.Bits, r int) float64 {
	for i := u.from; i < u.to; i++ {
		if v.Bit(r, i) {
			return 0 - logistic.Log(probs[i])
		}
	}
	return 0 - logistic.Log(1-probs[u.from])
}

// exactSurprise returns log(1 + Σ exp(F - F')), with the free energy F of row r of v and
// those F' of the rows that differ from it in the unit only.
func (u unit) exactSurprise(m *rbm.RBM, v *rbm.Bits, r int, free float64) float64 {
	others := u.vary(v, r)
	x := []float64{0}
	for _, other := range m.FreeEnergy(nil, others) {
		x = append(x, free-other)
	}
	return logistic.LogSumExp(x)
}

// vary returns row r of v with all other values of the unit.
func (u unit) vary(v *rbm.Bits, r int) *rbm.Bits {
	_, nv := v.Dims()
	if !u.group {
		other := v.Gather(nil, []int{r})
		other.SetBit(0, u.from, !v.Bit(r, u.from))
		return other
	}
	others := rbm.NewBits(u.to-u.from-1, nv) // at least one, as a group of one is no surprise
	k := 0
	for i := u.from; i < u.to; i++ {
		if v.Bit(r, i) {
			continue
		}
		copy(others.RawRow(k), v.RawRow(r))
		for j := u.from; j < u.to; j++ {
			others.SetBit(k, j, j == i)
		}
		k++
	}
	return others
}

// unitNames returns the names of the free units, and of groups those of their units with
// bars between them.
func unitNames(m *rbm.RBM, columns []string) []string {
	var names []string
	for _, u := range freeUnits(m) {
		names = append(names, strings.Join(columns[u.from:u.to], "|"))
	}
	return names
}
