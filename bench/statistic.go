package main

import "slices"

// A summary is of the rounds.
type summary struct{ min, median, max float64 }

// summarize returns the summary of x. It panics if x is empty.
func summarize(x []float64) summary {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	return summary{s[0], (s[(n-1)/2] + s[n/2]) / 2, s[n-1]}
}

// ratios returns x/y round by round, for the rounds that both have.
func ratios(x, y []float64) []float64 {
	n := min(len(x), len(y))
	r := make([]float64, n)
	for k := range r {
		r[k] = x[k] / y[k]
	}
	return r
}
