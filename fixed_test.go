package rbm_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// A call of one sweep of few chains takes its sums in float64 alone. It is the reference of
// calls of many sweeps, whose draws are decided in fixed point where that is certain.

// slowly moves chains by k sweeps, a call each.
func slowly(m *rbm.RBM, v *rbm.Bits, k int, move func(c *rbm.Chains)) *rbm.Chains {
	c := rbm.NewChains(newSource(9))
	c.Start(v)
	for range k {
		move(c)
	}
	return c
}

func sameChains(a, b *rbm.Chains) bool {
	x, _ := a.MarshalBinary()
	y, _ := b.MarshalBinary()
	return slices.Equal(x, y)
}

// fixedModels are models for draws in fixed point: ordinary, and such that put them to
// the test.
func fixedModels(nv, nh int) map[string]*rbm.RBM {
	inf := math.Inf(1)
	models := map[string]*rbm.RBM{}
	model := func(name string, f func(m *rbm.RBM, rnd *rand.Rand)) {
		m := randomModel(nv, nh, 0.3, 5)
		f(m, rand.New(rand.NewPCG(6, 7)))
		models[name] = m
	}
	each := func(m *rbm.RBM, f func(j, i int, w float64) float64) {
		for j := range nh {
			for i := range nv {
				m.W.Set(j, i, f(j, i, m.W.At(j, i)))
			}
		}
	}
	model("ordinary", func(*rbm.RBM, *rand.Rand) {})
	model("strong", func(m *rbm.RBM, _ *rand.Rand) { m.W.Scale(10, m.W) })
	model("zero", func(m *rbm.RBM, _ *rand.Rand) { m.W.Zero(); m.B.Zero(); m.C.Zero() })
	model("tiny", func(m *rbm.RBM, _ *rand.Rand) { m.W.Scale(1e-300, m.W); m.C.Zero() })
	model("1e6 and 1e-6", func(m *rbm.RBM, rnd *rand.Rand) {
		each(m, func(_, _ int, w float64) float64 { return w * []float64{1e6, 1e-6}[rnd.IntN(2)] })
	})
	model("a few of 1e6", func(m *rbm.RBM, rnd *rand.Rand) {
		each(m, func(j, i int, w float64) float64 {
			if j%9 == 0 && i%7 == 3 || i == 11 {
				return 1e6 * w
			}
			return 1e-3 * w
		})
	})
	model("canceling", func(m *rbm.RBM, rnd *rand.Rand) {
		each(m, func(j, i int, w float64) float64 { return w + 300*float64(1-2*((i+j)%2)) })
	})
	model("infinite biases", func(m *rbm.RBM, rnd *rand.Rand) {
		for i := range nv {
			m.B.SetVec(i, []float64{0, inf, -inf, 1}[rnd.IntN(4)])
		}
		for j := range nh {
			m.C.SetVec(j, []float64{0, inf, -inf, 1}[rnd.IntN(4)])
		}
	})
	model("infinite weights", func(m *rbm.RBM, rnd *rand.Rand) {
		m.W.Set(nh/2, nv/3, inf)
		m.W.Set(nh/3, nv/2, -inf)
		m.W.Set(nh/3, nv/3, inf)
		m.C.SetVec(nh/3, -inf)
	})
	model("NaN", func(m *rbm.RBM, rnd *rand.Rand) {
		m.W.Set(nh/2, nv/3, math.NaN())
		m.B.SetVec(nv/2, math.NaN())
		m.C.SetVec(0, math.NaN())
	})
	model("coarse", func(m *rbm.RBM, _ *rand.Rand) { // the inputs are as ever: the large weights are of units that are off
		for i := range nv {
			m.W.Set(0, i, 4000)
		}
		for j := range nh {
			m.W.Set(j, 0, -4000)
		}
		m.B.SetVec(0, -inf)
		m.C.SetVec(0, -inf)
	})
	model("huge", func(m *rbm.RBM, rnd *rand.Rand) { m.W.Scale(1e307, m.W) })
	return models
}

func TestFixedChains(t *testing.T) { cpu.Each(func(name string) { t.Run(name, testFixedChains) }) }

func testFixedChains(t *testing.T) {
	const n, k = 60, 5
	sizes := [][2]int{{64, 129}, {300, 3}, {100, 70}, {17, 300}}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, size := range sizes {
		nv, nh := size[0], size[1]
		for name, m := range fixedModels(nv, nh) {
			v := randomBits(n, nv, 0.4, 3)
			want := slowly(m, v, k, func(c *rbm.Chains) { c.Gibbs(m, 1) })
			got := slowly(m, v, 1, func(c *rbm.Chains) { c.Gibbs(m, k) })
			if !sameChains(got, want) {
				t.Errorf("%s %d×%d: other states than by one sweep a call", name, nh, nv)
			}
			if _, packed := rbm.Opened(want); packed {
				t.Errorf("%s: one sweep of %d chains is in fixed point", name, n)
			}
			if _, packed := rbm.Opened(got); !packed {
				t.Errorf("%s: %d sweeps are not in fixed point", name, k)
			}
			observed := randomBits(n, nv, 0.3, 4)
			want = slowly(m, v, k, func(c *rbm.Chains) { c.GibbsGiven(m, 1, observed) })
			got = slowly(m, v, 1, func(c *rbm.Chains) { c.GibbsGiven(m, k, observed) })
			if !sameChains(got, want) {
				t.Errorf("%s %d×%d: other states with observed units", name, nh, nv)
			}
			var means *mat.Dense
			wantMeans := mat.NewDense(n, nv, nil)
			want = slowly(m, v, k, func(c *rbm.Chains) {
				means = c.MeansGiven(means, m, 1, observed)
				wantMeans.Add(wantMeans, means)
			})
			got = slowly(m, v, 1, func(c *rbm.Chains) { c.MeansGiven(means, m, k, observed) })
			means.Scale(k, means)
			if !sameChains(got, want) || name != "NaN" && !mat.EqualApprox(means, wantMeans, 1e-12) {
				t.Errorf("%s %d×%d: other states or means", name, nh, nv)
			}
			grouped := m.Clone()
			grouped.OneHot = []rbm.Group{{From: 2, To: 5}, {From: 9, To: 12}}
			want = slowly(m, oneOfEach(v, grouped.OneHot), k, func(c *rbm.Chains) { c.Gibbs(grouped, 1) })
			got = slowly(m, oneOfEach(v, grouped.OneHot), 1, func(c *rbm.Chains) { c.Gibbs(grouped, k) })
			if !sameChains(got, want) {
				t.Errorf("%s %d×%d: other states with groups", name, nh, nv)
			}
		}
	}
}

// A call sees what has become of a model since the last one.
func TestFixedChainsSeeChanges(t *testing.T) {
	const nv, nh, n, k = 70, 100, 50, 5
	v := randomBits(n, nv, 0.4, 3)
	move := func(calls, k int) *rbm.Chains {
		m := randomModel(nv, nh, 0.5, 1)
		c := rbm.NewChains(newSource(9))
		c.Start(v)
		for i := range 3 {
			for range calls {
				c.Gibbs(m, k)
			}
			m.W.Set(i, i, 3)
			m.B.SetVec(20+i, -3)
			m.C.SetVec(30+i, -3)
		}
		return c
	}
	if !sameChains(move(1, k), move(k, 1)) {
		t.Error("other states than by one sweep a call")
	}
}

// oneOfEach returns v with the first unit of each group on and the others off.
func oneOfEach(v *rbm.Bits, groups []rbm.Group) *rbm.Bits {
	n, nv := v.Dims()
	rows := make([]int, n)
	for r := range rows {
		rows[r] = r
	}
	w := v.Gather(rbm.NewBits(n, nv), rows)
	for r := range n {
		for _, g := range groups {
			for i := g.From; i < g.To; i++ {
				w.SetBit(r, i, i == g.From)
			}
		}
	}
	return w
}

// Samplers draw the same by many sweeps a call, in fixed point, as by one, in float64.
func TestFixedSamplers(t *testing.T) { cpu.Each(func(name string) { t.Run(name, testFixedSamplers) }) }

func testFixedSamplers(t *testing.T) {
	const nv, nh, n, k = 100, 70, 20, 30
	data := randomBits(n, nv, 0.4, 3)
	for name, m := range fixedModels(nv, nh) {
		if testing.Short() && !slices.Contains([]string{"ordinary", "canceling", "NaN", "coarse"}, name) {
			continue // TestFixedChains has them all
		}
		base := mat.NewVecDense(nv, nil)
		for i := range nv {
			base.SetVec(i, 4*float64(i%7)-12)
		}
		for _, s := range []struct {
			name string
			make func(k int) rbm.Sampler
		}{
			{"PCD", func(k int) rbm.Sampler { return rbm.NewPCD(n, k, newSource(1)) }},
			{"PT", func(k int) rbm.Sampler {
				s := rbm.NewPT(4, k, 5, newSource(2))
				s.Base = base
				return s
			}},
			{"PTT", func(k int) rbm.Sampler {
				s := rbm.NewPTT(n, k, []*rbm.RBM{randomModel(nv, 7, 0.1, 1), m}, newSource(3))
				s.MinSwapRate = 0
				return s
			}},
		} {
			one, many := s.make(1), s.make(k)
			var want mat.Matrix
			for range k {
				want, _ = one.Sample(m, data)
			}
			if got, _ := many.Sample(m, data); !mat.Equal(got, want) {
				t.Errorf("%s of %s: %d sweeps a call draw other states than one", s.name, name, k)
			}
			if one, ok := one.(*rbm.PT); ok { // whose other temperatures count, too
				if one.K = k; !bytes.Equal(saved(t, one), saved(t, many.(*rbm.PT))) {
					t.Errorf("PT of %s: %d sweeps a call draw other replicas than one", name, k)
				}
			}
		}
		c := slowly(m, data, k, func(c *rbm.Chains) { c.Gibbs(m, 1) })
		if v, _ := rbm.NewCD(k, newSource(9)).Sample(m, data); !mat.Equal(v, c.Visible()) {
			t.Errorf("CD of %s: other states than one sweep a call", name)
		}
	}
}

// A single run of AIS is in float64, and a run among many takes the same way.
func TestFixedAIS(t *testing.T) {
	const nv, nh, steps = 100, 70, 60
	for name, m := range fixedModels(nv, nh) {
		for _, base := range []float64{0.5, 1e4} {
			run := func(runs int) []float64 {
				a := rbm.NewAIS(runs, steps, newSource(1))
				a.Base = mat.NewVecDense(nv, nil)
				a.Base.SetVec(3, base)
				e, err := a.Run(context.Background(), m)
				if err != nil {
					t.Fatal(err)
				}
				return e.LogWeights
			}
			if got, want := run(30)[0], run(1)[0]; math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("%s: a log weight is %v among many, %v alone", name, got, want)
			}
		}
	}
}

// Every hidden unit has its random number where its bit changes, to a few units in the last
// place of its bias, or to a part of the error in fixed point: no sum in fixed point can
// decide one of them. All weights are rounded the same way, by half a unit.
func TestFixedDrawsAtTheBound(t *testing.T) {
	const nv, nh, n, seed = 90, 200, 200, 5
	m := randomModel(nv, nh, 8, 1)
	const unit = 0x1p-20
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, math.Round(m.W.At(j, i)*0x1p16)*0x1p-16+float64(1-2*(j%2))*0.49*unit)
		}
	}
	row := randomBits(1, nv, 0.5, 2)
	v := row.Gather(rbm.NewBits(n, nv), make([]int, n))
	chains := func(v *rbm.Bits) *rbm.Chains {
		c := rbm.NewChains(newSource(seed))
		c.Start(v)
		return c
	}
	key := newSource(seed).Uint64()
	rnd := rand.New(rand.NewPCG(3, 4))
	for k := range 20 {
		m.C.Zero()
		for j := range nh {
			var u [64]uint32
			philox.Fill(&u, 64, key, philox.Place{Sweep: 1}, j/64)
			p := (float64(u[j%64]) + 0.5) / (1 << 32)
			x := 0.
			for i := range nv {
				x += m.W.At(j, i) * row.At(0, i)
			}
			c := math.Log(p/(1-p)) - x
			if k%2 == 0 {
				c += float64(rnd.IntN(9)-4) * (math.Nextafter(c, 100) - c)
			} else { // the other way than the error
				c -= rnd.Float64() * nv / 4 * unit * float64(1-2*(j%2))
			}
			m.C.SetVec(j, c)
		}
		one, many := chains(row), chains(v)
		one.Gibbs(m, 1)
		many.Gibbs(m, 1)
		for i := range nv {
			if one.Visible().Bit(0, i) != many.Visible().Bit(0, i) {
				t.Fatalf("visible unit %d of a chain is another among many", i)
			}
		}
		if opened, packed := rbm.Opened(many); !packed || opened < nh/2 {
			t.Errorf("%d draws were decided in float64, want at least half of the %d of the first row", opened, nh)
		}
	}
}

// testDraws compares so many draws.
func testDraws(t *testing.T, draws int) {
	const nv, nh, n = 784, 500, 100
	m := rbm.NewRandom(nv, nh, 0.1, newSource(1))
	v := randomBits(n, nv, 0.2, 2)
	one, many := rbm.NewChains(newSource(3)), rbm.NewChains(newSource(3))
	one.Start(v)
	many.Start(v)
	const k = 20
	for range max(1, draws/(n*(nv+nh)*k)) {
		for range k {
			one.Gibbs(m, 1)
		}
		many.Gibbs(m, k)
		if !sameChains(one, many) {
			t.Fatal("other states than by one sweep a call")
		}
	}
	opened, _ := rbm.Opened(many)
	if share := float64(opened) / float64(draws); share == 0 || share > 1e-4 {
		t.Errorf("%d of %d draws were decided in float64, want some, at most one of 10,000", opened, draws)
	}
	t.Logf("%d of %d draws were decided in float64", opened, draws)
}

func TestFixedDraws(t *testing.T) { testDraws(t, 5_000_000) }

// Rows of numbers are never taken as the bits that are not 0, however many rows there are.
func TestFixedDrawsOfNumbers(t *testing.T) {
	const nv, nh, n, few = 100, 70, 200, 20
	m := randomModel(nv, nh, 0.3, 1)
	data := gray(randomBits(n, nv, 0.4, 2), 3)
	many, _ := rbm.NewCD(1, newSource(1)).Sample(m, data)
	alone, _ := rbm.NewCD(1, newSource(1)).Sample(m, data.Slice(0, few, 0, nv))
	if !mat.Equal(many.(*rbm.Bits).Slice(0, few), alone) {
		t.Errorf("the first %d of %d rows lead to other states than alone", few, n)
	}
}
