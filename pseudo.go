package rbm

import "gonum.org/v1/gonum/mat"

// PseudoLogLikelihood returns, for each row of v (n×nv) in dst (n), the exact
// pseudo-log-likelihood (Besag, 1975) over the free units i and the groups:
//
//	Σᵢ log p(vᵢ|v₋ᵢ) + Σ log p(group|rest)    log p(vᵢ|v₋ᵢ) = -softplus(F(v) - F(v with vᵢ flipped))
//
// A value in (0, 1) weighs both outcomes. Pass many rows at once.
func (m *RBM) PseudoLogLikelihood(dst []float64, v mat.Matrix) []float64 {
	// A value v between 0 and 1 counts as v·log p(1|v₋ᵢ) + (1-v)·log p(0|v₋ᵢ).
	// It takes O(nv·nh) per row, and again O(nv·nh) per call for the exponentials of W, as
	// long as about fifteen rows. Values between 0 and 1 take some thirty times as long as
	// bits, and so do units with weights beyond ±600, and groups with weights beyond ±300.
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDst(dst, n)
	s := pseudo{dst: dst}
	s.flipAll(m, v, n)
	return dst
}
