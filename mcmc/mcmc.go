// Package mcmc tells whether Markov chains were run for long enough: how well they mix,
// and how many independent draws theirs are worth.
//
//	d := mcmc.Diagnose(x) // a row for each chain, a column for each draw
//	// the chains agree if d.SplitRHat is below 1.01; then they are worth d.ESS draws
//
// The chains may come from anywhere. Each element of x is the value of a scalar function
// of their states, chosen by the user: an energy, or the number of units that are on.
package mcmc

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// Diagnostics tell how well Markov chains mix, judged by a scalar function of their
// states. They know nothing of a mode that no chain has visited, or of modes at which
// the function has the same values. Where modes have the same energy, use another
// function: the number of units that are on, for example.
type Diagnostics struct {
	AutocorrelationTime float64 // integrated, τ = 1 + 2 Σₜ ρₜ over lags t ≥ 1, in draws
	ESS                 float64 // effective sample size: draws of all chains, divided by τ; see SplitRHat first

	// SplitRHat is the potential scale reduction of the halves of the chains. It is
	// about 1 if all halves agree. If it is above 1.01 or so, the chains should run for
	// longer (Vehtari et al., 2021). Chains that stay where they start have an ESS of
	// about their number, however long they run: each is worth one draw, of its start.
	SplitRHat float64
}

const leastDraws = 4 // of a chain

// Diagnose computes the diagnostics of chains from x, the values of a scalar function
// of their states. Element (i, t) of x (chains×draws) belongs to draw t of chain i.
//
// Each chain is split into halves; if the number of draws is odd, the middle one is
// left out. This makes M halves of n draws each. Let m be the mean of a half, s² its
// variance with the divisor n-1, and γₜ its autocovariance at lag t with the divisor
// n. Angle brackets are means over the halves. Then
//
//	W    = ⟨s²⟩
//	var⁺ = W·(n-1)/n + variance of m, with the divisor M-1
//	R̂    = √(var⁺/W)
//	ρ̂ₜ   = 1 - (W - ⟨γₜ⟩)/var⁺    for t ≥ 1, ρ̂₀ = 1
//	Pₖ   = min over l ≤ k of (ρ̂₂ₗ + ρ̂₂ₗ₊₁)
//	τ    = -1 + 2 (P₀ + … + P_{K-1}) + max(0, ρ̂_{2K})
//
// where K is the first k for which ρ̂₂ₖ + ρ̂₂ₖ₊₁ is not positive. R̂ is the split R̂ of
// Gelman et al. (2013), without the ranks that were proposed later. ρ̂ₜ is the
// autocorrelation of all chains together (Vehtari et al., 2021), and the sum is Geyer's
// initial monotone sequence (1992).
//
// Chains that disagree have a longer τ. Correlations smaller than the noise are not
// counted. Antithetic chains have τ < 1, but at least 1/log₁₀(Mn), so that ESS is at
// most Mn·log₁₀(Mn) (Vehtari et al., 2021).
//
// The diagnostics have no unit: 2ᵏ·x has the same ones as x, bit for bit, wherever a
// float64 holds both. Each lag up to the end of the sequence, which is some multiple of τ,
// takes time O(Mn).
//
// If a value is NaN or infinite, or if all values are equal, all diagnostics are NaN.
// If the values are equal within each half, but not between halves, R̂ is +Inf. It may
// be +Inf too where it is above 1e150. Diagnose panics if x is nil, has no rows, or has
// fewer than 4 columns.
func Diagnose(x mat.Matrix) Diagnostics {
	if isNil(x) {
		panic("mcmc: x is nil")
	}
	chains, draws := x.Dims()
	if chains < 1 || draws < leastDraws {
		panic(fmt.Sprintf("mcmc: x is %d×%d, want chains×draws, at least 1×%d", chains, draws, leastDraws))
	}
	n := draws / 2
	total := float64(2 * chains * n)
	halves := make([][]float64, 2*chains)
	means := make([]float64, 2*chains)
	row := make([]float64, draws)
	nan := math.NaN()
	for r := range chains {
		if mat.Row(row, r, x); slices.ContainsFunc(row, func(x float64) bool { return !finite(x) }) {
			return Diagnostics{nan, nan, nan}
		}
		halves[2*r], halves[2*r+1] = slices.Clone(row[:n]), slices.Clone(row[draws-n:])
	}
	rescale(halves)
	for h, half := range halves {
		means[h] = center(half)
	}
	center(means)

	within := covariance(halves, 0) * float64(n) / float64(n-1)
	all := covariance(halves, 0) + product.Dot(means, means)/float64(len(means)-1)
	if all == 0 {
		return Diagnostics{nan, nan, nan}
	}
	rho := func(t int) float64 {
		switch {
		case t == 0:
			return 1
		case t >= n:
			return 0
		}
		return 1 - (within-covariance(halves, t))/all
	}
	tau, least := -1., math.Inf(1)
	for t := 0; ; t += 2 {
		even, odd := rho(t), rho(t+1)
		if !(even+odd > 0) || t+1 >= n {
			tau += max(0, even)
			break
		}
		least = min(least, even+odd)
		tau += 2 * least
	}
	tau = max(tau, math.Ln10/logistic.Log(total))
	return Diagnostics{
		AutocorrelationTime: tau,
		ESS:                 total / tau,
		SplitRHat:           math.Sqrt(all / within),
	}
}

// rescale multiplies all values by the power of two that takes the largest to
// [1/2, 1), so that their differences and squares are in the range of a float64.
func rescale(rows [][]float64) {
	var largest float64
	for _, x := range rows {
		for _, x := range x {
			largest = max(largest, math.Abs(x))
		}
	}
	_, exp := math.Frexp(largest)
	for _, x := range rows {
		for i := range x {
			x[i] = math.Ldexp(x[i], -exp)
		}
	}
}

// center subtracts the mean from x and returns it. The mean of equal values is that
// value, without rounding.
func center(x []float64) (mean float64) {
	first := x[0]
	for i := range x {
		x[i] -= first
	}
	mean = product.Sum(x) / float64(len(x))
	for i := range x {
		x[i] -= mean
	}
	return first + mean
}

// covariance returns the mean over rows, which are centered, of their autocovariance
// at lag t.
func covariance(rows [][]float64, t int) (sum float64) {
	for _, x := range rows {
		sum += product.Dot(x[:len(x)-t], x[t:])
	}
	return sum / float64(len(rows)*len(rows[0]))
}

func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }

// isNil reports whether x is nil, or holds a pointer or a function that is.
func isNil(x mat.Matrix) bool {
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return v.IsNil()
	}
	return false
}
