package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// A question is a row with one of its ones hidden, which is to be found again.
type question struct {
	input  *rbm.Bits // the rows without their hidden items
	hidden []int     // of each row
}

// ask hides one item of each file.
func (t table) ask(files []file, rnd *rand.Rand) question {
	q := question{t.bits(files), make([]int, len(files))}
	for r, f := range files {
		q.hidden[r] = f.imports[rnd.IntN(len(f.imports))]
		q.input.SetBit(r, q.hidden[r], false)
	}
	return q
}

// ranks returns, for each row, how many items that it has not in the input score higher
// than the hidden one, and half of those that score the same.
func (q question) ranks(scores mat.Matrix) []float64 {
	n, items := scores.Dims()
	ranks := make([]float64, n)
	for r, hidden := range q.hidden {
		for i := range items {
			switch {
			case i == hidden || q.input.Bit(r, i):
			case scores.At(r, i) > scores.At(r, hidden):
				ranks[r]++
			case scores.At(r, i) == scores.At(r, hidden):
				ranks[r] += 0.5
			}
		}
	}
	return ranks
}

// recall returns how often the hidden item is among the first k.
func recall(ranks []float64, k int) float64 {
	found := 0
	for _, rank := range ranks {
		if rank < float64(k) {
			found++
		}
	}
	return float64(found) / float64(len(ranks))
}

// popularity scores each item by how many rows of train have it.
func popularity(train, input *rbm.Bits) *mat.Dense {
	n, items := input.Dims()
	ones := counts(train)
	scores := mat.NewDense(n, items, nil)
	for r := range n {
		scores.SetRow(r, ones)
	}
	return scores
}

// cosine scores each item by the sum of its cosines with the items of the input, of their
// columns in train.
func cosine(train, input *rbm.Bits) *mat.Dense {
	rows, items := train.Dims()
	ones := counts(train)
	both := mat.NewDense(items, items, nil)
	for r := range rows {
		on := onesOf(train, r)
		for _, i := range on {
			for _, j := range on {
				both.Set(i, j, both.At(i, j)+1)
			}
		}
	}
	both.Apply(func(i, j int, x float64) float64 {
		if x == 0 {
			return 0
		}
		return x / math.Sqrt(ones[i]*ones[j])
	}, both)
	var scores mat.Dense
	scores.Mul(input, both)
	return &scores
}

func counts(b *rbm.Bits) []float64 {
	n, items := b.Dims()
	ones := make([]float64, items)
	for r := range n {
		for _, i := range onesOf(b, r) {
			ones[i]++
		}
	}
	return ones
}

func onesOf(b *rbm.Bits, r int) (on []int) {
	_, items := b.Dims()
	for i := range items {
		if b.Bit(r, i) {
			on = append(on, i)
		}
	}
	return on
}

// spoil returns files with one of their imports replaced by another package, drawn by how
// many files import it: anomalies that no count of single packages shows.
func (t table) spoil(files []file, ones []float64, rnd *rand.Rand) []file {
	var total float64
	for _, x := range ones {
		total += x
	}
	spoiled := make([]file, len(files))
	for r, f := range files {
		imports := slices.Clone(f.imports)
		for {
			x, i := rnd.Float64()*total, 0
			for ; i < len(ones)-1 && x >= ones[i]; i++ {
				x -= ones[i]
			}
			if !slices.Contains(imports, i) {
				imports[rnd.IntN(len(imports))] = i
				break
			}
		}
		spoiled[r] = file{f.path, imports}
	}
	return spoiled
}

// area returns how often an anomaly scores higher than an ordinary row.
func area(ordinary, anomalies []float64) float64 {
	var sum float64
	sorted := slices.Sorted(slices.Values(ordinary))
	for _, x := range anomalies {
		below, _ := slices.BinarySearch(sorted, x)
		above, _ := slices.BinarySearchFunc(sorted, x, func(y, x float64) int {
			if y <= x {
				return -1
			}
			return cmp.Compare(y, x)
		})
		sum += float64(below+above) / 2
	}
	return sum / float64(len(ordinary)*len(anomalies))
}
