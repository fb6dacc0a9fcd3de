package main

import (
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm"
)

// A lattice is an Ising model on a torus of side×side spins, row by row, of energy
//
//	E(s) = -Σ sᵢsⱼ over all pairs of neighbors
//
// at the inverse temperature beta.
type lattice struct {
	side int
	beta float64
}

func (l lattice) spins() int { return l.side * l.side }

// neighbors returns the four neighbors of spin i.
func (l lattice) neighbors(i int) [4]int {
	row, column := i/l.side*l.side, i%l.side
	return [4]int{
		row + (column+1)%l.side,
		row + (column+l.side-1)%l.side,
		(row+l.side)%l.spins() + column,
		(row+l.spins()-l.side)%l.spins() + column,
	}
}

// energies returns the energy of each row of v, per spin.
func (l lattice) energies(v *rbm.Bits) []float64 {
	n, _ := v.Dims()
	e := make([]float64, n)
	for r := range e {
		for i := range l.spins() {
			next := l.neighbors(i)
			for _, j := range [2]int{next[0], next[2]} {
				e[r] -= spinAt(v, r, i) * spinAt(v, r, j) / float64(l.spins())
			}
		}
	}
	return e
}

// magnetizations returns the absolute value of the mean spin of each row of v.
func (l lattice) magnetizations(v *rbm.Bits) []float64 {
	n, _ := v.Dims()
	m := make([]float64, n)
	for r := range m {
		for i := range l.spins() {
			m[r] += spinAt(v, r, i) / float64(l.spins())
		}
		m[r] = math.Abs(m[r])
	}
	return m
}

func spinAt(v *rbm.Bits, r, i int) float64 { return 2*v.At(r, i) - 1 }

const (
	clusters = 5    // of a step
	warmUp   = 1000 // steps
)

// simulate returns n states of a Markov chain of the model. Between two of them are a sweep
// of Metropolis et al. (1953) and the flips of some clusters (Wolff, 1989).
func (l lattice) simulate(n int, src rand.Source) *rbm.Bits {
	random := rand.New(src)
	s := make([]int, l.spins())
	for i := range s {
		s[i] = 1 - 2*random.IntN(2)
	}
	next := make([][4]int, len(s))
	for i := range next {
		next[i] = l.neighbors(i)
	}
	join := 1 - math.Exp(-2*l.beta)
	accept := [5]float64{1, 1, 1, math.Exp(-4 * l.beta), math.Exp(-8 * l.beta)} // by the sum of neighbors, for s = 1
	states := rbm.NewBits(n, len(s))
	var stack []int
	for step := range warmUp + n {
		for i := range s {
			sum := 0
			for _, j := range next[i] {
				sum += s[j]
			}
			if p := accept[s[i]*sum/2+2]; p == 1 || random.Float64() < p {
				s[i] = -s[i]
			}
		}
		for range clusters {
			i := random.IntN(len(s))
			s[i] = -s[i]
			for stack = append(stack[:0], i); len(stack) > 0; {
				i := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				for _, j := range next[i] {
					if s[j] == -s[i] && random.Float64() < join {
						s[j] = s[i]
						stack = append(stack, j)
					}
				}
			}
		}
		for i := range s {
			if step >= warmUp {
				states.SetBit(step-warmUp, i, s[i] > 0)
			}
		}
	}
	return states
}

// logPartition returns log Z exactly (Kaufman, 1949).
func (l lattice) logPartition() float64 {
	n, k := float64(l.side), l.beta
	gamma := func(r int) float64 {
		if r == 0 {
			return 2*k + math.Log(math.Tanh(k))
		}
		return math.Acosh(math.Cosh(2*k)/math.Tanh(2*k) - math.Cos(math.Pi*float64(r)/n))
	}
	// The products of 2cosh and 2sinh, as signs and logarithms.
	var logs, signs [4]float64
	for kind := range logs {
		signs[kind] = 1
		for r := range l.side {
			x := n / 2 * gamma(2*r+1-kind/2)
			y := 2 * math.Cosh(x)
			if kind%2 == 1 {
				y = 2 * math.Sinh(x)
			}
			logs[kind] += math.Log(math.Abs(y))
			signs[kind] *= math.Copysign(1, y)
		}
	}
	var sum float64
	for kind, x := range logs {
		sum += signs[kind] * math.Exp(x-logs[0])
	}
	return logs[0] + math.Log(sum/2) + n*n/2*math.Log(2*math.Sinh(2*k))
}

// energy returns the mean energy per spin, -∂ log Z/∂β, to about nine digits.
func (l lattice) energy() float64 {
	const step = 1e-5
	up, down := l, l
	up.beta += step
	down.beta -= step
	return -(up.logPartition() - down.logPartition()) / (2 * step) / float64(l.spins())
}
