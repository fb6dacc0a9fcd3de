package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// A layer holds the inputs of its units given the other layer, bias + in·W.
type layer struct {
	units int
	bias  []float64 // filled up to whole words with -Inf: units that are always off
	w     product.Panels

	oneHot // of visible units

	fixed    product.Fixed // w and the biases, if isPacked
	isPacked bool
	abs      []float64 // sums of |w| over some of the weights to each unit, a part after another: whole words
	absParts int

	// The weights, a row a unit, if it is not known yet which of them are NaN. The pass
	// to the layer finds out while it has them near the processor.
	unseen blas64.General
}

// model is an RBM in the form that passes read, for the time of a call, and the
// goroutines that work on the call. A bias is NaN if any parameter of its unit
// is.
type model struct {
	visible, hidden layer
	nan             bool // in any parameter

	// If kept is the model to be read next, abs stays as it is, and the hidden layer in fixed
	// point if keptFixed: see keepRows.
	kept      *RBM
	keptFixed bool

	src   *RBM
	team  parallel.Team
	sweep *stop.Signal // ends sampling between two sweeps; nil: nothing does
}

// load sets p to m for a call that takes the given number of rows from one layer to the
// other. Done must follow.
func (p *model) load(m *RBM, rows int) {
	nv, nh := m.Dims()
	p.team.Until, p.sweep = m.until(), nil
	p.team.Start(rowsWork(rows, nv, nh) + nv*nh/2)
	loaded := false
	defer func() {
		if !loaded { // a panic
			p.done()
		}
	}()
	p.read(m)
	loaded = true
}

// read is load in a call that has its goroutines elsewhere. Done need not follow.
func (p *model) read(m *RBM) {
	nv, nh := m.Dims()
	w := m.W.RawMatrix()
	p.visible.load(m.B)
	p.visible.oneHot.load(m.OneHot)
	p.hidden.load(m.C)
	p.hidden.oneHot.load(nil) // the layers may have changed places
	p.visible.w.View(nh, nv, w.Stride, w.Data)
	p.hidden.w.ViewT(nv, nh, w.Stride, w.Data)
	kept := p.kept == m
	p.kept = nil
	if kept {
		p.hidden.isPacked = p.keptFixed
		for j, x := range p.hidden.abs[:nh] {
			if math.IsNaN(x) {
				p.hidden.bias[j] = x
			}
		}
	} else {
		p.src = m
		parts := (nh + scanRows - 1) / scanRows
		p.visible.sums(parts)
		p.hidden.sums(1)
		p.team.Run(p.team.Workers(parts, nv*nh/8), parts, (*scanning)(p))
		p.src = nil
	}
	p.nan = product.HasNaN(p.visible.bias) || product.HasNaN(p.hidden.bias)
	if p.nan {
		for j := range nh {
			p.team.Until.Look()
			for i, x := range w.Data[j*w.Stride:][:nv] {
				if math.IsNaN(x) {
					p.visible.bias[i] = x
				}
			}
		}
	}
}

// loadHidden is load for a call that only takes n rows to the hidden layer. For a few rows
// the weights are read once: the pass itself looks for NaN in them, and p.nan is known
// after seen.
func (p *model) loadHidden(m *RBM, n int) {
	if n > smallBatch {
		p.load(m, n)
		return
	}
	nv, nh := m.Dims()
	p.team.Until, p.sweep = m.until(), nil
	p.team.Start(rowsWork(n, nv, nh) + nv*nh/8)
	w := m.W.RawMatrix()
	p.visible.load(m.B)
	p.visible.oneHot.load(m.OneHot)
	p.hidden.load(m.C)
	p.hidden.oneHot.load(nil)
	p.hidden.w.ViewT(nv, nh, w.Stride, w.Data)
	p.hidden.unseen = w
}

// smallBatch is up to how many rows it pays that a pass reads the weights alone.
const smallBatch = 32

// seen notes whether any parameter is NaN, after loadHidden and a pass.
func (p *model) seen() {
	p.nan = product.HasNaN(p.visible.bias) || product.HasNaN(p.hidden.bias)
}

// rowsWork returns about how many nanoseconds it takes to compute the inputs of
// the units of one layer from rows of the other, and what follows from them.
func rowsWork(rows, from, to int) int {
	return int(min(1e9, float64(rows)*float64(to)*(2+float64(from)/48)))
}

// done ends the goroutines of the call and forgets the caller's memory.
func (p *model) done() {
	p.team.Stop()
	p.team.Until, p.sweep = nil, nil
	p.visible.w.Forget()
	p.hidden.w.Forget()
	p.hidden.unseen = blas64.General{}
}

func (l *layer) load(bias *mat.VecDense) {
	l.units, l.isPacked = bias.Len(), false
	l.bias = grow(l.bias, l.words()*wordBits)
	raw := bias.RawVector()
	if raw.Inc == 1 {
		copy(l.bias, raw.Data[:l.units])
	} else {
		for i := range l.units {
			l.bias[i] = raw.Data[i*raw.Inc]
		}
	}
	for i := l.units; i < len(l.bias); i++ {
		l.bias[i] = math.Inf(-1)
	}
}

// isUnseen reports whether the pass to the layer has to look for NaN.
func (l *layer) isUnseen() bool { return l.unseen.Data != nil }

// fixedPanels returns the number of panels that the units fill in fixed point.
func (l *layer) fixedPanels() int { return (l.units + product.FixedLanes - 1) / product.FixedLanes }

// panels returns the number of panels that the units fill.
func (l *layer) panels() int { return (l.units + product.Lanes - 1) / product.Lanes }

// words returns the number of words that the units fill.
func (l *layer) words() int { return (l.units + wordBits - 1) / wordBits }

// sums makes room for sums of |w| in parts.
func (l *layer) sums(parts int) {
	l.absParts = parts
	l.abs = grow(l.abs, parts*len(l.bias))
	clear(l.abs)
}

// scanning is the job that looks for weights that are NaN, and sums the absolute values of
// all, scanRows rows of W a part.
type scanning model

const scanRows = 32

func (p *scanning) Do(_, part int) {
	w, v, h := p.src.W.RawMatrix(), &p.visible, &p.hidden
	abs := v.abs[part*len(v.bias):][:w.Cols]
	for j := part * scanRows; j < min(w.Rows, (part+1)*scanRows) && !p.team.Until.Given(); j++ {
		h.abs[j] = product.AddAbs(abs, w.Data[j*w.Stride:][:w.Cols])
		if math.IsNaN(h.abs[j]) {
			h.bias[j] = math.NaN()
		}
	}
}

// keep begins to prepare for m as it will be when all its rows and hidden biases have been
// given to keepRows. Then the model can be set to m.
func (p *model) keep(parts int) {
	p.keptFixed = p.hidden.isPacked
	p.visible.sums(parts)
	p.hidden.sums(1)
}

// keepRows prepares for the rows of the hidden units of panel q in fixed point, which will not
// change any more.
func (p *model) keepRows(q int, m *RBM) {
	v, h := &p.visible, &p.hidden
	abs := v.abs[q*len(v.bias):][:v.units]
	j0 := q * product.FixedLanes
	var bias, sums [product.FixedLanes]float64
	for l := range bias {
		bias[l] = math.Inf(-1)
		if j := j0 + l; j < h.units {
			sums[l] = product.AddAbs(abs, m.W.RawRowView(j))
			h.abs[j], bias[l] = sums[l], m.C.AtVec(j)
			if math.IsNaN(sums[l]) {
				bias[l] = sums[l]
			}
		}
	}
	if p.keptFixed && j0 < h.units {
		h.fixed.PackPanel(q, &h.w, &bias, &sums)
	}
}

// scan makes the biases NaN of those units among [j0, j1) that have a weight that is.
func (l *layer) scan(w blas64.General, j0, j1 int, until *stop.Signal) {
	for j := j0; j < min(w.Rows, j1) && !until.Given(); j++ {
		if product.HasNaN(w.Data[j*w.Stride:][:w.Cols]) {
			l.bias[j] = math.NaN()
		}
	}
}
