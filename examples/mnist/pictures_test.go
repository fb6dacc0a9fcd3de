package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"gonum.org/v1/gonum/mat"
)

func TestWriteTiles(t *testing.T) {
	a := mat.NewDense(tiles+1, idx.Pixels, nil)
	a.Set(0, 1, 1)
	a.Set(across+1, idx.Pixels-1, 1)
	a.Set(tiles, 0, 1)
	var b bytes.Buffer
	if err := writeTiles(&b, a, sheet.Ink); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	want := sheet.New(across, across)
	for n := range tiles {
		sheet.Tile(want, n, func(i int) color.RGBA { return sheet.Ink(a.At(n, i)) })
	}
	if got, ok := img.(*image.RGBA); !ok || !bytes.Equal(got.Pix, want.Pix) {
		t.Error("the picture is not that of the first rows, one a tile")
	}
}

func TestShades(t *testing.T) {
	shade := diverging(2)
	for _, test := range []struct {
		what      string
		got, want color.RGBA
	}{
		{"0", shade(0), sheet.White},
		{"the limit", shade(2), sheet.Red},
		{"more", shade(5), sheet.Red},
		{"minus the limit", shade(-2), sheet.Blue},
		{"less", shade(-5), sheet.Blue},
		{"half", shade(1), color.RGBA{0xdc, 0x8e, 0x96, 0xff}},
		{"NaN", shade(math.NaN()), sheet.Red},
	} {
		if test.got != test.want {
			t.Errorf("%s is %v, want %v", test.what, test.got, test.want)
		}
	}
}

func TestStrongest(t *testing.T) {
	const nh = tiles + 7
	w := mat.NewDense(nh, 3, nil)
	for j := range nh {
		w.Set(j, j%3, float64(j*37%nh)*float64(1-2*(j%2)))
	}
	rows, limit := strongest(w)
	if r, c := rows.Dims(); r != tiles || c != 3 {
		t.Fatalf("strongest gave %d×%d, want %d×3", r, c, tiles)
	}
	for r := range tiles {
		if got, want := mat.Norm(rows.RowView(r), 2), float64(nh-1-r); got != want {
			t.Errorf("the norm of row %d is %v, want %v", r, got, want)
		}
	}
	// Of 300 weights 3 are larger than the 297th.
	if want := float64(nh - 1 - 2); limit != want {
		t.Errorf("the limit is %v, want %v", limit, want)
	}
}
