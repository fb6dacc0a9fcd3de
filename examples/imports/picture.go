package main

import (
	"bytes"
	"image/color"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var colors = []color.Color{
	color.RGBA{0xb8, 0x1d, 0x2c, 0xff}, color.RGBA{0x1f, 0x5f, 0xa8, 0xff}, color.RGBA{0x80, 0x80, 0x80, 0xff},
}

const mostItems = 30 // of a recommendation that is drawn

// paint returns a PNG of the recall of recommenders and of the curves of detectors.
func paint(recommenders []recommender, detectors []detector) ([]byte, error) {
	left := plot.New()
	left.Title.Text = "Which import is hidden?"
	left.X.Label.Text, left.Y.Label.Text = "packages recommended", "share of files where it is among them"
	left.X.Min, left.Y.Min, left.Y.Max = 0, 0, 1
	right := plot.New()
	right.Title.Text = "Which file has an import that was replaced?"
	right.X.Label.Text, right.Y.Label.Text = "ordinary files taken for spoiled", "spoiled files found"
	right.X.Min, right.X.Max, right.Y.Min, right.Y.Max = 0, 1, 0, 1
	for i, r := range recommenders {
		var points plotter.XYs
		for k := 1; k <= mostItems; k++ {
			points = append(points, plotter.XY{X: float64(k), Y: recall(r.ranks, k)})
		}
		if err := addLine(left, r.name, points, i); err != nil {
			return nil, err
		}
	}
	for i, d := range detectors {
		values := slices.Concat(d.ordinary, d.anomalies)
		spoiled := make([]bool, len(values))
		for r := range d.anomalies {
			spoiled[len(d.ordinary)+r] = true
		}
		stat.SortWeightedLabeled(values, spoiled, nil)
		found, wrong, _ := stat.ROC(nil, values, spoiled, nil)
		points := make(plotter.XYs, len(found))
		for k := range points {
			points[k] = plotter.XY{X: wrong[k], Y: found[k]}
		}
		if err := addLine(right, d.name, points, i); err != nil {
			return nil, err
		}
	}
	img := vgimg.New(24*vg.Centimeter, 11*vg.Centimeter)
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 16, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 16}
	plots := [][]*plot.Plot{{left, right}}
	for i, c := range plot.Align(plots, tiles, draw.New(img))[0] {
		plots[0][i].Draw(c)
	}
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(&b)
	return b.Bytes(), err
}

// addLine adds a line to p, of the i-th color.
func addLine(p *plot.Plot, name string, points plotter.XYs, i int) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = colors[i], vg.Points(1.5)
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Padding = -vg.Points(6), vg.Points(6), vg.Points(2)
	p.Add(plotter.NewGrid(), line)
	p.Legend.Add(name, line)
	return nil
}
