//go:build !race

package rbm_test

import (
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// With the race detector, a sync.Pool drops some of what it is given.
func TestPreparedAllocatesNothing(t *testing.T) {
	const nv, nh = 100, 77
	plain, grouped := randomModel(nv, nh, 0.1, 1), randomModel(nv, nh, 0.1, 1)
	grouped.OneHot = []rbm.Group{{From: 3, To: 20}, {From: 60, To: 70}, {From: 90, To: 100}}
	large := randomModel(nv, nh, 0.1, 1)
	large.W.Set(5, 5, 1e4)
	for name, m := range map[string]*rbm.RBM{"plain": plain, "groups": grouped, "large weights": large} {
		for _, n := range []int{1, 2, 20} {
			v, x := rbm.NewBits(n, nv), rbm.NewBits(n, nv-10)
			for r := range n {
				for _, i := range []int{1, 4, 61} {
					v.SetBit(r, i, true)
					x.SetBit(r, i, true)
				}
				v.SetBit(r, 95, true)
			}
			p := m.Prepare()
			f, h, u, l := make([]float64, n), new(mat.Dense), new(mat.Dense), new(mat.Dense)
			for of, step := range map[string]func(){
				"FreeEnergy":  func() { p.FreeEnergy(f, v) },
				"HiddenProbs": func() { p.HiddenProbs(h, v) },
				"UnitProbs":   func() { p.UnitProbs(u, v) },
				"LogProbs":    func() { p.LogProbs(l, x, 10) },
			} {
				step()
				if got := testing.AllocsPerRun(20, step); got != 0 {
					t.Errorf("%s, n=%d: %s allocates %v times", name, n, of, got)
				}
			}
		}
	}
}
