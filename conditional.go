package rbm

import (
	"fmt"
	"strings"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

const (
	maxMissing     = 16      // units of a row that are enumerated
	maxCompletions = 1 << 24 // rows of Completions
)

// LogConditional returns, for each row of v (n×nv), the log-probability of its
// units that are not observed given those that are, in nats:
//
//	log p(v_missing | v_observed) = -F(v) - log Σ exp(-F(v'))
//
// the sum being over all v' that agree with v where it is observed. Observed is
// n×nv, an observed unit having a one; it may also be 1×nv, the same for all rows,
// or nil, which is that nothing is observed. The result is stored in dst, n long;
// it is 0 where nothing is missing. The configurations are enumerated, up to 16
// missing units a row, in time proportional to nh·2ᵐ for m of them: a twentieth
// of a second for m=16 and nh=500.
//
// Given some units, the others are an RBM with the hidden biases c + W_observed ·
// v_observed, of which these are the exact probabilities. Groups of [Chains.OneHot]
// are unknown to it.
//
// It panics if the sizes do not fit, if a row misses more than 16 units, if an
// observed value is outside [0, 1], or if one that is not observed is neither 0 nor
// 1.
func (m *RBM) LogConditional(dst []float64, v mat.Matrix, observed *Bits) []float64 {
	c := m.conditional(v, observed)
	dst = checkDst(dst, c.n)
	outcome := make([]int, c.n) // number of the row's completion
	for r := range outcome {
		dst[r] = 0
		for k, i := range c.missing(r) {
			switch x := v.At(r, i); x {
			case 0:
			case 1:
				outcome[r] |= 1 << k
			default:
				panic(fmt.Sprintf("rbm: v[%d, %d] is %v, want 0 or 1 as it is not observed", r, i, x))
			}
		}
	}
	c.each(known(v, observed), func(r int, logp []float64, logZ float64) { dst[r] = logp[outcome[r]] - logZ })
	return dst
}

// ConditionalMeans returns the exact means of the units given those that are
// observed, E[v | v_observed]: the probabilities with which a missing unit is on.
// Observed is what it is in [RBM.LogConditional], and so are the 16 units that may
// be missing, the time and the panics, but that the values of v which are not
// observed are not used; they may be NaN. The result is stored in dst, n×nv; at
// observed units it is v. For rows that miss more there is [Chains.MeansGiven].
func (m *RBM) ConditionalMeans(dst *mat.Dense, v mat.Matrix, observed *Bits) *mat.Dense {
	c := m.conditional(v, observed)
	dst = checkDense(dst, c.n, c.nv)
	v = known(v, observed)
	dst.Copy(v)
	c.each(v, func(r int, logp []float64, logZ float64) {
		p := logp
		for x := range p {
			p[x] = logistic.Exp(logp[x] - logZ)
		}
		for k, i := range c.missing(r) {
			var sum [2]float64
			for x, p := range p {
				sum[x>>k&1] += p
			}
			dst.Set(r, i, sum[1]/(sum[0]+sum[1]))
		}
	})
	return dst
}

// Completions returns all completions of the rows of v, with what is observed as it
// is, and their probabilities p(v_missing | v_observed), which have sum 1 for each
// row of v. They are what [RBM.WeightedGradient] needs to climb the likelihood of
// incomplete observations: its first mean then is over the distribution of the
// missing units, and the gradient that of the mean of log p(v_observed). For rows that
// miss more there are chains, see [Trainer].
//
// Observed and the missing values are what they are in [RBM.ConditionalMeans].
// Completions of a row follow each other and those of an earlier row; number x of
// a row has the k-th of its missing units on if bit k of x is set. A row without
// missing units is its only completion. It panics if the sizes do not fit, if a row
// misses more than 16 units, if the completions are more than 2²⁴, or if an
// observed value is neither 0 nor 1.
func (m *RBM) Completions(v mat.Matrix, observed *Bits) (rows *Bits, weights []float64) {
	c := m.conditional(v, observed)
	first := make([]int, c.n) // completion of each row
	total := 0
	for r := range first {
		first[r] = total
		if total += 1 << len(c.missing(r)); total > maxCompletions {
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
		for x := range 1 << len(missing) {
			row := rows.row(first[r] + x)
			copy(row, part.row(r))
			for k, i := range missing {
				row[i/wordBits] |= uint64(x>>k&1) << (i % wordBits)
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

// conditional is the distribution of what is missing of each row, and the job that
// enumerates it, a row a part.
type conditional struct {
	m        *RBM
	n, nv    int
	observed *Bits
	of       []int // the missing units, row by row
	ends     []int // where those of each row end
	rows     int   // completions, or some that are enough work for many goroutines

	model   model
	in      *batch
	r0      int       // row 0 of the batch
	x       []float64 // inputs of the hidden units: rows of the batch × nh
	visit   func(r int, logp []float64, logZ float64)
	reduced []reduced // of each worker
}

// conditional panics if the sizes do not fit, or a row misses too much.
func (m *RBM) conditional(v mat.Matrix, observed *Bits) *conditional {
	nv, _ := m.Dims()
	c := &conditional{m: m, n: checkBatch("v", v, nv), nv: nv, observed: observed}
	checkObserved(observed, c.n, nv)
	c.ends = make([]int, c.n)
	for r := range c.n {
		start := len(c.of)
		for i := range nv {
			if !observed.observes(r, i) {
				c.of = append(c.of, i)
			}
		}
		c.ends[r] = len(c.of)
		missing := len(c.of) - start
		if missing > maxMissing {
			panic(fmt.Sprintf("rbm: row %d misses %d units, want at most %d to enumerate", r, missing, maxMissing))
		}
		c.rows = min(1<<30, c.rows+1<<missing)
	}
	return c
}

// missing returns the missing units of row r.
func (c *conditional) missing(r int) []int {
	start := 0
	if r > 0 {
		start = c.ends[r-1]
	}
	return c.of[start:c.ends[r]]
}

// each calls visit for each row that misses something, v being what is known, with
// the logs of the probabilities of its completions up to log Z, and log Z, which is
// NaN if a parameter is. Visit may overwrite them, and be called for different rows
// at the same time.
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
	logp, logZ := c.reduced[worker].enumerate(c.m, missing, c.x[part*nh:][:nh])
	c.visit(r, logp, c.model.orNaN(logZ))
}

// A reduced model is that of some visible units given all others.
type reduced struct {
	model   model
	weights []float64
	biases  []float64
	logp    []float64

	all      enumeration
	marginal marginal
}

// enumerate returns the logs of the probabilities of all configurations of visible
// units of m, up to log Z, and log Z, given the inputs of the hidden units that the
// others cause.
func (d *reduced) enumerate(m *RBM, units []int, inputs []float64) (logp []float64, logZ float64) {
	nv, nh := len(units), len(inputs)
	d.weights = grow(d.weights, nh*nv)
	d.biases = grow(d.biases, nv)
	for k, i := range units {
		d.biases[k] = m.B.AtVec(i)
		for j := range nh {
			d.weights[j*nv+k] = m.W.At(j, i)
		}
	}
	given := &RBM{W: mat.NewDense(nh, nv, d.weights), B: mat.NewVecDense(nv, d.biases), C: mat.NewVecDense(nh, inputs)}
	d.model.read(given)
	d.logp = grow(d.logp, 1<<nv)
	p := &d.model
	if nv > blockUnits {
		z := partition{model: p, from: &p.visible, out: &p.hidden, logp: d.logp}
		return d.logp, z.sum(given)
	}
	d.marginal.energies(&p.team, d.logp, d.all.block(nv, 0, 1<<nv), &p.visible, &p.hidden)
	for x := range d.logp {
		d.logp[x] = -d.logp[x]
	}
	return d.logp, p.orNaN(logistic.LogSumExp(d.logp))
}
