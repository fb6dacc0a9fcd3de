package rbm

import "math"

// What is believed of estimates of log Z.
const (
	leastESS = 10  // effective runs of each side
	mostErrs = 3   // standard errors between the sides
	mostGap  = 0.1 // nats between the sides

	mostLoose = 2 // nats that another estimate of fewer effective runs may find more
)

// verdict says whether an estimate is believed, given the reason not to, if there is one.
func verdict(doubt string) string {
	if doubt == "" {
		return "believable"
	}
	return "not believable: " + doubt
}

// tolerance returns how far apart estimates of the same log Z may be.
func tolerance(a, b LogZ) float64 { return max(mostErrs*math.Hypot(a.StdErr, b.StdErr), mostGap) }
