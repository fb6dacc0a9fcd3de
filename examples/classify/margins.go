package main

import (
	"fmt"
	"image"
	"image/draw"
	"strconv"

	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/examples/mnist/sheet"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

const (
	leftMargin = 76
	topMargin  = 108
	textSize   = 24 // pixels
)

// withMargins returns the tiles of a table with a title, and with the digits of its rows and
// columns beside them.
func withMargins(tiles *image.RGBA, title string) (*image.RGBA, error) {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: textSize, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	defer face.Close()
	size := tiles.Rect.Size()
	img := image.NewRGBA(image.Rect(0, 0, leftMargin+size.X, topMargin+size.Y))
	draw.Draw(img, img.Rect, image.NewUniform(sheet.Paper), image.Point{}, draw.Src)
	draw.Draw(img, tiles.Rect.Add(image.Pt(leftMargin, topMargin)), tiles, image.Point{}, draw.Src)

	write := func(text string, x, y int) { // around x, on a line around y
		d := font.Drawer{Dst: img, Src: image.NewUniform(sheet.Dark), Face: face}
		d.Dot = fixed.Point26_6{X: fixed.I(x) - d.MeasureString(text)/2, Y: fixed.I(y + textSize/3)}
		d.DrawString(text)
	}
	write(title, img.Rect.Dx()/2, 22)
	write("taken for", leftMargin+size.X/2, 58)
	write("label", leftMargin/2, 88)
	for k := range idx.Classes {
		at := sheet.Middle(k)
		write(strconv.Itoa(k), leftMargin+at, 88)
		write(strconv.Itoa(k), leftMargin/2, topMargin+at)
	}
	return img, nil
}
