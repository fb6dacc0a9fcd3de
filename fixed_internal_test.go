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

// Of rows with no more than a few ones, too, no sum in fixed point decides what is within its
// error: each weight that is on, and the bias, is off by up to half of a unit as large as may
// be. A weight of a unit that is off makes it so.
func TestFixedDrawsOfFewOnes(t *testing.T) {
	cpu.Each(func(name string) { t.Run(name, testFixedDrawsOfFewOnes) })
}

func testFixedDrawsOfFewOnes(t *testing.T) {
	const nv, nh, n = 70, 200, 200
	rnd := rand.New(rand.NewPCG(1, 2))
	key := NewChains(rand.NewPCG(5, 6)).seed
	for k := range 4 {
		unit := []float64{0x1p-10, 0x1p-11, 0x1p-11, 0x1p-12}[k]
		for range 20 {
			m := New(nv, nh)
			for j := range nh {
				side := float64(1 - 2*(j%2)) // of the error
				x := 0.
				for i := range k {
					w := unit * (float64(rnd.IntN(1000)-500) + side*0.49)
					m.W.Set(j, i, w)
					x += w
				}
				m.W.Set(j, nv-1, 0x1p29*unit)
				var u [wordBits]uint32
				philox.Fill(&u, wordBits, key, philox.Place{Phase: drawHidden}, j/wordBits)
				p := (float64(u[j%wordBits]) + 0.5) / (1 << 32)
				// The sum in fixed point lies on the other side of where the bit changes.
				c := math.Log(p/(1-p)) - x + side*unit*rnd.Float64()*float64(k+1)/2
				if k == 0 {
					c = math.Log(p/(1-p)) + (rnd.Float64()-0.5)*unit
				}
				m.C.SetVec(j, c)
			}
			draw := func(rows int) *Chains {
				c := NewChains(rand.NewPCG(5, 6))
				c.v = *NewBits(rows, nv)
				for r := range rows {
					c.v.row(r)[0] = 1<<k - 1
				}
				c.model.load(m, rows)
				defer c.model.done()
				c.hiddenHalf(&c.model.team, &c.model, 0, rows, nil)
				return c
			}
			one, many := draw(1), draw(n)
			if !mat.Equal(one.h.Slice(0, 1), many.h.Slice(0, 1)) {
				t.Fatalf("%d ones: the first of many rows has other units than alone", k)
			}
			if opened, packed := Opened(many); !packed || opened == 0 || many.pass.scratch[0].fixed.slack[0] < 0x1p-12 {
				t.Fatalf("%d ones: packed: %v, %d draws were decided in float64, slack %v", k, packed, opened, many.pass.scratch[0].fixed.slack[0])
			}
		}
	}
}
