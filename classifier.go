package rbm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Classifier is an RBM with nx inputs and a one-hot label as its visible units
// (Larochelle & Bengio, 2008; Larochelle et al., 2012). Train it by Gradient or a
// [Trainer], then call Predict or LogProbs. With eᵧ the label y, p(y|x) = exp(-F(x,eᵧ)) /
// Σₖ exp(-F(x,eₖ)), exactly.
type Classifier struct {
	Model                                 *RBM    // nx+Classes visible units
	Classes                               int     // from 1 to nv-1
	Discriminative, Generative, Unlabeled float64 // weights of the terms of Gradient; hybrid: say 1, 0.01, 0
}

// NoLabel is the label of a row whose class is not known.
const NoLabel = -1

// LogProbs returns log p(y|x) for each row of x (n×nx) in dst (n×Classes).
func (c *Classifier) LogProbs(dst *mat.Dense, x mat.Matrix) *mat.Dense {
	n := checkBatch("x", x, c.check())
	dst = checkDense(dst, n, c.Classes)
	c.checkInputs(new(oneHot), x)
	var p model
	p.load(c.Model, classWork(n, c.Classes))
	defer p.done()
	var l classes
	l.load(&p, c.Model, c.Classes)
	// A short block of many classes needs as much memory as a long one of few.
	rows := max(wordBits, min(blockRows, maxRoom/(l.n*l.words)))
	raw := dst.RawMatrix()
	in := batch{team: &p.team}
	var pass pass
	for r0 := 0; r0 < n; r0 += rows {
		in.read("x", x, r0, min(n, r0+rows))
		l.run(&p, &pass, &in, raw.Data[r0*raw.Stride:], raw.Stride)
	}
	return dst
}

// Predict returns the most probable class of each row, or NoLabel for NaN.
func (c *Classifier) Predict(dst []int, x mat.Matrix) []int {
	// Of equally probable classes, it is the smallest.
	n := checkBatch("x", x, c.check())
	dst = checkDst(dst, n)
	logp := c.LogProbs(nil, x)
	for r := range dst {
		dst[r] = mostProbable(logp.RawRowView(r))
	}
	return dst
}

// mostProbable returns the class of a row of log p(y|x), or NoLabel for NaN.
func mostProbable(logp []float64) (class int) {
	for y, x := range logp {
		if math.IsNaN(x) {
			return NoLabel
		}
		if x > logp[class] {
			class = y
		}
	}
	return class
}

// Join copies the rows of x (n×nx) and their labels to dst (n×nv) for Model, or for a
// [Trainer] also with NoLabel.
func (c *Classifier) Join(dst *Bits, x *Bits, labels []int) *Bits {
	nx := c.check()
	n := checkBatch("x", x, nx)
	c.checkLabels(labels, n, NoLabel)
	if dst == nil {
		dst = new(Bits)
	}
	if dst.rows == 0 {
		dst.reset(n, nx+c.Classes)
	}
	if dst.rows != n || dst.cols != nx+c.Classes {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want %d×%d", dst.rows, dst.cols, n, nx+c.Classes))
	}
	for r, y := range labels {
		dst.join(r, x, r, y)
	}
	return dst
}

// join sets row i of b to row r of x, followed by the one of its label y, if it has one,
// among zeros.
func (b *Bits) join(i int, x *Bits, r, y int) {
	row := b.row(i)
	clear(row[copy(row, x.row(r)):])
	if y != NoLabel {
		y += x.cols
		row[y/wordBits] |= 1 << (y % wordBits)
	}
}

// check returns the number of inputs, and panics if there are none, or no class.
func (c *Classifier) check() (nx int) {
	checkNil("Classifier", c)
	nv, _ := c.Model.Dims()
	checkClasses(c.Classes, nv)
	return nv - c.Classes
}

// checkClasses panics unless so many of the nv visible units can be classes.
func checkClasses(classes, nv int) {
	if classes < 1 || classes >= nv {
		panic(fmt.Sprintf("rbm: %d classes of %d visible units, want at least 1 and less than the units", classes, nv))
	}
}

// checkLabels panics unless there are n labels between least and the classes.
func (c *Classifier) checkLabels(labels []int, n, least int) {
	if len(labels) != n {
		panic(fmt.Sprintf("rbm: labels have length %d, want %d", len(labels), n))
	}
	for r, y := range labels {
		if y < least || y >= c.Classes {
			panic(fmt.Sprintf("rbm: labels[%d] is %d, want one in [%d, %d)", r, y, least, c.Classes))
		}
	}
}

// groupsWithin returns the groups that lie among the first n units.
func groupsWithin(groups []group, n int) []group {
	for len(groups) > 0 && groups[len(groups)-1].to > n {
		groups = groups[:len(groups)-1]
	}
	return groups
}

// checkInputs panics if a row of inputs does not fit the groups of the model, which it
// loads to inputs.
func (c *Classifier) checkInputs(inputs *oneHot, x mat.Matrix) {
	n, nx := x.Dims()
	inputs.load(c.Model.OneHot)
	inputs.groups = groupsWithin(inputs.groups, nx)
	if len(inputs.groups) > 0 {
		var in batch
		in.each("x", x, n, func(r0 int) { inputs.check("x", &in, r0, nil, nil) })
	}
}
