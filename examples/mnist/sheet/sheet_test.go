package sheet

import (
	"image/color"
	"math"
	"testing"

	"github.com/gorbm/rbm/examples/mnist/idx"
)

func TestTile(t *testing.T) {
	const across, down = 3, 2
	img := New(across, down)
	dot1 := func(at int) func(i int) color.RGBA {
		return func(i int) color.RGBA {
			if i == at {
				return Dark
			}
			return White
		}
	}
	Tile(img, 0, dot1(1))
	Tile(img, across+1, dot1(idx.Pixels-1))
	if got := img.Rect; got.Dx() != across*(tile+gap)+gap || got.Dy() != down*(tile+gap)+gap {
		t.Errorf("the sheet is %v", got)
	}
	next := gap + tile + gap // where the second row and column begin
	for _, test := range []struct {
		what string
		x, y int
		want color.RGBA
	}{
		{"corner", 0, 0, Paper},
		{"pixel 0 of tile 0", gap, gap, White},
		{"pixel 1 of tile 0", gap + dot, gap, Dark},
		{"pixel 1 of tile 0, its other end", gap + 2*dot - 1, gap + dot - 1, Dark},
		{"pixel 2 of tile 0", gap + 2*dot, gap, White},
		{"pixel 29 of tile 0", gap + dot, gap + dot, White},
		{"between tiles", gap + tile, gap, Paper},
		{"last pixel of tile across+1", next + tile - 1, next + tile - 1, Dark},
		{"last pixel but one of it", next + tile - 1 - dot, next + tile - 1, White},
		{"a tile that is not drawn", gap + 2*(tile+gap), next, Paper},
	} {
		if got := img.RGBAAt(test.x, test.y); got != test.want {
			t.Errorf("%s is %v, want %v", test.what, got, test.want)
		}
	}
}

func TestMiddle(t *testing.T) {
	img := New(4, 3)
	Tile(img, 2*4+1, func(int) color.RGBA { return Red })
	x0, x1, y0, y1 := img.Rect.Dx(), 0, img.Rect.Dy(), 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if img.RGBAAt(x, y) == Red {
				x0, x1, y0, y1 = min(x0, x), max(x1, x+1), min(y0, y), max(y1, y+1)
			}
		}
	}
	if x, y := Middle(1), Middle(2); x != (x0+x1)/2 || y != (y0+y1)/2 {
		t.Errorf("the middle is (%d, %d), want that of [%d, %d)×[%d, %d)", x, y, x0, x1, y0, y1)
	}
}

func TestMix(t *testing.T) {
	for _, test := range []struct {
		what      string
		got, want color.RGBA
	}{
		{"probability 0", Ink(0), White},
		{"probability 1", Ink(1), Dark},
		{"NaN", Ink(math.NaN()), Dark},
		{"half", Mix(White, Red, 0.5), color.RGBA{0xdc, 0x8e, 0x96, 0xff}},
	} {
		if test.got != test.want {
			t.Errorf("%s is %v, want %v", test.what, test.got, test.want)
		}
	}
}
