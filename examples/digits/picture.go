package main

import (
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Lengths in pixels.
const (
	grid     = 10 // tiles in a row and in a column of a panel
	dot      = 6  // a pixel of a digit
	tile     = side * dot
	gap      = 8
	panel    = grid*(tile+gap) - gap
	margin   = 48
	fontSize = 3
	heading  = letterHeight*fontSize + 24

	pictureWidth  = 3*panel + 4*margin
	pictureHeight = panel + heading + 2*margin
)

var (
	paper = color.RGBA{0xfb, 0xf9, 0xf4, 0xff}
	light = color.RGBA{0xe9, 0xe5, 0xdb, 0xff} // a bit that is 0
	dark  = color.RGBA{0x2b, 0x2e, 0x38, 0xff} // a bit that is 1
	blue  = color.RGBA{0x1f, 0x5f, 0xa8, 0xff} // the most negative weight
	white = color.RGBA{0xff, 0xff, 0xff, 0xff}
	red   = color.RGBA{0xb8, 0x1d, 0x2c, 0xff} // the most positive weight
)

// paint shows data, samples and the rows of w side by side.
func paint(data, samples *rbm.Bits, w *mat.Dense) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))
	fill(img, 0, 0, pictureWidth, pictureHeight, paper)

	drawPanel(img, 0, "DATA", data, gray)
	drawPanel(img, 1, "SAMPLES", samples, gray)

	filters := strongest(w)
	limit := quantile(filters.RawMatrix().Data, 0.99)
	drawPanel(img, 2, "FILTERS", filters, func(x float64) color.Color { return diverging(x / limit) })
	drawLegend(img, 2)
	return img
}

// drawPanel draws each row of a as a tile, under a title.
func drawPanel(dst draw.Image, n int, title string, a mat.Matrix, shade func(float64) color.Color) {
	at := corner(n)
	drawText(dst, at, title, fontSize, dark)
	rows, _ := a.Dims()
	for r := range min(rows, grid*grid) {
		x0 := at.X + r%grid*(tile+gap)
		y0 := at.Y + r/grid*(tile+gap) + heading
		for i := range pixels {
			fill(dst, x0+i%side*dot, y0+i/side*dot, dot, dot, shade(a.At(r, i)))
		}
	}
}

// drawLegend draws a bar of the diverging colors at the right of a panel's title.
func drawLegend(dst draw.Image, n int) {
	const width, height = 3 * tile, letterHeight * fontSize
	const sign = (letterWidth + 2) * fontSize
	at := corner(n)
	x0 := at.X + panel - sign - width
	drawText(dst, image.Pt(x0-sign, at.Y), "-", fontSize, dark)
	for x := range width {
		fill(dst, x0+x, at.Y, 1, height, diverging(2*float64(x)/(width-1)-1))
	}
	drawText(dst, image.Pt(x0+width+2*fontSize, at.Y), "+", fontSize, dark)
}

// corner is the upper left corner of the n-th panel.
func corner(n int) image.Point { return image.Pt(margin+n*(panel+margin), margin) }

func fill(dst draw.Image, x, y, width, height int, c color.Color) {
	draw.Draw(dst, image.Rect(x, y, x+width, y+height), image.NewUniform(c), image.Point{}, draw.Src)
}

// gray shades a probability, or a bit.
func gray(p float64) color.Color { return mix(light, dark, p) }

// diverging shades x in [−1, 1] from blue over white to red.
func diverging(x float64) color.Color {
	if x < 0 {
		return mix(white, blue, min(-x, 1))
	}
	return mix(white, red, min(x, 1))
}

func mix(a, b color.RGBA, t float64) color.Color {
	channel := func(a, b uint8) uint8 { return uint8(math.Round((1-t)*float64(a) + t*float64(b))) }
	return color.RGBA{channel(a.R, b.R), channel(a.G, b.G), channel(a.B, b.B), 0xff}
}

// strongest returns the rows of w with the largest norms, as many as a panel
// holds, the largest first.
func strongest(w *mat.Dense) *mat.Dense {
	nh, nv := w.Dims()
	norm := make([]float64, nh)
	order := make([]int, nh)
	for j := range order {
		norm[j] = mat.Norm(w.RowView(j), 2)
		order[j] = j
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(norm[b], norm[a]) })

	top := mat.NewDense(min(nh, grid*grid), nv, nil)
	for r := range top.RawMatrix().Rows {
		top.SetRow(r, w.RawRowView(order[r]))
	}
	return top
}

// quantile returns the value below which a part p of the magnitudes of x lie.
func quantile(x []float64, p float64) float64 {
	magnitudes := make([]float64, len(x))
	for i := range x {
		magnitudes[i] = math.Abs(x[i])
	}
	slices.Sort(magnitudes)
	return magnitudes[int(p*float64(len(x)-1))]
}
