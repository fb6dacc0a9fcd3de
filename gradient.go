package rbm

import (
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Gradient is a derivative with respect to the parameters of an RBM, part by
// part, and the memory needed to compute it. The zero value is ready to use;
// used again for models and batches of the same size, it allocates nothing.
type Gradient struct {
	sealed

	W *mat.Dense    // nh×nv
	B *mat.VecDense // nv
	C *mat.VecDense // nh

	model   model
	stats   statistics
	numbers []int   // of the rows that count
	hybrid  *hybrid // of a Classifier, once it was used
	guard   parallel.Guard
}

// Gradient sets dst to the gradient of the mean log-likelihood of the rows of v
// (n×nv), the direction in which to move the parameters:
//
//	∂⟨log p⟩/∂W = ⟨ĥvᵀ⟩data - ⟨ĥvᵀ⟩model    ∂/∂b = ⟨v⟩data - ⟨v⟩model    ∂/∂c = ⟨ĥ⟩data - ⟨ĥ⟩model
//
// with ĥ = p(h=1|v). The first mean is over the rows of v, the second over what
// s samples, by its weights; each is normalised by its own total. With [Exact]
// the gradient is exact; with [CD] and [PCD] it is an estimate.
//
// It panics if dst or s is nil, if the sizes do not fit, if v or a sample has a
// value outside [0, 1], or if the weights of s are negative, not finite or all
// zero. If a parameter is NaN, so is all of the gradient. An infinite one does no harm
// where it makes states impossible, as a bias of -Inf keeps its unit off; with [Exact]
// the gradient is NaN where log Z is infinite, and no panic.
func (m *RBM) Gradient(dst *Gradient, v mat.Matrix, s Sampler) { m.WeightedGradient(dst, v, nil, s) }

// WeightedGradient is [RBM.Gradient] for rows that count differently: it sets dst
// to the gradient of the weighted mean log-likelihood
//
//	Σᵣ wᵣ log p(vᵣ) / Σᵣ wᵣ
//
// by the same formula, with the first mean weighted. Nil weights are equal. A chain
// of [CD], or of a Sampler that embeds it and returns as many rows with nil weights,
// counts as much as the row that it starts from; any other sampler is given all rows,
// and not their weights. A row with a weight of 0 takes next to no time: a chain of CD that
// starts from it stays there.
//
// It panics for the same reasons, or if there is not one weight for each row, or
// if the weights are negative, not finite or all zero.
func (m *RBM) WeightedGradient(dst *Gradient, v mat.Matrix, weights []float64, s Sampler) {
	defer dst.take().Release()
	m.gradient(dst, v, weights, s, nil, nil)
}

// gradient also sets means, unless they are nil, to the weighted means of v and ĥ
// over the rows of v. If phases are given, it sets them in place of dst, which is
// their Data.
func (m *RBM) gradient(dst *Gradient, v mat.Matrix, weights []float64, s Sampler, means *means, phases *Phases) {
	nv, nh := m.Dims()
	n := checkBatch("v", v, nv)
	checkNil("sampler", s)
	total := totalWeight("data weights", weights, n, nil)
	// The samplers of this package start from the loaded model, and CD from
	// the positive phase's inputs of the hidden units.
	numbers := dst.counted(weights)
	rows, samples := 4*n, n
	var chains *Chains
	var finish func(p *model) (v mat.Matrix, weights []float64)
	switch s := s.(type) {
	case *CD:
		s.check()
		defer s.Chains.guard.Take("CD").Release()
		m.call.keeps(s.Chains)
		moving := n
		if chains, finish = s.Chains, s.finish; numbers != nil {
			moving = len(numbers)
			chains.numbers = numbers
			defer chains.all()
		}
		rows += 2 * s.K * moving
	case *PCD:
		s.check()
		defer s.Chains.guard.Take("PCD").Release()
		samples = s.start(m)
		rows += 2 * s.K * samples
		finish = s.finish
	case *PT:
		s.checkMade()
		defer s.chains.guard.Take("PT").Release()
		rows += 2 * s.K * s.start(m)
		samples = s.n
		finish = s.finish
	case *PTT:
		s.check()
		defer s.chains.guard.Take("PTT").Release()
		rows += 4 * s.K * s.start(m)
		samples = s.n
		finish = func(p *model) (mat.Matrix, []float64) { return s.finish(p, m) }
	case *Exact:
		defer s.guard.Take("Exact").Release()
		if nv > maxExact {
			m.exactGradient(dst, v, weights, total, means, phases, &s.slope)
			return
		}
		samples = s.start(m)
		rows += samples
		finish = s.finish
	}
	dst.reset(m, n+samples, rows)
	p, stats := &dst.model, &dst.stats
	defer p.done()
	if means != nil {
		means.reset(nv, nh)
	}
	stats.means = means
	dataTotal := total
	if phases != nil {
		phases.DataWeight, dataTotal = total, 1
	}
	stats.add(p, "v", v, weights, dataTotal, chains, nil)
	stats.means = nil
	var sample mat.Matrix
	ofRows := weights
	if finish != nil {
		sample, weights = finish(p)
	} else {
		sample, weights = m.lend(s, v)
		p.team.Until = m.until()
	}
	samples = checkBatch("sample", sample, nv)
	if chains != nil { // of CD, one from each row that counts
		weights = ofRows
	} else {
		if _, ok := s.(fromData); ok && weights == nil && samples == n {
			weights = ofRows
		}
		numbers = nil
		total = totalWeight("sample weights", weights, samples, m)
	}
	n = samples
	if phases != nil {
		dst.finish(dst)
		p.nan = p.nan || math.IsNaN(total)
		phases.ModelWeight = total
		stats.reset(nv, nh, n)
		stats.add(p, "sample", sample, weights, 1, nil, numbers)
		dst.finish(&phases.Model)
	} else {
		p.nan = p.nan || math.IsNaN(total)
		stats.add(p, "sample", sample, weights, -total, nil, numbers)
		dst.finish(dst)
	}
	if chains != nil && numbers != nil {
		chains.settle()
	}
}

// counted returns the numbers of the rows that have a weight other than 0, or nil if
// all have.
func (g *Gradient) counted(weights []float64) []int {
	if g == nil || !slices.Contains(weights, 0) {
		return nil
	}
	g.numbers = g.numbers[:0]
	for r, w := range weights {
		if w != 0 {
			g.numbers = append(g.numbers, r)
		}
	}
	return g.numbers
}

// exactGradient is gradient with Exact for models that are too large for its
// Sample: the slope of log p = -F - log Z. It needs z for that of log Z.
func (m *RBM) exactGradient(dst *Gradient, v mat.Matrix, weights []float64, total float64, means *means, phases *Phases, z *Gradient) {
	checkEnumeration(m, maxExact, "")
	if phases != nil {
		phases.DataWeight, phases.ModelWeight = total, 1
		dst.sum(m, v, weights, 1)
		m.LogPartitionGradient(&phases.Model)
		return
	}
	dst.sum(m, v, weights, total)
	if means != nil {
		means.reset(m.Dims())
		mat.Col(means.v, 0, dst.B)
		mat.Col(means.h, 0, dst.C)
	}
	if z.W != nil {
		nv, nh := m.Dims()
		if r, c := z.W.Dims(); r != nh || c != nv {
			*z = Gradient{}
		}
	}
	m.LogPartitionGradient(z)
	for j := range dst.C.Len() {
		m.until().Look()
		floats.Sub(dst.W.RawRowView(j), z.W.RawRowView(j))
	}
	dst.B.SubVec(dst.B, z.B)
	dst.C.SubVec(dst.C, z.C)
}

// totalWeight returns the sum of the weights of n rows, called name, or n if they
// are nil. It panics unless they are as many, none is negative, and they are
// finite and not all zero. Those that may be probabilities of m, unless it is nil, may
// be NaN or infinite where energies of m may be; then the sum is NaN.
func totalWeight(name string, weights []float64, n int, m *RBM) float64 {
	if weights == nil {
		return float64(n)
	}
	checkLength(name, weights, n)
	for i, w := range weights {
		if !(0 <= w && w <= math.MaxFloat64) {
			if !(w < 0) && m != nil && !m.hasFiniteEnergies() {
				return math.NaN()
			}
			panic(fmt.Sprintf("rbm: %s[%d] is %v, want a finite number of at least 0", name, i, w))
		}
	}
	total := product.Sum(weights)
	if total == 0 || total > math.MaxFloat64 {
		panic(fmt.Sprintf("rbm: %s have sum %v, want a positive finite number", name, total))
	}
	return total
}

// hasFiniteEnergies reports whether all energies are finite whatever the states and the
// order in which they are added.
func (m *RBM) hasFiniteEnergies() bool {
	var sum float64
	for i := range m.B.Len() {
		sum += math.Abs(m.B.AtVec(i))
	}
	for j := range m.C.Len() {
		sum += math.Abs(m.C.AtVec(j)) + floats.Norm(m.W.RawRowView(j), 1)
	}
	return sum <= math.MaxFloat64
}

// FreeEnergyGradient sets dst to the gradient of Σᵣ wᵣF(vᵣ), a weighted sum of
// the free energies of the rows of v (n×nv):
//
//	∂/∂W = -Σᵣ wᵣĥᵣvᵣᵀ    ∂/∂b = -Σᵣ wᵣvᵣ    ∂/∂c = -Σᵣ wᵣĥᵣ
//
// Nil weights are 1/n each; others are n finite numbers of either sign. It
// panics if the sizes do not fit or a weight is not finite. If a parameter is
// NaN, so is all of the gradient.
func (m *RBM) FreeEnergyGradient(dst *Gradient, v mat.Matrix, weights []float64) {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	total := float64(n)
	if weights != nil {
		total = 1
		checkLength("weights", weights, n)
		for i, w := range weights {
			if math.IsNaN(w) || math.IsInf(w, 0) {
				panic(fmt.Sprintf("rbm: weights[%d] is %v, want a finite number", i, w))
			}
		}
	}
	defer dst.take().Release()
	dst.sum(m, v, weights, -total)
}

// sum sets g to the statistics of the rows of v, each with its weight, or 1,
// divided by total.
func (g *Gradient) sum(m *RBM, v mat.Matrix, weights []float64, total float64) {
	n, _ := v.Dims()
	g.reset(m, n, 2*n)
	defer g.model.done()
	g.stats.add(&g.model, "v", v, weights, total, nil, nil)
	g.finish(g)
}

// reset makes g ready to add statistics of n rows, in a call that takes so many
// rows from one layer to the other.
func (g *Gradient) reset(m *RBM, n, rows int) {
	nv, nh := m.Dims()
	g.size(nv, nh)
	g.stats.reset(nv, nh, n)
	g.model.load(m, rows)
}

// take begins a use of g.
func (g *Gradient) take() *parallel.Guard {
	checkNil("gradient", g)
	return g.guard.Take("Gradient")
}

// size gives g parts for nv and nh units, or panics if it has others.
func (g *Gradient) size(nv, nh int) {
	if g.W == nil {
		g.W = new(mat.Dense)
	}
	if g.B == nil {
		g.B = new(mat.VecDense)
	}
	if g.C == nil {
		g.C = new(mat.VecDense)
	}
	if g.W.IsEmpty() {
		g.W.ReuseAs(nh, nv)
	}
	if g.B.IsEmpty() {
		g.B.ReuseAsVec(nv)
	}
	if g.C.IsEmpty() {
		g.C.ReuseAsVec(nh)
	}
	g.check("gradient", nv, nh)
}

// scale multiplies g by x.
func (g *Gradient) scale(x float64, until *stop.Signal) {
	for j := range g.C.Len() {
		until.Look()
		floats.Scale(x, g.W.RawRowView(j))
		g.C.SetVec(j, float64(x*g.C.AtVec(j)))
	}
	for i := range g.B.Len() {
		g.B.SetVec(i, float64(x*g.B.AtVec(i)))
	}
}

// exchange makes the layers change places, once g is reset: what is added then
// are n rows of h, with p(v=1|h) in place of ĥ.
func (g *Gradient) exchange(n int) {
	p := &g.model
	p.visible, p.hidden = p.hidden, p.visible
	g.stats.reset(p.visible.units, p.hidden.units, n)
	g.stats.exchanged = true
}

// check panics unless g has the parts of a gradient for nv and nh units.
func (g *Gradient) check(name string, nv, nh int) {
	if g.W == nil || g.B == nil || g.C == nil {
		panic(fmt.Sprintf("rbm: %s is empty, want nv=%d, nh=%d", name, nv, nh))
	}
	if r, c := g.W.Dims(); r != nh || c != nv {
		panic(fmt.Sprintf("rbm: %s has W of %d×%d, want %d×%d", name, r, c, nh, nv))
	}
	if n := g.B.Len(); n != nv {
		panic(fmt.Sprintf("rbm: %s has B of length %d, want %d", name, n, nv))
	}
	if n := g.C.Len(); n != nh {
		panic(fmt.Sprintf("rbm: %s has C of length %d, want %d", name, n, nh))
	}
}

// finish sets the parts of dst, mostly g itself, to what has been added to g.
func (g *Gradient) finish(dst *Gradient) {
	g.stats.flush(&g.model.team, dst)
	if g.model.nan {
		dst.fill(math.NaN(), g.model.team.Until)
	}
}

// fill sets all of g to x.
func (g *Gradient) fill(x float64, until *stop.Signal) {
	for j := range g.C.Len() {
		until.Look()
		row := g.W.RawRowView(j)
		for i := range row {
			row[i] = x
		}
		g.C.SetVec(j, x)
	}
	for i := range g.B.Len() {
		g.B.SetVec(i, x)
	}
}
