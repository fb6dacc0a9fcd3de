package product

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestAddOnes(t *testing.T) { each(t, testAddOnes) }

func testAddOnes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(41, 41))
	for _, k := range []int{1, 2, 3, 4, 5, 63, 64, 65, 131} {
		for _, m := range []int{8, 16, 24, 504, 8 * 1030} { // in assembly, a call takes 1024 lines at most
			if m > 1000 && k > 5 {
				continue
			}
			for _, density := range []float64{0, 0.2, 0.6, 1} {
				o := newOperands(rnd, 1, k, m, density)
				checkAddOnes(t, fmt.Sprintf("k=%d/m=%d/density=%v", k, m, density), o)
				o.f[rnd.IntN(k)][rnd.IntN(m)] = math.Inf(1)
				o.f[rnd.IntN(k)][rnd.IntN(m)] = math.Copysign(0, -1)
				o.f[rnd.IntN(k)][rnd.IntN(m)] = math.NaN()
				checkAddOnes(t, fmt.Sprintf("k=%d/m=%d/density=%v/NaN", k, m, density), o)
			}
		}
	}
}

func checkAddOnes(t *testing.T, title string, o operands) {
	t.Helper()
	k, m := len(o.f), len(o.f[0])
	x, matrix := guardedLines(m/Lanes), guardedLines(k*m/Lanes)
	copy(Floats(x), o.init[0])
	copy(Floats(matrix), flat(o.f, m))
	AddOnes(x, matrix, o.bits().Words[:(k+63)/64])
	checkGuards(t, x)
	checkGuards(t, matrix)
	for j, want := range definition(o.init[0], o.v[0], o.f) {
		if got := x[j/Lanes][j%Lanes]; math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
			t.Fatalf("%s: sum %d = %v, want %v", title, j, got, want)
		}
	}
}
