package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/gorbm/rbm"
)

// Adversarial is what AdversarialAccuracy returns: shares of rows that are nearer to their
// own sample.
type Adversarial struct {
	Accuracy  float64 // AA, the mean of the other two
	Truth     float64 // the share of rows of the truth
	Synthetic float64 // the share of synthetic rows
}

// AdversarialAccuracy returns the nearest-neighbor adversarial accuracy of Yale, Dash, Dutta,
// Guyon, Pavao & Bennett (2020), how well a nearest neighbor tells the truth from synthetic
// rows:
//
//	AA = (⟨d_TS(i) > d_TT(i)⟩ + ⟨d_ST(i) > d_SS(i)⟩) / 2
//
// Here d_TS(i) is the distance of row i of the truth from the nearest synthetic row, and
// d_TT(i) from the nearest other row of the truth. Rows are often equally far in binary data;
// such a tie counts ½, where the paper has 0.
//
// AA is about ½ if the two have the same distribution, 1 if they can be told apart, and near
// 0 if the synthetic rows are copies of the truth. Take samples of the same size: the larger
// one has the nearer rows, so that Truth and Synthetic move apart, though AA stays.
//
// The time is O((nT+nS)²) times the number of columns. It panics if a sample has fewer than 2
// rows, or if their columns differ.
func AdversarialAccuracy(truth, synthetic *rbm.Bits) Adversarial {
	p := newPool("truth", truth, "synthetic", synthetic)
	n := p.rows()
	var nearest [parts][]int32 // distances of row i from the nearest row of samples 0 and 1 at 2i and 2i+1
	p.each(n, n*n/2*(5+p.width), func(part, i int) {
		if nearest[part] == nil {
			nearest[part] = slices.Repeat([]int32{math.MaxInt32}, 2*n)
		}
		of := nearest[part]
		row, own := p.row(i), p.sample(i)
		least := [2]int32{of[2*i], of[2*i+1]}
		for j := range i {
			d := int32(distance(row, p.row(j)))
			other := p.sample(j)
			least[other] = min(least[other], d)
			of[2*j+own] = min(of[2*j+own], d)
		}
		of[2*i], of[2*i+1] = least[0], least[1]
	})
	var halves [2]int // ½ for each tie
	for i := range n {
		least := [2]int32{math.MaxInt32, math.MaxInt32}
		for _, of := range nearest {
			if of != nil {
				least[0], least[1] = min(least[0], of[2*i]), min(least[1], of[2*i+1])
			}
		}
		own := p.sample(i)
		halves[own] += 1 + cmp.Compare(least[1-own], least[own])
	}
	a := Adversarial{
		Truth:     float64(halves[0]) / float64(2*p.n[0]),
		Synthetic: float64(halves[1]) / float64(2*p.n[1]),
	}
	a.Accuracy = (a.Truth + a.Synthetic) / 2
	return a
}
