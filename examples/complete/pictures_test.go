package main

import (
	"bytes"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/idx/idxtest"
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

// The completions are drawn by chains that have gone as far as is asked for.
func TestCompletions(t *testing.T) {
	m, odds := twins()
	const n = 4
	digits, observed := twinBits(n, 6), cover("right")
	dir := opened(t)
	if err := writePictures(dir, m, digits, observed, mat.NewDense(n, idx.Pixels, nil), options{sweeps: 40, seed: 1}); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(idxtest.ReadFile(t, dir.Path(pictureFile))))
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for r := range n {
		for k := range completions {
			for i := range idx.Pixels {
				if !observed.Bit(0, i) && digits.Bit(r, i) == (at(img, r, 2+k, i) == sheet.Blue) {
					right++
				}
			}
		}
	}
	const pixels = n * completions * idx.Pixels / 2
	got, want := float64(right)/pixels, 1/(1+odds)
	if e := 5 * math.Sqrt(want*(1-want)/pixels); math.Abs(got-want) > e+0.005 { // the latter is for 40 sweeps
		t.Errorf("%.4f of the pixels drawn are right, want %.4f ± %.4f (5 standard errors) and 0.005", got, want, e)
	}
}
