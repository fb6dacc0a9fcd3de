package rbm

import (
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Gradient is a derivative by the parameters of an RBM. The zero value is ready to use;
// reused for the same sizes, it allocates nothing.
//
// With Frozen, [SGD.Step] leaves some parameters alone, and [Centering.Center] takes them for
// constants.
//
// With Single, [RBM.Gradient] adds up n rows of bits in half the time, in fixed point, with an
// error of an element below 2⁻¹² + n·2⁻³⁰, mostly 1e-7. [Classifier.Gradient] does so, too, if
// its weights sum to at most 1.5, and leaves out labels that are next to impossible.
type Gradient struct {
	sealed

	W      *mat.Dense    // nh×nv
	B      *mat.VecDense // nv
	C      *mat.VecDense // nh
	Single bool          // single precision
	Frozen *Frozen       // parameters that do not move; nil: none

	means    means // of the data, if hasMeans: see Centering.Center
	hasMeans bool

	model   model
	stats   statistics
	data    dataPhase
	numbers []int // of the rows that have a weight other than 0
	labels  phase // of a Classifier, once it was used
	noW     bool  // W need not be there, as in fused
	guard   parallel.Guard
}

// Gradient sets dst to the gradient of the mean log-likelihood of v (n×nv):
//
//	∂⟨log p⟩/∂W = ⟨ĥvᵀ⟩data - ⟨ĥvᵀ⟩model    ∂/∂b = ⟨v⟩data - ⟨v⟩model    ∂/∂c = ⟨ĥ⟩data - ⟨ĥ⟩model
//
// with ĥ = p(h=1|v). The first mean, the positive phase, is over the rows of v, the second,
// the negative phase, over the weighted samples of s. Exact gives the exact gradient, NaN
// where Z is infinite.
func (m *RBM) Gradient(dst *Gradient, v mat.Matrix, s Sampler) { m.WeightedGradient(dst, v, nil, s) }

// WeightedGradient sets dst to the gradient of Σᵣ wᵣ log p(vᵣ) / Σᵣ wᵣ. A chain of [CD] has
// the weight of its row; other samplers see all rows alike.
func (m *RBM) WeightedGradient(dst *Gradient, v mat.Matrix, weights []float64, s Sampler) {
	// Nil weights are equal. Rows of weight 0 take next to no time.
	defer dst.take().Release()
	m.gradient(dst, v, weights, s)
}

// gradient is WeightedGradient of a dst that has been taken.
//
// Each phase is normalized by its own total weight. An infinite parameter does no harm
// where it makes states impossible: a bias of -Inf keeps its unit off. Samples from a type
// that embeds CD have the weights of the data too, if they are as many and have nil
// weights. A chain of CD whose row has weight 0 stays on that row. It panics if the weights
// of a phase are negative, not finite or all zero.
func (m *RBM) gradient(dst *Gradient, v mat.Matrix, weights []float64, s Sampler) {
	var w work
	defer w.end()
	w.sums(dst, m, v, weights, s)
	w.gradient(dst)
}

// work is the work on a gradient, whose two phases share the loaded model.
type work struct {
	g       *Gradient // whose memory it takes
	m       *RBM
	s       Sampler
	native  native          // s, if it is native
	guard   *parallel.Guard // of native
	starter starter         // s, if it is a starter
	numbers []int           // of the rows that its chains start from, or nil for all
	total   float64         // of the weights of the phase at hand
	loaded  bool
}

// An analytic sampler knows the gradient of log Z without samples for some models.
type analytic interface {
	isAnalytic(m *RBM) bool
	slope(m *RBM) *Gradient
}

// sums begins, and adds both phases or, if the sampler is analytic, the first alone.
func (w *work) sums(g *Gradient, m *RBM, v mat.Matrix, weights []float64, s Sampler) {
	w.begin(g, m, v, weights, s)
	w.positive(v, weights, +w.total)
	if !w.isAnalytic() {
		x, weights := w.sample(v, weights)
		w.negative(x, weights, -w.total)
	}
}

// gradient sets dst to the gradient after sums.
func (w *work) gradient(dst *Gradient) {
	w.store(dst)
	if w.isAnalytic() {
		dst.subtract(w.slope(), w.m.until())
	}
}

// begin prepares both phases and loads the model. End must follow, even if it panics.
func (w *work) begin(g *Gradient, m *RBM, v mat.Matrix, weights []float64, s Sampler) {
	nv, nh := m.Dims()
	n := checkBatch("v", v, nv)
	checkNil("sampler", s)
	w.g, w.m, w.s, w.native = g, m, s, nativeOf(s)
	w.total = totalWeight("data weights", weights, n, nil)
	samples, passes := n, 0
	if w.native != nil {
		w.guard = w.native.take()
		if w.starter, _ = w.native.(starter); w.starter != nil {
			w.numbers = g.counted(weights)
			w.starter.only(w.numbers)
		}
		samples, passes = w.native.begin(m, n)
	}
	g.reset(m, n+samples, 4*n+passes)
	if g.Single && n <= mostSingle && samples <= mostSingle {
		g.stats.startSingle(&g.model)
	}
	w.loaded = true
	g.means.reset(nv, nh)
	g.hasMeans = true
	g.data = dataPhase{means: &g.means, starter: w.starter}
}

// positive adds the rows of v by their weights over total, and begins the chains of a
// starter.
func (w *work) positive(v mat.Matrix, weights []float64, total float64) {
	w.g.stats.add(&w.g.model, &w.g.data, "v", v, weights, total, nil)
}

// sample returns the samples and the weights of their rows, and sets total.
func (w *work) sample(v mat.Matrix, ofRows []float64) (x mat.Matrix, weights []float64) {
	p := &w.g.model
	switch {
	case w.starter != nil:
		x, _ = w.native.draw(p, w.m, nil)
		return x, ofRows
	case w.native != nil:
		x, weights = w.native.draw(p, w.m, v)
	default:
		x, weights = w.m.lend(w.s, v)
		p.team.Until = w.m.until()
	}
	n := checkBatch("sample", x, p.visible.units)
	if _, ok := w.s.(fromData); ok && weights == nil {
		if rows, _ := v.Dims(); n == rows {
			weights = ofRows
		}
	}
	w.total = totalWeight("sample weights", weights, n, w.m)
	p.nan = p.nan || math.IsNaN(w.total)
	return x, weights
}

// negative adds the samples by their weights over total.
func (w *work) negative(x mat.Matrix, weights []float64, total float64) {
	w.g.stats.add(&w.g.model, ofProbs{}, "sample", x, weights, total, w.numbers)
}

// again begins with samples x alone, after the positive phase has been stored.
func (w *work) again(x mat.Matrix) {
	n, _ := x.Dims()
	w.g.stats.reset(w.g.stats.nv, w.g.stats.nh, n)
}

// store sets dst to the sums so far.
func (w *work) store(dst *Gradient) { w.g.finish(dst, dst) }

// isAnalytic reports whether slope has the negative phase.
func (w *work) isAnalytic() bool {
	s, ok := w.native.(analytic)
	return ok && s.isAnalytic(w.m)
}

// slope returns the gradient of log Z, and makes the means of data those that are stored.
func (w *work) slope() *Gradient {
	w.g.model.done()
	w.g.stats.dataRows = 0
	mat.Col(w.g.means.v, 0, w.g.B)
	mat.Col(w.g.means.h, 0, w.g.C)
	return w.native.(analytic).slope(w.m)
}

// end ends the work, however far it is.
func (w *work) end() {
	if w.loaded {
		w.g.model.done()
		w.g.data.starter = nil
	}
	if w.starter != nil {
		w.starter.settle()
	}
	if w.guard != nil {
		w.guard.Release()
	}
}

// dataPhase is the positive phase. It keeps the means of data for [Centering.Center],
// and draws the hidden units of chains that start from data, along with ĥ.
type dataPhase struct {
	means   *means
	starter starter // nil if no chains start
	n       int     // rows of data
	moved   int     // chains so far
	draws   *draws
	stats   *statistics
}

func (d *dataPhase) read(p *model, name string, in *batch, n, r0 int) {
	p.visible.oneHot.check(name, in, r0, nil, p.team.Until)
	d.n = n
	if d.starter != nil {
		d.starter.restart(in, n, r0)
	}
}

func (d *dataPhase) run(p *model, s *statistics) {
	if d.starter == nil {
		s.probs(p, s)
	} else {
		d.draws, d.stats = d.starter.first(p, d.n, d.moved), s
		s.probs(p, d)
		d.moved += s.in.rows
	}
	s.ofData(d.means)
}

func (d *dataPhase) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	for r := r0; r < r0+n; r++ {
		in := x.row(r-r0, n)
		d.draws.random(&u, t, in.N*product.Lanes, r)
		if d.stats.fixed.isOn {
			var p [wordBits]float64
			*d.draws.word(r, t) = in.DrawProbs(p[:], d.stats.scale[r], &u)
			d.stats.round(t, r, &p)
			continue
		}
		*d.draws.word(r, t) = in.DrawProbs(d.stats.word(t, r), d.stats.scale[r], &u)
		d.stats.closeRow(t, r)
	}
}

func (d *dataPhase) always() bool { return d.stats.always() }

func (d *dataPhase) takesFixed(int) bool { return d.stats.fixed.isOn }

func (d *dataPhase) takeFixed(w *fixedWord) {
	w.plain()
	s := d.stats
	var u [wordBits]uint32
	for r := range w.n {
		row := w.r0 + r
		d.draws.random(&u, w.t, wordBits, row)
		word, open := w.rule.DrawProbs(s.fixed.word(w.t, s.base+s.at(row)), float32(s.scale[row]/singleUnit), w.inputs(r), &u)
		*d.draws.word(row, w.t) = w.decide(word, open, r, &u)
		s.closeRow(w.t, row)
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

// FreeEnergyGradient sets dst to the gradient of Σᵣ wᵣF(vᵣ) over v (n×nv). The weights are
// finite, of either sign; nil weights are 1/n each.
func (m *RBM) FreeEnergyGradient(dst *Gradient, v mat.Matrix, weights []float64) {
	// ∂/∂W = -Σᵣ wᵣĥᵣvᵣᵀ, ∂/∂b = -Σᵣ wᵣvᵣ, ∂/∂c = -Σᵣ wᵣĥᵣ
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	total := float64(n)
	if weights != nil {
		total = 1
		checkLength("weights", weights, n)
		for i, w := range weights {
			if !finite(w) {
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
	g.stats.add(&g.model, ofProbs{}, "v", v, weights, total, nil)
	g.finish(g, g)
}

// reset makes g ready to add statistics of n rows, in a call that takes the given number of
// rows from one layer to the other.
func (g *Gradient) reset(m *RBM, n, rows int) {
	nv, nh := m.Dims()
	if g.noW {
		g.makeBiases(nv, nh)
		g.checkBiases("gradient", nv, nh)
	} else {
		g.size(nv, nh)
	}
	g.hasMeans = false
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
	if g.W.IsEmpty() {
		g.W.ReuseAs(nh, nv)
	}
	g.makeBiases(nv, nh)
	g.check("gradient", nv, nh)
}

// makeBiases gives g B and C, unless it has some.
func (g *Gradient) makeBiases(nv, nh int) {
	if g.B == nil {
		g.B = new(mat.VecDense)
	}
	if g.C == nil {
		g.C = new(mat.VecDense)
	}
	if g.B.IsEmpty() {
		g.B.ReuseAsVec(nv)
	}
	if g.C.IsEmpty() {
		g.C.ReuseAsVec(nh)
	}
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

// subtract subtracts z from g.
func (g *Gradient) subtract(z *Gradient, until *stop.Signal) {
	for j := range g.C.Len() {
		until.Look()
		floats.Sub(g.W.RawRowView(j), z.W.RawRowView(j))
	}
	g.B.SubVec(g.B, z.B)
	g.C.SubVec(g.C, z.C)
}

// computed returns the numbers of units of g, and panics if it is empty or its parts do not fit.
func (g *Gradient) computed() (nv, nh int) {
	checkNil("gradient", g)
	if g.B == nil || g.C == nil {
		panic("rbm: gradient is empty, want one that has been computed")
	}
	nv, nh = g.B.Len(), g.C.Len()
	g.check("gradient", nv, nh)
	return nv, nh
}

// check panics unless g has the parts of a gradient for nv and nh units.
func (g *Gradient) check(name string, nv, nh int) {
	if g.W == nil || g.B == nil || g.C == nil {
		panic(fmt.Sprintf("rbm: %s is empty, want nv=%d, nh=%d", name, nv, nh))
	}
	if r, c := g.W.Dims(); r != nh || c != nv {
		panic(fmt.Sprintf("rbm: %s has W of %d×%d, want %d×%d", name, r, c, nh, nv))
	}
	g.checkBiases(name, nv, nh)
}

// checkBiases is check of B and C.
func (g *Gradient) checkBiases(name string, nv, nh int) {
	if n := g.B.Len(); n != nv {
		panic(fmt.Sprintf("rbm: %s has B of length %d, want %d", name, n, nv))
	}
	if n := g.C.Len(); n != nh {
		panic(fmt.Sprintf("rbm: %s has C of length %d, want %d", name, n, nh))
	}
}

// finish sets the parts of dst, mostly g itself, to the sums in g. It stores them by way of
// to: dst, or dst as the store of exchanged layers.
func (g *Gradient) finish(dst *Gradient, to store) {
	g.stats.flush(&g.model.team, to)
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

// store sets the part of g that stands in panel q of (ĥ, 1)(v, 1)ᵀ.
func (g *Gradient) store(panel []product.Line, q int) {
	w := g.W.RawMatrix()
	nv := w.Cols
	n := min(product.Lanes, w.Rows-q*product.Lanes)
	product.Unpack(panel[:nv], q, n, w.Stride, w.Data)
	for l := range n {
		g.C.SetVec(q*product.Lanes+l, panel[nv][l])
	}
	if n < product.Lanes {
		for i := range nv {
			g.B.SetVec(i, panel[i][n])
		}
	}
}

// exchanged is a Gradient that stores (p(v=1|h), 1)(h, 1)ᵀ.
type exchanged Gradient

func (g *exchanged) store(panel []product.Line, q int) {
	w := g.W.RawMatrix()
	nh := w.Rows
	n := min(product.Lanes, w.Cols-q*product.Lanes)
	for l := range n {
		g.B.SetVec(q*product.Lanes+l, panel[nh][l])
	}
	for j := range nh {
		copy(w.Data[j*w.Stride+q*product.Lanes:][:n], panel[j][:n])
		if n < product.Lanes {
			g.C.SetVec(j, panel[j][n])
		}
	}
}

// bytes, write and read encode g as the parameters of an RBM.
func (g *Gradient) bytes() int { return (&RBM{W: g.W, B: g.B, C: g.C}).parameterBytes() }

func (g *Gradient) write(b []byte) []byte { return (&RBM{W: g.W, B: g.B, C: g.C}).writeParameters(b) }

func (g *Gradient) read(d *wire.Decoder) {
	m := readParameters(d)
	g.set(&Gradient{W: m.W, B: m.B, C: m.C})
}

// set gives g the parts of h.
func (g *Gradient) set(h *Gradient) { g.W, g.B, g.C = h.W, h.B, h.C }
