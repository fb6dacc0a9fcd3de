package rbm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// RBM is a restricted Boltzmann machine. Make one with [NewRandom], to train it, or
// [New]. Its fields may be set between calls.
type RBM struct {
	W      *mat.Dense    // weights, nh×nv
	B      *mat.VecDense // visible biases, nv
	C      *mat.VecDense // hidden biases, nh
	OneHot []Group       // groups of visible units of which exactly one is on, in order; nil: all units are free

	call *call // at work on the model, if a context may end it
	lent bool  // to a Sampler, see lend
}

// New returns an RBM whose parameters are zero.
func New(nv, nh int) *RBM {
	checkSize("W", nh, nv, nv)
	return &RBM{
		W: mat.NewDense(nh, nv, nil),
		B: mat.NewVecDense(nv, nil),
		C: mat.NewVecDense(nh, nil),
	}
}

// NewRandom returns an RBM with biases of zero and normal weights of standard deviation
// std; about 0.01 is a good start of training (Hinton, 2010).
func NewRandom(nv, nh int, std float64, src rand.Source) *RBM {
	checkFactor("std", std)
	m := New(nv, nh)
	normal := normals{src: philox.NewSource(seed(src))}
	w := m.W.RawMatrix().Data
	for i := range w {
		w[i] = std * normal.next()
	}
	return m
}

// seed reads the seed of a random stream.
func seed(src rand.Source) uint64 {
	checkNil("source", src)
	return src.Uint64()
}

// normals draws from the standard normal distribution by the polar method
// (Marsaglia & Bray, 1964).
type normals struct {
	src   *philox.Source
	spare float64
	has   bool
}

func (n *normals) next() float64 {
	if n.has {
		n.has = false
		return n.spare
	}
	for {
		x, y := 2*n.src.Float64()-1, 2*n.src.Float64()-1
		s := float64(x*x) + float64(y*y)
		if 0 < s && s < 1 {
			f := math.Sqrt(-2 * logistic.Log(s) / s)
			n.spare, n.has = y*f, true
			return x * f
		}
	}
}

// Dims returns the numbers of visible and hidden units.
func (m *RBM) Dims() (nv, nh int) {
	if wrong := m.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	nh, nv = m.W.Dims()
	return nv, nh
}

// wrong says why m is no model, or returns "".
func (m *RBM) wrong() string {
	switch {
	case m == nil:
		return "model is nil"
	case m.W == nil || m.B == nil || m.C == nil:
		return "W, B or C is nil"
	case m.W.IsEmpty():
		return "W is empty"
	}
	nh, nv := m.W.Dims()
	b, c := m.B.Len(), m.C.Len()
	switch {
	case nh != nv && b == nh && c == nv:
		return fmt.Sprintf("W is %d×%d, want %d×%d as B has length %d and C has length %d: W is transposed, or B and C are swapped", nh, nv, nv, nh, b, c)
	case b != nv:
		return fmt.Sprintf("B has length %d, want %d as W is %d×%d", b, nv, nh, nv)
	case c != nh:
		return fmt.Sprintf("C has length %d, want %d as W is %d×%d", c, nh, nh, nv)
	}
	return wrongGroups(m.OneHot, nv)
}

// notFinite names the first parameter that is not finite, or returns "".
func (m *RBM) notFinite() string {
	for j := range m.C.Len() {
		m.call.look()
		for i, x := range m.W.RawRowView(j) {
			if !finite(x) {
				return fmt.Sprintf("W[%d,%d] is %v", j, i, x)
			}
		}
	}
	if i := firstNotFinite(m.B); i >= 0 {
		return fmt.Sprintf("B[%d] is %v", i, m.B.AtVec(i))
	}
	if j := firstNotFinite(m.C); j >= 0 {
		return fmt.Sprintf("C[%d] is %v", j, m.C.AtVec(j))
	}
	return ""
}

// CheckRows returns an error that names the first row that does not fit m.
func (m *RBM) CheckRows(v mat.Matrix) error {
	// A row has values in [0, 1] and exactly one unit of each group on.
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	var groups oneHot
	groups.load(m.OneHot)
	row := make([]float64, nv)
	var in batch
	for r := range n {
		if _, ok := v.(*Bits); !ok {
			for i, x := range readRow(row, v, r) {
				if !(0 <= x && x <= 1) {
					return fmt.Errorf("rbm: v[%d, %d] is %v, want a value in [0, 1]", r, i, x)
				}
			}
		}
		in.read("v", v, r, r+1)
		if wrong := groups.wrongRow("v", &in, 0, r, nil); wrong != "" {
			return errors.New("rbm: " + wrong)
		}
	}
	return nil
}

// Clone returns a copy of m that shares no memory with it.
func (m *RBM) Clone() *RBM {
	m.Dims()
	return m.in(nil).clone()
}

// clone is Clone within the call that m is in.
func (m *RBM) clone() *RBM {
	dst := New(m.Dims())
	m.copyTo(dst)
	return dst
}

// copyTo sets the parameters and groups of dst to those of m, within the call that m is in.
func (m *RBM) copyTo(dst *RBM) {
	for j := range m.C.Len() {
		m.until().Look()
		copy(dst.W.RawRowView(j), m.W.RawRowView(j))
	}
	dst.B.CopyVec(m.B)
	dst.C.CopyVec(m.C)
	if !slices.Equal(dst.OneHot, m.OneHot) {
		dst.OneHot = slices.Clone(m.OneHot)
	}
}

// in returns m for work within a call.
func (m *RBM) in(c *call) *RBM { return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: c} }

// as returns m for work within the call that n is in, if any.
func (m *RBM) as(n *RBM) *RBM {
	return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: n.call, lent: n.lent}
}

// until returns the signal that ends work on m midway, or nil if there is none.
func (m *RBM) until() *stop.Signal {
	if m.lent {
		return nil
	}
	return m.call.until()
}

// untilSweep returns the signal that ends the sampling of m between two sweeps, or nil if
// there is none. Unlike until, it looks at the call even while m is lent.
func (m *RBM) untilSweep() *stop.Signal { return m.call.until() }
