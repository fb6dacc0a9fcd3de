package rbm

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// columns is what a pass over Data tells of its columns, as far as they are observed.
type columns struct {
	ones, zeros, known []int // how many rows are 1, are 0 and are known; of the first report alone

	biases     []float64 // of independent units, as FitVisibleBias sets them; empty before the first report
	dependence float64
}

// readColumns takes that pass over data, of which nil observed means all. Some are the rows
// by which dependence is found.
func readColumns(data Rows, weights []float64, observed, some *Bits, groups []Group, until *stop.Signal) (*columns, error) {
	n, nv := data.Dims()
	if observed != nil {
		data = knownBits(data.(*Bits), observed, until)
	}
	scaled := withoutUnit(weights, until)
	ones, on, err := countOnes(data, scaled, until)
	if err != nil {
		return nil, err
	}
	known, all := slices.Repeat([]int{n}, nv), slices.Repeat([]float64{float64(positive(weights, n))}, nv)
	if observed != nil {
		known, all, _ = countOnes(observed, scaled, until) // which is in memory
	}
	biases := biasOf(groups, on, all).RawVector().Data
	zeros := make([]int, nv)
	for i := range zeros {
		zeros[i] = known[i] - ones[i]
	}
	return &columns{ones: ones, zeros: zeros, known: known, biases: biases, dependence: some.dependence(groups, until)}, nil
}

// constant returns the columns that are 0 in all rows, or 1.
func (c *columns) constant() (columns []int) {
	for i, known := range c.known {
		if known > 0 && (c.zeros[i] == known || c.ones[i] == known) {
			columns = append(columns, i)
		}
	}
	return columns
}

// independentLogLikelihoods returns the log-likelihood of each row of v, a *Bits or a
// *mat.Dense, for independent units and groups with the given biases.
func independentLogLikelihoods(v mat.Matrix, biases []float64, groups []Group) []float64 {
	n, _ := v.Dims()
	l := slices.Repeat([]float64{-logZOfBiases(0, biases, groups)}, n)
	for r := range l {
		switch v := v.(type) {
		case *Bits:
			eachOne(v.row(r), func(i int) { l[r] += biases[i] })
		case *mat.Dense:
			for i, x := range v.RawRowView(r) {
				l[r] += float64(x * biases[i])
			}
		}
	}
	return l
}

const (
	dependentRows    = 5000 // by which dependence is found
	dependentColumns = 2000 // of those that vary most
	surelyDependent  = 5    // standard deviations
)

// dependence returns about how many nats a row the columns of b tell of each other,
// pair by pair: the sum of their squared correlations r², less what chance makes of
// it; or 0 if that may all be chance. A unit gains about r²/2 by each other one.
//
// If the rows of each column are shuffled, each on its own, (n-1)·r² has a mean of 1,
// exactly, and pairs are uncorrelated. The variance of one is about 2 + n/(kᵢkⱼ), if
// the rarer value of column i occurs kᵢ times: 2 as of a normal distribution, and the rest
// as few rows have both of these values, a number with Poisson's distribution.
//
// Units of a group depend on each other by what they are, and are no pairs. Two groups of
// K and L units have KL pairs, which are all one can tell of (K-1)(L-1) numbers, and count
// as that many.
func (b *Bits) dependence(groups []Group, until *stop.Signal) float64 {
	n, ones := b.rows, b.ones(until)
	group, share := groupsOfUnits(b.cols, groups)
	rarer := func(i int) int { return min(ones[i], n-ones[i]) }
	columns := make([]int, 0, b.cols)
	for i := range b.cols {
		if rarer(i) > 0 {
			columns = append(columns, i)
		}
	}
	slices.SortStableFunc(columns, func(i, j int) int {
		until.Look()
		return cmp.Compare(rarer(j), rarer(i))
	})
	columns = columns[:min(len(columns), dependentColumns)]
	turned := NewBits(max(1, len(columns)), max(1, n)) // a column a row
	for c, i := range columns {
		until.Look()
		for r := range n {
			turned.SetBit(c, r, b.Bit(r, i))
		}
	}
	var excess, variance float64
	for c, i := range columns {
		until.Look()
		for d, j := range columns[:c] {
			if group[i] != 0 && group[i] == group[j] {
				continue
			}
			both, other := 0, turned.row(d)
			for w, word := range turned.row(c) {
				both += bits.OnesCount64(word & other[w])
			}
			covariance := float64(n*both - ones[i]*ones[j])
			variances := float64(ones[i]*(n-ones[i])) * float64(ones[j]*(n-ones[j]))
			count := float64(share[i] * share[j])
			excess += float64(count * (float64(float64(n-1)*(covariance*covariance/variances)) - 1))
			variance += float64(count * (2 + float64(n)/float64(rarer(i)*rarer(j))))
		}
	}
	if !(excess > surelyDependent*math.Sqrt(variance)) {
		return 0
	}
	return excess / float64(n-1)
}

// groupsOfUnits returns of each unit the number of its group from 1, and (K-1)/K of K units of
// it; or 0 and 1 if it is in none.
func groupsOfUnits(nv int, groups []Group) (group []int, share []float64) {
	group, share = make([]int, nv), slices.Repeat([]float64{1}, nv)
	for k, g := range groups {
		for i := g.From; i < g.To; i++ {
			group[i], share[i] = k+1, float64(g.To-g.From-1)/float64(g.To-g.From)
		}
	}
	return group, share
}
