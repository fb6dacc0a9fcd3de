// Instructions multiplies bits by a matrix some times, as a pass between the layers of an
// RBM does: 100 rows of 392 bits, 19 % of them ones, and 64 columns. An emulator counts the
// instructions that this takes.
//
//	instructions KIND TIMES
//
// The kind is float64, for sums of float64s; Go, for sums in fixed point in plain Go; or
// kernels, for sums in fixed point by assembly.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/product"
)

const rows, inputs, units = 100, 392, 64

func main() {
	if len(os.Args) != 3 {
		fail("want a kind and a number of times")
	}
	times, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	bits := product.Bits{Rows: rows, Cols: inputs, Stride: (inputs + 63) / 64}
	bits.Words = make([]uint64, bits.Rows*bits.Stride)
	for r := range rows {
		for i := range inputs {
			if rng.Float64() < 0.19 {
				bits.Words[r*bits.Stride+i/64] |= 1 << (i % 64)
			}
		}
	}
	weights := make([]float64, inputs*units)
	for i := range weights {
		weights[i] = rng.NormFloat64()
	}
	var p product.Panels
	p.View(inputs, units, units, weights)
	var l product.Lists
	l.Build(bits, rows)
	for part := range l.Parts() {
		l.Fill(part)
	}
	scratch := product.Lines(product.ScratchLines)

	switch kind := os.Args[1]; kind {
	case "float64":
		x := product.Lines(rows * p.Count())
		for range times {
			l.Mul(x, &p, 0, p.Count(), scratch, 0, rows)
		}
	case "kernels", "Go":
		if kind == "Go" {
			cpu.AVX2, cpu.AVX512, cpu.NEON = false, false, false
		}
		var f product.Fixed
		f.Reset(inputs, units)
		f.Pack(0, &p, make([]float64, units), new([units]float64))
		x := product.AsFixed(product.Lines(rows * product.FixedPanels))
		for range times {
			l.MulFixed(x, &f, 0, product.FixedPanels, scratch, 0, rows)
		}
	default:
		fail("no such kind: " + kind)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "instructions:", why)
	os.Exit(1)
}
