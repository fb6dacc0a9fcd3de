package main

import (
	"slices"
	"sort"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// shares are how many of the rows trained on lie below the thresholds of a code: close
// to each other where anomalies may begin.
var shares = []float64{0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98}

// A code turns measurements into bits. Each has a unit for each of its thresholds,
// which is on if the value is above: level l of 0 to len(shares) has l units on, as
// the column of a thermometer.
type code struct {
	thresholds *mat.Dense // measurements×shares, each row rises
}

// newCode returns the code whose thresholds are quantiles of the columns of values.
func newCode(values *mat.Dense) code {
	_, n := values.Dims()
	c := code{mat.NewDense(n, len(shares), nil)}
	for i := range n {
		column := mat.Col(nil, i, values)
		slices.Sort(column)
		for k, p := range shares {
			c.thresholds.Set(i, k, stat.Quantile(p, stat.Empirical, column, nil))
		}
	}
	return c
}

// units returns the number of units.
func (c code) units() int { return len(c.thresholds.RawMatrix().Data) }

// level returns the level of a value of measurement i.
func (c code) level(i int, x float64) int {
	return sort.SearchFloat64s(c.thresholds.RawRowView(i), x)
}

// setLevel sets the units of measurement i in row r.
func (c code) setLevel(b *rbm.Bits, r, i, level int) {
	for k := range shares {
		b.SetBit(r, i*len(shares)+k, k < level)
	}
}

// encode returns the rows of values as bits.
func (c code) encode(values *mat.Dense) *rbm.Bits {
	rows, n := values.Dims()
	b := rbm.NewBits(rows, c.units())
	for r := range rows {
		for i := range n {
			c.setLevel(b, r, i, c.level(i, values.At(r, i)))
		}
	}
	return b
}
