//go:build slow

package rbm_test

import "testing"

func TestHundredMillionFixedDraws(t *testing.T) { testDraws(t, 100_000_000) }
