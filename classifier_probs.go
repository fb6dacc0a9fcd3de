package rbm

import (
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
)

// classWork returns about how many rows, taken from one layer to the other, are
// as much work as rows are that are classified.
func classWork(rows, classes int) int { return rows * (2 + classes/4) }

// classes computes p(y|x) for rows of inputs. It is the sink of the inputs of the
// hidden units, of x alone, and then the job that adds up what follows from them
// for each class.
type classes struct {
	n             int            // classes
	words, panels int            // of hidden units
	w             []product.Line // weights of the label units: of each class words × panelsOfWord
	bias          []float64      // their biases
	nan           bool           // in any parameter
	sum           []logistic.Sum // of each row and class words

	stats *statistics // where inputs are kept, too, if wanted

	rows   int
	logp   []float64 // log p(y|x) of row r and class y is at r·stride+y
	stride int
}

// load sets l to the n label units of m, which p is loaded from.
func (l *classes) load(p *model, m *RBM, n int) {
	l.n, l.words, l.panels = n, p.hidden.words(), p.hidden.w.Count()
	nx := p.visible.units - n
	l.w = growLines(l.w, n*l.words*panelsOfWord)
	clear(l.w)
	w := m.W.RawMatrix()
	for j := range w.Rows {
		for y, x := range w.Data[j*w.Stride+nx:][:n] {
			l.w[y*l.words*panelsOfWord+j/product.Lanes][j%product.Lanes] = x
		}
	}
	l.bias, l.nan = p.visible.bias[nx:][:n], p.nan
}

// run sets logp to log p(y|x) of each row of the batch.
func (l *classes) run(p *model, pass *pass, in *batch, logp []float64, stride int) {
	l.rows, l.logp, l.stride = in.rows, logp, stride
	l.sum = grow(l.sum, in.rows*l.n*l.words)
	pass.run(&p.team, &p.hidden, in, l)
	parts := (in.rows + finishRows - 1) / finishRows
	p.team.Run(p.team.Workers(parts, in.rows*l.n*(20+l.words)), parts, l)
	l.logp = nil
}

func (l *classes) take(t, r0, n int, x tile) {
	var z [panelsOfWord]product.Line
	for r := range n {
		row := x.row(r, n)
		if l.stats != nil {
			l.stats.keep(t, r0+r, row)
		}
		in := logistic.Inputs{X: z[:], Stride: 1, N: row.N}
		for y := range l.n {
			for q, w := range l.w[(y*l.words+t)*panelsOfWord:][:row.N] {
				addLines(&z[q], &row.X[q*row.Stride], &w)
			}
			l.sum[((r0+r)*l.n+y)*l.words+t] = in.Softplus()
		}
	}
}

// addLines sets z to x + y.
func addLines(z, x, y *product.Line) {
	for l := range z {
		z[l] = x[l] + y[l]
	}
}

func (l *classes) Do(_, part int) {
	for r := part * finishRows; r < min(l.rows, (part+1)*finishRows); r++ {
		logp := l.logp[r*l.stride:][:l.n]
		for y := range logp {
			logp[y] = l.bias[y] + total(l.sum[(r*l.n+y)*l.words:][:l.words])
		}
		normalize(logp, l.nan)
	}
}

// normalize turns logs of weights into logs of probabilities, or into NaN if nan.
func normalize(logp []float64, nan bool) {
	// Where all are large, so is the rounding of their sum, but not the rounding
	// of the distances from the largest.
	shift(logp, -slices.Max(logp))
	shift(logp, -logistic.LogSumExp(logp))
	if nan {
		shift(logp, math.NaN())
	}
}

// shift adds d to each element of x.
func shift(x []float64, d float64) {
	for i := range x {
		x[i] += d
	}
}
