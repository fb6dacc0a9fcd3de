package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/sheet"
)

// pixelwise returns a classifier that takes an image for y if pixel y is on, and is
// the surer if pixel 10+y is.
func pixelwise() *rbm.Classifier {
	m := rbm.New(idx.Pixels+idx.Classes, idx.Classes)
	for y := range idx.Classes {
		m.W.Set(y, y, 10)
		m.W.Set(y, 10+y, 1)
		m.W.Set(y, idx.Pixels+y, 10)
		m.C.SetVec(y, -15)
	}
	return &rbm.Classifier{Model: m, Classes: idx.Classes}
}

// taken are rows with their labels, what the classifier takes them for, and whether
// it is surer.
var taken = []struct {
	label, taken int
	surer        bool
}{
	{3, 5, true}, {3, 5, false}, {4, 4, false}, {4, 4, true}, {0, 0, false}, {9, 0, false}, {9, 9, true}, {3, 3, false},
}

func takenSet() idx.Set {
	s := idx.Set{Images: rbm.NewBits(len(taken), idx.Pixels)}
	for r, x := range taken {
		s.Labels = append(s.Labels, x.label)
		s.Images.SetBit(r, x.taken, true)
		s.Images.SetBit(r, 10+x.taken, x.surer)
	}
	return s
}

func TestConfuse(t *testing.T) {
	f := confuse(pixelwise(), takenSet().Images, takenSet())
	var counts, surest [idx.Classes][idx.Classes]int
	for r, x := range taken {
		counts[x.label][x.taken]++
		if x.surer || counts[x.label][x.taken] == 1 {
			surest[x.label][x.taken] = r
		}
	}
	if f.counts != counts {
		t.Errorf("the counts are %v, want %v", f.counts, counts)
	}
	if f.surest != surest {
		t.Errorf("the surest rows are %v, want %v", f.surest, surest)
	}
	if f.rows != 8 || f.wrong != 3 || f.errorRate() != 37.5 {
		t.Errorf("%d of %d rows are wrong, %v %%, want 3 of 8, 37.5 %%", f.wrong, f.rows, f.errorRate())
	}

	softplus := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	want := 0.0
	for _, x := range taken {
		input := -5.0 // of the hidden unit of the class that it is taken for
		if x.surer {
			input++
		}
		right := softplus(input+10) + softplus(-15)
		wrong := softplus(input) + softplus(-5)
		logProb := right
		if x.label != x.taken {
			logProb = wrong
		}
		logProb -= math.Log(math.Exp(right) + 9*math.Exp(wrong))
		want += logProb / 8
	}
	if math.Abs(f.logProb-want) > 1e-9 {
		t.Errorf("the mean of log p(y|x) is %v, want %v", f.logProb, want)
	}
	if got := judge(pixelwise(), takenSet().Images, takenSet()); got != f.score {
		t.Errorf("judge = %v, want %v", got, f.score)
	}
}

func TestConfuseNaN(t *testing.T) {
	c := pixelwise()
	c.Model.B.SetVec(400, math.NaN())
	if s := judge(c, takenSet().Images, takenSet()); s.wrong != s.rows || !math.IsNaN(s.logProb) {
		t.Errorf("%d of %d rows are wrong and log p(y|x) is %v, want all and NaN", s.wrong, s.rows, s.logProb)
	}
}

func TestPrint(t *testing.T) {
	var out strings.Builder
	f := confuse(pixelwise(), takenSet().Images, takenSet())
	f.print(&out)
	lines := strings.Split(out.String(), "\n")
	if !slices.Contains(lines, "test error: 37.50 % (3 of 8)") {
		t.Errorf("the error is missing:\n%s", out.String())
	}
	var held strings.Builder
	f.of = "held-out"
	f.print(&held)
	if got, want := held.String(), strings.Replace(out.String(), "\ntest error", "\nheld-out error", 1); got != want {
		t.Errorf("of digits held out it prints %q, want %q", got, want)
	}
	var want []string
	for y := range idx.Classes {
		line := make([]any, idx.Classes)
		for k := range line {
			line[k] = "."
		}
		for _, x := range taken {
			if x.label == y {
				n, _ := line[x.taken].(int)
				line[x.taken] = n + 1
			}
		}
		want = append(want, fmt.Sprintln(append([]any{y}, line...)...))
	}
	var got []string
	for _, line := range lines[max(0, len(lines)-1-idx.Classes) : len(lines)-1] {
		got = append(got, strings.Join(strings.Fields(line), " ")+"\n")
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table is %q, want %q", got, want)
	}
}

func TestDraw(t *testing.T) {
	var b bytes.Buffer
	if err := confuse(pixelwise(), takenSet().Images, takenSet()).draw(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.New(idx.Classes, idx.Classes)
	s := takenSet()
	for r, x := range taken {
		if r == 1 || r == 2 { // there is a surer one
			continue
		}
		sheet.Tile(want, x.label*idx.Classes+x.taken, func(i int) color.RGBA {
			switch {
			case !s.Images.Bit(r, i):
				return sheet.White
			case x.label == x.taken:
				return sheet.Dark
			}
			return sheet.Red
		})
	}
	got, ok := img.(*image.RGBA)
	if !ok {
		t.Fatalf("the picture is a %T", img)
	}
	inner := image.NewRGBA(want.Rect)
	draw.Draw(inner, inner.Rect, got, image.Pt(leftMargin, topMargin), draw.Src)
	if !bytes.Equal(inner.Pix, want.Pix) {
		t.Error("the tiles are not those of the surest digits, red where they are taken for others")
	}
	// Each row and column has its digit, and no two digits are the same.
	digit := func(x, y int) string {
		var s strings.Builder
		for dy := -10; dy < 14; dy++ {
			for dx := -10; dx < 10; dx++ {
				if got.RGBAAt(x+dx, y+dy).R < 0x80 {
					s.WriteByte('#')
				} else {
					s.WriteByte('.')
				}
			}
		}
		return s.String()
	}
	seen := make(map[string]bool)
	for k := range idx.Classes {
		column, row := digit(leftMargin+sheet.Middle(k), 88), digit(leftMargin/2, topMargin+sheet.Middle(k))
		if column != row || !strings.Contains(row, "#") || seen[row] {
			t.Errorf("row and column %d do not have a digit of their own", k)
		}
		seen[row] = true
	}
}

func TestTitle(t *testing.T) {
	if got, want := confuse(pixelwise(), takenSet().Images, takenSet()).title(), "Of 8 test digits 3 (37.50 %) are taken for others"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
}
