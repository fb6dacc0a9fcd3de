// Package spin reads restricted Boltzmann machines as physicists do: as models of spins
// of ±1, and as Ising models with effective fields and couplings.
//
//	x, constant := spin.ToSpins(m) // the same model, of spins
//	h, j := spin.Effective(m)      // the Ising model of the visible spins
//
// The spins s of the visible units and t of the hidden ones have the energy
//
//	E(s,t) = -tᵀWs - aᵀs - dᵀt
//
// with couplings W (nh×nv) and fields a and d. With s = 2v-1 and t = 2h-1 this is the
// energy of an rbm.RBM, up to a constant: the two have the same distribution. [ToSpins]
// and [FromSpins] give the parameters of one from the parameters of the other.
// [Effective] sums the hidden spins out.
package spin

import (
	"fmt"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// RBM is a restricted Boltzmann machine of spins.
type RBM struct {
	W *mat.Dense    // couplings of hidden and visible spins, nh×nv
	A *mat.VecDense // fields of the visible spins, nv
	D *mat.VecDense // fields of the hidden spins, nh
}

// Dims returns the numbers of visible and hidden spins. It panics if the sizes of x do not
// fit.
func (x *RBM) Dims() (nv, nh int) {
	switch {
	case x == nil:
		panic("spin: model is nil")
	case x.W == nil || x.A == nil || x.D == nil:
		panic("spin: W, A or D is nil")
	case x.W.IsEmpty():
		panic("spin: W is empty")
	}
	nh, nv = x.W.Dims()
	if x.A.Len() != nv {
		panic(fmt.Sprintf("spin: A has length %d, want %d as W is %d×%d", x.A.Len(), nv, nh, nv))
	}
	if x.D.Len() != nh {
		panic(fmt.Sprintf("spin: D has length %d, want %d as W is %d×%d", x.D.Len(), nh, nh, nv))
	}
	return nv, nh
}

// ToSpins returns m in terms of spins, and a constant:
//
//	x.W = W/4    x.A = b/2 + Wᵀ1/4    x.D = c/2 + W1/4
//	E_spin(2v-1, 2h-1) = E(v,h) + constant    constant = 1ᵀW1/4 + 1ᵀb/2 + 1ᵀc/2
//
// A parameter that is NaN makes all that it enters NaN. One that is infinite, or a sum that
// overflows, leaves infinities, and NaN where they meet. ToSpins panics if m has groups,
// which no spins of such a model stand for.
func ToSpins(m *rbm.RBM) (x *RBM, constant float64) {
	nv, nh := m.Dims()
	if len(m.OneHot) > 0 {
		panic(fmt.Sprintf("spin: the one-hot units of group %v have no spin form, want a model without groups", m.OneHot[0]))
	}
	x = newRBM(nv, nh)
	for j := range nh {
		for i, w := range m.W.RawRowView(j) {
			x.W.Set(j, i, w/4)
		}
	}
	columns, rows, all := sums(x.W)
	constant = all
	for i, sum := range columns {
		half := m.B.AtVec(i) / 2
		x.A.SetVec(i, float64(half)+sum)
		constant += float64(half)
	}
	for j, sum := range rows {
		half := m.C.AtVec(j) / 2
		x.D.SetVec(j, float64(half)+sum)
		constant += float64(half)
	}
	return x, constant
}

// FromSpins returns x in terms of units that are 0 or 1, and a constant:
//
//	W = 4x.W    b = 2(x.A - x.Wᵀ1)    c = 2(x.D - x.W1)
//	E_spin(2v-1, 2h-1) = E(v,h) + constant    constant = 1ᵀx.A + 1ᵀx.D - 1ᵀx.W1
//
// It undoes ToSpins. The weights are the same to the bit, unless they are below 1e-307, and
// the biases to within the rounding of a sum. Numbers that are not finite are as in ToSpins.
func FromSpins(x *RBM) (m *rbm.RBM, constant float64) {
	nv, nh := x.Dims()
	m = rbm.New(nv, nh)
	for j := range nh {
		for i, w := range x.W.RawRowView(j) {
			m.W.Set(j, i, 4*w)
		}
	}
	columns, rows, all := sums(x.W)
	constant = -all
	for i, sum := range columns {
		m.B.SetVec(i, 2*(x.A.AtVec(i)-sum))
		constant += x.A.AtVec(i)
	}
	for j, sum := range rows {
		m.C.SetVec(j, 2*(x.D.AtVec(j)-sum))
		constant += x.D.AtVec(j)
	}
	return m, constant
}

func newRBM(nv, nh int) *RBM {
	return &RBM{W: mat.NewDense(nh, nv, nil), A: mat.NewVecDense(nv, nil), D: mat.NewVecDense(nh, nil)}
}

// sums returns the sums of w over each column, each row, and all of it.
func sums(w *mat.Dense) (columns, rows []float64, all float64) {
	nh, nv := w.Dims()
	columns, rows = make([]float64, nv), make([]float64, nh)
	for j := range rows {
		for i, x := range w.RawRowView(j) {
			columns[i] += x
			rows[j] += x
		}
		all += rows[j]
	}
	return columns, rows, all
}
