package rbm

import (
	"fmt"
	"strings"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

const (
	maxMissing     = 16      // log₂ of the completions of a row that are enumerated
	maxCompletions = 1 << 24 // rows of CompletionsGiven
)

// LogProbGiven returns, for each row of v (n×nv) in dst (n), the log-probability of its
// missing units with the observed ones clamped,
//
//	log p(v_missing | v_observed) = -F(v) - log Σ exp(-F(v'))
//
// summed over all v' that agree with v where it is observed (see StartGiven). It enumerates
// at most 2¹⁶ completions of a row: 16 missing units, or groups.
func (m *RBM) LogProbGiven(dst []float64, v mat.Matrix, observed *Bits) []float64 {
	c := m.conditional(v, observed)
	dst = checkDst(dst, c.n)
	outcome := make([]int, c.n) // number of the row's completion
	for r := range outcome {
		dst[r] = 0
		for _, d := range c.missing(r) {
			switch x := v.At(r, d.unit); x {
			case 0:
			case 1:
				outcome[r] += d.value * d.stride
			default:
				panic(fmt.Sprintf("rbm: v[%d, %d] is %v, want 0 or 1 as it is not observed", r, d.unit, x))
			}
		}
	}
	c.checkGroups(v, nil)
	c.each(known(v, observed), func(r int, logp []float64, logZ float64) { dst[r] = logp[outcome[r]] - logZ })
	return dst
}

// MeansGiven returns the exact E[v | v_observed] in dst (n×nv), by enumeration as in
// LogProbGiven. Missing values of v may be NaN; see [Chains] for many.
func (m *RBM) MeansGiven(dst *mat.Dense, v mat.Matrix, observed *Bits) *mat.Dense {
	c := m.conditional(v, observed)
	dst = checkDense(dst, c.n, c.nv)
	v = known(v, observed)
	dst.Copy(v)
	c.each(v, func(r int, logp []float64, logZ float64) {
		p := logp
		for x := range p {
			p[x] = logistic.Exp(logp[x] - logZ)
		}
		for _, d := range c.missing(r) {
			var off, on float64
			for x, p := range p {
				if d.isOn(x) {
					on += p
				} else {
					off += p
				}
			}
			dst.Set(r, d.unit, on/(off+on))
		}
	})
	return dst
}

// CompletionsGiven returns all completions of the rows of v (n×nv), row by row, at most 2¹⁶
// each and 2²⁴ in all, and their probabilities p(v_missing | v_observed). With them,
// [RBM.WeightedGradient] climbs log p(v_observed). Completion x of a row has its k-th
// missing unit on if bit k of x is set; the missing units of a group are one digit of x.
// See LogProbGiven for observed.
func (m *RBM) CompletionsGiven(v mat.Matrix, observed *Bits) (rows *Bits, weights []float64) {
	c := m.conditional(v, observed)
	first := make([]int, c.n) // completion of each row
	total := 0
	for r := range first {
		first[r] = total
		if total += c.count[r]; total > maxCompletions {
			panic(fmt.Sprintf("rbm: rows [0, %d) have %d completions, want at most %d", r+1, total, maxCompletions))
		}
	}
	rows, weights = NewBits(total, c.nv), make([]float64, total)
	part, err := BitsOf(known(v, observed))
	if err != nil {
		panic("rbm: v: " + strings.TrimPrefix(err.Error(), "rbm: "))
	}
	for r := range c.n {
		missing := c.missing(r)
		for x := range c.count[r] {
			row := rows.row(first[r] + x)
			copy(row, part.row(r))
			for _, d := range missing {
				if d.isOn(x) {
					row[d.unit/wordBits] |= 1 << (d.unit % wordBits)
				}
			}
		}
		weights[first[r]] = 1
	}
	c.each(part, func(r int, logp []float64, logZ float64) {
		w := weights[first[r]:][:len(logp)]
		for x, logp := range logp {
			w[x] = logistic.Exp(logp - logZ)
		}
		sum := product.Sum(w) // not quite 1 where log Z is large, and so is its rounding
		for x := range w {
			w[x] /= sum
		}
	})
	return rows, weights
}

// conditional is the distribution of the missing units of each row, and the job that
// enumerates it, one row per part.
//
// Given some units, the others are an RBM with the hidden biases c + W_observed·v_observed,
// whose exact probabilities these are. The time is proportional to nh for each completion:
// a twentieth of a second for 16 missing units and nh=500.
type conditional struct {
	m        *RBM
	n, nv    int
	observed *Bits
	of       []digit // of the missing units, row by row
	ends     []int   // where the digits of each row end
	count    []int   // completions of each row
	rows     int     // completions, or some that are enough work for many goroutines

	model   model
	in      *batch
	r0      int       // row 0 of the batch
	x       []float64 // inputs of the hidden units: rows of the batch × nh
	visit   func(r int, logp []float64, logZ float64)
	reduced []reduced // of each worker
}

// A digit tells which completions x of a row have a missing unit on: those in which
// digit x/stride%size has its value.
type digit struct {
	unit, stride, size, value int
	inGroup                   bool
}

func (d digit) isOn(x int) bool { return x/d.stride%d.size == d.value }

// conditional panics if the sizes do not fit, if too many units of a row are missing, or if
// its observed units do not fit the groups.
func (m *RBM) conditional(v mat.Matrix, observed *Bits) *conditional {
	nv, _ := m.Dims()
	c := &conditional{m: m, n: checkBatch("v", v, nv), nv: nv, observed: observed}
	checkObserved(observed, c.n, nv)
	v = known(v, observed)
	if observed != nil {
		c.checkGroups(v, observed)
	}
	c.ends, c.count = make([]int, c.n), make([]int, c.n)
	for r := range c.n {
		start, stride := len(c.of), 1
		times := func(size int) {
			if stride *= size; stride > 1<<maxMissing {
				if missing := nv - c.observedIn(r, 0, nv); len(m.OneHot) == 0 {
					panic(fmt.Sprintf("rbm: row %d misses %d units, want at most %d to enumerate", r, missing, maxMissing))
				}
				panic(fmt.Sprintf("rbm: row %d has more than 2^%d completions, too many to enumerate", r, maxMissing))
			}
		}
		groups := m.OneHot
		for i := 0; i < nv; {
			if len(groups) == 0 || groups[0].From != i {
				if !observed.observes(r, i) {
					c.of = append(c.of, digit{unit: i, stride: stride, size: 2, value: 1})
					times(2)
				}
				i++
				continue
			}
			if size := groups[0].To - i - c.observedIn(r, i, groups[0].To); size > 0 && !isOneOn(v, r, groups[0]) {
				for ; i < groups[0].To; i++ {
					if !observed.observes(r, i) {
						c.of = append(c.of, digit{unit: i, stride: stride, size: size, value: 0, inGroup: true})
					}
				}
				for k := range size {
					c.of[len(c.of)-size+k].value = k
				}
				times(size)
			}
			i = groups[0].To
			groups = groups[1:]
		}
		c.ends[r], c.count[r] = len(c.of), stride
		if len(c.of) > start {
			c.rows = min(1<<30, c.rows+stride)
		}
	}
	return c
}

// observedIn returns how many of the units [from, to) of row r are observed.
func (c *conditional) observedIn(r, from, to int) int {
	if c.observed == nil {
		return 0
	}
	return ones(c.observed.mask(r), from, to)
}

// isOneOn reports whether a unit of the group is on in row r of v.
func isOneOn(v mat.Matrix, r int, g Group) bool {
	for i := g.From; i < g.To; i++ {
		if v.At(r, i) == 1 {
			return true
		}
	}
	return false
}

// checkGroups panics if a row of v does not fit the groups where it is observed; nil
// observed means everywhere.
func (c *conditional) checkGroups(v mat.Matrix, observed *Bits) {
	if len(c.m.OneHot) == 0 {
		return
	}
	var groups oneHot
	groups.load(c.m.OneHot)
	var in batch
	in.each("v", v, c.n, func(r0 int) { groups.check("v", &in, r0, observed, nil) })
}

// missing returns the digits of the missing units of row r.
func (c *conditional) missing(r int) []digit {
	start := 0
	if r > 0 {
		start = c.ends[r-1]
	}
	return c.of[start:c.ends[r]]
}

// each calls visit for each row with a missing unit, v having the observed values, with the
// logs of the probabilities of its completions up to log Z, and log Z, which is NaN if a
// parameter is. Visit may overwrite them, and may be called for different rows at the same
// time.
func (c *conditional) each(v mat.Matrix, visit func(r int, logp []float64, logZ float64)) {
	c.visit = visit
	_, nh := c.m.Dims()
	c.model.load(c.m, c.n+c.rows)
	defer c.model.done()
	var pass pass
	in := &batch{team: &c.model.team}
	in.each("v", v, c.n, func(r0 int) {
		c.in, c.r0 = in, r0
		c.x = grow(c.x, in.rows*nh)
		pass.run(&c.model.team, &c.model.hidden, in, (*fields)(c))
		workers := c.model.team.Workers(in.rows, rowsWork(c.rows, 0, nh))
		for len(c.reduced) < workers {
			c.reduced = append(c.reduced, reduced{})
		}
		c.model.team.Run(workers, in.rows, c)
	})
}

// fields is the sink that keeps the inputs of the hidden units.
type fields conditional

func (c *fields) take(t, r0, n int, x tile) {
	nh := c.model.hidden.units
	for r := range n {
		in := x.row(r, n)
		dst := c.x[(r0+r)*nh:][:nh][t*wordBits:]
		for j := range min(wordBits, len(dst)) {
			dst[j] = in.At(j)
		}
	}
}

func (c *conditional) Do(worker, part int) {
	r := c.r0 + part
	missing := c.missing(r)
	if len(missing) == 0 {
		return
	}
	nh := c.model.hidden.units
	logp, logZ := c.reduced[worker].enumerate(c.m, missing, c.count[r], c.x[part*nh:][:nh])
	c.visit(r, logp, c.model.orNaN(logZ))
}

// A reduced model is the model of some visible units given all others.
type reduced struct {
	model   model
	weights []float64
	biases  []float64
	logp    []float64

	all      enumeration
	marginal marginal
}

// enumerate returns the logs of the probabilities, up to log Z, of all total configurations
// of some visible units of m, and log Z. The other units cause the given inputs of the
// hidden units.
func (d *reduced) enumerate(m *RBM, units []digit, total int, inputs []float64) (logp []float64, logZ float64) {
	nv, nh := len(units), len(inputs)
	d.weights = grow(d.weights, nh*nv)
	d.biases = grow(d.biases, nv)
	given := &RBM{W: mat.NewDense(nh, nv, d.weights), B: mat.NewVecDense(nv, d.biases), C: mat.NewVecDense(nh, inputs)}
	for k, u := range units {
		d.biases[k] = m.B.AtVec(u.unit)
		for j := range nh {
			d.weights[j*nv+k] = m.W.At(j, u.unit)
		}
		if u.inGroup && u.value == 0 {
			given.OneHot = append(given.OneHot, Group{k, k + u.size})
		}
	}
	d.model.read(given)
	d.logp = grow(d.logp, total)
	p := &d.model
	if total > blockRows {
		z := partition{model: p, from: &p.visible, out: &p.hidden, total: total, logp: d.logp}
		return d.logp, z.sum(given)
	}
	d.marginal.energies(&p.team, d.logp, d.all.block(&p.visible, 0, total), &p.visible, &p.hidden)
	for x := range d.logp {
		d.logp[x] = -d.logp[x]
	}
	return d.logp, p.orNaN(logistic.LogSumExp(d.logp))
}
