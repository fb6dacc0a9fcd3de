// Package datasets has the rows that several programs of the tree learn from: states of the Ising model, and handwritten
// digits.
package datasets

import (
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// A Torus is an Ising model of side×side spins, row by row, each coupled to its four neighbors.
type Torus struct {
	Up []bool // the state of each spin; at first all are down

	side  int
	join  float64 // probability with which a neighbor of the same state joins a cluster
	stack []int
}

// NewTorus returns a torus at this temperature.
func NewTorus(side int, temperature float64) *Torus {
	return &Torus{Up: make([]bool, side*side), side: side, join: 1 - math.Exp(-2/temperature)}
}

// Flip flips a cluster (Wolff, 1989).
func (t *Torus) Flip(rnd *rand.Rand) {
	s, side, size := t.Up, t.side, len(t.Up)
	i := rnd.IntN(size)
	old := s[i]
	s[i] = !old
	t.stack = append(t.stack[:0], i)
	for len(t.stack) > 0 {
		i := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		x, y := i%side, i/side
		for _, j := range [4]int{side*y + (x+1)%side, side*y + (x+side-1)%side, (side*y + x + side) % size, (side*y + x + size - side) % size} {
			if s[j] == old && rnd.Float64() < t.join {
				s[j] = !old
				t.stack = append(t.stack, j)
			}
		}
	}
}

// SetRow sets row r of dst to the spins and returns how many are up.
func (t *Torus) SetRow(dst *rbm.Bits, r int) (up int) {
	for i, x := range t.Up {
		dst.SetBit(r, i, x)
		if x {
			up++
		}
	}
	return up
}
