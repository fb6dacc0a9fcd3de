// Command png fails if the file it is given is not a PNG with a picture in it.
package main

import (
	"fmt"
	"image/png"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	f, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		log.Fatal(err)
	}
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if img.At(x, y) != img.At(r.Min.X, r.Min.Y) {
				fmt.Printf("a PNG of %d×%d pixels\n", r.Dx(), r.Dy())
				return
			}
		}
	}
	log.Fatalf("all %d×%d pixels are the same", r.Dx(), r.Dy())
}
