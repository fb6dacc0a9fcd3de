package rbm

import (
	"gonum.org/v1/gonum/mat"
)

// StartGiven starts a chain from each row of v (n×nv) with its observed units, and draws
// the others as [Chains.StartRandom] does. Observed has a one for each observed unit: n×nv,
// 1×nv for all rows alike, or nil for none.
func (c *Chains) StartGiven(m *RBM, v mat.Matrix, observed *Bits) {
	// An observed unit of a group that is on turns the others off; if none is on, the group
	// is drawn among the units that are not observed.
	defer c.take().Release()
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	checkObserved(observed, n, nv)
	if observed == nil {
		c.startRandom(m, n)
		return
	}
	c.clamp.observed = observed
	defer c.clamp.release()
	m.call.keeps(c)
	c.model.visible.load(m.B)
	c.model.visible.oneHot.load(m.OneHot)
	c.read("v", known(v, observed), &c.model.visible, m.until())
	c.drawBiases(m, n)
	c.started()
}

// GibbsGiven is Gibbs with the observed units clamped: the chains approach p(v_missing |
// v_observed), and Visible is a minibatch for its gradient.
func (c *Chains) GibbsGiven(m *RBM, k int, observed *Bits) {
	// p(v_missing | v_observed) ∝ exp(-F(v)). With a chain for each row of data, Gradient
	// of the rows of Visible is the gradient of the mean of log p(v_observed).
	defer c.take().Release()
	c.given(m, k, observed, nil)
}

// MeansGiven is GibbsGiven, and returns estimates of E[v | v_observed] in dst (n×nv): means
// of probabilities over the sweeps (Gelfand & Smith, 1990). Chains near their start bias
// the result; run GibbsGiven first.
func (c *Chains) MeansGiven(dst *mat.Dense, m *RBM, k int, observed *Bits) *mat.Dense {
	// Averages of probabilities vary less than averages of the drawn bits.
	// The probabilities are p(vᵢ=1|h) or, in a group, the softmax over the units that may
	// be on. With nil observed, these are the means of the model.
	nv, _ := m.Dims()
	defer c.take().Release()
	n := c.Visible().rows
	dst = checkDense(dst, n, nv)
	dst.Zero()
	c.given(m, k, observed, dst)
	for r := range n {
		for i, sum := range dst.RawRowView(r) {
			if mean := c.model.orNaN(sum / float64(k)); !observed.observes(r, i) {
				dst.Set(r, i, mean)
			} else {
				dst.Set(r, i, c.v.At(r, i))
			}
		}
	}
	return dst
}

// given moves the chains by k sweeps and adds the probabilities to sum, unless it
// is nil.
func (c *Chains) given(m *RBM, k int, observed *Bits, sum *mat.Dense) {
	checkAtLeast("k", k, 1)
	c.check(m)
	checkObserved(observed, c.v.rows, c.v.cols)
	m.call.keeps(c)
	c.model.load(m, 2*k*c.v.rows)
	defer c.model.done()
	c.checkStates(&c.model)
	c.clamp.observed, c.clamp.sum = observed, sum
	defer c.clamp.release()
	c.sweeps(&c.model, k)
}
