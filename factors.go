package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Factors weigh all configurations of one layer, with the other summed out, at
// the price of a multiplication where an exponential would be: the inputs x of
// the other layer's units are sums, so that
//
//	Σ softplus(x) = log Π (1 + eˣ)    eˣ = e^high · e^mid · e^low
//
// where low and mid are from tableUnits units each, and high from all others and
// the biases. There are few values of low and mid, which are tabulated, and only
// one of high for a block of configurations.
//
// Nothing overflows as long as the inputs are not too large: the product is taken
// apart into powers of two and a rest every some factors.
type factors struct {
	from, out *layer
	w         [][]product.Line // weights: of each unit of from panels
	panels    int              // of out
	run       int              // how many factors do not overflow
	low, mid  factorTable
	until     *stop.Signal
	scratch   []factorScratch // of each worker
}

// A factorTable is of all configurations of tableUnits units.
type factorTable struct {
	bias []float64        // the sum of theirs
	exp  [][]product.Line // of the inputs: of each configuration panels
}

type factorScratch struct {
	high, both []product.Line // e^high, e^high · e^mid
}

const (
	tableUnits = 6
	tableRows  = 1 << tableUnits
	blockUnits = 2 * tableUnits // blockRows are their configurations

	// maxFactors is the log of the largest product. It is less than the log of the
	// largest float64, by what a rest may be.
	maxFactors = 700
)

// load prepares the given number of workers to weigh the configurations of layer from of m,
// at least a block. It reports false if factors may overflow.
func (f *factors) load(m *RBM, from, out *layer, workers int, until *stop.Signal) bool {
	f.from, f.out, f.until = from, out, until
	f.panels = out.panels()
	f.w = f.rows(from.units)
	var w mat.Matrix = m.W // from × out
	if r, _ := w.Dims(); r == out.units {
		w = w.T() // also if the layers are equally large: from is the visible one
	}
	var largest float64 // no log(1+eˣ) is larger
	for j := range out.units {
		until.Look()
		sum := 1 + math.Abs(out.bias[j])
		for i := range from.units {
			x := w.At(i, j)
			f.w[i][j/product.Lanes][j%product.Lanes] = x
			sum += math.Abs(x)
		}
		largest = max(largest, sum)
	}
	if largest > maxFactors {
		return false
	}
	f.run = int(maxFactors / largest)
	f.low = f.table(0)
	f.mid = f.table(tableUnits)
	f.scratch = make([]factorScratch, workers)
	for i := range f.scratch {
		f.scratch[i] = factorScratch{product.Lines(f.panels), product.Lines(f.panels)}
	}
	return true
}

// rows returns n rows of panels, one by one, as nothing ends the allocation of all.
func (f *factors) rows(n int) [][]product.Line {
	rows := make([][]product.Line, n)
	for i := range rows {
		f.until.Look()
		rows[i] = product.Lines(f.panels)
	}
	return rows
}

// table returns the table of tableUnits units from the first on.
func (f *factors) table(first int) factorTable {
	t := factorTable{make([]float64, tableRows), f.rows(tableRows)}
	for x := 1; x < tableRows; x++ {
		f.until.Look()
		last := bits.Len(uint(x)) - 1
		rest := x &^ (1 << last)
		t.bias[x] = t.bias[rest] + f.from.bias[first+last]
		copy(t.exp[x], t.exp[rest])
		add(t.exp[x], f.w[first+last])
	}
	for _, row := range t.exp {
		f.until.Look()
		exp(row)
	}
	return t
}

// add adds x to dst.
func add(dst, x []product.Line) {
	for q := range dst {
		for l := range dst[q] {
			dst[q][l] += x[q][l]
		}
	}
}

// exp takes the exponential of each x.
func exp(x []product.Line) {
	for q := range x {
		for l := range x[q] {
			x[q][l] = logistic.Exp(x[q][l])
		}
	}
}

// weigh sets dst to the logs of the weights of the configurations of block k. Within the
// block, the first blockUnits units vary; the other units are the bits of k.
func (f *factors) weigh(dst []float64, k, worker int) {
	high, both := f.scratch[worker].high, f.scratch[worker].both
	var bias float64
	for q := range high {
		high[q] = product.Line(f.out.bias[q*product.Lanes:])
	}
	for x := uint(k); x != 0; x &= x - 1 {
		unit := blockUnits + bits.TrailingZeros(x)
		bias += f.from.bias[unit]
		add(high, f.w[unit])
	}
	exp(high)
	for y := range tableRows {
		mid := f.mid.exp[y]
		for q := range both {
			for l := range both[q] {
				both[q][l] = high[q][l] * mid[q][l]
			}
		}
		for x := range tableRows {
			f.until.Look()
			low := f.low.exp[x]
			dst[y*tableRows+x] = bias + f.mid.bias[y] + f.low.bias[x] + logFactors(both, low, f.run)
		}
	}
}

// logFactors returns Σ log(1+x·y). A product of run factors must not overflow.
func logFactors(x, y []product.Line, run int) float64 {
	a0, a1, a2, a3, a4, a5, a6, a7 := 1., 1., 1., 1., 1., 1., 1., 1.
	exponent := 0
	for len(x) > 0 {
		n := min(run, len(x))
		for q := range n {
			x, y := &x[q], &y[q]
			a0 *= 1 + float64(x[0]*y[0])
			a1 *= 1 + float64(x[1]*y[1])
			a2 *= 1 + float64(x[2]*y[2])
			a3 *= 1 + float64(x[3]*y[3])
			a4 *= 1 + float64(x[4]*y[4])
			a5 *= 1 + float64(x[5]*y[5])
			a6 *= 1 + float64(x[6]*y[6])
			a7 *= 1 + float64(x[7]*y[7])
		}
		x, y = x[n:], y[n:]
		a0, exponent = split(a0, exponent)
		a1, exponent = split(a1, exponent)
		a2, exponent = split(a2, exponent)
		a3, exponent = split(a3, exponent)
		a4, exponent = split(a4, exponent)
		a5, exponent = split(a5, exponent)
		a6, exponent = split(a6, exponent)
		a7, exponent = split(a7, exponent)
	}
	rest := ((a0 * a1) * (a2 * a3)) * ((a4 * a5) * (a6 * a7))
	return float64(float64(exponent)*math.Ln2) + logistic.Log(rest)
}

// split takes a number of at least 1 apart: the rest is in [1, 2), and the
// exponent of two is added to one.
func split(a float64, exponent int) (rest float64, sum int) {
	const mantissa, one = 1<<52 - 1, 1023
	u := math.Float64bits(a)
	return math.Float64frombits(u&mantissa | one<<52), exponent + int(u>>52) - one
}
