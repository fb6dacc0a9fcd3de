package rbm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawn returns n rows of bits that are 1 with the probabilities p, which are drawn
// one after the other, for each row.
func drawnBits(n, nv int, seed uint64, p func(r, i int, rnd *rand.Rand) float64) *Bits {
	rnd := rand.New(rand.NewPCG(seed, 9))
	b := NewBits(n, nv)
	for r := range n {
		for i := range nv {
			b.SetBit(r, i, rnd.Float64() < p(r, i, rnd))
		}
	}
	return b
}

// Of independent columns, be they even, rare or both, there is nothing to learn.
func TestDependenceOfIndependentColumns(t *testing.T) {
	for _, tt := range []struct{ n, nv int }{{1, 5}, {2, 30}, {20, 2}, {20, 300}, {100, 1}, {500, 40}, {3000, 10}} {
		for _, rare := range []float64{1, 0.1, 0.003} {
			for seed := range uint64(10) {
				b := drawnBits(tt.n, tt.nv, seed, func(_, i int, _ *rand.Rand) float64 { return rare * float64(i%4+1) / 5 })
				if got := b.dependence(nil, nil); got != 0 {
					t.Errorf("%d×%d of at most %v: %v nats, want 0", tt.n, tt.nv, rare, got)
				}
			}
		}
	}
	if got := NewBits(10, 5).dependence(nil, nil); got != 0 {
		t.Errorf("constant columns: %v nats, want 0", got)
	}
}

// Of dependent ones it is the sum of squared correlations, by its definition.
func TestDependence(t *testing.T) {
	for _, tt := range []struct {
		n, nv int
		p     func(r, i int, rnd *rand.Rand) float64
	}{
		{300, 9, func(r, i int, _ *rand.Rand) float64 { return 0.2 + 0.6*float64(r%2) }},
		{2000, 5, func(r, i int, _ *rand.Rand) float64 { return 0.01 + 0.3*float64(r%10/9) }},
		{500, 70, func(r, i int, _ *rand.Rand) float64 { // two kinds, and columns that are constant
			return map[bool]float64{true: 0.3, false: 0.02}[r%2 == i%2] * min(1, float64(i%7))
		}},
	} {
		b := drawnBits(tt.n, tt.nv, 1, tt.p)
		n := float64(tt.n)
		var want float64
		for i := range tt.nv {
			for j := range i {
				var si, sj, sij float64
				for r := range tt.n {
					x, y := b.At(r, i), b.At(r, j)
					si, sj, sij = si+x, sj+y, sij+x*y
				}
				pi, pj := si/n, sj/n
				if pi*(1-pi)*pj*(1-pj) == 0 {
					continue
				}
				rho := (sij/n - pi*pj) / math.Sqrt(pi*(1-pi)*pj*(1-pj))
				want += rho*rho - 1/(n-1)
			}
		}
		if got := b.dependence(nil, nil); !(math.Abs(got-want) < 1e-10*want) {
			t.Errorf("%d×%d: %v nats, want %v", tt.n, tt.nv, got, want)
		}
	}
	// Of many columns those count that vary most.
	wide := NewBits(40, dependentColumns+100)
	for r := range 40 {
		for i := range wide.cols {
			wide.SetBit(r, i, r == 39 || i >= 100 && r < 20) // 100 rare ones, and then all alike
		}
	}
	if got, want := wide.dependence(nil, nil), dependentColumns*(dependentColumns-1)/2*(1-1./39); !(math.Abs(got-want) < 1e-9*want) {
		t.Errorf("of many columns: %v nats, want %v", got, want)
	}
}

// Sparse likes, a few of each item, of which a model learns much, are surely dependent.
func TestDependenceOfLikes(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		likes := drawnBits(2000, 800, seed, func(r, i int, _ *rand.Rand) float64 { return map[bool]float64{true: 0.02, false: 0.002}[r%4 == i%4] })
		if got := likes.dependence(nil, nil); got == 0 {
			t.Errorf("seed %d: there seems to be nothing to learn", seed)
		}
	}
}

// The biases of independent units, and the constant columns, by loops: with weights
// of any scale, and with missing values.
func TestColumns(t *testing.T) {
	const n, nv = 70, 9
	p := func(_, i int, _ *rand.Rand) float64 { return float64(i) / (nv - 1) } // the first column is 0, the last 1
	data, observed := drawnBits(n, nv, 1, p), drawnBits(n, nv, 2, func(_, i int, _ *rand.Rand) float64 { return map[bool]float64{true: 0, false: 0.7}[i == 4] })
	for _, scale := range []float64{0, 1e-310, 1, 4e307} {
		for _, missing := range []bool{false, true} {
			tr := NewTrainer(New(nv, 2), data, NewCD(1, rand.NewPCG(1, 1)), rand.NewPCG(2, 2))
			weight := func(r int) float64 { return 1 }
			if scale > 0 {
				tr.Weights = make([]float64, n)
				var sum, some float64
				for r := range n {
					sum += float64(r % 5)
					some += float64(min(1, r%5))
					tr.Weights[r] = scale * float64(r%5)
				}
				weight = func(r int) float64 { return float64(r%5) / (sum / some) }
			}
			if missing {
				tr.Observed = observed
			}
			c, err := readColumns(tr.Data, tr.Weights, tr.Observed, data, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, constant := c.biases, []int{0, nv - 1}
			for i := range nv {
				on, off := 0.5, 0.5
				for r := range n {
					switch {
					case missing && !observed.Bit(r, i):
					case data.Bit(r, i):
						on += weight(r)
					default:
						off += weight(r)
					}
				}
				if want := math.Log(on / off); !(math.Abs(got[i]-want) < 1e-4*map[bool]float64{true: 1, false: 1e-8}[scale == 1e-310]) {
					t.Errorf("scale %v, missing %v: bias %d is %v, want %v", scale, missing, i, got[i], want)
				}
			}
			if got := c.constant(); !slices.Equal(got, constant) {
				t.Errorf("scale %v, missing %v: constant columns are %v, want %v", scale, missing, got, constant)
			}
		}
	}
}

// Units of a group do not count as dependent on each other, and two groups that tell all
// of each other do, by as much as two units that do.
func TestDependenceOfGroups(t *testing.T) {
	const n, questions, answers = 2000, 5, 3
	rnd := rand.New(rand.NewPCG(1, 2))
	apart, alike := NewBits(n, questions*answers), NewBits(n, 2*answers)
	var groups []Group
	for q := range questions {
		groups = append(groups, Group{q * answers, (q + 1) * answers})
	}
	for r := range n {
		for q := range questions {
			apart.SetBit(r, q*answers+rnd.IntN(answers), true)
		}
		k := rnd.IntN(answers)
		alike.SetBit(r, k, true)
		alike.SetBit(r, answers+k, true)
	}
	if got := apart.dependence(groups, nil); got != 0 {
		t.Errorf("groups that are independent have dependence %v, want 0", got)
	}
	if got := apart.dependence(nil, nil); !(got > 1) {
		t.Errorf("without groups their units have dependence %v, want much", got)
	}
	// Σ r² is 9/2: 1 for the three pairs of the same answer, (½)² for the six others. They
	// count as four of nine, which makes 2: χ²/n of the table of answers.
	const want = answers - 1
	if got := alike.dependence(groups[:2], nil); !(math.Abs(got-want) < 0.05) {
		t.Errorf("groups that are the same have dependence %v, want about %v", got, want)
	}
}
