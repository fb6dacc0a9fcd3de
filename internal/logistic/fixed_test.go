package logistic

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
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
		r.Certain(i, math.Ldexp(rng.Float64(), -8-rng.IntN(16)))
	}
	return r, in
}

// The kernels draw as drawGo does, and have its doubts.
func TestDrawFixedKernels(t *testing.T) { each(t, testDrawFixedKernels) }

func testDrawFixedKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	opened := 0
	for k := range 5000 {
		r, in := randomWord(rng, []float64{0.1, 3, 30, 1e4}[k%4])
		var u [64]uint32
		for i := range u {
			u[i] = rng.Uint32() >> (rng.IntN(2) * rng.IntN(32))
		}
		word, open := r.Draw(in, &u)
		if wantWord, wantOpen := r.drawGo(in, &u); word != wantWord || open != wantOpen {
			t.Fatalf("Draw = %x, %x, want %x, %x", word, open, wantWord, wantOpen)
		}
		if open != 0 {
			opened++
		}
	}
	if opened < 100 {
		t.Errorf("%d words have open bits, too few for a test", opened)
	}
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
		word, open := r.drawGo(in, &u)
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
	x := make([][8]float64, 8)
	for i := range 64 {
		x[i/8][i%8] = rng.NormFloat64()
	}
	b.Run("DrawFixedAgainstFloat64", func(b *testing.B) {
		in64 := Inputs{X: x, Stride: 1, N: 8}
		for b.Loop() {
			in64.Draw(&u)
		}
	})
	_ = cpu.AVX2
}
