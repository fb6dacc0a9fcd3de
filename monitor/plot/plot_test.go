package plot

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"testing"

	"github.com/gorbm/rbm"
)

// none returns a report without figures.
func none(epoch int) rbm.Report {
	nan := math.NaN()
	return rbm.Report{
		Epoch: epoch, LogLikelihood: nan, HeldOutLogLikelihood: nan, PseudoLogLikelihood: nan, HeldOutPseudoLogLikelihood: nan,
		Error: nan, FreeEnergyGap: nan, WeightRMS: math.Inf(1),
	}
}

// A picture has a panel for each kind of figure that there is.
func TestCurves(t *testing.T) {
	one, two, all := none(1), none(2), none(3)
	one.PseudoLogLikelihood = -1
	two.PseudoLogLikelihood, two.HeldOutPseudoLogLikelihood, two.FreeEnergyGap = -2, -3, 0.5
	all.LogLikelihood, all.Error, all.WeightRMS = -1, 0.1, 0.2
	for what, tt := range map[string]struct {
		reports []rbm.Report
		panels  int
	}{
		"none":   {nil, 1},
		"no one": {[]rbm.Report{none(1)}, 1},
		"one":    {[]rbm.Report{one}, 1},
		"two":    {[]rbm.Report{one, none(7), two}, 2},
		"all":    {[]rbm.Report{one, two, all}, 5},
	} {
		var b bytes.Buffer
		if err := Curves(&b, "a title", tt.reports); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		size := img.Bounds().Size()
		if got := math.Round(float64(size.Y) / float64(size.X) * 20 / 8); got != float64(tt.panels) {
			t.Errorf("%s: a picture of %v has %v panels, want %d", what, size, got, tt.panels)
		}
	}
}

// A curve is drawn in its color, and the title is there.
func TestCurvesAreDrawn(t *testing.T) {
	one, two := none(1), none(2)
	one.PseudoLogLikelihood, two.PseudoLogLikelihood = -2, -1
	count := func(title string) (curve, top int) {
		var b bytes.Buffer
		if err := Curves(&b, title, []rbm.Report{one, two}); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				r, g, b, _ := img.At(x, y).RGBA()
				if [3]uint32{r >> 8, g >> 8, b >> 8} == [3]uint32{uint32(blue.R), uint32(blue.G), uint32(blue.B)} {
					curve++
				}
				if d := x - img.Bounds().Dx()/2; r+g+b < 0xffff && y < img.Bounds().Dy()/12 && d*d < 100*100 {
					top++
				}
			}
		}
		return curve, top
	}
	curve, plain := count("")
	if _, titled := count("a title"); curve < 200 || plain > 0 || titled < 20 {
		t.Errorf("%d pixels of the curve; at the top %d dark ones with a title and %d without", curve, titled, plain)
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "[0 1]"},
		{0, 10, "[0 1 2 3 4 5 6 7 8 9 10]"},
		{0, 11, "[0 2 4 6 8 10]"},
		{0, 20, "[0 2 4 6 8 10 12 14 16 18 20]"},
		{0, 47, "[0 5 10 15 20 25 30 35 40 45]"},
		{3, 120, "[20 40 60 80 100 120]"},
		{0, 660, "[0 100 200 300 400 500 600]"},
	} {
		var got []string
		for _, tick := range (epochs{}).Ticks(tt.low, tt.high) {
			if got = append(got, tick.Label); fmt.Sprint(tick.Value) != tick.Label {
				t.Errorf("the tick at %v says %s", tick.Value, tick.Label)
			}
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("from %v to %v there are ticks at %v, want %s", tt.low, tt.high, got, tt.want)
		}
	}
}
