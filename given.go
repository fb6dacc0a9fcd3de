package rbm

import (
	"gonum.org/v1/gonum/mat"
)

// StartGiven starts a chain from each row of v (n×nv), of which only the observed units are
// known. The others are drawn as in [Chains.StartRandom], and their values in v are not
// used.
//
// Observed is n×nv, with a one for each observed unit; 1×nv, the same for all rows; or nil,
// when nothing is observed. An observed unit of a group that is on turns the others off; if
// none is on, the group is drawn among its missing units. It panics if a group then has no
// unit left to be on.
func (c *Chains) StartGiven(m *RBM, v mat.Matrix, observed *Bits) {
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

// GibbsGiven moves every chain by k Gibbs sweeps with the observed visible units clamped;
// see [Chains.StartGiven]. The chains then have the distribution
//
//	p(v_missing | v_observed) ∝ exp(-F(v))
//
// If nothing is observed, the sweeps are those of Gibbs, bit for bit. With one chain per
// row of data, Visible is a minibatch for the gradient of log p(v_observed).
func (c *Chains) GibbsGiven(m *RBM, k int, observed *Bits) {
	defer c.take().Release()
	c.given(m, k, observed, nil)
}

// MeansGiven moves the chains by k Gibbs sweeps with the observed units clamped, and
// returns estimates of E[v | v_observed] in dst (n×nv), one row per chain: averages over
// the sweeps of p(vᵢ=1|h), or of the softmax in a group, which vary less than the drawn
// bits (Gelfand & Smith, 1990). With nil observed, these are the means of the model. Chains
// near their start bias the result; run GibbsGiven first.
func (c *Chains) MeansGiven(dst *mat.Dense, m *RBM, k int, observed *Bits) *mat.Dense {
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
