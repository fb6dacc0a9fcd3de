package main

import (
	"image/color"
	"io"
	"math"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A curve is a number of every report.
type curve struct {
	name  string
	color color.Color
	of    func(r *rbm.Report) float64
}

// writeCurves writes a PNG of what the reports say, epoch by epoch.
func writeCurves(w io.Writer, h history, heldName string) error {
	plots := [][]*plot.Plot{
		{newPlot("pseudo-log-likelihood (nats a row)")},
		{newPlot("free-energy gap (nats)")},
		{newPlot("root mean square of W")},
	}
	lines := [][]curve{
		{
			{"training", sheet.Blue, func(r *rbm.Report) float64 { return r.PseudoLogLikelihood }},
			{heldName, sheet.Red, func(r *rbm.Report) float64 { return r.HeldOutPseudoLogLikelihood }},
		},
		{{"", sheet.Dark, func(r *rbm.Report) float64 { return r.FreeEnergyGap }}},
		{{"", sheet.Dark, func(r *rbm.Report) float64 { return r.WeightRMS }}},
	}
	for i, row := range plots {
		for _, c := range lines[i] {
			if err := c.drawTo(row[0], h); err != nil {
				return err
			}
		}
	}
	plots[len(plots)-1][0].X.Label.Text = "epoch"

	img := vgimg.New(20*vg.Centimeter, 24*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadX: 8, PadY: 8, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 8}
	for i, row := range plot.Align(plots, tiles, draw.New(img)) {
		plots[i][0].Draw(row[0])
	}
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(w)
	return err
}

func newPlot(label string) *plot.Plot {
	p := plot.New()
	p.Y.Label.Text = label
	p.Legend.XOffs, p.Legend.YOffs = -vg.Points(6), vg.Points(6)
	p.Add(plotter.NewGrid())
	return p
}

// drawTo draws c, but for the reports in which it is no number.
func (c curve) drawTo(p *plot.Plot, h history) error {
	var points plotter.XYs
	for i := range h {
		if y := c.of(&h[i]); !math.IsNaN(y) && !math.IsInf(y, 0) {
			points = append(points, plotter.XY{X: float64(h[i].Epoch), Y: y})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, dots.Color = c.color, c.color
	line.Width = vg.Points(1.5)
	dots.Shape, dots.Radius = draw.CircleGlyph{}, vg.Points(1.5)
	p.Add(line, dots)
	if c.name != "" {
		p.Legend.Add(c.name, line)
	}
	return nil
}
