package logistic

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/gorbm/rbm/internal/twin"
)

// exp32 is within 4ε, ε = 2⁻²⁴, of eˣ, in steps small enough to meet every k and the ends of
// every r.
func TestExp32(t *testing.T) {
	worst := 0.
	for i := -24 << 14; i <= 24<<14; i++ {
		x := float32(i) / (1 << 14)
		if e := math.Abs(float64(exp32(x))/math.Exp(float64(x)) - 1); e > worst {
			worst = e
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1 << 20 {
		x := float32(rng.Float64()*48 - 24)
		if e := math.Abs(float64(exp32(x))/math.Exp(float64(x)) - 1); e > worst {
			worst = e
		}
	}
	if worst > 4*0x1p-24 {
		t.Errorf("error %.2f·2⁻²⁴, want at most 4", worst/0x1p-24)
	}
	for _, x := range []float32{25, 1e9, float32(math.Inf(1))} {
		if exp32(x) != exp32(24) || exp32(-x) != exp32(-24) {
			t.Errorf("exp32(±%v) = %v, %v, want %v, %v", x, exp32(x), exp32(-x), exp32(24), exp32(-24))
		}
	}
}

// randomWord returns a rule for inputs of up to about ±size, and the inputs.
func randomWord(rng *rand.Rand, size float64) (r *Rule, in FixedInputs) {
	r = new(Rule)
	const stride = 3
	in = FixedInputs{X: make([][16]int32, 3*stride+1), Stride: stride}
	for i := range 64 {
		unit := math.Ldexp(1, -8-rng.IntN(24))
		r.Scale[i] = float32(unit)
		in.X[i/16*stride][i%16] = int32(max(-1<<30, min(1<<30, size*rng.NormFloat64()/unit)))
		if rng.IntN(2) == 0 {
			r.Shift[i] = float32(rng.NormFloat64())
		}
		r.Certain(i, math.Ldexp(rng.Float64(), -8-rng.IntN(4)*rng.IntN(5)))
	}
	return r, in
}

// The kernels draw as drawFixedGo does, and have its doubts.
func TestDrawFixedKernels(t *testing.T) { each(t, testDrawFixedKernels) }

func testDrawFixedKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	opened := 0
	blank := [16]int32{7, 7, 7}
	for k := range 5000 {
		r, in := randomWord(rng, []float64{0.1, 3, 30, 1e4}[k%4])
		for i := range 64 {
			if rng.IntN(3) == 0 {
				r.Certain(i, 0x1p-8)
			}
		}
		var u [64]uint32
		for i := range u {
			u[i] = rng.Uint32() >> (rng.IntN(2) * rng.IntN(32))
		}
		word, open := r.Draw(in, &u)
		if wantWord, wantOpen := r.drawFixedGo(in, &u); word != wantWord || open != wantOpen {
			t.Fatalf("Draw = %x, %x, want %x, %x", word, open, wantWord, wantOpen)
		}
		if open != 0 {
			opened++
		}
		// The lines of probabilities lie between lines that stay as they are.
		scale := float32(math.Ldexp(rng.Float64()*2-1, rng.IntN(31)))
		var p, q [3]FixedInputs
		for i := range p {
			p[i] = FixedInputs{X: make([][16]int32, 8), Stride: 2}
			for l := range p[i].X {
				p[i].X[l] = blank
			}
			q[i] = FixedInputs{X: p[i].X[:7], Stride: 2}
		}
		r.probsFixedGo(q[0], scale, in)
		r.Probs(q[1], scale, in)
		w, o := r.DrawProbs(q[2], scale, in, &u)
		if w != word || o != open {
			t.Fatalf("DrawProbs = %x, %x, want %x, %x", w, o, word, open)
		}
		for l := range p[0].X {
			if p[1].X[l] != p[0].X[l] || p[2].X[l] != p[0].X[l] || l%2 == 1 && p[0].X[l] != blank {
				t.Fatalf("line %d: Probs %v and with draws %v, want %v", l, p[1].X[l], p[2].X[l], p[0].X[l])
			}
		}
	}
	if opened < 100 {
		t.Errorf("%d words have open bits, too few for a test", opened)
	}
}

// The kernels draw as drawFixedGo does at the ends of all ranges, too: the largest and smallest
// inputs and random numbers, units that are never or always on, and large shifts.
func TestDrawFixedEnds(t *testing.T) { each(t, testDrawFixedEnds) }

func testDrawFixedEnds(t *testing.T) {
	const never = 32 << 25
	inputs := []int32{math.MinInt32, math.MinInt32 + 1, -never, -1, 0, 1, never, math.MaxInt32 - 1, math.MaxInt32}
	numbers := []uint32{0, 1, 2, 3, 1<<31 - 1, 1 << 31, 1<<31 + 1, math.MaxUint32 - 1, math.MaxUint32}
	inf := float32(math.Inf(1))
	shifts := []float32{0, float32(math.Copysign(0, -1)), 24, -24, math.Nextafter32(24, 25), -25, 1e6, -1e6, math.MaxFloat32, inf, -inf}
	scales := []float32{0, 0x1p-40, 0x1p-31, 0x1p-25, 0x1p-3, 1, 0x1p90}
	rng := rand.New(rand.NewPCG(7, 8))
	for stride := 1; stride <= 5; stride++ {
		for k := range 500 {
			r := new(Rule)
			in := FixedInputs{X: make([][16]int32, 3*stride+1), Stride: stride}
			var u [64]uint32
			for i := range 64 {
				at := k + i
				in.X[i/16*stride][i%16] = inputs[at%len(inputs)]
				u[i] = numbers[rng.IntN(len(numbers))]
				r.Scale[i], r.Shift[i] = scales[rng.IntN(len(scales))], shifts[rng.IntN(len(shifts))]
				r.Certain(i, []float64{0, 0x1p-20, MaxSlack}[rng.IntN(3)])
			}
			word, open := r.Draw(in, &u)
			if wantWord, wantOpen := r.drawFixedGo(in, &u); word != wantWord || open != wantOpen {
				t.Fatalf("stride %d: Draw = %x, %x, want %x, %x", stride, word, open, wantWord, wantOpen)
			}
			if word&open != 0 {
				t.Fatalf("stride %d: units %x are both on and open", stride, word&open)
			}
		}
	}
}

// Each unit is drawn from its own input, random number, scale, shift and bounds.
func TestDrawFixedUnits(t *testing.T) {
	each(t, func(t *testing.T) {
		const stride = 2
		for i := range 64 {
			for _, tt := range []struct {
				name string
				set  func(r *Rule, in FixedInputs, u *[64]uint32)
			}{
				{"input", func(_ *Rule, in FixedInputs, _ *[64]uint32) { in.X[i/16*stride][i%16] = 20 }},
				{"random number", func(_ *Rule, _ FixedInputs, u *[64]uint32) { u[i] = 0 }},
				{"scale", func(r *Rule, _ FixedInputs, _ *[64]uint32) { r.Scale[i] = -1 }},
				{"shift", func(r *Rule, _ FixedInputs, _ *[64]uint32) { r.Shift[i] = 20 }},
				{"bound below", func(r *Rule, _ FixedInputs, _ *[64]uint32) { r.below[i] = float32(math.Inf(1)) }},
			} {
				r, in := new(Rule), FixedInputs{X: make([][16]int32, 3*stride+1), Stride: stride}
				var u [64]uint32
				for j := range 64 { // no unit is on: σ(-2) < ½
					in.X[j/16*stride][j%16], u[j], r.Scale[j] = -2, 1<<31, 1
					r.Certain(j, 0)
				}
				tt.set(r, in, &u)
				if word, open := r.Draw(in, &u); word != 1<<i || open != 0 {
					t.Errorf("%s of unit %d: Draw = %x, %x, want %x, 0", tt.name, i, word, open, uint64(1)<<i)
				}
				tt.set = func(r *Rule, _ FixedInputs, _ *[64]uint32) { r.above[i] = float32(math.Inf(1)) }
				r, in = new(Rule), FixedInputs{X: make([][16]int32, 3*stride+1), Stride: stride}
				for j := range 64 {
					in.X[j/16*stride][j%16], u[j], r.Scale[j] = -2, 1<<31, 1
					r.Certain(j, 0)
				}
				tt.set(r, in, &u)
				if word, open := r.Draw(in, &u); word != 0 || open != 1<<i {
					t.Errorf("bound above of unit %d: Draw = %x, %x, want 0, %x", i, word, open, uint64(1)<<i)
				}
			}
		}
	})
}

// The layout of a Rule for which the assembly is generated.
func TestRuleLayout(t *testing.T) {
	const size = 64 * unsafe.Sizeof(float32(0))
	for i, got := range []uintptr{unsafe.Offsetof(Rule{}.Scale), unsafe.Offsetof(Rule{}.Shift), unsafe.Offsetof(Rule{}.below), unsafe.Offsetof(Rule{}.above)} {
		if want := uintptr(i) * size; got != want {
			t.Errorf("offset of field %d is %d, want %d", i, got, want)
		}
	}
}

// The bounds of a rule lie on both sides of 2³¹, and are farther apart for a larger slack.
func TestCertain(t *testing.T) {
	var r Rule
	for i, slack := range []float64{0, 0x1p-24, 0x1p-16, 0x1p-12, MaxSlack} {
		r.Certain(i, slack)
		below, above := float64(r.below[i])/0x1p31, float64(r.above[i])/0x1p31
		// Numbers whose logarithms differ by slack and 12 roundings are told from 1.
		rest := slack + 12*0x1p-24
		if !(below < math.Exp(-rest)) || !(above > math.Exp(rest)) {
			t.Errorf("slack %v: bounds %v and %v, want them beyond %v and %v", slack, below, above, math.Exp(-rest), math.Exp(rest))
		}
		if most := 1.01*slack + 0x1p-19; 1-below > most || above-1 > most {
			t.Errorf("slack %v: bounds %v and %v, want them within %v of 1", slack, below, above, most)
		}
	}
}

// DrawOne draws as Draw does in float64.
func TestDrawOne(t *testing.T) {
	each(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 710, -710, 1e300, -1e300, 22, -22}
		for range 200 {
			x := make([][8]float64, 8)
			var u [64]uint32
			for i := range 64 {
				x[i/8][i%8] = 10 * rng.NormFloat64()
				if rng.IntN(4) == 0 {
					x[i/8][i%8] = odd[rng.IntN(len(odd))]
				}
				u[i] = rng.Uint32() >> (rng.IntN(2) * rng.IntN(32))
			}
			word := Inputs{X: x, Stride: 1, N: 8}.Draw(&u)
			for i := range 64 {
				if got, want := DrawOne(x[i/8][i%8], u[i]), word>>i&1; got != want {
					t.Fatalf("DrawOne(%v, %d) = %d, want %d", x[i/8][i%8], u[i], got, want)
				}
			}
		}
	})
}

// Where a rule is certain, so are the draws of every input in float64 within its slack: for
// random numbers at and around the place where the bit changes, at 0 and at the largest.
func TestRuleIsCertain(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	certain, wrongIfTighter := 0, 0
	for k := range 20000 {
		r := new(Rule)
		in := FixedInputs{X: make([][16]int32, 4), Stride: 1}
		var x, slack [64]float64
		var u [64]uint32
		for i := range 64 {
			unit := math.Ldexp(1, -20-rng.IntN(8))
			size := []float64{1, 5, 12, 23, 30}[k%5]
			s := int32(max(-1<<30, min(1<<30, size*(2*rng.Float64()-1)/unit)))
			in.X[i/16][i%16] = s
			r.Scale[i] = float32(unit)
			fixed := float64(s) * unit
			slack[i] = math.Ldexp(1, -9-rng.IntN(13))
			r.Certain(i, slack[i]+24*0x1p-24) // of the rounding to float32
			// The input in float64 is at the end of the slack, and the random number where its
			// bit changes, or a step beyond the margin.
			x[i] = fixed + slack[i]*float64(rng.IntN(2)*2-1)
			edge := 0x1p32/(1+Exp(-x[i])) - 0.5
			step := float64(rng.IntN(3)-1) * (1 + edge*slack[i]*rng.Float64()*2.1)
			u[i] = uint32(max(0, min(math.MaxUint32, math.Round(edge+step))))
			if rng.IntN(50) == 0 {
				u[i] = []uint32{0, 1, 2, math.MaxUint32, math.MaxUint32 - 1}[rng.IntN(5)]
			}
		}
		word, open := r.drawFixedGo(in, &u)
		for i := range 64 {
			want := DrawOne(x[i], u[i])
			if got := word >> i & 1; got != want {
				if open>>i&1 == 0 {
					t.Fatalf("unit %d: bit %d is certain, want %d: x %v, slack %v, u %d", i, got, want, x[i], slack[i], u[i])
				}
				wrongIfTighter++
			}
			if open>>i&1 == 0 {
				certain++
			}
		}
	}
	if certain < 100000 || wrongIfTighter < 1000 {
		t.Errorf("%d draws were certain, %d wrong where open: too few for a test", certain, wrongIfTighter)
	}
}

func BenchmarkTwinFixed(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	r, in := randomWord(rng, 2)
	var u [64]uint32
	for i := range u {
		u[i] = rng.Uint32()
	}
	b.Run("DrawFixed", func(b *testing.B) {
		twin.Run(b, func() { r.Draw(in, &u) })
	})
	p := FixedInputs{X: make([][16]int32, 4), Stride: 1}
	b.Run("ProbsFixed", func(b *testing.B) {
		twin.Run(b, func() { r.Probs(p, 1<<30, in) })
	})
	b.Run("DrawProbsFixed", func(b *testing.B) {
		twin.Run(b, func() { r.DrawProbs(p, 1<<30, in, &u) })
	})
}

// BenchmarkFixedRatio reports how many times as fast as draws from float64s the draws in
// fixed point are. They take turns, and the shortest time of each counts. No branch can be
// predicted: each word has random numbers of its own.
func BenchmarkFixedRatio(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	r, in := randomWord(rng, 2)
	x := make([][8]float64, 8)
	for i := range 64 {
		x[i/8][i%8] = rng.NormFloat64()
	}
	u := make([][64]uint32, 500)
	for k := range u {
		for i := range 64 {
			u[k][i] = rng.Uint32()
		}
	}
	in64 := Inputs{X: x, Stride: 1, N: 8}
	shortest := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	for b.Loop() {
		for i, f := range []func(u *[64]uint32){func(u *[64]uint32) { in64.Draw(u) }, func(u *[64]uint32) { r.Draw(in, u) }} {
			start := time.Now()
			for k := range u {
				f(&u[k])
			}
			shortest[i] = min(shortest[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(shortest[0])/float64(shortest[1]), "fixed-x-float64")
	b.ReportMetric(float64(shortest[1].Nanoseconds())/float64(64*len(u)), "ns/unit")
}

// Probabilities are within their bound of those in float64.
func TestProbsFixed(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	worst := 0.
	for k := range 20000 {
		r, in := randomWord(rng, []float64{0.1, 3, 30, 100}[k%4])
		p := FixedInputs{X: make([][16]int32, 4), Stride: 1}
		r.Probs(p, 1<<30, in)
		for i := range 64 {
			x := float64(r.Scale[i])*float64(in.X[i/16*in.Stride][i%16]) + float64(r.Shift[i])
			worst = max(worst, math.Abs(float64(p.X[i/16*p.Stride][i%16])*0x1p-30-1/(1+math.Exp(-x))))
		}
	}
	if worst > 0x1p-21 {
		t.Errorf("error %v, want at most 2⁻²¹", worst)
	}
}
