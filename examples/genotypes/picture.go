package main

import (
	"bytes"
	"fmt"
	"image/color"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var colors = []color.RGBA{{0x1f, 0x5f, 0xa8, 0xff}, {0xb8, 0x1d, 0x2c, 0xff}, {0x80, 0x80, 0x80, 0xff}}

const mostPoints = 500 // of a sample that are drawn

// paint returns a PNG of the linkage of samples, and of their principal components, which are
// those of the first.
func paint(samples []sample) ([]byte, error) {
	left := plot.New()
	left.Title.Text = "Linkage"
	left.X.Label.Text, left.Y.Label.Text = "sites apart", "mean r²"
	left.X.Min, left.Y.Min = 0, 0
	left.Legend.Top = true
	left.Add(plotter.NewGrid())
	right := plot.New()
	right.Title.Text = "Principal components of the test"
	right.X.Label.Text, right.Y.Label.Text = "first", "second"
	axes, mean, err := components(samples[0].rows)
	if err != nil {
		return nil, err
	}
	for i, s := range samples {
		r2 := linkage(s.rows, farthest)
		points := make(plotter.XYs, len(r2))
		for d, y := range r2 {
			points[d] = plotter.XY{X: float64(d + 1), Y: y}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colors[i], vg.Points(1.5)
		left.Add(line)
		left.Legend.Add(s.name, line)

		scatter, err := plotter.NewScatter(project(s.rows, axes, mean))
		if err != nil {
			return nil, err
		}
		c := colors[i]
		scatter.GlyphStyle = draw.GlyphStyle{Color: color.NRGBA{c.R, c.G, c.B, 0x90}, Radius: vg.Points(1.5), Shape: draw.CircleGlyph{}}
		right.Add(scatter)
	}
	img := vgimg.New(24*vg.Centimeter, 11*vg.Centimeter)
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 16, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	plots := [][]*plot.Plot{{left, right}}
	for i, c := range plot.Align(plots, tiles, draw.New(img))[0] {
		plots[0][i].Draw(c)
	}
	var b bytes.Buffer
	_, err = vgimg.PngCanvas{Canvas: img}.WriteTo(&b)
	return b.Bytes(), err
}

// components returns the first two principal axes of rows (sites×2), and their mean.
func components(rows *rbm.Bits) (axes *mat.Dense, mean []float64, err error) {
	var pc stat.PC
	if !pc.PrincipalComponents(rows, nil) {
		return nil, nil, fmt.Errorf("%v has no principal components", rows)
	}
	var all mat.Dense
	pc.VectorsTo(&all)
	n, _ := all.Dims()
	return mat.DenseCopyOf(all.Slice(0, n, 0, 2)), frequencies(rows), nil
}

// project returns where the first rows lie along the axes.
func project(rows *rbm.Bits, axes *mat.Dense, mean []float64) plotter.XYs {
	n, sites := rows.Dims()
	points := make(plotter.XYs, min(n, mostPoints))
	for r := range points {
		for i := range sites {
			x := rows.At(r, i) - mean[i]
			points[r].X += x * axes.At(i, 0)
			points[r].Y += x * axes.At(i, 1)
		}
	}
	return points
}
