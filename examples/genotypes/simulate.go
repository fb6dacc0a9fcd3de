package main

import (
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// A population reproduces as Wright and Fisher have it: each haplotype of the next generation
// takes one parent up to a random point and another one after it, of its own deme but for a
// few migrants. Backward in time, its ancestry is a coalescent with recombination.
type population struct {
	sites      int
	demes      int
	size       int     // haplotypes of each deme
	crossovers float64 // expected number, over all sites, of a haplotype
	migration  float64 // share of haplotypes with parents from another deme
}

// evolve returns the haplotypes after so many generations, deme by deme, a bit for each site.
// At first, sites are independent, and their frequencies have the neutral density, 1/x.
func (p population) evolve(generations int, rnd *rand.Rand) *rbm.Bits {
	n := p.demes * p.size
	old, young := rbm.NewBits(n, p.sites), rbm.NewBits(n, p.sites)
	for i := range p.sites {
		x := math.Pow(float64(n), rnd.Float64()-1) // between 1/n and 1
		for r := range n {
			old.SetBit(r, i, rnd.Float64() < x)
		}
	}
	for range generations {
		for r := range n {
			deme := r / p.size
			if p.demes > 1 && rnd.Float64() < p.migration {
				deme = (deme + 1 + rnd.IntN(p.demes-1)) % p.demes
			}
			parent := func() []uint64 { return old.RawRow(deme*p.size + rnd.IntN(p.size)) }
			child := young.RawRow(r)
			copy(child, parent())
			for x := rnd.ExpFloat64() / p.crossovers; x < 1; x += rnd.ExpFloat64() / p.crossovers {
				cross(child, parent(), int(x*float64(p.sites)))
			}
		}
		old, young = young, old
	}
	return old
}

// cross copies the bits from site on from other to row.
func cross(row, other []uint64, site int) {
	w := site / 64
	below := uint64(1)<<(site%64) - 1
	row[w] = row[w]&below | other[w]&^below
	copy(row[w+1:], other[w+1:])
}

// common returns the first n sites, in order, whose rarer allele has at least this share of
// the rows; nil if there are fewer.
func common(rows *rbm.Bits, n int, share float64) []int {
	var sites []int
	for i, x := range frequencies(rows) {
		if min(x, 1-x) >= share && len(sites) < n {
			sites = append(sites, i)
		}
	}
	if len(sites) < n {
		return nil
	}
	return sites
}

// choose returns the given rows and columns of b.
func choose(b *rbm.Bits, rows, columns []int) *rbm.Bits {
	chosen := rbm.NewBits(len(rows), len(columns))
	for r, row := range rows {
		for i, column := range columns {
			chosen.SetBit(r, i, b.Bit(row, column))
		}
	}
	return chosen
}

// frequencies returns the share of ones in each column.
func frequencies(b *rbm.Bits) []float64 {
	n, sites := b.Dims()
	x := make([]float64, sites)
	for r := range n {
		for i := range sites {
			x[i] += b.At(r, i)
		}
	}
	for i := range x {
		x[i] /= float64(n)
	}
	return x
}

// linkage returns the mean squared correlation r² of sites at each distance from 1 to most.
// Sites without variance are left out.
func linkage(b *rbm.Bits, most int) []float64 {
	n, sites := b.Dims()
	columns := make([][]float64, sites)
	for i := range columns {
		columns[i] = make([]float64, n)
		for r := range n {
			columns[i][r] = b.At(r, i)
		}
	}
	x := frequencies(b)
	sums, pairs := make([]float64, most), make([]float64, most)
	for i := range sites {
		for d := 1; d <= min(most, sites-1-i); d++ {
			j := i + d
			variance := x[i] * (1 - x[i]) * x[j] * (1 - x[j])
			if variance == 0 {
				continue
			}
			var both float64
			for r, a := range columns[i] {
				both += a * columns[j][r]
			}
			covariance := both/float64(n) - x[i]*x[j]
			sums[d-1] += covariance * covariance / variance
			pairs[d-1]++
		}
	}
	for d := range sums {
		sums[d] /= pairs[d]
	}
	return sums
}

// independentRows returns rows whose columns are shuffled: the same frequencies, and no
// linkage.
func independentRows(b *rbm.Bits, rnd *rand.Rand) *rbm.Bits {
	n, sites := b.Dims()
	c := rbm.NewBits(n, sites)
	for i := range sites {
		for r, from := range rnd.Perm(n) {
			c.SetBit(r, i, b.Bit(from, i))
		}
	}
	return c
}
