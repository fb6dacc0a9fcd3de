//go:build !amd64 || purego

package logistic

import "testing"

// eachImplementation runs a test with the only implementation there is.
func eachImplementation(t *testing.T, test func(t *testing.T)) { t.Run("Go", test) }
