package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Lengths in pixels.
const (
	dot    = 8  // a spin
	large  = 16 // a spin of the map of couplings
	gap    = 8
	margin = 24
	shown  = 8 // states of each kind, in two rows
)

var (
	paper = color.RGBA{0xfb, 0xf9, 0xf4, 0xff}
	light = color.RGBA{0xe9, 0xe5, 0xdb, 0xff} // a spin that is down
	dark  = color.RGBA{0x2b, 0x2e, 0x38, 0xff} // a spin that is up
	white = color.RGBA{0xff, 0xff, 0xff, 0xff}
	blue  = color.RGBA{0x1f, 0x5f, 0xa8, 0xff} // a coupling of -β
	red   = color.RGBA{0xb8, 0x1d, 0x2c, 0xff} // a coupling of β
)

// paint returns a PNG with a line for each result: states of the lattice, states of the
// model, the couplings of a spin in the lattice, and the mean ones in the model.
func paint(results []result) ([]byte, error) {
	side := results[0].side
	tile := side*dot + gap
	block := shown/2*tile + 2*margin
	height := max(2*tile, side*large) + margin
	picture := image.NewRGBA(image.Rect(0, 0, 2*block+2*(side*large+2*margin)-margin, len(results)*height+margin))
	fill(picture, picture.Bounds(), paper)
	for k, r := range results {
		y := margin + k*height
		for n, v := range []*rbm.Bits{r.data, r.model} {
			rows, _ := v.Dims()
			for i := range shown {
				x := margin + n*block + i%(shown/2)*tile
				row := i * (rows / shown)
				r.draw(picture, x, y+i/(shown/2)*tile, dot, func(i int) color.Color {
					if v.Bit(row, i) {
						return dark
					}
					return light
				})
			}
		}
		for n, j := range [][]float64{r.truth(), r.around(r.couplings)} {
			r.draw(picture, margin+2*block+n*(side*large+margin), y, large, func(i int) color.Color { return diverging(j[i] / r.beta) })
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, picture)
	return b.Bytes(), err
}

// draw draws the spins of a lattice as squares.
func (l lattice) draw(dst *image.RGBA, x, y, size int, shade func(i int) color.Color) {
	for i := range l.spins() {
		x, y := x+i%l.side*size, y+i/l.side*size
		fill(dst, image.Rect(x, y, x+size, y+size), shade(i))
	}
}

func fill(dst *image.RGBA, r image.Rectangle, c color.Color) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			dst.Set(x, y, c)
		}
	}
}

// diverging goes from blue at -1 by white at 0 to red at 1.
func diverging(x float64) color.Color {
	end := red
	if x < 0 {
		end = blue
	}
	x = min(math.Abs(x), 1)
	mix := func(a, b uint8) uint8 { return uint8(math.Round((1-x)*float64(a) + x*float64(b))) }
	return color.RGBA{mix(white.R, end.R), mix(white.G, end.G), mix(white.B, end.B), 0xff}
}

// middle returns the spin in the middle of the lattice.
func (l lattice) middle() int { return l.side/2*l.side + l.side/2 }

// truth returns the couplings of the spin in the middle.
func (l lattice) truth() []float64 {
	j := make([]float64, l.spins())
	for _, k := range l.neighbors(l.middle()) {
		j[k] = l.beta
	}
	return j
}

// around returns the mean couplings of a spin that is moved to the middle.
func (l lattice) around(couplings *mat.SymDense) []float64 {
	j := make([]float64, l.spins())
	for i := range l.spins() {
		for k := range l.spins() {
			row := (k/l.side - i/l.side + l.side/2 + l.side) % l.side
			column := (k%l.side - i%l.side + l.side/2 + l.side) % l.side
			j[row*l.side+column] += couplings.At(i, k) / float64(l.spins())
		}
	}
	return j
}
