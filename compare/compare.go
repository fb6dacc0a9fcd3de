// Package compare tells whether two samples of binary rows may be of one distribution:
// data and samples of a model, say, or two halves of the samples.
//
//	a := compare.AdversarialAccuracy(data, samples)         // about ½ if they are alike
//	d := compare.Discrepancy(data, samples, 0, 999, source) // d.P is small if they differ,
//	                                                        // of 999 permutations
//
// The distance of two rows is the number of columns in which they differ (Hamming, 1950).
// [AdversarialAccuracy] asks whether nearest neighbors are from the same sample, and
// finds a model that copies its data. [Discrepancy] estimates a distance of the two
// distributions, and tests whether it may be zero.
//
// The rows of a sample should be independent: states of a Markov chain are not, unless
// they are far apart.
package compare

import (
	"fmt"
	"math/bits"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/parallel"
)

// A pool holds the rows of two samples, the first sample first.
type pool struct {
	words []uint64
	width int // words of a row
	cols  int
	n     [2]int // rows of each sample

	team parallel.Team
}

// newPool returns the rows of x and y. It panics if they do not fit.
func newPool(xName string, x *rbm.Bits, yName string, y *rbm.Bits) *pool {
	p := new(pool)
	names := [2]string{xName, yName}
	for k, b := range []*rbm.Bits{x, y} {
		if b == nil {
			panic(fmt.Sprintf("compare: %s is nil", names[k]))
		}
		rows, cols := b.Dims()
		if rows < 2 {
			panic(fmt.Sprintf("compare: %s is %d×%d, want at least 2 rows", names[k], rows, cols))
		}
		if k == 1 && cols != p.cols {
			panic(fmt.Sprintf("compare: %s is %d×%d, want n×%d as %s is %d×%d", yName, rows, cols, p.cols, xName, p.n[0], p.cols))
		}
		p.n[k], p.cols, p.width = rows, cols, (cols+63)/64
		for i := range rows {
			row := b.RawRow(i)
			if cols%64 != 0 && row[p.width-1]>>(cols%64) != 0 {
				panic(fmt.Sprintf("compare: row %d of %s has a one past its %d columns", i, names[k], cols))
			}
			p.words = append(p.words, row...)
		}
	}
	return p
}

// rows returns the number of all rows.
func (p *pool) rows() int { return p.n[0] + p.n[1] }

// sample returns the number of the sample, 0 or 1, that row i is from.
func (p *pool) sample(i int) int {
	if i < p.n[0] {
		return 0
	}
	return 1
}

// row returns the words of a row.
func (p *pool) row(i int) []uint64 { return p.words[i*p.width:][:p.width] }

// distance returns the number of bits in which two rows differ.
func distance(x, y []uint64) (d int) {
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		d += bits.OnesCount64(x[0]^y[0]) + bits.OnesCount64(x[1]^y[1]) + bits.OnesCount64(x[2]^y[2]) + bits.OnesCount64(x[3]^y[3])
		x, y = x[4:], y[4:]
	}
	for k, w := range x {
		d += bits.OnesCount64(w ^ y[k])
	}
	return d
}

// each calls f for the numbers below n, which take about work nanoseconds in all, on all
// cores. The numbers of one part are part, part+parts, and so on.
func (p *pool) each(n, work int, f func(part, i int)) {
	p.team.Call(work, min(parts, n), job{n, f})
}

// parts is how many parts work has at most. So many sums are kept.
const parts = 64

type job struct {
	n int
	f func(part, i int)
}

func (j job) Do(_, part int) {
	for i := part; i < j.n; i += parts {
		j.f(part, i)
	}
}
