package main

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
)

// letters are the only ones that the titles need, each five pixels wide and one apart.
const letters = "ADEFILMPRST+-"

const letterWidth, letterHeight = 5, 7

var letterRows = [letterHeight]string{
	".###. ####. ##### ##### ##### #.... #...# ####. ####. .#### ##### ..... .....",
	"#...# #...# #.... #.... ..#.. #.... ##.## #...# #...# #.... ..#.. ..#.. .....",
	"#...# #...# #.... #.... ..#.. #.... #.#.# #...# #...# #.... ..#.. ..#.. .....",
	"##### #...# ####. ####. ..#.. #.... #.#.# ####. ####. .###. ..#.. ##### #####",
	"#...# #...# #.... #.... ..#.. #.... #...# #.... #.#.. ....# ..#.. ..#.. .....",
	"#...# #...# #.... #.... ..#.. #.... #...# #.... #..#. ....# ..#.. ..#.. .....",
	"#...# ####. ##### #.... ##### ##### #...# #.... #...# ####. ..#.. ..... .....",
}

// drawText writes s from the point at, its pixels enlarged to squares.
func drawText(dst draw.Image, at image.Point, s string, size int, c color.Color) {
	for _, letter := range s {
		from := strings.IndexRune(letters, letter) * (letterWidth + 1)
		for y, row := range letterRows {
			for x := range letterWidth {
				if row[from+x] == '#' {
					fill(dst, at.X+x*size, at.Y+y*size, size, size, c)
				}
			}
		}
		at.X += (letterWidth + 1) * size
	}
}
