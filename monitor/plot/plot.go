// Package plot draws the reports of a training as curves.
//
//	reports, err := monitor.ReadCSV(file)
//	…
//	err = plot.Curves(w, "my model", reports)
package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"github.com/gorbm/rbm"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var (
	dark = color.RGBA{0x24, 0x27, 0x30, 0xff}
	blue = color.RGBA{0x1f, 0x5f, 0xa8, 0xff}
	red  = color.RGBA{0xb8, 0x1d, 0x2c, 0xff}
)

// A curve is a figure of every report.
type curve struct {
	name  string
	color color.Color
	of    func(r *rbm.Report) float64
}

// panels are the plots of a picture, one below the other, of which those are drawn that have
// a point.
var panels = []struct {
	label  string
	curves []curve
}{
	{"log-likelihood (nats a row)", []curve{
		{"training", blue, func(r *rbm.Report) float64 { return r.LogLikelihood }},
		{"held out", red, func(r *rbm.Report) float64 { return r.HeldOutLogLikelihood }},
	}},
	{"pseudo-log-likelihood (nats a row)", []curve{
		{"training", blue, func(r *rbm.Report) float64 { return r.PseudoLogLikelihood }},
		{"held out", red, func(r *rbm.Report) float64 { return r.HeldOutPseudoLogLikelihood }},
	}},
	{"share of errors", []curve{{"held out", red, func(r *rbm.Report) float64 { return r.Error }}}},
	{"free-energy gap (nats)", []curve{{"", dark, func(r *rbm.Report) float64 { return r.FreeEnergyGap }}}},
	{"root mean square of W", []curve{{"", dark, func(r *rbm.Report) float64 { return r.WeightRMS }}}},
}

// Curves writes a PNG with curves of the reports by epoch: the log-likelihoods or the
// errors of a classifier, the free-energy gap and the size of the weights, as far as
// there are such figures. Package monitor's ReadCSV reads reports from a table.
func Curves(w io.Writer, title string, reports []rbm.Report) error {
	var plots [][]*plot.Plot
	for _, panel := range panels {
		p := newPlot(panel.label, reports)
		points := 0
		for _, c := range panel.curves {
			n, err := c.drawTo(p, reports)
			if err != nil {
				return fmt.Errorf("plot: %s: %w", panel.label, err)
			}
			points += n
		}
		if points > 0 {
			plots = append(plots, []*plot.Plot{p})
		}
	}
	if len(plots) == 0 {
		plots = [][]*plot.Plot{{newPlot("no figures", reports)}}
	}
	plots[0][0].Title.Text = title
	plots[0][0].Title.Padding = vg.Points(6)
	plots[len(plots)-1][0].X.Label.Text = "epoch"

	img := vgimg.New(20*vg.Centimeter, vg.Length(len(plots))*8*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadX: 8, PadY: 8, PadTop: 8, PadBottom: 8, PadLeft: 8, PadRight: 8}
	for i, row := range plot.Align(plots, tiles, draw.New(img)) {
		plots[i][0].Draw(row[0])
	}
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(w)
	return err
}

// newPlot returns a plot over all epochs.
func newPlot(label string, reports []rbm.Report) *plot.Plot {
	p := plot.New()
	p.Y.Label.Text = label
	p.X.Tick.Marker = epochs{}
	p.X.Min, p.X.Max = 0, 1
	for _, r := range reports {
		p.X.Max = max(p.X.Max, float64(r.Epoch))
	}
	p.Legend.XOffs, p.Legend.YOffs = -vg.Points(6), vg.Points(6)
	p.Add(plotter.NewGrid())
	return p
}

// drawTo draws c, but for the reports in which it is no number, and returns how many there
// are others.
func (c curve) drawTo(p *plot.Plot, reports []rbm.Report) (n int, err error) {
	var points plotter.XYs
	for i := range reports {
		if y := c.of(&reports[i]); !math.IsNaN(y) && !math.IsInf(y, 0) {
			points = append(points, plotter.XY{X: float64(reports[i].Epoch), Y: y})
		}
	}
	if len(points) == 0 {
		return 0, nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return 0, err
	}
	line.Color, dots.Color = c.color, c.color
	line.Width = vg.Points(1.5)
	dots.Shape, dots.Radius = draw.CircleGlyph{}, vg.Points(1.5)
	p.Add(line, dots)
	if c.name != "" {
		p.Legend.Add(c.name, line)
	}
	return len(points), nil
}

// epochs are ticks at whole epochs: five to ten round numbers.
type epochs struct{}

func (epochs) Ticks(low, high float64) (ticks []plot.Tick) {
	step := roundStep(high - low)
	for x := math.Ceil(low/step) * step; x <= high; x += step {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.0f", x)})
	}
	return ticks
}

// roundStep returns the least of 1, 2, 5, 10, 20, 50, … that takes at most ten steps for
// length.
func roundStep(length float64) float64 {
	for ten := 1.; ; ten *= 10 {
		for _, x := range []float64{1, 2, 5} {
			if !(length > 10*x*ten) {
				return x * ten
			}
		}
	}
}
