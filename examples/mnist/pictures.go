package main

import (
	"cmp"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/gonum/mat"
)

const (
	across = 10 // tiles in a row and in a column of a picture
	tiles  = across * across
)

// writeTiles writes a PNG of the first rows of a, each an image.
func writeTiles(w io.Writer, a mat.Matrix, shade func(float64) color.RGBA) error {
	img := sheet.New(across, across)
	rows, _ := a.Dims()
	for r := range min(rows, tiles) {
		sheet.Tile(img, r, func(i int) color.RGBA { return shade(a.At(r, i)) })
	}
	return png.Encode(w, img)
}

// diverging returns the shade of weights: limit is the largest that can be told
// from larger ones.
func diverging(limit float64) func(float64) color.RGBA {
	return func(x float64) color.RGBA {
		if x < 0 {
			return sheet.Mix(sheet.White, sheet.Blue, -x/limit)
		}
		return sheet.Mix(sheet.White, sheet.Red, x/limit)
	}
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
