package main

import (
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"gonum.org/v1/gonum/mat"
)

const neighbors = 10

// halves are the values of -cover.
var halves = []string{"right", "left", "top", "bottom"}

// cover returns which pixels are observed if a half is covered, 1×784.
func cover(half string) *rbm.Bits {
	const middle = idx.Side / 2
	observed := rbm.NewBits(1, idx.Pixels)
	for i := range idx.Pixels {
		x, y := i%idx.Side, i/idx.Side
		covered := map[string]bool{"right": x >= middle, "left": x < middle, "top": y < middle, "bottom": y >= middle}
		observed.SetBit(0, i, !covered[half])
	}
	return observed
}

// A prediction is a probability for each pixel of each digit, or of any digit if it
// has a single row.
type prediction struct {
	name  string
	means mat.Matrix
}

// columnMeans returns the probability of each pixel to be on in a row of a, 1×784,
// as if there were half a row more of either value.
func columnMeans(a *rbm.Bits) mat.Matrix {
	m := rbm.New(idx.Pixels, 1)
	m.FitVisibleBias(a)
	return m.VisibleProbs(nil, rbm.NewBits(1, 1))
}

// nearest returns for each digit the column means of the training rows that differ
// from it in the fewest observed pixels.
func nearest(train, digits, observed *rbm.Bits) mat.Matrix {
	of := pack(train, observed)
	n, _ := digits.Dims()
	means := mat.NewDense(n, idx.Pixels, nil)
	type neighbor struct{ row, distance int }
	for r, digit := range pack(digits, observed) {
		var found []neighbor // the nearest so far, in order
		for i, other := range of {
			distance := 0
			for k, word := range other {
				distance += bits.OnesCount64(word ^ digit[k])
			}
			at := len(found)
			for at > 0 && distance < found[at-1].distance {
				at--
			}
			if at < neighbors {
				found = slices.Insert(found, at, neighbor{i, distance})
				found = found[:min(neighbors, len(found))]
			}
		}
		rows := make([]int, len(found))
		for k := range rows {
			rows[k] = found[k].row
		}
		means.SetRow(r, mat.Row(nil, 0, columnMeans(train.Gather(nil, rows))))
	}
	return means
}

// pack returns the rows of a, of which only the observed pixels are not 0.
func pack(a, observed *rbm.Bits) [][(idx.Pixels + 63) / 64]uint64 {
	n, _ := a.Dims()
	rows := make([][(idx.Pixels + 63) / 64]uint64, n)
	for i := range idx.Pixels {
		if observed.Bit(0, i) {
			for r := range rows {
				if a.Bit(r, i) {
					rows[r][i/64] |= 1 << (i % 64)
				}
			}
		}
	}
	return rows
}

// print prints how well the predictions fit the covered pixels.
func print(w io.Writer, o options, digits, observed *rbm.Bits, predictions []prediction) {
	n, _ := digits.Dims()
	fmt.Fprintf(w, "\nthe %s half of %d test digits, means over its pixels:\n\n", o.cover, n)
	fmt.Fprintf(w, "wrong pixels   log-loss (nats)   predicted by\n")
	for _, p := range predictions {
		wrong, loss := judge(p.means, digits, observed)
		fmt.Fprintf(w, "%10.2f %% %17.4f   %s\n", 100*wrong, loss, p.name)
	}
}

// judge returns which part of the covered pixels is predicted wrong, as the more
// probable value, and the mean of -log p of what they are.
func judge(means mat.Matrix, digits, observed *rbm.Bits) (wrong, loss float64) {
	n, _ := digits.Dims()
	rows, _ := means.Dims()
	pixels := 0.0
	for r := range n {
		for i := range idx.Pixels {
			if observed.Bit(0, i) {
				continue
			}
			p := means.At(r%rows, i)
			if !digits.Bit(r, i) {
				p = 1 - p
			}
			if p <= 0.5 {
				wrong++
			}
			loss -= math.Log(p)
			pixels++
		}
	}
	return wrong / pixels, loss / pixels
}
