// Package sheet draws digits as tiles of a picture.
package sheet

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/gorbm/rbm/examples/mnist/idx"
)

const (
	dot  = 3 // a pixel of an image is dot × dot in the picture
	gap  = 6
	tile = idx.Side * dot
)

var (
	Paper = color.RGBA{0xfb, 0xf9, 0xf4, 0xff}
	White = color.RGBA{0xff, 0xff, 0xff, 0xff}
	Dark  = color.RGBA{0x24, 0x27, 0x30, 0xff}
	Blue  = color.RGBA{0x1f, 0x5f, 0xa8, 0xff}
	Red   = color.RGBA{0xb8, 0x1d, 0x2c, 0xff}
)

// New returns a sheet with room for so many tiles in a row and in a column.
func New(across, down int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, across*(tile+gap)+gap, down*(tile+gap)+gap))
	draw.Draw(img, img.Rect, image.NewUniform(Paper), image.Point{}, draw.Src)
	return img
}

// Tile draws a digit whose pixels have the colors shade(0), shade(1), … as the n-th
// tile of a sheet: they are counted row by row, from 0.
func Tile(img *image.RGBA, n int, shade func(i int) color.RGBA) {
	across := img.Rect.Dx() / (tile + gap)
	x0, y0 := gap+n%across*(tile+gap), gap+n/across*(tile+gap)
	for y := range tile {
		for x := range tile {
			img.SetRGBA(x0+x, y0+y, shade(y/dot*idx.Side+x/dot))
		}
	}
}

// Middle returns the middle of the n-th tile of a row or of a column.
func Middle(n int) int { return gap + n*(tile+gap) + tile/2 }

// Ink shades a probability.
func Ink(p float64) color.RGBA { return Mix(White, Dark, p) }

// Mix returns the color that lies between a and b, at a for t = 0; NaN is as 1.
func Mix(a, b color.RGBA, t float64) color.RGBA {
	if !(t < 1) {
		return b
	}
	channel := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	return color.RGBA{channel(a.R, b.R), channel(a.G, b.G), channel(a.B, b.B), 0xff}
}
