// Package rbm implements restricted Boltzmann machines with binary units: their
// energies, their exact and sampled likelihood gradients, and what it takes to
// train them on all cores of a CPU.
//
// # Model
//
// An RBM of nv visible units v ∈ {0,1}ⁿᵛ and nh hidden units h ∈ {0,1}ⁿʰ with
// weights W (nh×nv), visible biases b and hidden biases c is the distribution
//
//	E(v,h) = -hᵀWv - bᵀv - cᵀh             p(v,h) = exp(-E(v,h)) / Z
//	F(v)   = -bᵀv - Σⱼ softplus(cⱼ + Wⱼ·v)    p(v) = exp(-F(v)) / Z
//	p(hⱼ=1|v) = σ(cⱼ + Wⱼ·v)          p(vᵢ=1|h) = σ(bᵢ + (Wᵀh)ᵢ)
//
// (Smolensky, 1986). All three terms of E carry a minus sign: a large weight
// makes its two units agree. Some texts write the first without it, or call the
// visible biases a and the hidden ones b.
//
// # Training
//
// The gradient of the mean log-likelihood is the difference of the same
// statistics under the data and under the model,
//
//	∂⟨log p⟩/∂W = ⟨ĥvᵀ⟩data - ⟨ĥvᵀ⟩model    with ĥ = p(h=1|v)
//
// and likewise ⟨v⟩ for b and ⟨ĥ⟩ for c. [RBM.Gradient] takes the first term, the
// positive phase, from a minibatch and the second, the negative phase, from a
// [Sampler]: [CD] and [PCD] run Markov chains, [PT] and [PTT] run them at several
// temperatures or models, where modes are hard to leave, and [Exact] enumerates
// all configurations of a small model. [Centering] takes the place of
// RBM.Gradient for the centred gradient, which learns faster. [SGD.Step] then
// climbs it, at a rate that may follow a [Schedule].
//
// A training loop is three lines, as the example of this package shows. [Trainer]
// is one with minibatches, reports, warnings and early stopping. Package
// checkpoint keeps any of these in a file, so that training goes on bit for bit.
// Observations that do not fit into memory are [Rows], in a file of package bitfile
// say, or a stream that [Batches] cuts into minibatches. Where some units of a row
// are not known, there are Trainer.Observed and [RBM.Completions]. On several machines
// each has [Phases] of its own, which add up to the gradient of all.
//
// # Using a model
//
// [Chains] draw samples, [PT] and [PTT] where plain chains stay in a mode, and
// package mcmc says how many independent ones they are worth. [Chains.GibbsGiven] and
// [Chains.MeansGiven] complete rows of which some units are known;
// [RBM.LogConditional] and [RBM.ConditionalMeans] do so exactly, for a few missing
// units. [Classifier] has a label among the units. [RBM.LogLikelihood] judges a model,
// and [RBM.FreeEnergy] rows by it: what is unusual has a large one. Package npz
// exchanges models with NumPy and scikit-learn, and encoding/json writes them for
// whatever else there is.
//
// # Batches
//
// Observations stand in the rows of a matrix. [Bits] holds them packed and is
// the fast path; any other mat.Matrix of zeros and ones gives the same results,
// bit for bit. A value strictly between 0 and 1, a grey level say, is read as
// the probability of a one and stands in the formulas in place of the bit. Any
// other value, NaN among them, panics with its row and column.
//
// # Conventions
//
// Destinations come first. One that is nil or empty is allocated; one of the
// right shape is overwritten, any other panics. It may be the matrix that is
// read, as in m.HiddenProbs(v, v), but must not overlap it in another way.
// Misuse by the programmer panics with the sizes given and wanted, or the name
// of what is nil; data from outside that may be wrong, as in [BitsOf], gives an
// error. A model with inconsistent parts panics wherever it is used. A
// parameter that is NaN makes NaN of every result that depends on it, even
// where the unit it is multiplied by is off.
//
// Randomness comes from a math/rand/v2 Source, which is read once, by the
// function it is passed to, for a seed. From there on a random number is a
// function of the seed and of the chain, sweep and unit it is for. Results
// depend on arguments and seeds alone: they are the same, bit for bit, for every
// GOMAXPROCS and on every processor, and the result for a row does not depend
// on the other rows of its batch.
//
// Methods that only read an RBM may be called concurrently. A Sampler, Chains,
// Gradient, Centering, SGD or Trainer belongs to one goroutine at a time: a call
// that finds another one at work on it panics and changes nothing.
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

// RBM is a restricted Boltzmann machine with nv visible and nh hidden units.
// Its parameters may be read and set at any time between calls.
type RBM struct {
	W *mat.Dense    // weights, nh×nv
	B *mat.VecDense // visible biases, nv
	C *mat.VecDense // hidden biases, nh

	// OneHot are groups of visible units of which exactly one is on, in the order of
	// their units; see [Group]. Nil: all units are free.
	OneHot []Group

	call *call // that works on the model, if a context may end it
	lent bool  // to a Sampler, see lend
}

// New returns an RBM whose parameters are all zero. It panics if nv or nh is
// less than 1.
func New(nv, nh int) *RBM {
	checkSize("W", nh, nv, nv)
	return &RBM{
		W: mat.NewDense(nh, nv, nil),
		B: mat.NewVecDense(nv, nil),
		C: mat.NewVecDense(nh, nil),
	}
}

// NewRandom returns an RBM with weights drawn from the normal distribution of
// mean 0 and standard deviation std and biases of zero. Training starts well
// with a std of about 0.01 (Hinton, 2010) and with visible biases set by
// [RBM.FitVisibleBias]. It panics if nv or nh is less than 1, if std is negative
// or not finite, or if src is nil.
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

// Dims returns the numbers of visible and of hidden units. It panics if the
// sizes of W, B and C do not fit.
func (m *RBM) Dims() (nv, nh int) {
	if wrong := m.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	nh, nv = m.W.Dims()
	return nv, nh
}

// wrong says why m is no model, or nothing.
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

// notFinite says what the first parameter is that is not finite, or nothing.
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

// CheckRows returns an error that names the first row of v (n×nv) that m cannot have: one
// with a value outside [0, 1], or without exactly one unit of a group on. Other functions
// panic where they meet such a row. CheckRows panics if the sizes do not fit.
func (m *RBM) CheckRows(v mat.Matrix) error {
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

// clone is Clone inside of the call that m is in.
func (m *RBM) clone() *RBM {
	dst := New(m.Dims())
	m.copyTo(dst)
	return dst
}

// copyTo sets the parameters and groups of dst to those of m, inside of the call that m is
// in.
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

// in returns m for work inside of a call.
func (m *RBM) in(c *call) *RBM { return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: c} }

// as returns m for work inside of the call that n is in, if it is in one.
func (m *RBM) as(n *RBM) *RBM {
	return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: n.call, lent: n.lent}
}

// until returns what ends work on m in its middle, or nil if nothing does.
func (m *RBM) until() *stop.Signal {
	if m.lent {
		return nil
	}
	return m.call.until()
}

// untilSweep returns what ends the sampling of m between two sweeps, or nil if nothing
// does. It is not nil either while m is lent.
func (m *RBM) untilSweep() *stop.Signal { return m.call.until() }
