package rbm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// Between two temperatures, every visible unit has its random number where its bit changes,
// and inputs that nearly cancel.
func TestFixedDrawsOfTemperedInputs(t *testing.T) {
	cpu.Each(func(name string) { t.Run(name, testFixedDrawsOfTemperedInputs) })
}

func testFixedDrawsOfTemperedInputs(t *testing.T) {
	const nv, nh, n = 100, 9, 200
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		m := New(nv, nh)
		for j := range nh {
			for i := range nv {
				m.W.Set(j, i, 300*rnd.NormFloat64())
			}
		}
		h := rnd.Uint64() & (1<<nh - 1)
		beta := rnd.Float64()
		heat := tempering{betas: []float64{beta}, base: make([]float64, (nv+wordBits-1)/wordBits*wordBits)}
		draw := func(rows int) *Chains {
			c := NewChains(rand.NewPCG(5, 6))
			c.h = *NewBits(rows, nh)
			for r := range rows {
				c.h.row(r)[0] = h
			}
			c.model.load(m, rows)
			defer c.model.done()
			c.visibleHalf(&c.model.team, &c.model, 0, rows, &heat)
			return c
		}
		key := NewChains(rand.NewPCG(5, 6)).seed
		for i := range nv {
			var u [wordBits]uint32
			philox.Fill(&u, wordBits, key, philox.Place{Phase: drawVisible}, i/wordBits)
			p := (float64(u[i%wordBits]) + 0.5) / (1 << 32)
			x := 0.
			for j := range nh {
				x += m.W.At(j, i) * float64(h>>j&1)
			}
			heat.base[i] = (math.Log(p/(1-p)) - beta*x) / (1 - beta)
			if math.Abs(heat.base[i]) > maxBase {
				heat.base[i] = 1
			}
			heat.base[i] += (rnd.Float64() - 0.5) * 3e-5 // of the error in float32
		}
		one, many := draw(1), draw(n)
		if !mat.Equal(one.v.Slice(0, 1), many.v.Slice(0, 1)) {
			t.Fatal("the first of many rows has other units than alone")
		}
		if opened, packed := Opened(many); !packed || opened == 0 {
			t.Errorf("packed: %v, and %d draws were decided in float64", packed, opened)
		}
	}
}

// What is packed takes no more memory than half a gigabyte, and products of sizes do not
// overflow.
func TestCanPack(t *testing.T) {
	for _, tt := range []struct {
		units, from int
		want        bool
	}{
		{1, 1, true}, {784, 500, true}, {1 << 25, 1, true}, {1, 1 << 25, true}, {1<<25 + 1, 1, false}, {1, 1<<25 + 1, false},
		{1 << 12, 1 << 13, true}, {1<<12 + 1, 1 << 13, false}, {1 << 30, 1 << 30, false}, {math.MaxInt, 3, false},
	} {
		l := layer{units: tt.units}
		l.w.ViewT(tt.from, tt.units, tt.from, nil)
		if got := l.canPack(); got != tt.want {
			t.Errorf("%d units from %d: %v, want %v", tt.units, tt.from, got, tt.want)
		}
	}
}
