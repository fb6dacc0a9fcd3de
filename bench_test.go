package rbm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// The benchmarks report rows per second: rows of data for a training step
// (Gradient and SGD.Step) and for the functions, chain sweeps for Gibbs. Their
// Reference twins do the same with gonum alone, as a Go programmer would write
// it: mat.Mul, a scalar sigmoid and math/rand/v2.

const benchVisible = 784

// benchRows draws rows with the look of thresholded MNIST: strokes of a pen in the
// middle of an image of 28×28. Of MNIST's pixels above 127, 13 % are on, which
// are 102 in 44 of the 196 groups of four that the products look at; here they
// are 103 in 45.
func benchRows(n int) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := rbm.NewBits(n, benchVisible)
	for r := range n {
		point := func() (x, y float64) { return 6 + 16*rnd.Float64(), 4 + 20*rnd.Float64() }
		x0, y0 := point()
		for on := 0; on < 95; {
			x1, y1 := point()
			x2, y2 := point()
			for t := 0.; t <= 1; t += 1. / 64 { // a quadratic curve
				x := (1-t)*(1-t)*x0 + 2*t*(1-t)*x1 + t*t*x2
				y := (1-t)*(1-t)*y0 + 2*t*(1-t)*y1 + t*t*y2
				for j := int(y - 1); j <= int(y+2); j++ {
					for i := int(x - 1); i <= int(x+2); i++ {
						if math.Hypot(float64(i)-x, float64(j)-y) < 1 && !rows.Bit(r, 28*j+i) {
							rows.SetBit(r, 28*j+i, true)
							on++
						}
					}
				}
			}
			x0, y0 = x2, y2
		}
	}
	return rows
}

// benchModel returns a model at the start of training on data.
func benchModel(nh int, data *rbm.Bits) *rbm.RBM {
	m := rbm.NewRandom(benchVisible, nh, 0.01, rand.NewPCG(3, 4))
	m.FitVisibleBias(data)
	return m
}

// A stepper returns a function to be measured, for a model and data.
type stepper func(m *rbm.RBM, data *rbm.Bits) (step func())

func BenchmarkCD1(b *testing.B)         { benchmark(b, cd1Step) }
func BenchmarkPCD1(b *testing.B)        { benchmark(b, pcd1Step) }
func BenchmarkGibbs(b *testing.B)       { benchmark(b, gibbsStep) }
func BenchmarkFreeEnergy(b *testing.B)  { benchmark(b, freeEnergyStep) }
func BenchmarkHiddenProbs(b *testing.B) { benchmark(b, hiddenProbsStep) }

func BenchmarkPseudoLogLikelihood(b *testing.B) { benchmark(b, pseudoStep) }

// BenchmarkLong is of calls with more work, as BenchmarkRatioLong is.
func BenchmarkLong(b *testing.B) {
	for _, bb := range []struct {
		name string
		f    stepper
		n    int
	}{
		{"CD10", cd10Step, 100},
		{"FreeEnergy", freeEnergyStep, 10000},
		{"HiddenProbs", hiddenProbsStep, 10000},
		{"PseudoLogLikelihood", pseudoStep, 10000},
		{"Gibbs100", gibbs100Step, 100},
	} {
		b.Run(fmt.Sprintf("%s/nv=%d/nh=500/n=%d", bb.name, benchVisible, bb.n), func(b *testing.B) {
			throughput(b, bb.f, 500, bb.n)
		})
	}
}

// BenchmarkDraws is Gibbs sweeps of 100 chains. Of a million draws, it reports how many were
// decided in float64, as sums in fixed point were not certain of them.
func BenchmarkDraws(b *testing.B) {
	const nh, n, k = 500, 100, 100
	data := benchRows(n)
	m := benchModel(nh, data)
	for _, bb := range []struct {
		name  string
		scale float64 // of the weights
	}{{"start", 1}, {"trained", 20}} {
		b.Run(fmt.Sprintf("%s/nv=%d/nh=%d/n=%d", bb.name, benchVisible, nh, n), func(b *testing.B) {
			m := m.Clone()
			m.W.Scale(bb.scale, m.W)
			c := rbm.NewChains(rand.NewPCG(5, 6))
			c.Start(data)
			for b.Loop() {
				c.Gibbs(m, k)
			}
			opened, packed := rbm.Opened(c)
			if !packed {
				b.Error("no draw was decided in fixed point")
			}
			draws := float64(b.N * n * k * (benchVisible + nh))
			b.ReportMetric(1e6*float64(opened)/draws, "float64/Mdraws")
			b.ReportMetric(draws/b.Elapsed().Seconds(), "draws/s")
		})
	}
}

// BenchmarkBusy is a training step beside other work: so many goroutines that
// never wait.
func BenchmarkBusy(b *testing.B) {
	for _, busy := range []int{0, 1, 2, 4} {
		b.Run(fmt.Sprintf("nv=%d/nh=500/n=100/busy=%d", benchVisible, busy), func(b *testing.B) {
			var stop atomic.Bool
			var wait sync.WaitGroup
			for range busy {
				wait.Add(1)
				go func() {
					defer wait.Done()
					for !stop.Load() {
					}
				}()
			}
			throughput(b, cd1Step, 500, 100)
			stop.Store(true)
			wait.Wait()
		})
	}
}

func BenchmarkReferenceCD1(b *testing.B)         { benchmark(b, referenceCD1) }
func BenchmarkReferencePCD1(b *testing.B)        { benchmark(b, referencePCD1) }
func BenchmarkReferenceGibbs(b *testing.B)       { benchmark(b, referenceGibbs) }
func BenchmarkReferenceFreeEnergy(b *testing.B)  { benchmark(b, referenceFreeEnergy) }
func BenchmarkReferenceHiddenProbs(b *testing.B) { benchmark(b, referenceHiddenProbs) }

// The ratios take turns, so that what else the machine does hits both alike.

func BenchmarkRatioCD1(b *testing.B)        { benchmarkRatio(b, cd1Step, referenceCD1) }
func BenchmarkRatioPCD1(b *testing.B)       { benchmarkRatio(b, pcd1Step, referencePCD1) }
func BenchmarkRatioGibbs(b *testing.B)      { benchmarkRatio(b, gibbsStep, referenceGibbs) }
func BenchmarkRatioFreeEnergy(b *testing.B) { benchmarkRatio(b, freeEnergyStep, referenceFreeEnergy) }
func BenchmarkRatioHiddenProbs(b *testing.B) {
	benchmarkRatio(b, hiddenProbsStep, referenceHiddenProbs)
}

// BenchmarkRatioPseudoLogLikelihood is of few rows, as the reference takes long.
func BenchmarkRatioPseudoLogLikelihood(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprintf("nv=%d/nh=500/n=%d", benchVisible, n), func(b *testing.B) {
			ratio(b, pseudoStep, referencePseudo, 500, n, 20)
		})
	}
}

// BenchmarkRatioLong is of calls with more work: 10,000 rows, or 100 sweeps.
func BenchmarkRatioLong(b *testing.B) {
	for _, bb := range []struct {
		name         string
		f, reference stepper
		n            int
	}{
		{"FreeEnergy", freeEnergyStep, referenceFreeEnergy, 10000},
		{"HiddenProbs", hiddenProbsStep, referenceHiddenProbs, 10000},
		{"Gibbs100", gibbs100Step, referenceGibbs100, 100},
	} {
		b.Run(fmt.Sprintf("%s/nv=%d/nh=500/n=%d", bb.name, benchVisible, bb.n), func(b *testing.B) {
			ratio(b, bb.f, bb.reference, 500, bb.n, 4)
		})
	}
}

// BenchmarkRatioUnitProbs has PseudoLogLikelihood as its reference, which does the same flips.
func BenchmarkRatioUnitProbs(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("nv=%d/nh=500/n=%d", benchVisible, n), func(b *testing.B) {
			ratio(b, unitProbsStep, pseudoStep, 500, n, 1)
		})
	}
}

// BenchmarkRatioFew is of calls with few rows. Its reference is a loop over the ones
// of each row.
func BenchmarkRatioFew(b *testing.B) {
	for _, bb := range []struct {
		name         string
		f, reference stepper
	}{
		{"FreeEnergy", freeEnergyStep, loopFreeEnergy},
		{"HiddenProbs", hiddenProbsStep, loopHiddenProbs},
		{"PseudoLogLikelihood", pseudoStep, referencePseudo},
	} {
		for _, n := range []int{1, 2, 4, 8, 16} {
			b.Run(fmt.Sprintf("%s/nv=%d/nh=500/n=%d", bb.name, benchVisible, n), func(b *testing.B) {
				ratio(b, bb.f, bb.reference, 500, n, 4)
			})
		}
	}
}

// BenchmarkPrepared is of one row, by a Prepared on one goroutine. It takes 100 different
// rows in turn, and reports the microseconds of the shortest call, and how many times as
// long the same takes in a loop over the ones of a row.
func BenchmarkPrepared(b *testing.B) {
	const nh, n, classes = 500, 100, 10
	data := benchRows(n)
	m := benchModel(nh, data)
	p := m.Prepare()
	inputs := rbm.NewBits(n, benchVisible-classes)
	for r := range n {
		for i := range benchVisible - classes {
			inputs.SetBit(r, i, data.Bit(r, i))
		}
	}
	dst, f := new(mat.Dense), make([]float64, 1)
	for _, bb := range []struct {
		name      string
		data      *rbm.Bits
		f         func(row *rbm.Bits)
		reference stepper
	}{
		{"FreeEnergy", data, func(v *rbm.Bits) { p.FreeEnergy(f, v) }, loopFreeEnergy},
		{"HiddenProbs", data, func(v *rbm.Bits) { p.HiddenProbs(dst, v) }, loopHiddenProbs},
		{"UnitProbs", data, func(v *rbm.Bits) { p.UnitProbs(dst, v) }, referencePseudo},
		{"LogProbs", inputs, func(x *rbm.Bits) { p.LogProbs(dst, x, classes) }, loopLogProbs},
	} {
		b.Run(fmt.Sprintf("%s/nv=%d/nh=%d/n=1", bb.name, benchVisible, nh), func(b *testing.B) {
			dst.Reset()
			rows := make([]*rbm.Bits, n)
			for r := range rows {
				rows[r] = bb.data.Slice(r, r+1)
			}
			loop := bb.reference(m, rows[0])
			shortest := [2]time.Duration{math.MaxInt64, math.MaxInt64}
			for b.Loop() {
				for _, row := range rows {
					start := time.Now()
					bb.f(row)
					shortest[0] = min(shortest[0], time.Since(start))
				}
				start := time.Now()
				loop()
				shortest[1] = min(shortest[1], time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(shortest[0])/1e3, "µs")
			b.ReportMetric(float64(shortest[1])/float64(shortest[0]), "×loop")
		})
	}
}

// BenchmarkRatioReal is of rows of numbers between 0 and 1, of which a fifth is not 0,
// as in MNIST, or none is. Its reference is a product by gonum alone: the
// probabilities, and the rest of a step, are for nothing.
func BenchmarkRatioReal(b *testing.B) {
	for _, bb := range []struct {
		name     string
		f        func(m *rbm.RBM, v *mat.Dense) func()
		products int
	}{
		{"FreeEnergy", func(m *rbm.RBM, v *mat.Dense) func() {
			return func() { m.FreeEnergy(nil, v) }
		}, 1},
		{"HiddenProbs", func(m *rbm.RBM, v *mat.Dense) func() {
			var dst mat.Dense
			return func() { m.HiddenProbs(&dst, v) }
		}, 1},
		{"CD1", func(m *rbm.RBM, v *mat.Dense) func() {
			var g rbm.Gradient
			cd := rbm.NewCD(1, rand.NewPCG(5, 6))
			return func() { m.Gradient(&g, v, cd) }
		}, 5},
	} {
		for _, density := range []float64{0.2, 1} {
			for _, nh := range []int{16, 64, 500} {
				for _, n := range []int{1, 10, 100, 1000} {
					b.Run(fmt.Sprintf("%s/density=%v/nv=%d/nh=%d/n=%d", bb.name, density, benchVisible, nh, n), func(b *testing.B) {
						rnd := rand.New(rand.NewPCG(9, 10))
						v := mat.NewDense(n, benchVisible, nil)
						v.Apply(func(_, _ int, _ float64) float64 {
							if rnd.Float64() < density {
								return 1 - rnd.Float64()
							}
							return 0
						}, v)
						product := func(m *rbm.RBM, _ *rbm.Bits) func() {
							var x mat.Dense
							return func() {
								for range bb.products {
									x.Mul(v, m.W.T())
								}
							}
						}
						ratio(b, func(m *rbm.RBM, _ *rbm.Bits) func() { return bb.f(m, v) }, product, nh, 1, 1)
					})
				}
			}
		}
	}
}

func BenchmarkLogPartition(b *testing.B) {
	benchExact(b, func(m *rbm.RBM) { m.LogPartition() })
}

func BenchmarkLogPartitionGradient(b *testing.B) {
	var g rbm.Gradient
	benchExact(b, func(m *rbm.RBM) { m.LogPartitionGradient(&g) })
}

func benchExact(b *testing.B, f func(m *rbm.RBM)) {
	const nh = 20
	b.Run(fmt.Sprintf("nv=%d/nh=%d", benchVisible, nh), func(b *testing.B) {
		m := rbm.NewRandom(benchVisible, nh, 0.1, rand.NewPCG(3, 4))
		for b.Loop() {
			f(m)
		}
	})
}

// BenchmarkGroups reports how many times as long a sweep of 100 chains takes with
// groups of five units, answers to 1,682 questions, as without.
func BenchmarkGroups(b *testing.B) {
	const nv, of, n = 8410, 5, 100
	for _, nh := range []int{20, 100, 500} {
		b.Run(fmt.Sprintf("nv=%d/nh=%d/n=%d", nv, nh, n), func(b *testing.B) {
			m := rbm.NewRandom(nv, nh, 0.1, rand.NewPCG(3, 4))
			for i := range nv {
				m.B.SetVec(i, -math.Log(of-1)) // as many are on without groups
			}
			models := []*rbm.RBM{m, m.Clone()} // plain, in groups
			for i := 0; i < nv; i += of {
				models[1].OneHot = append(models[1].OneHot, rbm.Group{From: i, To: i + of})
			}
			chains := []*rbm.Chains{rbm.NewChains(rand.NewPCG(5, 6)), rbm.NewChains(rand.NewPCG(5, 6))}
			var times [2]time.Duration
			for k, c := range chains {
				c.StartRandom(models[k], n)
				c.Gibbs(models[k], 1)
			}
			for b.Loop() {
				for k, c := range chains {
					start := time.Now()
					c.Gibbs(models[k], 2)
					times[k] += time.Since(start)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(times[0])/2e6/float64(b.N), "ms/plain")
			b.ReportMetric(float64(times[1])/float64(times[0]), "×plain")
		})
	}
}

// benchShapes runs f for every shape, with -short for small ones.
func benchShapes(b *testing.B, f func(b *testing.B, nh, n int)) {
	for _, nh := range []int{64, 500, 2000} {
		for _, n := range []int{10, 100, 512} {
			if testing.Short() && (nh > 500 || n > 100) {
				continue // that benchmarks run at all shows at the other shapes
			}
			b.Run(fmt.Sprintf("nv=%d/nh=%d/n=%d", benchVisible, nh, n), func(b *testing.B) { f(b, nh, n) })
		}
	}
}

// benchmark reports rows/s.
func benchmark(b *testing.B, f stepper) {
	benchShapes(b, func(b *testing.B, nh, n int) { throughput(b, f, nh, n) })
}

func throughput(b *testing.B, f stepper, nh, n int) {
	data := benchRows(n)
	step := f(benchModel(nh, data), data)
	step()
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "rows/s")
}

// benchmarkRatio reports how many times as many rows/s one does as the other.
func benchmarkRatio(b *testing.B, f, reference stepper) {
	benchShapes(b, func(b *testing.B, nh, n int) { ratio(b, f, reference, nh, n, 20) })
}

// ratio does so many steps to one of the reference.
func ratio(b *testing.B, f, reference stepper, nh, n, steps int) {
	data := benchRows(n)
	step, slow := f(benchModel(nh, data), data), reference(benchModel(nh, data), data)
	step()
	slow()
	var fast, ref time.Duration
	for b.Loop() {
		start := time.Now()
		for range steps {
			step()
		}
		middle := time.Now()
		slow()
		fast += middle.Sub(start)
		ref += time.Since(middle)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(steps)*float64(ref)/float64(fast), "×reference")
}

func trainStep(m *rbm.RBM, data *rbm.Bits, s rbm.Sampler) func() {
	var g rbm.Gradient
	sgd := rbm.SGD{Rate: 0.01}
	return func() {
		m.Gradient(&g, data, s)
		sgd.Step(m, &g)
	}
}

func cd1Step(m *rbm.RBM, data *rbm.Bits) func() {
	return trainStep(m, data, rbm.NewCD(1, rand.NewPCG(5, 6)))
}

func cd10Step(m *rbm.RBM, data *rbm.Bits) func() {
	return trainStep(m, data, rbm.NewCD(10, rand.NewPCG(5, 6)))
}

func pcd1Step(m *rbm.RBM, data *rbm.Bits) func() {
	n, _ := data.Dims()
	return trainStep(m, data, rbm.NewPCD(n, 1, rand.NewPCG(5, 6)))
}

func gibbsStep(m *rbm.RBM, data *rbm.Bits) func() {
	c := rbm.NewChains(rand.NewPCG(5, 6))
	c.Start(data)
	return func() { c.Gibbs(m, 1) }
}

func gibbs100Step(m *rbm.RBM, data *rbm.Bits) func() {
	c := rbm.NewChains(rand.NewPCG(5, 6))
	c.Start(data)
	return func() { c.Gibbs(m, 100) }
}

func freeEnergyStep(m *rbm.RBM, data *rbm.Bits) func() {
	n, _ := data.Dims()
	dst := make([]float64, n)
	return func() { m.FreeEnergy(dst, data) }
}

func hiddenProbsStep(m *rbm.RBM, data *rbm.Bits) func() {
	var dst mat.Dense
	return func() { m.HiddenProbs(&dst, data) }
}

func pseudoStep(m *rbm.RBM, data *rbm.Bits) func() {
	n, _ := data.Dims()
	dst := make([]float64, n)
	return func() { m.PseudoLogLikelihood(dst, data) }
}

func unitProbsStep(m *rbm.RBM, data *rbm.Bits) func() {
	var dst mat.Dense
	return func() { m.UnitProbs(&dst, data) }
}

// reference is an RBM on gonum alone.
type reference struct {
	w      *mat.Dense
	b, c   []float64
	rnd    *rand.Rand
	gw     mat.Dense
	gb, gc []float64
}

func newReference(m *rbm.RBM) *reference {
	return &reference{
		w: m.W, b: m.B.RawVector().Data, c: m.C.RawVector().Data,
		rnd: rand.New(rand.NewPCG(7, 8)),
		gb:  make([]float64, m.B.Len()), gc: make([]float64, m.C.Len()),
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// logits sets dst to x·w + bias.
func (m *reference) logits(dst *mat.Dense, x, w mat.Matrix, bias []float64) {
	dst.Mul(x, w)
	n, _ := dst.Dims()
	for r := range n {
		row := dst.RawRowView(r)
		for i, b := range bias {
			row[i] += b
		}
	}
}

// probs sets dst to the sigmoid of the same.
func (m *reference) probs(dst *mat.Dense, x, w mat.Matrix, bias []float64) {
	m.logits(dst, x, w, bias)
	n, _ := dst.Dims()
	for r := range n {
		row := dst.RawRowView(r)
		for i, x := range row {
			row[i] = sigmoid(x)
		}
	}
}

// sample sets dst to bits drawn with the probabilities p.
func (m *reference) sample(dst, p *mat.Dense) {
	n, c := p.Dims()
	if dst.IsEmpty() {
		dst.ReuseAs(n, c)
	}
	for r := range n {
		row := dst.RawRowView(r)
		for i, p := range p.RawRowView(r) {
			row[i] = 0
			if m.rnd.Float64() < p {
				row[i] = 1
			}
		}
	}
}

// step is a step of gradient ascent, with the negative phase from the last of k
// sweeps that start at chain.
func (m *reference) step(data, chain *mat.Dense, s *referenceStep, rate float64) {
	m.probs(&s.pos, data, m.w.T(), m.c)
	p := &s.pos
	if chain != data {
		m.probs(&s.ph, chain, m.w.T(), m.c)
		p = &s.ph
	}
	m.sample(&s.h, p)
	m.probs(&s.pv, &s.h, m.w, m.b)
	m.sample(&s.v, &s.pv)
	m.probs(&s.neg, &s.v, m.w.T(), m.c)

	n, _ := data.Dims()
	scale := rate / float64(n)
	m.gw.Mul(s.pos.T(), data)
	s.gneg.Mul(s.neg.T(), &s.v)
	m.gw.Sub(&m.gw, &s.gneg)
	m.gw.Scale(scale, &m.gw)
	clear(m.gb)
	clear(m.gc)
	for r := range n {
		for i, x := range data.RawRowView(r) {
			m.gb[i] += scale * (x - s.v.At(r, i))
		}
		for j, x := range s.pos.RawRowView(r) {
			m.gc[j] += scale * (x - s.neg.At(r, j))
		}
	}
	m.w.Add(m.w, &m.gw)
	for i, g := range m.gb {
		m.b[i] += g
	}
	for j, g := range m.gc {
		m.c[j] += g
	}
}

type referenceStep struct{ pos, ph, h, pv, v, neg, gneg mat.Dense }

func referenceCD1(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v := newReference(m), mat.DenseCopyOf(data)
	var s referenceStep
	return func() { ref.step(v, v, &s, 0.01) }
}

func referencePCD1(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v := newReference(m), mat.DenseCopyOf(data)
	var s referenceStep
	s.v.CloneFrom(v)
	return func() { ref.step(v, &s.v, &s, 0.01) }
}

func referenceGibbs(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v := newReference(m), mat.DenseCopyOf(data)
	var ph, h, pv mat.Dense
	return func() {
		ref.probs(&ph, v, m.W.T(), ref.c)
		ref.sample(&h, &ph)
		ref.probs(&pv, &h, m.W, ref.b)
		ref.sample(v, &pv)
	}
}

func referenceGibbs100(m *rbm.RBM, data *rbm.Bits) func() {
	sweep := referenceGibbs(m, data)
	return func() {
		for range 100 {
			sweep()
		}
	}
}

func referenceFreeEnergy(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v := newReference(m), mat.DenseCopyOf(data)
	var x mat.Dense
	n, _ := data.Dims()
	dst := make([]float64, n)
	return func() {
		ref.logits(&x, v, m.W.T(), ref.c)
		for r := range dst {
			f := -mat.Dot(v.RowView(r), m.B)
			for _, x := range x.RawRowView(r) {
				f -= softplus(x)
			}
			dst[r] = f
		}
	}
}

// loopLogits calls f for each row and hidden unit.
func loopLogits(m *rbm.RBM, data *rbm.Bits, f func(r, j int, logit float64)) {
	n, nv := data.Dims()
	nh := m.C.Len()
	ones := make([]int, 0, nv)
	w := m.W.RawMatrix()
	for r := range n {
		ones = ones[:0]
		for i := range nv {
			if data.Bit(r, i) {
				ones = append(ones, i)
			}
		}
		for j := range nh {
			x, row := m.C.AtVec(j), w.Data[j*w.Stride:][:nv]
			for _, i := range ones {
				x += row[i]
			}
			f(r, j, x)
		}
	}
}

func loopFreeEnergy(m *rbm.RBM, data *rbm.Bits) func() {
	n, nv := data.Dims()
	dst := make([]float64, n)
	return func() {
		clear(dst)
		loopLogits(m, data, func(r, _ int, x float64) { dst[r] -= softplus(x) })
		for r := range n {
			for i := range nv {
				if data.Bit(r, i) {
					dst[r] -= m.B.AtVec(i)
				}
			}
		}
	}
}

func loopHiddenProbs(m *rbm.RBM, data *rbm.Bits) func() {
	n, _ := data.Dims()
	dst := mat.NewDense(n, m.C.Len(), nil)
	return func() { loopLogits(m, data, func(r, j int, x float64) { dst.Set(r, j, sigmoid(x)) }) }
}

// loopLogProbs is of the classes beside the units of x.
func loopLogProbs(m *rbm.RBM, x *rbm.Bits) func() {
	n, nx := x.Dims()
	nv, _ := m.Dims()
	logp := mat.NewDense(n, nv-nx, nil)
	return func() {
		for r := range n {
			copy(logp.RawRowView(r), m.B.RawVector().Data[nx:])
		}
		loopLogits(m, x, func(r, j int, x float64) {
			row, w := logp.RawRowView(r), m.W.RawRowView(j)[nx:]
			for y, w := range w {
				row[y] += softplus(x + w)
			}
		})
		for r := range n {
			floats.AddConst(-floats.LogSumExp(logp.RawRowView(r)), logp.RawRowView(r))
		}
	}
}

func referencePseudo(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v, w := newReference(m), mat.DenseCopyOf(data), mat.DenseCopyOf(m.W.T())
	var x mat.Dense
	n, nv := data.Dims()
	dst := make([]float64, n)
	return func() {
		ref.logits(&x, v, w, ref.c)
		for r := range dst {
			x := x.RawRowView(r)
			dst[r] = 0
			for i := range nv {
				d := 1 - 2*v.At(r, i)
				flipped := d * ref.b[i] // F(v) - F(v with v_i flipped)
				for j, w := range w.RawRowView(i) {
					flipped += softplus(x[j]+d*w) - softplus(x[j])
				}
				dst[r] -= softplus(flipped)
			}
		}
	}
}

func referenceHiddenProbs(m *rbm.RBM, data *rbm.Bits) func() {
	ref, v := newReference(m), mat.DenseCopyOf(data)
	var p mat.Dense
	return func() { ref.probs(&p, v, m.W.T(), ref.c) }
}

// BenchmarkAIS takes 100 runs through the 14,500 temperatures of Salakhutdinov &
// Murray (2008).
func BenchmarkAIS(b *testing.B) {
	const nh, runs = 500, 100
	temperatures := 14500
	if testing.Short() {
		temperatures = 100
	}
	m := benchModel(nh, benchRows(1000))
	b.Run(fmt.Sprintf("nv=%d/nh=%d/runs=%d/temperatures=%d", benchVisible, nh, runs, temperatures), func(b *testing.B) {
		a := rbm.NewAIS(runs, temperatures, rand.NewPCG(7, 8))
		for b.Loop() {
			if _, err := a.Run(context.Background(), m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTrainerStep are steps of a Trainer.
func BenchmarkTrainerStep(b *testing.B) {
	for _, tt := range []struct {
		name string
		set  func(tr *rbm.Trainer)
	}{
		{"plain", func(tr *rbm.Trainer) { tr.Centering = nil }},
		{"single", func(tr *rbm.Trainer) { tr.Centering, tr.Single = nil, true }},
		{"centered", func(tr *rbm.Trainer) {}},
		{"centered/momentum", func(tr *rbm.Trainer) { tr.SGD.Momentum = 0.5 }},
		{"centered/momentum/weights", func(tr *rbm.Trainer) {
			n, _ := tr.Data.Dims()
			tr.SGD.Momentum, tr.Weights = 0.5, randomWeights(n, 1)
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			benchmark(b, func(m *rbm.RBM, data *rbm.Bits) func() {
				n, _ := data.Dims()
				tr := rbm.NewTrainer(m, data, rbm.NewCD(1, rand.NewPCG(5, 6)), rand.NewPCG(7, 8))
				tr.BatchSize = n
				tt.set(tr)
				return func() {
					if err := tr.Step(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
