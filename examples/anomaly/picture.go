package main

import (
	"bytes"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var (
	blue  = color.RGBA{0x1f, 0x5f, 0xa8, 0xff}
	red   = color.RGBA{0xb8, 0x1d, 0x2c, 0xff}
	gray  = color.RGBA{0x80, 0x80, 0x80, 0xff}
	amber = color.RGBA{0xc9, 0x8a, 0x1b, 0xff}
)

const bins = 30 // of a histogram

// paint returns a PNG of the curves of all scores, and histograms of the first.
func paint(scores []score, malignant []bool) ([]byte, error) {
	curves := plot.New()
	curves.X.Label.Text = "benign tumors taken for anomalies"
	curves.Y.Label.Text = "malignant tumors found"
	curves.X.Min, curves.X.Max, curves.Y.Min, curves.Y.Max = 0, 1, 0, 1
	curves.Legend.XOffs, curves.Legend.YOffs = -vg.Points(6), vg.Points(6)
	curves.Legend.Padding = vg.Points(2)
	curves.Add(plotter.NewGrid())
	for i, s := range scores {
		c := newROC(s.values, malignant)
		points := make(plotter.XYs, len(c.wrong))
		for k := range points {
			points[k] = plotter.XY{X: c.wrong[k], Y: c.found[k]}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = []color.Color{red, gray, amber}[i], vg.Points(1.5)
		curves.Add(line)
		curves.Legend.Add(s.name, line)
	}

	histograms := plot.New()
	histograms.X.Label.Text = scores[0].name + " (nats)"
	histograms.Y.Label.Text = "density"
	histograms.Legend.Top, histograms.Legend.Padding = true, vg.Points(2)
	histograms.Legend.XOffs, histograms.Legend.YOffs = -vg.Points(6), -vg.Points(6)
	for _, side := range []struct {
		name      string
		malignant bool
		color     color.RGBA
	}{{"benign, held out", false, blue}, {"malignant", true, red}} {
		var values plotter.Values
		for r, x := range scores[0].values {
			if malignant[r] == side.malignant {
				values = append(values, x)
			}
		}
		h, err := plotter.NewHist(values, bins)
		if err != nil {
			return nil, err
		}
		h.Normalize(1)
		h.FillColor = color.NRGBA{side.color.R, side.color.G, side.color.B, 0x70}
		h.LineStyle.Color = side.color
		histograms.Add(h)
		histograms.Legend.Add(side.name, h)
	}

	img := vgimg.New(24*vg.Centimeter, 11*vg.Centimeter)
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 16, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	plots := [][]*plot.Plot{{curves, histograms}}
	for i, c := range plot.Align(plots, tiles, draw.New(img))[0] {
		plots[0][i].Draw(c)
	}
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(&b)
	return b.Bytes(), err
}
