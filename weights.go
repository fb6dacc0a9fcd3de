package rbm

import (
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/floats"
)

// totalWeight returns the sum of the weights of n rows, called name, or n if they
// are nil. It panics unless they are as many, none is negative, and they are
// finite and not all zero. Those that may be probabilities of m, unless it is nil, may
// be NaN or infinite where energies of m may be; then the sum is NaN.
func totalWeight(name string, weights []float64, n int, m *RBM) float64 {
	if weights == nil {
		return float64(n)
	}
	checkLength(name, weights, n)
	for i, w := range weights {
		if !(0 <= w && w <= math.MaxFloat64) {
			if !(w < 0) && m != nil && !m.hasFiniteEnergies() {
				return math.NaN()
			}
			panic(fmt.Sprintf("rbm: %s[%d] is %v, want a finite number of at least 0", name, i, w))
		}
	}
	total := product.Sum(weights)
	if total == 0 || total > math.MaxFloat64 {
		panic(fmt.Sprintf("rbm: %s have sum %v, want a positive finite number", name, total))
	}
	return total
}

// hasFiniteEnergies reports whether all energies are finite whatever the states and the
// order in which they are added.
func (m *RBM) hasFiniteEnergies() bool {
	var sum float64
	for i := range m.B.Len() {
		sum += math.Abs(m.B.AtVec(i))
	}
	for j := range m.C.Len() {
		sum += math.Abs(m.C.AtVec(j)) + floats.Norm(m.W.RawRowView(j), 1)
	}
	return sum <= math.MaxFloat64
}

// weightOf returns weight r, or 1 if there are none.
func weightOf(weights []float64, r int) float64 {
	if weights == nil {
		return 1
	}
	return weights[r]
}

// withoutUnit returns weights with a mean of 1 over those that are not 0.
func withoutUnit(weights []float64, until *stop.Signal) []float64 {
	if weights == nil {
		return nil
	}
	most, sum := slices.Max(weights), 0.
	scaled := make([]float64, len(weights))
	for r, w := range weights {
		if r%lookEvery == 0 {
			until.Look()
		}
		scaled[r] = w / most
		if w > 0 { // a positive weight stays one
			scaled[r] = max(scaled[r], math.SmallestNonzeroFloat64)
		}
		sum += scaled[r]
	}
	mean := sum / float64(positive(weights, len(weights)))
	for r := range scaled {
		scaled[r] /= mean
	}
	return scaled
}

// positive returns how many of n weights are positive, as all are that are nil.
func positive(weights []float64, n int) int {
	for _, w := range weights {
		if w == 0 {
			n--
		}
	}
	return n
}

// weightedMean returns the mean of x by weights, which nil weights leave equal.
func weightedMean(x, weights []float64) float64 {
	if weights == nil {
		return product.Sum(x) / float64(len(x))
	}
	most := slices.Max(weights) // so that tiny and huge weights are as good as others
	var sum, total float64
	for i, w := range weights {
		w /= most
		sum += float64(w * x[i])
		total += w
	}
	return sum / total
}

// mean returns the mean of x, or NaN if there is nothing.
func mean(x []float64, until *stop.Signal) float64 {
	var sum float64
	for i, x := range x {
		if i%lookEvery == 0 {
			until.Look()
		}
		sum += x
	}
	return sum / float64(len(x))
}

// checkWeights panics unless the weights of rows, called name, are nil or have a mean.
func checkWeights(name string, weights []float64, until *stop.Signal) {
	if weights == nil {
		return
	}
	var sum float64
	for r, w := range weights {
		if r%lookEvery == 0 {
			until.Look()
		}
		if !(0 <= w && w <= math.MaxFloat64) {
			panic(fmt.Sprintf("rbm: %s[%d] is %v, want a finite number of at least 0", name, r, w))
		}
		sum += w
	}
	if sum == 0 {
		panic(fmt.Sprintf("rbm: %s are all 0, want a positive one", name))
	}
	if !finite(sum) {
		panic(fmt.Sprintf("rbm: %s have the sum %v, want a finite one", name, sum))
	}
}
