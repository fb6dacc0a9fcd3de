package compare

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
)

// MMD is the maximum mean discrepancy of two samples, as Discrepancy returns it.
type MMD struct {
	Squared float64 // an estimate of MMD² without bias, which may be negative
	Scale   float64 // of the kernel

	// Of permutations, NaN without any.
	StdErr float64 // standard deviation of Squared if both samples are of one distribution
	P      float64 // the probability that Squared is then at least as large
}

// Discrepancy estimates the squared maximum mean discrepancy of the distributions of the rows
// of x and y (Gretton, Borgwardt, Rasch, Schölkopf & Smola, 2012), for the kernel exp(-d/scale)
// of their distance d:
//
//	MMD² = ⟨k(x,x′)⟩ + ⟨k(y,y′)⟩ - 2⟨k(x,y)⟩
//
// It is the mean over all pairs, of different rows within a sample. MMD is 0 for one and the
// same distribution, and for no other pair. A scale of 0 stands for the median of the
// distances of all pairs of rows, at least ½.
//
// The p-value is the share of partitions of all rows, this one and random ones, at least as
// far apart. So many permutations are drawn by src, which is read once. If there are 0, src
// may be nil.
//
// The time is O((nx+ny)²) times the number of columns, or of permutations, which take
// 2(nx+ny)² bytes of memory. Discrepancy panics if a sample has fewer than 2 rows, if their
// columns differ, if scale is negative or not finite, or if there are more than 2²⁴
// permutations.
func Discrepancy(x, y *rbm.Bits, scale float64, permutations int, src rand.Source) MMD {
	p := newPool("x", x, "y", y)
	if !(0 <= scale && scale <= math.MaxFloat64) {
		panic(fmt.Sprintf("compare: scale is %v, want a finite number of at least 0", scale))
	}
	if permutations < 0 || permutations > maxPermutations {
		panic(fmt.Sprintf("compare: %d permutations, want 0 to %d", permutations, maxPermutations))
	}
	if permutations > 0 && src == nil {
		panic("compare: source is nil")
	}

	var gram triangle
	if permutations > 0 {
		gram = make(triangle, p.rows()*(p.rows()-1)/2)
	}
	counts := p.counts(gram)
	if scale == 0 {
		scale = median(counts)
	}
	kernel := make([]float64, p.cols+1)
	for d := range kernel {
		kernel[d] = logistic.Exp(-float64(d) / scale)
	}
	var sums [3]float64
	for k, c := range counts {
		for d, n := range c {
			sums[k] += float64(float64(n) * kernel[d])
		}
	}
	m := MMD{Squared: squared(p.n, sums), Scale: scale, StdErr: math.NaN(), P: math.NaN()}
	if permutations > 0 {
		unit := gram.apply(kernel)
		m.StdErr, m.P = p.permute(gram, permutations, src.Uint64())
		m.StdErr *= unit
	}
	return m
}

const maxPermutations = 1 << 24

// squared returns MMD² for samples of n rows, given the sums of the kernel over the pairs
// within the first sample, within the second, and of both.
func squared(n [2]int, sums [3]float64) float64 {
	return sums[0]/pairs(n[0]) + sums[1]/pairs(n[1]) - float64(2*sums[2])/(float64(n[0])*float64(n[1]))
}

// pairs returns the number of pairs of n rows.
func pairs(n int) float64 { return float64(n) * float64(n-1) / 2 }

// A triangle has a number for each pair of rows: those of row i with rows 0 to i-1 are
// i elements from i(i-1)/2 on.
type triangle []uint32

func (t triangle) row(i int) []uint32 { return t[i*(i-1)/2:][:i] }

// counts returns the numbers of pairs by their distance: within the first sample, within the
// second, and of both. It sets t to all distances, unless t is nil.
func (p *pool) counts(t triangle) [3][]int {
	var of [parts][3][]int
	n := p.rows()
	p.each(n, n*n/2*(5+p.width), func(part, i int) {
		if of[part][0] == nil {
			for k := range of[part] {
				of[part][k] = make([]int, p.cols+1)
			}
		}
		row := p.row(i)
		for j := range i {
			d := distance(row, p.row(j))
			kind := 2
			if p.sample(i) == p.sample(j) {
				kind = p.sample(i)
			}
			of[part][kind][d]++
			if t != nil {
				t.row(i)[j] = uint32(d)
			}
		}
	})
	sum := of[0]
	for _, counts := range of[1:] {
		for k := range counts {
			for d, n := range counts[k] {
				sum[k][d] += n
			}
		}
	}
	return sum
}

// median returns the median of the distances of all pairs, at least ½.
func median(counts [3][]int) float64 {
	var all int
	for _, c := range counts {
		for _, n := range c {
			all += n
		}
	}
	var below int
	lower := -1
	for d := range counts[0] {
		below += counts[0][d] + counts[1][d] + counts[2][d]
		if lower < 0 && 2*below >= all {
			lower = d
		}
		if below > all/2 {
			return max(float64(lower+d)/2, 0.5)
		}
	}
	panic("unreachable")
}

// apply replaces distances by values of the kernel, in units of the one that is returned.
func (t triangle) apply(kernel []float64) (unit float64) {
	// Sums of integers are exact: partitions that are the same tie. The largest value in t
	// is 2³¹ units.
	nearest := uint32(len(kernel) - 1)
	for _, d := range t {
		nearest = min(nearest, d)
	}
	unit = kernel[nearest] / (1 << 31)
	values := make([]uint32, len(kernel))
	if unit > 0 {
		for d := int(nearest); d < len(kernel); d++ {
			values[d] = uint32(kernel[d]/unit + 0.5)
		}
	}
	for k, d := range t {
		t[k] = values[d]
	}
	return unit
}

// permute returns the root mean square of MMD² over random partitions, whose mean is 0, and
// the share of partitions, with that into the samples, at which it is as large as there.
func (p *pool) permute(t triangle, permutations int, key uint64) (rms, share float64) {
	total, of := t.sums(p.rows())
	n, first := p.n, 0 // a partition is the rows of the smaller sample
	if n[1] < n[0] {
		n, first = [2]int{n[1], n[0]}, n[0]
	}
	value := func(rows []int) float64 {
		var own, all uint64
		for k, i := range rows {
			all += of[i]
			row := t.row(i)
			for _, j := range rows[:k] {
				own += uint64(row[j])
			}
		}
		return squared(n, [3]float64{float64(own), float64(total - all + own), float64(all - 2*own)})
	}

	sample := make([]int, n[0])
	for k := range sample {
		sample[k] = first + k
	}
	observed := value(sample)
	seeds := make([]uint64, permutations)
	src := philox.NewSource(key)
	for k := range seeds {
		seeds[k] = src.Uint64()
	}
	values := make([]float64, permutations)
	var scratch [parts][]int
	p.each(permutations, permutations*n[0]*n[0]/2, func(part, k int) {
		scratch[part] = choose(scratch[part][:0], n[0], p.rows(), seeds[k])
		values[k] = value(scratch[part])
	})
	large := 1
	for _, x := range values {
		rms += float64(x * x)
		if x >= observed {
			large++
		}
	}
	return math.Sqrt(rms / float64(permutations)), float64(large) / float64(1+permutations)
}

// sums returns the sum of t, and the sum of each of n rows with all others.
func (t triangle) sums(n int) (total uint64, of []uint64) {
	of = make([]uint64, n)
	for i := range n {
		for j, x := range t.row(i) {
			of[i] += uint64(x)
			of[j] += uint64(x)
			total += uint64(x)
		}
	}
	return total, of
}

// choose appends n of the numbers below all to dst, in order, each set of them being as
// likely as the others (Fan, Muller & Rezucha, 1962).
func choose(dst []int, n, all int, seed uint64) []int {
	src := philox.NewSource(seed)
	for i := 0; n > 0; i++ {
		if src.IntN(all-i) < n {
			dst = append(dst, i)
			n--
		}
	}
	return dst
}
