package main

import (
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/keep"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/gonum/mat"
)

const (
	completions = 5 // of each digit
	frames      = 50
	across      = 5 // digits of a frame
)

// writePictures draws digits, what is left of them, completions and means.
func writePictures(dir keep.Folder, m *rbm.RBM, digits, observed *rbm.Bits, means *mat.Dense, o options) error {
	n, _ := digits.Dims()
	const columns = 2 + completions + 1
	img := sheet.New(columns, n)
	shade := shader(observed)
	chains := chainsOf(m, digits, observed, completions, rand.NewPCG(o.seed, 2))
	chains.GibbsGiven(m, o.sweeps, observed)
	for r := range n {
		tile := func(column int, shade func(i int) color.RGBA) { sheet.Tile(img, r*columns+column, shade) }
		tile(0, func(i int) color.RGBA { return sheet.Ink(digits.At(r, i)) })
		tile(1, func(i int) color.RGBA {
			if !observed.Bit(0, i) {
				return sheet.Paper
			}
			return sheet.Ink(digits.At(r, i))
		})
		for k := range completions {
			tile(2+k, shade(chains.Visible(), r*completions+k))
		}
		tile(2+completions, shade(means, r))
	}
	if err := dir.Write(pictureFile, func(w io.Writer) error { return png.Encode(w, img) }); err != nil {
		return err
	}
	movie := film(m, digits, observed, o)
	return dir.Write(movieFile, func(w io.Writer) error { return gif.EncodeAll(w, movie) })
}

// chainsOf starts so many chains for each digit.
func chainsOf(m *rbm.RBM, digits, observed *rbm.Bits, each int, src rand.Source) *rbm.Chains {
	n, _ := digits.Dims()
	rows := make([]int, n*each)
	for i := range rows {
		rows[i] = i / each
	}
	c := rbm.NewChains(src)
	c.StartGiven(m, digits.Gather(nil, rows), observed)
	return c
}

// shader returns a function that shades the rows of a matrix, black where it is
// given and blue where it was covered.
func shader(observed *rbm.Bits) func(a mat.Matrix, r int) func(i int) color.RGBA {
	return func(a mat.Matrix, r int) func(i int) color.RGBA {
		return func(i int) color.RGBA {
			if observed.Bit(0, i) {
				return sheet.Ink(a.At(r, i))
			}
			return sheet.Mix(sheet.White, sheet.Blue, a.At(r, i))
		}
	}
}

// film returns the first sweeps of a chain for each digit.
func film(m *rbm.RBM, digits, observed *rbm.Bits, o options) *gif.GIF {
	n, _ := digits.Dims()
	shade := shader(observed)
	chains := chainsOf(m, digits, observed, 1, rand.NewPCG(o.seed, 3))
	movie := new(gif.GIF)
	for frame := range frames {
		if frame > 0 {
			chains.GibbsGiven(m, 1, observed)
		}
		img := sheet.New(across, (n+across-1)/across)
		for r := range n {
			sheet.Tile(img, r, shade(chains.Visible(), r))
		}
		p := image.NewPaletted(img.Rect, color.Palette{sheet.Paper, sheet.White, sheet.Dark, sheet.Blue})
		draw.Draw(p, p.Rect, img, image.Point{}, draw.Src)
		movie.Image = append(movie.Image, p)
		movie.Delay = append(movie.Delay, 12)
	}
	movie.Delay[0], movie.Delay[frames-1] = 100, 200
	return movie
}
