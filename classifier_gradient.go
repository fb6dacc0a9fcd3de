package rbm

import (
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// Gradient sets dst to the gradient of
//
//	Discriminative·⟨log p(y|x)⟩ + Generative·⟨log p(x,y)⟩ + Unlabeled·⟨log p(x)⟩
//
// with means over the rows of x (n×nx) that have a label, labels[r], and for the third over
// the rows with NoLabel. A term without rows drops out. The weights choose discriminative,
// generative, hybrid or semi-supervised training (Larochelle et al., 2012). All but the
// first term need a Sampler, which sees each row joined with its label or all labels, a
// group of Model.
func (c *Classifier) Gradient(dst *Gradient, x mat.Matrix, labels []int, s Sampler) {
	c.WeightedGradient(dst, x, labels, nil, s)
}

// WeightedGradient is Gradient with weighted means: over the rows with a label, and over the
// rows without. A row of weight 0 does not count. It panics as [RBM.WeightedGradient] does.
func (c *Classifier) WeightedGradient(dst *Gradient, x mat.Matrix, labels []int, weights []float64, s Sampler) {
	// With ĥ = p(h=1|x,y),
	//
	//	∂log p(y|x)/∂W = ĥ(x,eᵧ)ᵀ - Σₖ p(k|x) ĥ(x,eₖ)ᵀ    ∂log p(x)/∂W = Σₖ p(k|x) ĥ(x,eₖ)ᵀ - ⟨ĥvᵀ⟩model
	//
	// where the sums over the labels of a row are exact. A chain of CD has the weight of
	// the row that it starts from; an unlabeled row of class k weighs p(k|x).
	nx := c.check()
	n := checkBatch("x", x, nx)
	c.checkLabels(labels, n, NoLabel)
	c.checkWeights()
	if c.samples() {
		checkNil("sampler", s)
		c.checkGroup(nx)
	}
	totalWeight("data weights", weights, n, nil)
	defer dst.take().Release()
	l, ok := dst.labels.(*hybrid)
	if !ok {
		l = new(hybrid)
		dst.labels = l
	}
	sampler := nativeOf(s)
	_, starts := s.(fromData)
	c.checkInputs(&l.visible, x)
	l.choose(c, x, labels, weights, sampler == nil || starts)
	if c.Discriminative == 0 && len(l.of) > 0 && l.unlabeled == 0 {
		if weights != nil {
			weights = l.rowWeights
		}
		c.Model.gradient(dst, l.data.matrix(), weights, s)
		if c.Generative != 1 {
			dst.scale(c.Generative, c.Model.until())
		}
		return
	}
	exact, isAnalytic := sampler.(analytic) // if so, of the mean over the model
	isAnalytic = isAnalytic && l.sampled > 0 && exact.isAnalytic(c.Model)
	samples, passes := 0, 0
	if l.sampled > 0 {
		samples = l.data.rows
		if sampler != nil {
			defer sampler.take().Release()
			samples, passes = sampler.begin(c.Model, l.data.rows)
		}
	}
	dst.reset(c.Model, len(l.of)+samples, classWork(len(l.of), c.Classes)+2*samples+passes)
	p, stats := &dst.model, &dst.stats
	defer p.done()
	if dst.Single && c.fitsSingle() && max(len(l.of), samples) <= mostSingle {
		stats.startSingle(p)
	}
	dst.means.reset(c.Model.Dims())
	l.reset(p, c, &dst.means)
	if len(l.of) > 0 {
		stats.add(p, l, "x", l.inputs.matrix(), nil, 1, nil)
	}
	if l.sampled > 0 && !isAnalytic {
		sample, weights := l.sample(p, c.Model, s, sampler)
		n := checkBatch("sample", sample, nx+c.Classes)
		total := totalWeight("sample weights", weights, n, c.Model)
		p.nan = p.nan || math.IsNaN(total)
		stats.add(p, ofProbs{}, "sample", sample, weights, -total/l.sampled, nil)
	}
	dst.finish(dst, dst)
	l.addTo(dst)
	if isAnalytic {
		p.done()
		slope := exact.slope(c.Model)
		slope.scale(l.sampled, c.Model.until())
		dst.subtract(slope, c.Model.until())
	}
	dst.hasMeans = len(l.of) > 0
}

// fitsSingle reports whether single precision has room for all sums of the rows: each is at
// most the sum of these weights, in absolute value and on the way, and less than 2 fits.
func (c *Classifier) fitsSingle() bool { return c.Discriminative+c.Generative+c.Unlabeled <= 1.5 }

// samples reports whether the objective has a term that needs a Sampler.
func (c *Classifier) samples() bool { return c.Generative > 0 || c.Unlabeled > 0 }

func (c *Classifier) checkWeights() {
	if wrong := c.wrongWeights(); wrong != "" {
		panic("rbm: " + wrong)
	}
}

// wrongWeights says what is wrong with the weights of the terms, or nothing.
func (c *Classifier) wrongWeights() string {
	some := false
	for _, w := range [...]struct {
		name string
		x    float64
	}{{"Discriminative", c.Discriminative}, {"Generative", c.Generative}, {"Unlabeled", c.Unlabeled}} {
		if wrong := wrongFactor(w.name, w.x); wrong != "" {
			return wrong
		}
		some = some || w.x > 0
	}
	if !some {
		return "Discriminative, Generative and Unlabeled are 0, want one that is not"
	}
	return ""
}

// checkGroup panics unless the label is a group of the model.
func (c *Classifier) checkGroup(nx int) {
	if label := (Group{nx, nx + c.Classes}); !slices.Contains(c.Model.OneHot, label) {
		panic(fmt.Sprintf("rbm: model has no group %v, want it in OneHot for the label", label))
	}
}

// hybrid accumulates what rows of inputs tell about a Classifier,
//
//	Σᵣ Σᵧ wᵣᵧ (ĥᵣᵧ, 1)(vᵣᵧ, 1)ᵀ    with vᵣᵧ = (xᵣ, eᵧ) and ĥᵣᵧ = p(h=1|vᵣᵧ)
//
// As all vᵣᵧ of a row have the same inputs, most of it are statistics of x with
// Σᵧ wᵣᵧ ĥᵣᵧ in place of s·ĥ. The rest, what the label units have on their own, is
// summed here.
type hybrid struct {
	classes
	of         []int   // labels of the rows that count
	unlabeled  int     // how many of them have none
	sampled    float64 // weight of the mean over the model
	generative bool    // a row with its label is data for the sampler

	inputs         joined    // the rows, without labels
	rowWeights     []float64 // of each
	total          float64   // of these
	discriminative []float64 // weight of log p(y|x) of each
	scale          []float64 // Σᵧ wᵣᵧ of each
	weights        []float64 // wᵣᵧ: rows × classes
	base           int       // the first row of the current pass

	means   *means  // of all rows; one without a label has each by p(y|x)
	ofScale float64 // share in them of a row without a label, per scale

	visible oneHot // groups of inputs

	data   joined    // rows for the sampler
	chains []float64 // weights of those that start from them

	sumW []float64 // of label units: classes × words × 64
	sumB []float64 // classes
}

// choose sets l to the rows of x that count. Those without a label are rows for the
// sampler if it starts from data.
func (l *hybrid) choose(c *Classifier, x mat.Matrix, labels []int, weights []float64, starts bool) {
	var labeled int
	var with, without float64 // weight of the rows by whether they have a label
	l.of, l.unlabeled = l.of[:0], 0
	for r, y := range labels {
		w := weightOf(weights, r)
		switch {
		case w == 0 || !c.counts(y):
		case y == NoLabel:
			l.unlabeled++
			without += w
		default:
			labeled++
			with += w
		}
	}
	l.sampled, l.generative = 0, c.Generative > 0
	if labeled > 0 {
		l.sampled = c.Generative
	}
	if l.unlabeled > 0 {
		l.sampled += c.Unlabeled
	}
	samples := 0
	if starts {
		samples = l.unlabeled * c.Classes
	}
	if l.generative {
		samples += labeled
	}
	l.inputs.reset(labeled+l.unlabeled, c.Classes, x)
	l.data.reset(samples, c.Classes, x)
	l.rowWeights, l.total = l.rowWeights[:0], with+without
	l.ofScale = min(without/l.total/c.Unlabeled, math.MaxFloat64)
	l.scale, l.discriminative = l.scale[:0], l.discriminative[:0]
	for r, y := range labels {
		w := weightOf(weights, r)
		if w == 0 || !c.counts(y) {
			continue
		}
		l.of = append(l.of, y)
		l.rowWeights = append(l.rowWeights, w)
		l.inputs.add(x, r, NoLabel)
		if y == NoLabel {
			l.discriminative = append(l.discriminative, 0)
			l.scale = append(l.scale, c.Unlabeled/(without/w)) // with a weight of 1 as without weights
			for k := 0; starts && k < c.Classes; k++ {
				l.data.add(x, r, k)
			}
			continue
		}
		l.discriminative = append(l.discriminative, c.Discriminative/(with/w))
		l.scale = append(l.scale, c.Generative/(with/w))
		if l.generative {
			l.data.add(x, r, y)
		}
	}
}

// counts reports whether the objective has a term for rows labeled y.
func (c *Classifier) counts(y int) bool {
	if y == NoLabel {
		return c.Unlabeled > 0
	}
	return c.Discriminative > 0 || c.Generative > 0
}

// reset makes l ready to add the rows it has chosen, and their means to zeros.
func (l *hybrid) reset(p *model, c *Classifier, means *means) {
	l.load(p, c.Model, c.Classes)
	l.means = means
	l.weights = grow(l.weights, len(l.of)*l.n)
	l.sumW = grow(l.sumW, l.n*l.words*wordBits)
	l.sumB = grow(l.sumB, l.n)
	clear(l.sumW)
	clear(l.sumB)
	l.base = 0
}

func (l *hybrid) read(*model, string, *batch, int, int) {} // choose has checked the rows

// run leaves Σᵧ wᵣᵧ ĥᵣᵧ for the rows of the batch, which are all there are.
func (l *hybrid) run(p *model, stats *statistics) {
	l.stats = stats
	copy(stats.scale, l.scale[l.base:])
	l.classes.run(p, &stats.pass, &stats.in, l.weights[l.base*l.n:], l.n)
	for r := range l.rows {
		stats.in.addTo(l.means.v, r, l.share(l.base+r))
		l.weigh(l.base + r)
	}
	parts := (l.panels + halfPanels - 1) / halfPanels
	p.team.Run(p.team.Workers(parts, 2*l.rows*l.n*p.hidden.units), parts, (*mixing)(l))
	for r, scale := range stats.scale {
		stats.setOne(r, scale)
	}
	l.stats = nil
	l.base += l.rows
}

// share returns the weight of row r in the means.
func (l *hybrid) share(r int) float64 { return l.rowWeights[r] / l.total }

// leftOut is the probability that a row may have in the labels that single precision leaves
// out.
const leftOut = 0x1p-20

// weigh turns log p(y|x) of row r into its weights.
func (l *hybrid) weigh(r int) {
	scale, share := l.scale[r], l.share(r)
	mean := l.means.v[len(l.means.v)-l.n:]
	for y := range l.n {
		w := &l.weights[r*l.n+y]
		p := logistic.Exp(*w)
		if l.stats.single && p < leftOut/float64(l.n) {
			p = 0
		}
		switch l.of[r] {
		case NoLabel:
			*w = float64(scale * p)
			mean[y] += float64(share * p)
		case y:
			*w = float64(l.discriminative[r]*(1-p)) + scale
			mean[y] += share
		default:
			*w = float64(-l.discriminative[r] * p)
		}
		l.sumB[y] += *w
	}
}

// mixing is the job that puts Σᵧ wᵣᵧ ĥᵣᵧ in the place of s·ĥ, where the inputs of hidden units
// are, halfPanels panels a part.
type mixing hybrid

const halfPanels = panelsOfWord / 2

func (s *mixing) Do(_, part int) {
	t, first := part/2, part%2*halfPanels
	var z [halfPanels]product.Line
	var p, q [halfWord]float64 // zero behind the last panel
	in := logistic.Inputs{X: z[:], Stride: 1, N: min(halfPanels, s.panels-part*halfPanels)}
	mean := (*[halfWord]float64)(s.means.p[t*wordBits+first*product.Lanes:])
	for r := range s.rows {
		x := (*[halfWord]float64)(s.stats.word(t, r)[first*product.Lanes:])
		var sum [halfWord]float64
		of := s.of[s.base+r]
		for y, weight := range s.weights[(s.base+r)*s.n:][:s.n] {
			if weight == 0 && y != of {
				continue
			}
			for q, w := range s.w[(y*s.words+t)*panelsOfWord+first:][:in.N] {
				addLines(&z[q], (*product.Line)(x[q*product.Lanes:]), &w)
			}
			if y == of {
				in.Probs(q[:], (*hybrid)(s).share(s.base+r))
				for i, q := range q {
					mean[i] += q
				}
			}
			if weight == 0 {
				continue
			}
			in.Probs(p[:], weight)
			of := (*[halfWord]float64)(s.sumW[(y*s.words+t)*wordBits+first*product.Lanes:])
			for i, p := range p {
				sum[i] += p
				of[i] += p
			}
		}
		if of == NoLabel {
			for i, x := range sum {
				mean[i] += float64(s.ofScale * x)
			}
		}
		s.stats.put(t, r, first*product.Lanes, &sum)
	}
}

// sample returns the samples of s, by way of native if it is native, and their weights.
func (l *hybrid) sample(p *model, m *RBM, s Sampler, native native) (v mat.Matrix, weights []float64) {
	if native != nil {
		v, weights = native.draw(p, m, l.data.matrix())
	} else {
		v, weights = m.lend(s, l.data.matrix())
		p.team.Until = m.until()
	}
	if _, ok := s.(fromData); ok && weights == nil {
		if n, _ := v.Dims(); n == l.data.rows {
			weights = l.chainWeights()
		}
	}
	return v, weights
}

// chainWeights returns the weights of the rows that the sampler is given.
func (l *hybrid) chainWeights() []float64 {
	l.chains = l.chains[:0]
	for r, y := range l.of {
		switch {
		case y == NoLabel:
			l.chains = append(l.chains, l.weights[r*l.n:][:l.n]...)
		case l.generative:
			l.chains = append(l.chains, l.scale[r])
		}
	}
	return l.chains
}

// addTo adds what the label units have on their own to g.
func (l *hybrid) addTo(g *Gradient) {
	for j := range g.C.Len() {
		row := g.W.RawRowView(j)
		row = row[len(row)-l.n:]
		for y := range row {
			row[y] += l.sumW[y*l.words*wordBits+j]
		}
	}
	nx := g.B.Len() - l.n
	for y, x := range l.sumB {
		g.B.SetVec(nx+y, g.B.AtVec(nx+y)+x)
	}
}

// joined are rows of inputs with a label, bits if the inputs are.
type joined struct {
	rows   int
	packed bool
	bits   Bits
	values mat.Dense
}

// reset makes room for n rows of inputs, of the type of x.
func (j *joined) reset(n, classes int, x mat.Matrix) {
	_, nx := x.Dims()
	j.rows = 0
	if _, j.packed = x.(*Bits); j.packed {
		j.bits.resize(n, nx+classes)
		return
	}
	j.values.Reset()
	if n > 0 {
		j.values.ReuseAs(n, nx+classes)
	}
}

// add adds row r of x with label y, or with none.
func (j *joined) add(x mat.Matrix, r, y int) {
	i := j.rows
	j.rows++
	if b, ok := x.(*Bits); ok {
		j.bits.join(i, b, r, y)
		return
	}
	_, nx := x.Dims()
	row := j.values.RawRowView(i)
	copy(row, readRow(row[:nx], x, r))
	for i, x := range row[:nx] {
		if !(0 <= x && x <= 1) {
			panic(fmt.Sprintf("rbm: x[%d, %d] is %v, want a value in [0, 1]", r, i, x))
		}
	}
	if y != NoLabel {
		row[nx+y] = 1
	}
}

func (j *joined) matrix() mat.Matrix {
	if j.packed {
		return &j.bits
	}
	return &j.values
}
