package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/mat"
)

// The gradient of a Classifier in single precision is near the one in double precision, and has
// the same bits on any processors. The samplers draw the same.
func TestClassifierSingle(t *testing.T) {
	goroutines := []int{1, 3}
	if testing.Short() {
		goroutines = goroutines[1:]
	}
	for _, size := range []struct{ nx, nh, classes int }{{70, 45, 3}, {30, 129, 10}, {61, 16, 2}} {
		for name, std := range map[string]float64{"doubtful": 0.3, "certain": 3} {
			c := randomClassifier(size.nx, size.nh, size.classes, std, 1)
			for _, n := range []int{1, 7, 150, 6000} {
				x := randomBits(n, size.nx, 0.4, uint64(n))
				for _, of := range []struct{ d, g, u float64 }{{1, 0, 0}, {1, 0.01, 0}, {1, 0.25, 0.25}, {0, 0, 1}, {0, 1, 0.5}, {0, 1, 0}} {
					if n == 6000 && (size.nh != 45 || of.u != 0.25 || testing.Short() && name == "certain") {
						continue // several flushes take a while
					}
					every := 0
					if of.u > 0 {
						every = 3
					}
					labels := cycle(n, size.classes, every)
					if n == 1 && of.d+of.g == 0 {
						labels[0] = rbm.NoLabel
					}
					c := weighted(c, of.d, of.g, of.u)
					for _, weights := range [][]float64{nil, someZero(n, 4, 6)} {
						if weights != nil && n < 150 {
							continue
						}
						where := fmt.Sprintf("%v, %s, %d rows, %v, weights %t", size, name, n, of, weights != nil)
						double := rbm.Gradient{}
						one := rbm.NewCD(1, newSource(1))
						c.WeightedGradient(&double, x, labels, weights, one)
						want := gradientValues(&double)
						center := rbm.Centering{}
						center.Center(&double)
						means := slices.Concat(center.V, center.H)
						var first []float64
						for _, procs := range goroutines {
							cpu.Each(func(isa string) {
								setProcs(t, procs)
								single := rbm.Gradient{Single: true}
								two := rbm.NewCD(1, newSource(1))
								c.WeightedGradient(&single, x, labels, weights, two)
								if !sameChains(chainsOf(one), chainsOf(two)) {
									t.Fatalf("%s: other states", where)
								}
								got := gradientValues(&single)
								worst := 0.
								for i, x := range got {
									worst = max(worst, math.Abs(x-want[i]))
								}
								if !(worst <= 2e-6) || worst == 0 {
									t.Errorf("%s, %s: error %.2g, want one up to 2e-6, and not 0 as in double precision", where, isa, worst)
								}
								var center rbm.Centering
								center.Center(&single)
								checkAllNear(t, where+": means", slices.Concat(center.V, center.H), means, 2e-6)
								if first == nil {
									first = got
								}
								checkSame(t, where+" "+isa, got, first)
							})
						}
					}
				}
			}
		}
	}
}

// Where a sum might be too large for an integer, and of numbers between 0 and 1, the precision
// is double.
func TestClassifierNotSingle(t *testing.T) {
	const nx, nh, classes = 40, 21, 3
	c := randomClassifier(nx, nh, classes, 0.5, 1)
	bits := randomBits(60, nx, 0.4, 1)
	for _, of := range []struct {
		d, g, u float64
		x       mat.Matrix
	}{{1.6, 0, 0, bits}, {1, 0.5, 0.25, bits}, {1e10, 0, 0, bits}, {0.5, 0, 1.25, bits}, {1, 0, 0, gray(bits, 3)}} {
		c := weighted(c, of.d, of.g, of.u)
		double, single := rbm.Gradient{}, rbm.Gradient{Single: true}
		for _, g := range []*rbm.Gradient{&double, &single} {
			c.Gradient(g, of.x, cycle(60, classes, 4), rbm.NewCD(1, newSource(1)))
		}
		checkSame(t, fmt.Sprint(of.d, of.g, of.u), gradientValues(&single), gradientValues(&double))
	}
}

// The sums that come nearest to the ends of the range: all rows say the same, and all of it.
func TestClassifierSingleOfLargestSums(t *testing.T) {
	const nx, nh, classes, n = 9, 20, 2, 130
	c := randomClassifier(nx, nh, classes, 0, 1)
	for j := range nh {
		c.Model.C.SetVec(j, 50) // ĥ is 1, whatever the inputs
		c.Model.W.Set(j, nx, 0.9)
	}
	x, labels := rbm.NewBits(n, nx), make([]int, n)
	for r := range n {
		labels[r] = 1 // next to impossible
		for i := range nx {
			x.SetBit(r, i, true)
		}
	}
	for _, of := range []struct{ d, g float64 }{{1.5, 0}, {0.1, 1.4}} {
		double, single := rbm.Gradient{}, rbm.Gradient{Single: true}
		for _, g := range []*rbm.Gradient{&double, &single} {
			weighted(c, of.d, of.g, 0).Gradient(g, x, labels, rbm.NewCD(1, newSource(1)))
		}
		checkAllNear(t, fmt.Sprint(of), gradientValues(&single), gradientValues(&double), 2e-6)
	}
}
