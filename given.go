package rbm

import (
	"gonum.org/v1/gonum/mat"
)

// StartGiven starts a chain from each row of v (n×nv), of which only the observed
// units are known. The others are drawn from the biases of m, as [Chains.StartRandom]
// draws them, whatever v has in their place.
//
// Observed is n×nv, with a one for each observed unit; 1×nv, the same for all rows; or
// nil, when nothing is observed. An observed unit of a group that is on turns the
// others off; if none is on, the group is drawn among the units that are not observed.
//
// StartGiven panics if the sizes do not fit, if an observed value is outside [0, 1],
// or if the observed units of a group leave no room for exactly one unit that is on.
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

// GibbsGiven moves every chain by k Gibbs sweeps that leave the observed visible units
// as they are, clamped. The chains then have the distribution of the model given these
// units,
//
//	p(v_missing | v_observed) ∝ exp(-F(v))
//
// in which the hidden units are summed out. Observed and its groups are described at
// [Chains.StartGiven]. Where nothing is observed the sweeps are those of Gibbs, bit for
// bit. With a chain for each row of data, Visible is a minibatch for the gradient of
// the observed units, as in a [Trainer] with Observed. GibbsGiven panics where Gibbs
// does, or if observed does not have the size of the states.
func (c *Chains) GibbsGiven(m *RBM, k int, observed *Bits) {
	defer c.take().Release()
	c.given(m, k, observed, nil)
}

// MeansGiven moves the chains by k Gibbs sweeps with the observed units clamped, as
// [Chains.GibbsGiven] does, and estimates the means given these units, E[v | v_observed].
// The result is stored in dst, n×nv, a row for each chain. It is the average over the
// sweeps of the probability that a unit was drawn with,
//
//	p(vᵢ=1|h)    or, in a group, the softmax over the units that may be on
//
// which varies less than the drawn bits do (Gelfand & Smith, 1990). At observed units
// it is their states. With nil observed it is the means of the model. Chains near their
// start bias the result; run GibbsGiven first. Means of missing units are NaN if a
// parameter is. MeansGiven panics where GibbsGiven does, or if dst has another size.
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
