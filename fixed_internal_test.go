package rbm

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/stop"
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

// A draw that is decided in float64 has the temperature of its own row, in any part of a pass.
func TestFixedDrawsHaveTheirTemperature(t *testing.T) {
	const nv, nh, n, at = 64, 9, 1100, 600
	rnd := rand.New(rand.NewPCG(1, 2))
	m := New(nv, nh)
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, 3*rnd.NormFloat64())
		}
	}
	h := rnd.Uint64() & (1<<nh - 1)
	betas := []float64{0.25, 0.75}
	base := make([]float64, nv)
	var u [wordBits]uint32
	philox.Fill(&u, wordBits, NewChains(rand.NewPCG(5, 6)).seed, philox.Place{Row: at, Phase: drawVisible}, 0)
	for i := range nv {
		p := (float64(u[i]) + 0.5) / (1 << 32)
		x := 0.
		for j := range nh {
			x += m.W.At(j, i) * float64(h>>j&1)
		}
		base[i] = (math.Log(p/(1-p)) - betas[1]*x) / (1 - betas[1]) // the bit changes here
	}
	draw := func(rows int, numbers []int, heat *tempering) *Chains {
		c := NewChains(rand.NewPCG(5, 6))
		c.numbers = numbers
		c.h = *NewBits(rows, nh)
		for r := range rows {
			c.h.row(r)[0] = h
		}
		c.model.load(m, rows)
		defer c.model.done()
		c.visibleHalf(&c.model.team, &c.model, 0, rows, heat)
		return c
	}
	level := make([]int, n)
	for r := range level {
		level[r] = min(1, r/512) // a part has as many rows, or fewer
	}
	one := draw(1, []int{at}, &tempering{betas: betas[1:], base: base})
	many := draw(n, nil, &tempering{betas: betas, level: level, base: base})
	if got, want := many.v.row(at)[0], one.v.row(0)[0]; got != want {
		t.Errorf("row %d is %#x among many, %#x alone", at, got, want)
	}
	if opened, packed := Opened(many); !packed || opened < nv {
		t.Errorf("packed: %v, and %d draws were decided in float64, want at least %d", packed, opened, nv)
	}
}

// The largest slack of an input at a temperature is one that a rule can have.
func TestFixedSlackOfTemperedInputs(t *testing.T) {
	if slack := logistic.MaxSlack/4 + 0x1p-24*(96+4*maxBase); slack > logistic.MaxSlack {
		t.Errorf("slack is up to %v, want at most %v", slack, logistic.MaxSlack)
	}
	heat := tempering{betas: []float64{0.5}, base: make([]float64, 2*wordBits)}
	s := clamp{layer: &layer{units: 100}, heat: &heat}
	for _, a := range []float64{-maxBase, maxBase, math.Nextafter(maxBase, 2*maxBase), -2 * maxBase, math.Inf(1), math.NaN()} {
		heat.base[70] = a
		if got, want := s.takesFixed(1), math.Abs(a) <= maxBase; got != want || !s.takesFixed(0) {
			t.Errorf("base %v: takes inputs in fixed point: %v, want %v", a, got, want)
		}
	}
}

// Weights are not packed where a call has ended before they were.
func TestFixedPackingIsEnded(t *testing.T) {
	m := NewRandom(100, 70, 0.1, rand.NewPCG(1, 2))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var p model
	p.load(m, 100)
	defer p.done()
	p.team.Until = stop.On(ctx)
	if ended := p.team.Until.Catch(func() { p.hidden.pack(&p.team) }); !ended || p.hidden.isPacked {
		t.Errorf("ended: %v, packed: %v", ended, p.hidden.isPacked)
	}
	p.team.Until = nil
	if p.hidden.pack(&p.team); !p.hidden.isPacked {
		t.Error("not packed")
	}
}
