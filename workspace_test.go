package rbm_test

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Calls at the same time, of any sizes, have nothing to do with each other; nor has a
// call with one before that panicked.
func TestCallsHandOnMemory(t *testing.T) {
	call := func(m *rbm.RBM, v, h mat.Matrix) [][]float64 {
		return [][]float64{m.FreeEnergy(nil, v), m.HiddenProbs(nil, v).RawMatrix().Data, m.VisibleProbs(nil, h).RawMatrix().Data, m.Energy(nil, v, h)}
	}
	var wait sync.WaitGroup
	for k := range 6 {
		nv, nh, n := 9+80*k, 7+60*k, []int{1, 3, 40, 700}[k%4]
		m, v, h := randomModel(nv, nh, 0.3, uint64(k)), randomReals(n, nv, 1), randomBits(n, nh, 0.5, 2)
		want := call(m, v, h)
		bad := mat.DenseCopyOf(v)
		bad.Set(n-1, nv/2, 2)
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 10 {
				func() {
					defer func() {
						if recover() == nil {
							t.Error("no panic of a value of 2")
						}
					}()
					m.FreeEnergy(nil, bad)
				}()
				for i, got := range call(m, v, h) {
					checkSame(t, fmt.Sprintf("nv=%d, nh=%d, n=%d: call %d", nv, nh, n, i), got, want[i])
				}
			}
		}()
	}
	wait.Wait()
}

// Of several values that are out of range the first is named, wherever it is.
func TestFirstBadValue(t *testing.T) {
	const n, nv, nh = 700, 784, 33
	m := randomModel(nv, nh, 0.3, 1)
	for _, tt := range []struct {
		name string
		v    mat.Matrix
	}{{"bits", randomBits(n, nv, 0.5, 2)}, {"reals", randomReals(n, nv, 2)}} {
		for _, r := range []int{0, 1, 17, 40, 511, 600} {
			v := mat.DenseCopyOf(tt.v)
			for k := r; k < n; k += 7 {
				v.Set(k, 780-k, math.NaN())
			}
			v.Set(r, 5, -0.5)
			want := fmt.Sprintf("rbm: v[%d, 5] is -0.5, want a value in [0, 1]", r)
			for range 3 {
				got := func() (r any) {
					defer func() { r = recover() }()
					m.HiddenProbs(nil, v)
					return nil
				}()
				if got != want {
					t.Errorf("%s: %v, want %s", tt.name, got, want)
				}
			}
		}
	}
}
