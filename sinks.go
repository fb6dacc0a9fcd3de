package rbm

import (
	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// probs is a sink that stores the units' probabilities in the rows of dst from
// row on. Finish must follow.
type probs struct {
	dst   *mat.Dense
	row   int
	layer *layer
	soft  groupProbs
}

func (s *probs) take(t, r0, n int, x tile) {
	var p [wordBits]float64
	for r := range n {
		dst := s.word(t, r0+r)
		in := x.row(r, n)
		if len(dst) >= in.N*product.Lanes {
			in.Probs(dst, 1)
		} else {
			in.Probs(p[:], 1)
			copy(dst, p[:])
		}
		if len(s.layer.groups) > 0 {
			s.layer.oneHot.probs(dst, t, in, 1)
		}
	}
}

// word returns where the units from word t on of row r of the batch are stored.
func (s *probs) word(t, r int) []float64 {
	raw := s.dst.RawMatrix()
	return raw.Data[(s.row+r)*raw.Stride:][:raw.Cols][t*wordBits:]
}

func (s *probs) scaleOf(int) float64 { return 1 }

// softplus is a sink that stores, for each row and word, the sum of softplus
// over the units.
type softplus struct {
	sum   []logistic.Sum // rows×words
	words int
}

func (s *softplus) take(t, r0, n int, x tile) {
	for r := range n {
		s.sum[(r0+r)*s.words+t] = x.row(r, n).Softplus()
	}
}

// total adds sums of 64 terms each, taking one logarithm for every eight.
func total(sums []logistic.Sum) (f float64) {
	for len(sums) > 0 {
		n := min(8, len(sums))
		s := sums[0]
		for _, t := range sums[1:n] {
			s = s.Add(t)
		}
		f += s.Value()
		sums = sums[n:]
	}
	return f
}

// draws is a sink that draws the units of each row into dst.
type draws struct {
	dst     *Bits
	row     int   // of dst, for row 0 of the batch
	numbers []int // of the rows of dst, if they are not 0, 1, …
	seed    uint64
	place   philox.Place // of row number 0
}

func (s *draws) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	for r := range n {
		in := x.row(r, n)
		s.random(&u, t, in.N*product.Lanes, r0+r)
		*s.word(r0+r, t) = in.Draw(&u)
	}
}

// random sets u to the random numbers of the first n units of word t, for row r
// of the batch.
func (s *draws) random(u *[wordBits]uint32, t, n, r int) {
	place := s.place
	place.Row += uint32(s.number(r))
	philox.Fill(u, n, s.seed, place, t)
}

// number returns the number of the row that row r of the batch is for.
func (s *draws) number(r int) int {
	if s.numbers != nil {
		return s.numbers[s.row+r]
	}
	return s.row + r
}

// word returns where those units are stored.
func (s *draws) word(r, t int) *uint64 { return &s.dst.row(s.row + r)[t] }

func (s *draws) takesFixed(int) bool { return true }

func (s *draws) always() bool { return false }

func (s *draws) takeFixed(w *fixedWord) {
	w.plain()
	var u [wordBits]uint32
	for r := range w.n {
		s.random(&u, w.t, wordBits, w.r0+r)
		*s.word(w.r0+r, w.t) = w.draw(r, &u)
	}
}
