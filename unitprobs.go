package rbm

import "gonum.org/v1/gonum/mat"

// UnitProbs returns p(vᵢ=1 | all other units of v), exactly, for each row of v (n×nv) and
// unit in dst (n×nv). For a unit of a group, the others are those outside the group.
//
//	p(vᵢ=1|v₋ᵢ) = σ(F(v with vᵢ=0) - F(v with vᵢ=1))
func (m *RBM) UnitProbs(dst *mat.Dense, v mat.Matrix) *mat.Dense {
	// It takes as long as PseudoLogLikelihood, which is the sum of the logs of what the
	// units of a row are.
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDense(dst, n, nv)
	s := pseudo{units: dst}
	s.flipAll(m, v, n)
	return dst
}
