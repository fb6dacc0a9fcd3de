package product

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A mnistProduct is a product of 100 rows of 784 bits, 19 % of them ones, as MNIST's digits
// have, and as many columns as 500 hidden units fill, in float64 and in fixed point.
type mnistProduct struct {
	lists   Lists
	p       Panels
	f       Fixed
	scratch []Line
	x       []Line
	fixed   []FixedLine
}

const (
	mnistRows, mnistCols = 100, 512
	panelsOfWord         = wordBits / Lanes
)

func newMNISTProduct() *mnistProduct {
	o := newOperands(rand.New(rand.NewPCG(20, 20)), mnistRows, 784, mnistCols, 0.19)
	m := new(mnistProduct)
	m.lists.Build(o.bits(), mnistRows)
	m.lists.direct = false
	makeLists(&m.lists)
	m.p.View(784, mnistCols, mnistCols, flat(o.f, mnistCols))
	m.f = *packed(&m.p, make([]float64, mnistCols))
	m.scratch = Lines(ScratchLines)
	m.x, m.fixed = Lines(mnistRows*panelsOfWord), AsFixed(Lines(mnistRows*FixedPanels))
	return m
}

func (m *mnistProduct) inFloat64() {
	for q := 0; q < mnistCols/Lanes; q += panelsOfWord {
		m.lists.Mul(m.x, &m.p, q, q+panelsOfWord, m.scratch, 0, mnistRows)
	}
}

func (m *mnistProduct) inFixed() {
	for t := range mnistCols / wordBits {
		m.lists.MulFixed(m.fixed, &m.f, t*FixedPanels, (t+1)*FixedPanels, m.scratch, 0, mnistRows)
	}
}

// BenchmarkFixedRatio reports how many times as fast as sums of float64s the sums in fixed
// point are. They take turns, and the shortest time of each counts.
func BenchmarkFixedRatio(b *testing.B) {
	m := newMNISTProduct()
	shortest := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	for b.Loop() {
		for i, f := range []func(){m.inFloat64, m.inFixed} {
			start := time.Now()
			f()
			shortest[i] = min(shortest[i], time.Since(start))
		}
	}
	b.ReportMetric(float64(shortest[0])/float64(shortest[1]), "fixed-x-float64")
}
