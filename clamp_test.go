package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
)

// keeper is a sink that keeps the inputs, row by row.
type keeper struct {
	x     []float64
	units int
}

func (s *keeper) take(t, r0, n int, x tile) {
	for r := range n {
		in := x.row(r, n)
		for i := range min(in.N*product.Lanes, s.units-t*wordBits) {
			s.x[(r0+r)*s.units+t*wordBits+i] = in.At(i)
		}
	}
}

// The units of a sweep with groups, and their probabilities, are those of the
// definition, bit for bit, wherever groups begin and end in words.
func TestGroupsByDefinition(t *testing.T) {
	const nh, n = 7, 9
	for _, tt := range []struct {
		nv     int
		groups []group
	}{
		{3, []group{{from: 0, to: 3}}},
		{20, []group{{from: 0, to: 5}, {from: 5, to: 10}, {from: 12, to: 20}}},
		{64, []group{{from: 0, to: 64}}},
		{65, []group{{from: 0, to: 65}}},
		{130, []group{{from: 1, to: 3}, {from: 60, to: 64}, {from: 64, to: 70}, {from: 126, to: 130}}},
		{210, []group{{from: 10, to: 12}, {from: 13, to: 200}, {from: 200, to: 210}}},
		{135, []group{{from: 62, to: 66}, {from: 66, to: 127}, {from: 127, to: 129}}},
	} {
		for _, given := range []bool{false, true} {
			rnd := rand.New(rand.NewPCG(1, 2))
			m := normal(tt.nv, nh, 1, rnd)
			c := NewChains(rnd)
			for _, g := range tt.groups {
				m.OneHot = append(m.OneHot, Group{g.from, g.to})
			}
			c.StartRandom(m, n)
			var observed *Bits
			if given {
				observed = NewBits(n, tt.nv)
				for r := range n {
					for i := range tt.nv {
						observed.SetBit(r, i, rnd.IntN(4) == 0)
					}
				}
			}
			name := fmt.Sprintf("nv=%d/groups=%v/given=%v", tt.nv, tt.groups, given)
			before := NewBits(n, tt.nv)
			for k := range 3 {
				clock := c.clock
				copy(before.words, c.v.words)
				var sums []float64 // of probabilities
				if k == 0 {
					c.GibbsGiven(m, 1, observed)
				} else {
					sums = c.MeansGiven(nil, m, 1, observed).RawMatrix().Data
				}
				got := c.Visible()
				x := keeper{make([]float64, n*tt.nv), tt.nv}
				c.model.load(m, 0)
				c.in.read("h", &c.h, 0, n)
				c.pass.run(&c.model.team, &c.model.visible, &c.in, &x)
				c.model.done()
				for r := range n {
					want, means := sweepByDefinition(c.seed, clock, r, x.x[r*tt.nv:][:tt.nv], tt.groups, before, observed)
					for i := range want {
						if got.Bit(r, i) != want[i] {
							t.Fatalf("%s, sweep %d: unit %d of row %d is %v, want %v", name, k, i, r, got.Bit(r, i), want[i])
						}
						if sums != nil && sums[r*tt.nv+i] != means[i] {
							t.Fatalf("%s, sweep %d: mean %d of row %d is %v, want %v", name, k, i, r, sums[r*tt.nv+i], means[i])
						}
					}
				}
			}
		}
	}
}

// sweepByDefinition returns the states of row r at the end of a sweep, and their
// probabilities, given the inputs of its units and the states before.
func sweepByDefinition(seed, clock uint64, r int, x []float64, groups []group, before, observed *Bits) (on []bool, p []float64) {
	number := func(i int) float64 {
		var u [wordBits]uint32
		philox.Fill(&u, wordBits, seed, philox.Place{Row: uint32(r), Sweep: clock, Phase: drawVisible}, i/wordBits)
		return float64(u[i%wordBits]) + 0.5
	}
	on, p = make([]bool, len(x)), make([]float64, len(x))
	for i, x := range x {
		d := 1 + logistic.Exp(-x)
		on[i], p[i] = float64(number(i)*d) < 1<<32, 1/d
	}
	known := func(i int) bool { return observed != nil && observed.Bit(r, i) }
	for _, g := range groups {
		taken := false
		for i := g.from; i < g.to; i++ {
			on[i], p[i] = false, 0
			taken = taken || known(i) && before.Bit(r, i)
		}
		if taken {
			continue
		}
		w := make([]float64, g.to-g.from)
		top := 0.0
		if g.from/wordBits != (g.to-1)/wordBits { // of words that are drawn one by one
			top = math.Inf(-1)
			for i := g.from; i < g.to; i++ {
				if !known(i) {
					top = max(top, x[i])
				}
			}
		}
		var total float64
		for k := range w {
			if i := g.from + k; !known(i) {
				w[k] = logistic.Exp(x[i] - top)
			}
			total += w[k]
		}
		var sum float64
		chosen := slices.IndexFunc(w, func(w float64) bool {
			sum += w
			return sum > number(g.from)*0x1p-32*total
		})
		on[g.from+chosen] = true
		for k := range w {
			p[g.from+k] = w[k] / total
		}
	}
	for i := range x {
		if known(i) {
			on[i], p[i] = before.Bit(r, i), before.At(r, i)
		}
	}
	return on, p
}

// Which unit is on where the random number is next to a border.
func TestChoose(t *testing.T) {
	const most = 1<<32 - 1
	for _, tt := range []struct {
		weights []float64
		number  float64
		want    int
	}{
		{[]float64{1, 1}, 1<<31 - 1, 0},
		{[]float64{1, 1}, 1 << 31, 1},
		{[]float64{1, 0, 0}, most, 0},
		{[]float64{0, 1, 0}, 0, 1},
		{[]float64{0, 0, 1}, most, 2},
		{[]float64{0x1p-33, 1 - 0x1p-33}, 0, 1},           // (0+½)/2³² is not below 2⁻³³
		{[]float64{0x1p-33 + 0x1p-50, 1 - 0x1p-33}, 0, 0}, // but below this
		{[]float64{0x1p-34, 1}, 0, 1},
		{[]float64{1, math.NaN()}, 5, -1},
		{[]float64{0, 0}, 5, -1},
		{[]float64{1e-260, 1e-251}, 5, -1},
		{[]float64{1e200, 1e251}, 5, -1},
	} {
		if got := new(clamp).choose(0, group{}, slices.Clone(tt.weights), tt.number); got != tt.want {
			t.Errorf("weights %v, number %v: unit %d, want %d", tt.weights, tt.number, got, tt.want)
		}
	}
}

// Inputs whose exponentials a float64 cannot hold are drawn as others are: by their
// differences.
func TestGroupsOfLargeInputs(t *testing.T) {
	const n = 20000
	for _, shift := range []float64{0, 800, -800, 1e6} {
		m := New(6, 1)
		m.OneHot = []Group{{0, 3}, {3, 6}}
		for i := range 6 {
			m.B.SetVec(i, shift+math.Log(float64(1+i%3)))
		}
		c := NewChains(rand.NewPCG(1, 2))
		c.StartRandom(m, n)
		c.Gibbs(m, 1)
		var counts [6]float64
		for r := range n {
			for i := range 6 {
				counts[i] += c.v.At(r, i)
			}
		}
		for i, got := range counts {
			p := float64(1+i%3) / 6
			if se := math.Sqrt(n * p * (1 - p)); !(math.Abs(got-n*p) <= 4.5*se) {
				t.Errorf("shift %v: unit %d is on in %v of %d chains, want %v ± %.0f", shift, i, got, n, n*p, se)
			}
		}
	}
}

// So are they where a part of the group is observed to be off.
func TestObservedGroupsOfLargeInputs(t *testing.T) {
	const n = 9000
	for _, shift := range []float64{0, 800, -800, 1e6} {
		m := New(4, 1)
		m.OneHot = []Group{{0, 4}}
		for i := range 4 {
			m.B.SetVec(i, shift+math.Log(float64(1+i)))
		}
		observed := NewBits(1, 4)
		observed.SetBit(0, 3, true) // and off
		c := NewChains(rand.NewPCG(1, 2))
		c.StartGiven(m, NewBits(n, 4), observed)
		means := c.MeansGiven(nil, m, 1, observed)
		var counts [4]float64
		for r := range n {
			for i := range 4 {
				counts[i] += c.v.At(r, i)
			}
		}
		for i, got := range counts {
			p := []float64{1. / 6, 2. / 6, 3. / 6, 0}[i]
			if se := math.Sqrt(n * p * (1 - p)); !(math.Abs(got-n*p) <= 4.5*se) {
				t.Errorf("shift %v: unit %d is on in %v of %d chains, want %v ± %.0f", shift, i, got, n, n*p, se)
			}
			if got := means.At(7, i); !(math.Abs(got-p) <= 1e-9) {
				t.Errorf("shift %v: unit %d has mean %v, want %v", shift, i, got, p)
			}
		}
	}
}
