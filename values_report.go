package rbm

import (
	"cmp"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// dependentValues is by how many rows of values dependence is found.
const dependentValues = 1000

// readValueColumns is readColumns of a matrix of values, of which some are the numbers of rows.
func readValueColumns(a mat.Matrix, weights []float64, some []int, groups []Group, until *stop.Signal) (*columns, error) {
	n, nv := a.Dims()
	scaled := withoutUnit(weights, until)
	c := &columns{ones: make([]int, nv), zeros: make([]int, nv), known: slices.Repeat([]int{n}, nv)}
	sum := make([]float64, nv)
	var l oneHot
	l.load(groups)
	i := 0 // of the first row of a block
	for block, err := range l.blocks("Data", Values{a}, until) {
		if err != nil {
			return nil, err
		}
		block := block.(*mat.Dense)
		rows, _ := block.Dims()
		for r := range rows {
			until.Look()
			w := weightOf(scaled, i+r)
			for j, x := range block.RawRowView(r) {
				switch x {
				case 0:
					c.zeros[j]++
				case 1:
					c.ones[j]++
				}
				sum[j] += float64(w * x)
			}
		}
		i += rows
	}
	c.biases = biasOf(groups, sum, slices.Repeat([]float64{float64(positive(weights, n))}, nv)).RawVector().Data
	chosen := evenly(len(some), dependentValues)
	for k, at := range chosen {
		chosen[k] = some[at]
	}
	rows, err := l.gather("Data", Values{a}, chosen, until)
	if err != nil {
		return nil, err
	}
	c.dependence = dependenceOfValues(rows.(*mat.Dense), groups, until)
	return c, nil
}

// dependenceOfValues is [Bits.dependence] of values, the probabilities of ones.
//
// What one column tells of another explains r² of its variance s². For a mean of μ that is a
// gain of about r²/2 · s²/(μ(1-μ)) nats, as the last factor is 1 for bits. If the rows of each
// column are shuffled, the variance of (n-1)·r² is about 2 + κκ'/n (Pitman, 1937) for the
// excess kurtosis κ and κ' of both columns, each about n/k for bits of which few, k, are ones.
func dependenceOfValues(a *mat.Dense, groups []Group, until *stop.Signal) float64 {
	n, nv := a.Dims()
	group, share := groupsOfUnits(nv, groups)
	type column struct {
		i             int
		x             []float64 // with a mean of 0 and a sum of squares of 1
		variance      float64
		kurtosis, say float64 // excess, and s²/(μ(1-μ))
	}
	var columns []column
	for i := range nv {
		until.Look()
		x := mat.Col(nil, i, a)
		mean := product.Sum(x) / float64(n)
		var squares, fourth float64
		for r := range x {
			x[r] -= mean
			squares += float64(x[r] * x[r])
		}
		variance := squares / float64(n)
		if !(variance > tinyVariance) {
			continue
		}
		for r := range x {
			x[r] /= math.Sqrt(squares)
			fourth += float64(float64(x[r]*x[r]) * float64(x[r]*x[r]))
		}
		columns = append(columns, column{i, x, variance, float64(fourth*float64(n)) - 3, variance / float64(mean*(1-mean))})
	}
	slices.SortStableFunc(columns, func(c, d column) int { return cmp.Compare(d.variance, c.variance) })
	columns = columns[:min(len(columns), dependentColumns)]
	var excess, variance float64
	for k, c := range columns {
		until.Look()
		for _, d := range columns[:k] {
			if group[c.i] != 0 && group[c.i] == group[d.i] {
				continue
			}
			r := product.Dot(c.x, d.x)
			say := (c.say + d.say) / 2
			count := float64(share[c.i] * share[d.i])
			excess += float64(count * float64(say*(float64(float64(n-1)*float64(r*r))-1)))
			variance += float64(count * float64(float64(say*say)*(2+math.Abs(float64(c.kurtosis*d.kurtosis))/float64(n))))
		}
	}
	if !(excess > surelyDependent*math.Sqrt(variance)) {
		return 0
	}
	return excess / float64(n-1)
}

// tinyVariance is the variance of a column of values that are as good as equal.
const tinyVariance = 1e-12

// spreadOf is [Bits.spread] of rows that are a *Bits or a *mat.Dense. Of values it is the share
// by which bits drawn with these probabilities differ.
func spreadOf(v mat.Matrix, until *stop.Signal) float64 {
	a, ok := v.(*mat.Dense)
	if !ok {
		return v.(*Bits).spread(until)
	}
	rows, cols := a.Dims()
	if rows < 2 {
		return 0
	}
	n, sum, squares := float64(rows), make([]float64, cols), make([]float64, cols)
	for r := range rows {
		until.Look()
		for i, x := range a.RawRowView(r) {
			sum[i] += x
			squares[i] += float64(x * x)
		}
	}
	var pairs float64
	for i, s := range sum { // Σ x(1-y) + y(1-x) over pairs
		pairs += float64((n-1)*s) - (float64(s*s) - squares[i])
	}
	return pairs / (n * (n - 1) / 2) / float64(cols)
}
