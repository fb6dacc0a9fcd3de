package rbm

import (
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// Diagnostics say how well Markov chains mix, judged by a scalar function of their
// states. They cannot know of a mode that no chain has visited, nor of modes that
// the function does not tell apart: where modes are alike in free energy, another
// function, as the number of units that are on, shows whether chains cross.
type Diagnostics struct {
	AutocorrelationTime float64 // integrated, τ = 1 + 2 Σₜ ρₜ over lags t ≥ 1, in draws
	ESS                 float64 // effective sample size: draws of all chains, divided by τ

	// SplitRHat is the potential scale reduction of the halves of chains. It is about
	// 1 if all of them agree, and above about 1.01 they should run for longer (Vehtari
	// et al., 2021).
	SplitRHat float64
}

const leastDraws = 4 // of a chain in Diagnose

// Diagnose returns the diagnostics of x (chains×draws), a function of the states of
// each chain, draw by draw. Each chain is split into halves, without the middle draw
// of an odd number, which makes M halves of n draws. With the means m and the
// variances s² of halves, the latter with the divisor n-1, and their autocovariances
// γₜ at lag t, with the divisor n,
//
//	W    = ⟨s²⟩
//	var⁺ = W·(n-1)/n + variance of m, with the divisor M-1
//	R̂    = √(var⁺/W)
//	ρ̂ₜ   = 1 - (W - ⟨γₜ⟩)/var⁺    for t ≥ 1, ρ̂₀ = 1
//	Pₖ   = min over l ≤ k of (ρ̂₂ₗ + ρ̂₂ₗ₊₁)
//	τ    = -1 + 2 (P₀ + … + P_{K-1}) + max(0, ρ̂_{2K})
//
// where pair K is the first that is not positive: R̂ of split chains (Gelman et al.,
// 2013), without the ranks in place of values that were proposed since; the
// autocorrelation of all chains together (Vehtari et al., 2021); and the initial
// monotone sequence (Geyer, 1992). Chains that disagree have a longer τ for it, and
// correlations that are lost in noise are lost to τ. Antithetic chains have τ < 1, but
// at least 1/log₁₀(Mn), so that ESS is at most Mn·log₁₀(Mn) (Vehtari et al., 2021).
//
// The diagnostics have no unit: 2ᵏ·x has the same ones as x, bit for bit, wherever a
// float64 holds both. It takes O(Mn) for each lag up to the end of the sequence, some
// multiple of τ. If a value is NaN or infinite, or if all values are equal, all
// diagnostics are NaN. If values differ, but not within a half, R̂ is +Inf, and so it
// may be where it is above 1e150. It panics if x is nil, has no rows, or has fewer
// than 4 columns.
func Diagnose(x mat.Matrix) Diagnostics {
	checkNil("x", x)
	chains, draws := x.Dims()
	if chains < 1 || draws < leastDraws {
		panic(fmt.Sprintf("rbm: x is %d×%d, want chains×draws, at least 1×%d", chains, draws, leastDraws))
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
		means[h] = centre(half)
	}
	centre(means)

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

// centre subtracts the mean from x and returns it. The mean of equal values is that
// value, without rounding.
func centre(x []float64) (mean float64) {
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

// covariance returns the mean over rows, which are centred, of their autocovariance
// at lag t.
func covariance(rows [][]float64, t int) (sum float64) {
	for _, x := range rows {
		sum += product.Dot(x[:len(x)-t], x[t:])
	}
	return sum / float64(len(rows)*len(rows[0]))
}
