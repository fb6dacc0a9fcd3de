package rbm

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// classification is what a Trainer with a Classifier needs besides.
type classification struct {
	labels []int  // of the minibatch
	inputs inputs // of the minibatch, or of rows held out
}

// inputs are the first columns of joined rows.
type inputs struct {
	bits   Bits
	values mat.Dense
}

// of returns the first nx columns of v, a *Bits or a *mat.Dense, until the next call.
func (s *inputs) of(v mat.Matrix, nx int) mat.Matrix {
	if a, ok := v.(*mat.Dense); ok {
		raw := a.RawMatrix()
		raw.Cols = nx
		s.values.SetRawMatrix(raw)
		return &s.values
	}
	b := v.(*Bits)
	s.bits.resize(b.rows, nx)
	last := s.bits.stride - 1
	for r := range b.rows {
		row := s.bits.row(r)
		copy(row, b.row(r))
		row[last] &= within(last, 0, nx)
	}
	return &s.bits
}

// sampler returns the Sampler that steps need, or nil.
func (t *Trainer) sampler() Sampler {
	if t.Classifier != nil && !t.Classifier.samples() {
		return nil
	}
	return t.Sampler
}

// checkClassifier panics if the Classifier or the Sampler does not fit.
func (t *Trainer) checkClassifier() {
	if c := t.Classifier; c != nil {
		if c.Model != t.Model {
			panic(fmt.Sprintf("rbm: Classifier has the Model %v, want that of the Trainer itself, %v", c.Model, t.Model))
		}
		nx := c.check()
		c.checkWeights()
		if c.samples() {
			c.checkGroup(nx)
		} else if t.Sampler == nil {
			return
		}
	}
	checkNil("sampler", t.Sampler)
}

// loadGroups sets groups to those of Model, of a Classifier those of its inputs.
func (t *Trainer) loadGroups() {
	t.groups.load(t.Model.OneHot)
	if t.Classifier != nil {
		t.groups.groups = groupsWithin(t.groups.groups, t.Classifier.check())
	}
}

// labelUnits returns the units of the label, which are none without a Classifier.
func (t *Trainer) labelUnits() group {
	if t.Classifier == nil {
		return group{}
	}
	nv := t.Model.B.Len()
	return group{from: nv - t.Classifier.Classes, to: nv}
}

// labelOf returns the label of row r of v, which has the given number in the rows called name,
// or says what is wrong with it. Nil observed means all.
func (g group) labelOf(name string, v mat.Matrix, r, number int, observed []uint64) (y int, wrong string) {
	if observed != nil {
		switch n := ones(observed, g.from, g.to); n {
		case g.to - g.from:
		case 0:
			return NoLabel, ""
		default:
			return 0, fmt.Sprintf("row %d of Observed has %d of %d units on in the label [%d, %d), want all or none", number, n, g.to-g.from, g.from, g.to)
		}
	}
	on := 0
	if b, ok := v.(*Bits); ok {
		if on = ones(b.row(r), g.from, g.to); on == 1 {
			return g.unitOn(b.row(r)) - g.from, ""
		}
	} else {
		for i, x := range v.(*mat.Dense).RawRowView(r)[g.from:g.to] {
			if x != 0 && x != 1 {
				return 0, fmt.Sprintf("%s[%d, %d] is %v, want 0 or 1 in the label [%d, %d)", name, number, g.from+i, x, g.from, g.to)
			}
			if x == 1 {
				y = i
				on++
			}
		}
	}
	switch on {
	case 0:
		return NoLabel, ""
	case 1:
		return y, ""
	}
	return 0, fmt.Sprintf("row %d of %s has %d units on in the label [%d, %d), want 1, or 0 of a row without one", number, name, on, g.from, g.to)
}

// readLabels reads the labels of a minibatch of the rows with these numbers, and reports
// whether a row counts.
func (t *Trainer) readLabels(v mat.Matrix, numbers []int, weights []float64) (ok bool, err error) {
	s, label := &t.classification, t.labelUnits()
	s.labels = s.labels[:0]
	for r, i := range numbers {
		var observed []uint64
		if t.Observed != nil {
			observed = t.Observed.row(i)
		}
		y, wrong := label.labelOf("Data", v, r, i, observed)
		if wrong != "" {
			return false, errors.New("rbm: " + wrong)
		}
		s.labels = append(s.labels, y)
		ok = ok || weightOf(weights, r) > 0 && t.Classifier.counts(y)
	}
	return ok, nil
}

// classGradient sets gradient to that of the Classifier for a minibatch.
func (t *Trainer) classGradient(v mat.Matrix, weights []float64) {
	c, g := t.Classifier, t.gradient
	t.forget()
	g.noW = false // as it must be there
	c.WeightedGradient(g, t.classification.inputs.of(v, c.check()), t.classification.labels, weights, t.Sampler)
}

// classify sets the figures of r that the rows held out have.
func (t *Trainer) classify(r *Report, rows Rows) error {
	c, label := t.Classifier, t.labelUnits()
	t.loadGroups()
	var wrong, logp, weights []float64
	first := 0 // row of a block
	for block, err := range t.groups.blocks("HeldOut", rows, t.until()) {
		if err != nil {
			return err
		}
		n, _ := block.Dims()
		for r0 := 0; r0 < n; r0 += watchedRows {
			var bits Bits
			part := block
			if b, ok := block.(*Bits); ok { // of values blocks are short
				b.slice(&bits, r0, min(n, r0+watchedRows))
				part = &bits
			}
			k, _ := part.Dims()
			p := c.LogProbs(nil, t.classification.inputs.of(part, label.from))
			for i := range k {
				number := first + r0 + i
				y, problem := label.labelOf("HeldOut", part, i, number, nil)
				if problem != "" {
					return errors.New("rbm: " + problem)
				}
				w := weightOf(t.HeldOutWeights, number)
				if y == NoLabel || w == 0 {
					continue
				}
				row := p.RawRowView(i)
				is := 0.
				if mostProbable(row) != y {
					is = 1
				}
				wrong, logp, weights = append(wrong, is), append(logp, row[y]), append(weights, w)
			}
			if part == block {
				break
			}
		}
		first += n
	}
	if len(wrong) == 0 {
		return errors.New("rbm: no row of HeldOut has a label, want one to judge by")
	}
	r.Error, r.LogProb = weightedMean(wrong, weights), weightedMean(logp, weights)
	return nil
}

// fillLabels gives the rows without a label the one that is predicted.
func (t *Trainer) fillLabels(rows mat.Matrix) {
	label := t.labelUnits()
	predicted := t.Classifier.Predict(nil, t.classification.inputs.of(rows, label.from))
	for r, y := range predicted {
		if of, wrong := label.labelOf("", rows, r, r, nil); wrong == "" && of != NoLabel {
			continue
		}
		y = max(y, 0) // of NaN, any
		if b, ok := rows.(*Bits); ok {
			row := b.row(r)
			for w := label.from / wordBits; w < b.stride; w++ {
				row[w] &^= within(w, label.from, label.to)
			}
			b.SetBit(r, label.from+y, true)
			continue
		}
		row := rows.(*mat.Dense).RawRowView(r)[label.from:]
		clear(row)
		row[y] = 1
	}
}

// A score says how good a model is by rows held out.
type score struct {
	classifier bool    // first and second are -Error and LogProb
	first      float64 // else the log-likelihood or its replacement
	second     float64 // between equals
}

// above reports whether s is better than o.
func (s score) above(o score) bool {
	return s.first > o.first || s.first == o.first && s.second > o.second
}

func (s score) write(b []byte) []byte {
	return wire.AppendFloat64(wire.AppendFloat64(wire.AppendBool(b, s.classifier), s.first), s.second)
}

func readScore(d *wire.Decoder) score {
	return score{d.Bool("score of a Classifier"), d.Float64(), d.Float64()}
}

// waited returns the number of reports since the best model, of those with scores of its kind.
func (t *Trainer) waited() int {
	if t.state.score.classifier != (t.Classifier != nil) {
		return 0
	}
	return t.state.waited
}

// writeClassifier appends the settings of the Classifier, if there is one.
func (t *Trainer) writeClassifier(b []byte) []byte {
	c := t.Classifier
	if b = wire.AppendBool(b, c != nil); c == nil {
		return b
	}
	return wire.AppendFloats(wire.AppendInt(b, c.Classes), []float64{c.Discriminative, c.Generative, c.Unlabeled})
}

// readClassifier returns the weights of a Classifier, which must be there if and only if there
// is one, of as many classes.
func (t *Trainer) readClassifier(d *wire.Decoder) (c Classifier) {
	is := d.Bool("Classifier")
	switch {
	case !d.OK():
	case is && t.Classifier == nil:
		d.Failf("Classifier is nil, want one of %d classes", d.Int("classes", 1))
	case !is && t.Classifier != nil:
		d.Failf("Classifier has %d classes, want none", t.Classifier.Classes)
	case is:
		c = Classifier{Classes: d.Int("classes", 1), Discriminative: d.Float64(), Generative: d.Float64(), Unlabeled: d.Float64()}
		if c.Classes != t.Classifier.Classes {
			d.Failf("Classifier has %d classes, want %d", t.Classifier.Classes, c.Classes)
		} else if wrong := c.wrongWeights(); wrong != "" {
			d.Failf("%s", wrong)
		}
	}
	return c
}

// fits sets an error unless m has the group that a Classifier with these weights needs.
func (c *Classifier) fits(d *wire.Decoder, m *RBM) {
	nv, _ := m.Dims()
	if label := (Group{nv - c.Classes, nv}); c.samples() && !slices.Contains(m.OneHot, label) {
		d.Failf("model has no group %v, want it in OneHot for the label", label)
	}
}

// noFigures sets the figures of the log-likelihood that do not apply to a Classifier.
func (r *Report) noFigures() {
	r.PseudoLogLikelihood, r.IndependentLogLikelihood = math.NaN(), math.NaN()
	r.LogLikelihood, r.HeldOutLogLikelihood = math.NaN(), math.NaN()
}
