package main

import (
	"cmp"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	across = 10 // tiles in a row and in a column of a picture
	tiles  = across * across
	dot    = 3 // a pixel of an image is dot × dot in the picture
	gap    = 6
	tile   = side * dot
	frame  = across*(tile+gap) + gap
)

var (
	paper = color.RGBA{0xfb, 0xf9, 0xf4, 0xff}
	dark  = color.RGBA{0x24, 0x27, 0x30, 0xff} // a probability of 1
	blue  = color.RGBA{0x1f, 0x5f, 0xa8, 0xff} // the most negative weight
	white = color.RGBA{0xff, 0xff, 0xff, 0xff}
	red   = color.RGBA{0xb8, 0x1d, 0x2c, 0xff} // the most positive weight
)

// writeTiles writes a PNG of the first rows of a, each an image.
func writeTiles(w io.Writer, a mat.Matrix, shade func(float64) color.RGBA) error {
	img := image.NewRGBA(image.Rect(0, 0, frame, frame))
	for y := range frame {
		for x := range frame {
			img.SetRGBA(x, y, paper)
		}
	}
	rows, _ := a.Dims()
	for r := range min(rows, tiles) {
		x0, y0 := gap+r%across*(tile+gap), gap+r/across*(tile+gap)
		for y := range tile {
			for x := range tile {
				img.SetRGBA(x0+x, y0+y, shade(a.At(r, y/dot*side+x/dot)))
			}
		}
	}
	return png.Encode(w, img)
}

// ink shades a probability.
func ink(p float64) color.RGBA { return mix(white, dark, p) }

// diverging returns the shade of weights: limit is the largest that can be told
// from larger ones.
func diverging(limit float64) func(float64) color.RGBA {
	return func(x float64) color.RGBA {
		if x < 0 {
			return mix(white, blue, -x/limit)
		}
		return mix(white, red, x/limit)
	}
}

// mix returns the color that lies between a and b, at a for t = 0; NaN is as 1.
func mix(a, b color.RGBA, t float64) color.RGBA {
	if !(t < 1) {
		return b
	}
	channel := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	return color.RGBA{channel(a.R, b.R), channel(a.G, b.G), channel(a.B, b.B), 0xff}
}

// strongest returns the rows of w with the largest norms, the largest first, and
// a limit that few of their weights pass.
func strongest(w *mat.Dense) (rows *mat.Dense, limit float64) {
	nh, nv := w.Dims()
	type filter struct {
		row  []float64
		norm float64
	}
	filters := make([]filter, nh)
	for j := range filters {
		filters[j] = filter{w.RawRowView(j), mat.Norm(w.RowView(j), 2)}
	}
	slices.SortStableFunc(filters, func(a, b filter) int { return cmp.Compare(b.norm, a.norm) })

	rows = mat.NewDense(min(nh, tiles), nv, nil)
	var size []float64
	for r := range rows.RawMatrix().Rows {
		rows.SetRow(r, filters[r].row)
		for _, x := range filters[r].row {
			size = append(size, math.Abs(x))
		}
	}
	slices.Sort(size)
	return rows, size[len(size)*99/100]
}
