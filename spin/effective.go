package spin

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/parallel"
	"gonum.org/v1/gonum/mat"
)

// Effective returns the fields (nv) and couplings (nv×nv, with zeros on the diagonal) of the
// Ising model that the visible units of m are when written as spins s = 2v-1:
//
//	log p(v) = -F(v) - log Z = constant + Σ hᵢsᵢ + Σ Jᵢⱼsᵢsⱼ + higher orders    i < j
//
// The expansion is unique: a coefficient is the mean, over all spins alike, of the product
// of its spins and -F. This is the effective model of Decelle, Furtlehner, Navas Gómez &
// Seoane (2024), who take the sum of many spins for normal. Here all means are exact, for any
// number of units: by the parameters of [ToSpins] and Fourier transformation,
//
//	hᵢ  = aᵢ + Σ ∫ sin(ωwᵢ) sin(ωd) Π cos(ωwₖ) dω / 2ω sinh(πω/2)         k ≠ i
//	Jᵢⱼ =      Σ ∫ sin(ωwᵢ) sin(ωwⱼ) cos(ωd) Π cos(ωwₖ) dω / 2ω sinh(πω/2)    k ≠ i, j
//
// summed over hidden spins of couplings w and field d. The integrals from -∞ to ∞ are sums of
// equal steps, with an error below that of rounding, which is a few 1e-15 of Σ|wᵢ|, or of
// Σ min(|wᵢ|,|wⱼ|) for a coupling.
//
// The time is O(nh·nv²·S) for S = 20 + min(Σ|wₖ|, 9√Σwₖ²), less if there are many units. A
// NaN weight or hidden bias makes all of h and J NaN, and a NaN visible bias its field.
// Effective panics if m has groups, or if S is more than 10,020.
func Effective(m *rbm.RBM) (h *mat.VecDense, j *mat.SymDense) {
	x, _ := ToSpins(m)
	nv, nh := x.Dims()
	e := effective{
		h:    mat.Col(nil, 0, x.A),
		j:    mat.NewSymDense(nv, nil),
		tans: make([]float64, block*nv),
	}
	for unit := range nh {
		e.add(unit, x.W.RawRowView(unit), x.D.AtVec(unit))
	}
	return mat.NewVecDense(nv, e.h), e.j
}

const (
	far       = 20    // where tanh is 1 but for 1e-17
	bound     = 9     // standard deviations of the sum of spins, which it exceeds with probability 1e-17
	end       = 26    // of the integrals: what is left out is below 1e-16
	tiny      = 1e-18 // a product of cosines to leave out
	maxSpread = 1e4   // end·(maxSpread+far), and so each angle, is below 2²⁰
	block     = 64    // terms of a sum to be added at once
)

// spread returns a bound on |Σ±wₖ|, for all signs or for all but a share of 1e-17
// (Hoeffding, 1963).
func spread(w []float64) float64 {
	var sum, squares float64
	for _, x := range w {
		sum += math.Abs(x)
		squares += float64(x * x)
	}
	return min(sum, bound*math.Sqrt(squares))
}

// effective sums up the fields and couplings.
type effective struct {
	h []float64
	j *mat.SymDense

	terms []term
	tans  []float64 // of len(terms)×nv
	team  parallel.Team
}

// A term is what a point ω of an integral adds: odd·tanᵢ to hᵢ and even·tanᵢ·tanⱼ to Jᵢⱼ.
type term struct {
	odd, even float64
	tan       []float64 // sin(ωwᵢ)/cos(ωwᵢ), for a product of all cosines
}

// add adds a hidden spin of couplings w and field d.
func (e *effective) add(unit int, w []float64, d float64) {
	nv := len(w)
	s := spread(w)
	switch {
	case math.IsNaN(s + d):
		for i := range nv {
			e.h[i] = math.NaN()
			for k := i + 1; k < nv; k++ {
				e.j.SetSym(i, k, math.NaN())
			}
		}
		return
	case math.Abs(d)-s >= far: // log 2cosh(d + w·s) = |d + w·s|
		for i, x := range w {
			e.h[i] += math.Copysign(1, d) * x
		}
		return
	case s > maxSpread:
		panic(fmt.Sprintf("spin: the spin weights of hidden unit %d reach %.3g, want at most %d: larger ones take too long", unit, s, int(maxSpread)))
	}

	// The sum of steps 2π/period is the integral for a sech² that repeats itself with this
	// period, log 2cosh being its second integral. The copies are far from all sums d + w·s.
	period := math.Abs(d) + s + far
	step := 2 * math.Pi / period
	e.terms = append(e.terms[:0], term{odd: 2 * d / period, even: 2 / period, tan: e.tans[:nv]})
	copy(e.tans, w)
	for n := 1; float64(float64(n)*step) < end; n++ {
		omega := float64(n) * step
		if len(e.terms) == block {
			e.flush()
		}
		tan := e.tans[len(e.terms)*nv:][:nv]
		product := tangents(tan, w, omega)
		if product == 0 {
			continue
		}
		// Two points ±ω of step/2π = 1/period each.
		weight := 2 / period * product * 2 / (omega * omega) * overSinh(math.Pi/2*omega)
		sin, cos := sincos(omega * d)
		e.terms = append(e.terms, term{odd: weight * sin, even: weight * cos, tan: tan})
	}
	e.flush()
}

// tangents sets dst to the tangents of ωw and returns the product of the cosines, or 0 if
// even without the two smallest it is tiny.
func tangents(dst, w []float64, omega float64) float64 {
	product, least, second := 1., 1., 1.
	for i, x := range w {
		sin, cos := sincos(omega * x)
		if cos == 0 {
			cos = 0x1p-100
		}
		dst[i] = sin / cos
		product *= cos
		if c := math.Abs(cos); c < least {
			least, second = c, least
		} else {
			second = min(second, c)
		}
	}
	if math.Abs(product) < tiny*least*second {
		return 0
	}
	return product
}

// flush adds the terms to the fields and the couplings.
func (e *effective) flush() {
	nv := len(e.h)
	for _, t := range e.terms {
		for i, tan := range t.tan {
			e.h[i] += float64(t.odd * tan)
		}
	}
	parts := (nv + rowsOfPart - 1) / rowsOfPart
	e.team.Call(len(e.terms)*nv*nv/4, parts, e)
	e.terms = e.terms[:0]
}

const rowsOfPart = 16

// Do adds the terms to some rows of the couplings.
func (e *effective) Do(_, part int) {
	nv := len(e.h)
	raw := e.j.RawSymmetric()
	for i := part * rowsOfPart; i < min((part+1)*rowsOfPart, nv); i++ {
		row := raw.Data[i*raw.Stride:][i+1 : nv]
		terms := e.terms
		for ; len(terms) >= 4; terms = terms[4:] {
			a := [4]float64{terms[0].at(i), terms[1].at(i), terms[2].at(i), terms[3].at(i)}
			x0, x1, x2, x3 := terms[0].tan[i+1:], terms[1].tan[i+1:], terms[2].tan[i+1:], terms[3].tan[i+1:]
			x0, x1, x2, x3 = x0[:len(row)], x1[:len(row)], x2[:len(row)], x3[:len(row)]
			for k := range row {
				row[k] += float64(a[0]*x0[k]) + float64(a[1]*x1[k]) + (float64(a[2]*x2[k]) + float64(a[3]*x3[k]))
			}
		}
		for _, t := range terms {
			a := t.at(i)
			for k, x := range t.tan[i+1:] {
				row[k] += float64(a * x)
			}
		}
	}
}

func (t *term) at(i int) float64 { return t.even * t.tan[i] }
