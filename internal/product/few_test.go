package product

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/stop"
)

// few returns the rows of o as a Few, of bits or of weights.
func (o operands) few(bits bool) *Few {
	f := new(Few)
	f.Add([]uint64{0xbad}, nil) // from an earlier use
	f.Reset(len(o.v), len(o.f))
	b := o.bits()
	for r, row := range o.v {
		var weights []float64
		if !bits {
			weights = row
		}
		f.Add(b.Words[r*b.Stride:][:b.words()], weights)
	}
	return f
}

func TestFew(t *testing.T) { each(t, testFew) }

func testFew(t *testing.T) {
	rnd := rand.New(rand.NewPCG(20, 20))
	for _, n := range []int{1, FewRows} {
		for _, k := range []int{1, 3, 4, 5, 64, 131} {
			for _, m := range []int{1, 3, 8, 13, 64} {
				for _, density := range []float64{0, 0.2, 1} {
					for _, bits := range []bool{true, false} {
						o := newOperands(rnd, n, k, m, density)
						for _, row := range o.v {
							for i := range row {
								if !bits {
									row[i] *= 1 - rnd.Float64()
								}
							}
						}
						title := fmt.Sprintf("n=%d/k=%d/m=%d/density=%v/bits=%v", n, k, m, density, bits)
						o.checkFew(t, title, bits)
						for range 2 {
							o.f[rnd.IntN(k)][rnd.IntN(m)] = math.Inf(1)
							o.f[rnd.IntN(k)][rnd.IntN(m)] = math.Copysign(0, -1)
							o.f[rnd.IntN(k)][rnd.IntN(m)] = math.NaN()
						}
						o.checkFew(t, title+"/NaN", bits)
					}
				}
			}
		}
	}
}

func (o operands) checkFew(t *testing.T, title string, bits bool) {
	t.Helper()
	n, k, m := len(o.v), len(o.f), len(o.f[0])
	for _, gap := range []int{0, 5} {
		data := flat(transposed(o.f), k+gap)
		for j := range m {
			for i := range gap {
				data[j*(k+gap)+k+i] = math.NaN() // beside the matrix
			}
		}
		var p Panels
		p.ViewT(k, m, k+gap, data[:(m-1)*(k+gap)+k])
		x := guardedLines(p.Count() * n)
		for q := range p.Count() {
			for r := range n {
				x[q*n+r] = Line{}
				copy(x[q*n+r][:], o.init[r][q*Lanes:])
			}
		}
		f := o.few(bits)
		half := p.Count() / 2
		nan := f.Mul(x[:half*n], &p, 0, half) | f.Mul(x[half*n:], &p, half, p.Count())<<(half*Lanes)
		checkGuards(t, x)
		for j := range m {
			want := false
			for _, row := range o.f {
				want = want || math.IsNaN(row[j])
			}
			if got := nan>>j&1 == 1; got != want {
				t.Errorf("%s: column %d has NaN: %v, want %v", title, j, got, want)
			}
		}
		for r := range n {
			for j, want := range definition(o.init[r], o.v[r], o.f) {
				got := x[j/Lanes*n+r][j%Lanes]
				if math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
					t.Fatalf("%s: result[%d, %d] = %v, want %v", title, r, j, got, want)
				}
			}
		}
	}
}

// The signal ends Mul, and after Reset no row allocates.
func TestFewEnds(t *testing.T) {
	o := newOperands(rand.New(rand.NewPCG(31, 31)), FewRows, 67, 16, 1)
	f := o.few(true)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Until = stop.On(ctx)
	var p Panels
	p.ViewT(67, 16, 67, flat(transposed(o.f), 67))
	x := Lines(2 * FewRows)
	f.Mul(x, &p, 0, 2)
	for _, line := range x {
		if line != (Line{}) {
			t.Fatal("Mul works on after its signal")
		}
	}
	var g Few
	g.Reset(FewRows, 67)
	if got := testing.AllocsPerRun(5, func() {
		g.Reset(FewRows, 67)
		for range FewRows {
			g.Add([]uint64{math.MaxUint64, 7}, nil)
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
