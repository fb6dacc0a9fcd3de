//go:build slow

package rbm

import "testing"

// So it is with a hundred seeds.
func TestLogLikelihoodOfOneOfTwoModesOften(t *testing.T) { testOneOfTwoModes(t, 100) }
