// Package philox generates random numbers that are a pure function of a seed and of the
// place where they are used. So no result depends on the order of the work, or on the
// number of goroutines.
//
// The generator is Philox4x32-10, a bijection of 128-bit counters under a 64-bit key
// (Salmon, Moraes, Dror & Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011).
package philox

import (
	"math/bits"

	"github.com/gorbm/rbm/internal/spec"
)

// Block returns the four random numbers of the counter (c0, c1, c2, c3) under a key.
func Block(key uint64, c0, c1, c2, c3 uint32) (r0, r1, r2, r3 uint32) {
	k0, k1 := uint32(key), uint32(key>>32)
	for range spec.PhiloxRounds {
		p0 := uint64(c0) * spec.PhiloxM0
		p1 := uint64(c2) * spec.PhiloxM1
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += spec.PhiloxW0
		k1 += spec.PhiloxW1
	}
	return c0, c1, c2, c3
}

// A Place is where random numbers are used: a row, a sweep, and a phase of the sweep.
type Place struct {
	Row   uint32
	Sweep uint64 // below 2⁵⁶
	Phase uint8
}

// Fill sets u[i], for i < n, to the random number of unit 64·word+i at a place. Elements
// of u from n on may be set too.
//
//	for l = 0 to min(n, 16)-1:
//		u[l], u[16+l], u[32+l], u[48+l] = Block(key, 16·word+l, row, sweep and phase)
//
// What makes it fast:
//
//  1. All 16 counters are computed in vectors, a lane of 64 bits each, which takes the
//     product of two numbers of 32 bits.
//  2. Number o of the 16 counters is for 16 neighboring units. Nothing is transposed.
//  3. Two registers of counters are processed at a time, whose rounds do not wait for
//     each other. They share the keys of the rounds.
//  4. In AVX-512 a single instruction takes the exclusive or of three numbers.
func Fill(u *[64]uint32, n int, key uint64, p Place, word int) {
	c0, c1, c2 := uint32(word)*spec.Counters, p.Row, uint32(p.Sweep)
	c3 := uint32(p.Sweep>>32)<<8 | uint32(p.Phase)
	fill(u, min(n, spec.Counters), key, c0, c1, c2, c3)
}

// fillGo sets u to the numbers of n counters.
func fillGo(u *[64]uint32, n int, key uint64, c0, c1, c2, c3 uint32) {
	for l := range n {
		u[l], u[spec.Counters+l], u[2*spec.Counters+l], u[3*spec.Counters+l] = Block(key, c0+uint32(l), c1, c2, c3)
	}
}

// A Source is a sequence of random numbers, from the counters 0, 1, 2, … under a key. It
// is a rand.Source of math/rand/v2.
type Source struct {
	key, n uint64
}

// NewSource returns the beginning of the sequence of a key.
func NewSource(key uint64) *Source { return &Source{key: key} }

// Uint64 returns the next random number.
func (s *Source) Uint64() uint64 {
	r0, r1, _, _ := Block(s.key, uint32(s.n), uint32(s.n>>32), 0, 0)
	s.n++
	return uint64(r1)<<32 | uint64(r0)
}

// Float64 returns the next random number as a multiple of 2⁻⁵³ in [0, 1).
func (s *Source) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// IntN returns the next random number as an integer in [0, n), for n > 0. Its distribution
// is uniform to within n·2⁻⁶⁴.
func (s *Source) IntN(n int) int {
	hi, _ := bits.Mul64(s.Uint64(), uint64(n))
	return int(hi)
}
