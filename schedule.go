package rbm

import (
	"fmt"
	"math"
)

// A Schedule is a rate as a function of the number of steps before. The schedules of this
// package panic if the step is negative, and their constructors if a rate is negative or
// not finite, or if a number of steps is less than 1.
type Schedule func(step int) float64

// Constant returns a Schedule that is always rate.
func Constant(rate float64) Schedule {
	checkFactor("rate", rate)
	return func(step int) float64 {
		checkAtLeast("step", step, 0)
		return rate
	}
}

// Linear returns a Schedule that goes straight from one rate to another within steps, and
// stays there: from + (to - from)·step/steps.
func Linear(from, to float64, steps int) Schedule {
	return between(from, to, steps, func(step int) float64 { return float64(step) / float64(steps) })
}

// Inverse returns a Schedule that falls as 1/t does (Robbins & Monro, 1951), to half of
// rate by step half: rate / (1 + step/half).
func Inverse(rate float64, half int) Schedule {
	checkFactor("rate", rate)
	checkAtLeast("half", half, 1)
	return func(step int) float64 {
		checkAtLeast("step", step, 0)
		return rate / (1 + float64(step)/float64(half))
	}
}

// Cosine returns a Schedule that goes from one rate to another within steps along half a
// cosine wave (Loshchilov & Hutter, 2017), and stays there:
//
//	from + (to - from)·(1 - cos(π·step/steps))/2
func Cosine(from, to float64, steps int) Schedule {
	return between(from, to, steps, func(step int) float64 { return wave(step, steps) })
}

// between returns a Schedule that has gone the given share of the way from one
// rate to another by each step before the last.
func between(from, to float64, steps int, share func(step int) float64) Schedule {
	checkFactor("from", from)
	checkFactor("to", to)
	if steps < 1 {
		panic(fmt.Sprintf("rbm: steps are %d, want at least 1", steps))
	}
	return func(step int) float64 {
		checkAtLeast("step", step, 0)
		if step >= steps {
			return to
		}
		return from + float64((to-from)*share(step))
	}
}

// wave returns (1 - cos πk/n)/2 = sin² πk/2n for 0 ≤ k ≤ n within 4·2⁻⁵³, from
// operations that are rounded one by one: math.Cos has other bits on some
// processors. The series ends where the next term is less than 2⁻⁵³ of the first.
func wave(k, n int) float64 {
	if k > n-k {
		return 1 - wave(n-k, n)
	}
	x := float64(k) / float64(n) * (math.Pi / 2)
	z := float64(x * x)
	s := -1.0 / 1307674368000 // -1/15!
	s = float64(s*z) + 1.0/6227020800
	s = float64(s*z) - 1.0/39916800
	s = float64(s*z) + 1.0/362880
	s = float64(s*z) - 1.0/5040
	s = float64(s*z) + 1.0/120
	s = float64(s*z) - 1.0/6
	s = x + float64(float64(s*z)*x)
	return float64(s * s)
}
