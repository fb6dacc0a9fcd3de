package main

import (
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/gonum/mat"
)

func TestChainsOf(t *testing.T) {
	digits, observed := randomBits(4, 1), cover("left")
	m := rbm.NewRandom(idx.Pixels, 3, 0.1, rand.NewPCG(1, 0))
	c := chainsOf(m, digits, observed, 3, rand.NewPCG(2, 0))
	c.GibbsGiven(m, 2, observed)
	v := c.Visible()
	if n, _ := v.Dims(); n != 12 {
		t.Fatalf("there are %d chains, want 12", n)
	}
	for r := range 12 {
		for i := range idx.Pixels {
			if observed.Bit(0, i) && v.Bit(r, i) != digits.Bit(r/3, i) {
				t.Fatalf("the observed pixel %d of chain %d is not that of digit %d", i, r, r/3)
			}
		}
	}
}

func TestShader(t *testing.T) {
	a := mat.NewDense(2, idx.Pixels, nil)
	a.Set(1, 0, 0.25)
	a.Set(1, idx.Side-1, 0.25)
	shade := shader(cover("right"))(a, 1)
	if got, want := shade(0), sheet.Ink(0.25); got != want {
		t.Errorf("an observed pixel is %v, want %v", got, want)
	}
	if got, want := shade(idx.Side-1), sheet.Mix(sheet.White, sheet.Blue, 0.25); got != want {
		t.Errorf("a covered pixel is %v, want %v", got, want)
	}
	if got := shade(1); got != sheet.White {
		t.Errorf("a pixel that is off is %v, want white", got)
	}
}

// A film of a few digits has room for them, and waits at its ends.
func TestFilm(t *testing.T) {
	m := rbm.NewRandom(idx.Pixels, 3, 0.1, rand.NewPCG(1, 0))
	movie := film(m, randomBits(across+1, 1), cover("top"), options{seed: 1})
	if got, want := movie.Image[0].Rect, sheet.New(across, 2).Rect; got != want {
		t.Errorf("a frame is %v, want %v", got, want)
	}
	if d := movie.Delay; d[0] <= d[1] || d[frames-1] <= d[1] || d[1] != d[frames-2] {
		t.Errorf("the delays are %v, want longer ones at the ends", d)
	}
}
