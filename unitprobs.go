package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

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

// unitRow sets dst to the probabilities of the units of row r, whose z is given, and which
// is row k of the scratch.
func (s *pseudo) unitRow(dst []float64, c *pseudoScratch, z tile, r, k int) {
	if product.HasNaN(product.Floats(s.inputs(r))) {
		for i := range dst {
			dst[i] = math.NaN()
		}
		return
	}
	groups := s.p.visible.groups
	for i := 0; i < len(dst); i++ {
		if len(groups) > 0 && groups[0].from == i {
			i = groups[0].to - 1
			groups = groups[1:]
			continue
		}
		v, x := s.in.at(r, i), &z[i/product.Lanes][i%product.Lanes]
		switch {
		case s.flips.chunk[i/product.Lanes] == 0 || v != 0 && v != 1:
			s.p.team.Until.Look()
			*x = s.logOdds(c, r, i, v)
		case v == 1:
			*x = -*x
		}
	}
	c.probs = grow(c.probs, len(z)*product.Lanes)
	z.row(0, 1).Probs(c.probs, 1)
	copy(dst, c.probs)
	for _, g := range s.p.visible.groups {
		s.move(c, g, r, k)
		for i := g.from; i < g.to; i++ {
			c.logs[i-g.from] += s.p.visible.bias[i]
		}
		softmax(c.logs, 1)
		copy(dst[g.from:], c.logs)
	}
}
