package main

import (
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/gonum/mat"
)

// A score says how well digits are told apart.
type score struct {
	rows, wrong int
	logProb     float64 // mean log p(y|x)
}

func (s score) errorRate() float64 { return 100 * float64(s.wrong) / float64(s.rows) }

func judge(c *rbm.Classifier, x mat.Matrix, s idx.Set) score { return confuse(c, x, s).score }

// A confusion counts digits by their labels and by what they are taken for.
type confusion struct {
	score
	of     string // what the digits are
	set    idx.Set
	counts [idx.Classes][idx.Classes]int
	surest [idx.Classes][idx.Classes]int // the row that is taken so with the highest probability
}

// confuse judges by the digits of s, given as x.
func confuse(c *rbm.Classifier, x mat.Matrix, s idx.Set) *confusion {
	f := &confusion{score: score{rows: len(s.Labels)}, of: "test", set: s}
	logp := c.LogProbs(nil, x)
	var highest [idx.Classes][idx.Classes]float64
	for r, y := range s.Labels {
		row := logp.RawRowView(r)
		taken := 0
		for k, p := range row {
			if p > row[taken] {
				taken = k
			}
		}
		if f.counts[y][taken] == 0 || row[taken] > highest[y][taken] {
			highest[y][taken], f.surest[y][taken] = row[taken], r
		}
		f.counts[y][taken]++
		if taken != y || math.IsNaN(row[y]) {
			f.wrong++
		}
		f.logProb += row[y] / float64(f.rows)
	}
	return f
}

// print prints a table, with a row for each label.
func (f *confusion) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s error: %.2f %% (%d of %d)\n\nlabel   taken for\n     ", f.of, f.errorRate(), f.wrong, f.rows)
	for y := range f.counts {
		fmt.Fprintf(w, "%6d", y)
	}
	fmt.Fprintln(w)
	for y, row := range f.counts {
		fmt.Fprintf(w, "%5d", y)
		for _, n := range row {
			if n == 0 {
				fmt.Fprintf(w, "%6s", ".")
			} else {
				fmt.Fprintf(w, "%6d", n)
			}
		}
		fmt.Fprintln(w)
	}
}

// draw writes a PNG with a tile for each entry of the table: the digit that is taken
// so with the highest probability, red where that is wrong; and with the digits of rows and
// columns, and a title.
func (f *confusion) draw(w io.Writer) error {
	img := sheet.New(idx.Classes, idx.Classes)
	for y, row := range f.counts {
		for taken, n := range row {
			if n == 0 {
				continue
			}
			ink := sheet.Red
			if y == taken {
				ink = sheet.Dark
			}
			r := f.surest[y][taken]
			sheet.Tile(img, y*idx.Classes+taken, func(i int) color.RGBA {
				return sheet.Mix(sheet.White, ink, f.set.Images.At(r, i))
			})
		}
	}
	framed, err := withMargins(img, f.title())
	if err != nil {
		return err
	}
	return png.Encode(w, framed)
}

func (f *confusion) title() string {
	return fmt.Sprintf("Of %d %s digits %d (%.2f %%) are taken for others", f.rows, f.of, f.wrong, f.errorRate())
}
