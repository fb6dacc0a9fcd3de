package main

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func TestWriteTiles(t *testing.T) {
	a := mat.NewDense(across+2, pixels, nil)
	a.Set(0, 1, 1)
	a.Set(across+1, pixels-1, 1)
	var b bytes.Buffer
	if err := writeTiles(&b, a, ink); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	next := gap + tile + gap // where the second row and column begin
	for _, test := range []struct {
		what string
		x, y int
		want color.RGBA
	}{
		{"corner", 0, 0, paper},
		{"pixel 0 of row 0", gap, gap, white},
		{"pixel 1 of row 0", gap + dot, gap, dark},
		{"pixel 1 of row 0, its other end", gap + 2*dot - 1, gap + dot - 1, dark},
		{"pixel 2 of row 0", gap + 2*dot, gap, white},
		{"pixel 29 of row 0", gap + dot, gap + dot, white},
		{"between tiles", gap + tile, gap, paper},
		{"last pixel of row across+1", next + tile - 1, next + tile - 1, dark},
		{"last pixel but one of it", next + tile - 1 - dot, next + tile - 1, white},
		{"a tile without a row", gap + 2*(tile+gap), next, paper},
	} {
		if got := color.RGBAModel.Convert(img.At(test.x, test.y)); got != test.want {
			t.Errorf("%s is %v, want %v", test.what, got, test.want)
		}
	}
}

func TestShades(t *testing.T) {
	shade := diverging(2)
	for _, test := range []struct {
		what      string
		got, want color.RGBA
	}{
		{"0", shade(0), white},
		{"the limit", shade(2), red},
		{"more", shade(5), red},
		{"minus the limit", shade(-2), blue},
		{"less", shade(-5), blue},
		{"half", shade(1), color.RGBA{0xdc, 0x8e, 0x96, 0xff}},
		{"NaN", shade(math.NaN()), red},
		{"probability 0", ink(0), white},
		{"probability 1", ink(1), dark},
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

func TestWriteCurves(t *testing.T) {
	nan := history{{Epoch: 1, PseudoLogLikelihood: math.NaN(), HeldPseudoLogLikelihood: math.NaN(), FreeEnergyGap: math.NaN(), WeightRMS: math.Inf(1)}}
	for what, h := range map[string]history{
		"some":   someReports(),
		"one":    {rbm.Report{Epoch: 1, PseudoLogLikelihood: -1}},
		"none":   nil,
		"no one": nan,
	} {
		var b bytes.Buffer
		if err := writeCurves(&b, h, "test"); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if _, err := png.Decode(&b); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
