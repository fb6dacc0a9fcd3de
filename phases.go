package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// Phases are the two sums whose difference is a gradient, the positive and the negative
// phase. [RBM.Phases] computes them for a minibatch or for a shard of the data, on a
// machine with chains of its own. Add them up, in any order but for rounding, and call
// Gradient once. The zero value is the empty sum.
type Phases struct {
	Data, Model             Gradient // Σᵣ wᵣĥᵣvᵣᵀ, Σᵣ wᵣvᵣ and Σᵣ wᵣĥᵣ, of the rows and of the samples
	DataWeight, ModelWeight float64  // Σᵣ wᵣ of them
}

// Phases sets dst to the phases of the gradient of [RBM.WeightedGradient].
func (m *RBM) Phases(dst *Phases, v mat.Matrix, weights []float64, s Sampler) {
	dst.checkNil()
	defer dst.Data.take().Release()
	dst.Model.size(m.Dims())
	var w work
	defer w.end()
	w.begin(&dst.Data, m, v, weights, s)
	dst.Data.stats.single = false // Σ|w| may be too large for it
	dst.DataWeight = w.total
	w.positive(v, weights, 1)
	w.store(&dst.Data)
	dst.Data.hasMeans = false // a sum has none
	if w.isAnalytic() {
		dst.Model.copy(w.slope())
		dst.ModelWeight = 1
		return
	}
	x, weights := w.sample(v, weights)
	dst.ModelWeight = w.total
	w.again(x)
	w.negative(x, weights, 1)
	w.store(&dst.Model)
}

// Gradient sets dst to Data/DataWeight - Model/ModelWeight.
func (p *Phases) Gradient(dst *Gradient) {
	p.check()
	checkNil("gradient", dst)
	nv, nh := p.Data.B.Len(), p.Data.C.Len()
	dst.size(nv, nh)
	dst.setMeans(p)
	difference := func(data, model float64) float64 { return data/p.DataWeight - model/p.ModelWeight }
	for j := range nh {
		w, data, model := dst.W.RawRowView(j), p.Data.W.RawRowView(j), p.Model.W.RawRowView(j)
		for i := range w {
			w[i] = difference(data[i], model[i])
		}
		dst.C.SetVec(j, difference(p.Data.C.AtVec(j), p.Model.C.AtVec(j)))
	}
	for i := range nv {
		dst.B.SetVec(i, difference(p.Data.B.AtVec(i), p.Model.B.AtVec(i)))
	}
}

// Add adds q, which may be the empty sum, to p.
func (p *Phases) Add(q *Phases) {
	p.checkNil()
	q.checkNil()
	if q.empty() {
		return
	}
	q.check()
	nv, nh := q.Data.B.Len(), q.Data.C.Len()
	p.Data.size(nv, nh)
	p.Model.size(nv, nh)
	p.Data.add(&q.Data)
	p.Model.add(&q.Model)
	p.DataWeight += q.DataWeight
	p.ModelWeight += q.ModelWeight
}

// add adds h, which is of the same size, to g.
func (g *Gradient) add(h *Gradient) {
	g.W.Add(g.W, h.W)
	g.B.AddVec(g.B, h.B)
	g.C.AddVec(g.C, h.C)
}

// copy sets g, which is of the same size, to h.
func (g *Gradient) copy(h *Gradient) {
	g.W.Copy(h.W)
	g.B.CopyVec(h.B)
	g.C.CopyVec(h.C)
}

// setMeans sets the means of g to the means of the data of p.
func (g *Gradient) setMeans(p *Phases) {
	g.means.reset(p.Data.B.Len(), p.Data.C.Len())
	g.hasMeans, g.stats.dataRows = true, 0
	for i := range g.means.v {
		g.means.v[i] = p.Data.B.AtVec(i) / p.DataWeight
	}
	for j := range g.means.h {
		g.means.h[j] = p.Data.C.AtVec(j) / p.DataWeight
	}
}

// empty reports whether p is the sum of nothing.
func (p *Phases) empty() bool {
	return p.Data.W == nil && p.Model.W == nil && p.DataWeight == 0 && p.ModelWeight == 0
}

func (p *Phases) checkNil() {
	if p == nil {
		panic("rbm: phases are nil")
	}
}

// check panics unless p is the sum of something.
func (p *Phases) check() {
	p.checkNil()
	if p.Data.W == nil || p.Data.B == nil || p.Data.C == nil {
		panic("rbm: phases are empty, want some that have been computed")
	}
	nv, nh := p.Data.B.Len(), p.Data.C.Len()
	p.Data.check("data phase", nv, nh)
	p.Model.check("model phase", nv, nh)
	if wrong := p.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
}

// wrong says which weight cannot be one, if any.
func (p *Phases) wrong() string {
	const want = "want a positive finite number"
	if x := p.DataWeight; x <= 0 || math.IsInf(x, 0) {
		return fmt.Sprintf("data weight of phases is %v, %s", x, want)
	}
	if x := p.ModelWeight; x <= 0 || math.IsInf(x, 0) {
		return fmt.Sprintf("model weight of phases is %v, %s", x, want)
	}
	return ""
}

var _ marshaler = (*Phases)(nil)

// AppendBinary appends both sums and their weights to b.
func (p *Phases) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Phases", p) }

// MarshalBinary is AppendBinary to nil.
func (p *Phases) MarshalBinary() ([]byte, error) { return p.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (p *Phases) UnmarshalBinary(data []byte) error {
	p.checkNil()
	x, err := decode(data, "Phases", readPhases)
	if err == nil {
		p.Data.set(&x.Data)
		p.Model.set(&x.Model)
		p.DataWeight, p.ModelWeight = x.DataWeight, x.ModelWeight
	}
	return err
}

func (p *Phases) bytes() int {
	p.checkNil()
	if p.empty() {
		return 1
	}
	p.check()
	return 1 + 2*8 + p.Data.bytes() + p.Model.bytes()
}

func (p *Phases) write(b []byte) []byte {
	b = wire.AppendBool(b, !p.empty())
	if p.empty() {
		return b
	}
	p.check()
	b = wire.AppendFloats(b, []float64{p.DataWeight, p.ModelWeight})
	return p.Model.write(p.Data.write(b))
}

func readPhases(d *wire.Decoder) *Phases {
	p := new(Phases)
	if !d.Bool("sum of something") {
		return p
	}
	p.DataWeight, p.ModelWeight = d.Float64(), d.Float64()
	if wrong := p.wrong(); d.OK() && wrong != "" {
		d.Failf("%s", wrong)
	}
	p.Data.read(d)
	p.Model.read(d)
	if !d.OK() {
		return p
	}
	if nv, nh := p.Data.B.Len(), p.Data.C.Len(); p.Model.B.Len() != nv || p.Model.C.Len() != nh {
		d.Failf("model phase is %d×%d, want %d×%d", p.Model.C.Len(), p.Model.B.Len(), nh, nv)
	}
	return p
}
