package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// naiveTerms returns the weighted means of log p(y|x), log p(x,y) and log p(x), from sums
// over hidden units, labels and inputs; a mean without rows is 0.
func naiveTerms(c *rbm.Classifier, x mat.Matrix, labels []int, weights []float64) (terms [3]float64) {
	nv, _ := c.Model.Dims()
	logZ := floats.LogSumExp(naiveLogWeights(c.Model, expanded(configs(nv-c.Classes), c.Classes)))
	f := naiveLogWeights(c.Model, expanded(x, c.Classes))
	var total [3]float64
	for r, y := range labels {
		of := f[r*c.Classes:][:c.Classes]
		sum := floats.LogSumExp(of)
		logp := [3]float64{0, 0, sum - logZ}
		first, last := 2, 3
		if y != rbm.NoLabel {
			logp = [3]float64{of[y] - sum, of[y] - logZ, 0}
			first, last = 0, 2
		}
		for k := first; k < last; k++ {
			terms[k] += weights[r] * logp[k]
			total[k] += weights[r]
		}
	}
	for k := range terms {
		if total[k] > 0 {
			terms[k] /= total[k]
		}
	}
	return terms
}

// someZero returns n weights, of which each every-th is 0.
func someZero(n, every int, seed uint64) []float64 {
	w := randomWeights(n, seed)
	for r := every - 1; r < n; r += every {
		w[r] = 0
	}
	return w
}

func TestClassifierWeightedGradientIsTheSlope(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nx, nh, classes int }{{1, 2, 1}, {2, 3, 2}, {3, 2, 3}, {4, 1, 2}} {
		const n = 7
		c := randomClassifier(s.nx, s.nh, s.classes, 1, 1)
		for _, x := range []mat.Matrix{randomBits(n, s.nx, 0.4, 2), randomReals(n, s.nx, 3)} {
			for name, labels := range map[string][]int{"all": cycle(n, s.classes, 0), "mixed": cycle(n, s.classes, 3), "none": slices.Repeat([]int{rbm.NoLabel}, n)} {
				for _, weights := range [][]float64{randomWeights(n, 4), someZero(n, 4, 5), {0, 0, 3e-300, 0, 0, 1e-300, 0}, {0, 0, 3e300, 0, 0, 1e300, 0}} {
					var slopes [3][]float64
					for k := range slopes {
						slopes[k] = differences(c.Model, func(m *rbm.RBM) float64 {
							return naiveTerms(&rbm.Classifier{Model: m, Classes: s.classes}, x, labels, weights)[k]
						})
					}
					for _, o := range objectives {
						var g rbm.Gradient
						weighted(c, o.discriminative, o.generative, o.unlabeled).WeightedGradient(&g, x, labels, weights, oneLabel{s.classes})
						want := make([]float64, len(slopes[0]))
						for k, weight := range []float64{o.discriminative, o.generative, o.unlabeled} {
							floats.AddScaled(want, weight, slopes[k])
						}
						checkGradient(t, fmt.Sprintf("WeightedGradient(%+v, %+v, %T, labels: %s, weights %v)", s, o, x, name, weights), &g, want, "fd", 1e-8)
					}
				}
			}
		}
	}
}

// Weights of 1 are none, a row of weight 0 is as good as left out, and a common factor does
// not matter.
func TestClassifierWeightsSameBits(t *testing.T) {
	const nx, nh, classes, n = 70, 9, 3, 131
	c := randomClassifier(nx, nh, classes, 0.5, 1)
	bits, labels := randomBits(n, nx, 0.4, 2), cycle(n, classes, 4)
	weights := someZero(n, 3, 6)
	var chosen, of []int
	var positive, times []float64
	for r, w := range weights {
		if times = append(times, 0x1p40*w); w > 0 {
			chosen, of, positive = append(chosen, r), append(of, labels[r]), append(positive, w)
		}
	}
	for _, x := range []namedMatrix{{"bits", bits}, {"reals", gray(bits, 3)}} {
		few := mat.NewDense(len(chosen), nx, nil)
		for k, r := range chosen {
			few.SetRow(k, mat.Row(nil, r, x.Matrix))
		}
		var some mat.Matrix = few
		if x.name == "bits" {
			some = bits.Gather(nil, chosen)
		}
		for _, o := range objectives {
			for name, s := range map[string]func() rbm.Sampler{
				"CD":  func() rbm.Sampler { return rbm.NewCD(1, newSource(3)) },
				"PCD": func() rbm.Sampler { return rbm.NewPCD(20, 1, newSource(3)) },
			} {
				of2 := func(x mat.Matrix, labels []int, weights []float64) []float64 {
					var g rbm.Gradient
					s := s()
					for range 2 {
						weighted(c, o.discriminative, o.generative, o.unlabeled).WeightedGradient(&g, x, labels, weights, s)
					}
					return gradientValues(&g)
				}
				name := fmt.Sprintf("%s, %s, %+v: ", x.name, name, o)
				checkSame(t, name+"weights of 1", of2(x.Matrix, labels, slices.Repeat([]float64{1}, n)), of2(x.Matrix, labels, nil))
				want := of2(x.Matrix, labels, weights)
				checkSame(t, name+"weights times 2⁴⁰", of2(x.Matrix, labels, times), want)
				checkSame(t, name+"rows of weight 0", want, of2(some, of, positive))
			}
		}
	}
}

// A chain of CD weighs as much as its row.
func TestClassifierWeightedGradientOfSamplers(t *testing.T) {
	const nx, nh, classes, n = 6, 5, 3, 11
	c := randomClassifier(nx, nh, classes, 1, 1)
	x, labels, weights := randomBits(n, nx, 0.4, 2), cycle(n, classes, 3), someZero(n, 5, 7)
	logp := expandedLogProbs(c, x)
	var with, without float64
	for r, y := range labels {
		if y == rbm.NoLabel {
			without += weights[r]
		} else {
			with += weights[r]
		}
	}
	all := expanded(x, classes)
	for _, o := range objectives[1:] {
		if o.generative+o.unlabeled == 0 {
			continue
		}
		c := weighted(c, o.discriminative, o.generative, o.unlabeled)
		var rows, ofRows, ofData []float64 // weights of the chains, and of (xᵣ, eᵧ) in the terms of the data
		for r, label := range labels {
			for y := range classes {
				p, is := math.Exp(logp.At(r, y)), 0.0
				if y == label {
					is = 1
				}
				var chain, of float64
				if label == rbm.NoLabel {
					chain = o.unlabeled * weights[r] / without * p
					of = chain
				} else {
					chain = o.generative * weights[r] / with * is
					of = chain + o.discriminative*weights[r]/with*(is-p)
				}
				ofData = append(ofData, -of)
				if chain > 0 {
					rows, ofRows = append(rows, all.RawRowView(r*classes+y)...), append(ofRows, chain)
				}
			}
		}
		cds := [2]*rbm.CD{rbm.NewCD(2, newSource(4)), rbm.NewCD(2, newSource(4))}
		v, _ := cds[0].Sample(c.Model, mat.NewDense(len(ofRows), nx+classes, rows))
		var got, data, model rbm.Gradient
		c.WeightedGradient(&got, x, labels, weights, cds[1])
		c.Model.FreeEnergyGradient(&data, all, ofData)
		c.Model.FreeEnergyGradient(&model, v, ofRows)
		want := gradientValues(&data)
		floats.Add(want, gradientValues(&model))
		checkGradient(t, fmt.Sprintf("WeightedGradient(%+v)", o), &got, want, "Sample", 1e-13)
	}
}

// Center moves the offsets toward the means of the rows that count; one without a label has
// each by its probability.
func TestClassifierMovesOffsets(t *testing.T) {
	for _, s := range []struct{ nx, nh, classes, n int }{{3, 2, 2, 9}, {70, 67, 3, 40}, {5, 130, 4, 1100}} {
		c := randomClassifier(s.nx, s.nh, s.classes, 0.5, 1)
		bits, labels := randomBits(s.n, s.nx, 0.4, 2), cycle(s.n, s.classes, 3)
		// A row that is surely of its class has no weight in the discriminative term.
		c.Model.B.SetVec(s.nx, 800)
		for _, x := range []namedMatrix{{"bits", bits}, {"reals", gray(bits, 3)}} {
			for _, weights := range [][]float64{nil, someZero(s.n, 4, 5)} {
				for _, o := range objectives {
					all := expanded(x.Matrix, s.classes)
					logp, hidden := expandedLogProbs(c, x.Matrix), c.Model.HiddenProbs(nil, all)
					mu, lambda, total := make([]float64, s.nx+s.classes), make([]float64, s.nh), 0.0
					for r, label := range labels {
						w := 1.0
						if weights != nil {
							w = weights[r]
						}
						if label == rbm.NoLabel && o.unlabeled == 0 || label != rbm.NoLabel && o.discriminative+o.generative == 0 {
							continue
						}
						total += w
						for y := range s.classes {
							p := math.Exp(logp.At(r, y))
							if label != rbm.NoLabel {
								p = 0
								if y == label {
									p = 1
								}
							}
							floats.AddScaled(mu, w*p, all.RawRowView(r*s.classes+y))
							floats.AddScaled(lambda, w*p, hidden.RawRowView(r*s.classes+y))
						}
					}
					floats.Scale(1/total, mu)
					floats.Scale(1/total, lambda)
					var g rbm.Gradient
					c := weighted(c, o.discriminative, o.generative, o.unlabeled)
					name := fmt.Sprintf("%+v, %s, weights %t, %+v: ", s, x.name, weights != nil, o)
					centering := rbm.Centering{Rate: 0.25}
					for k := range 2 {
						c.WeightedGradient(&g, x.Matrix, labels, weights, rbm.NewPCD(3, 1, newSource(1)))
						plain := gradientValues(&g)
						centering.Center(&g)
						checkAllNear(t, name+"V", centering.V, mu, 1e-13)
						checkAllNear(t, name+"H", centering.H, lambda, 1e-13)
						if k == 0 && slices.Equal(plain, gradientValues(&g)) {
							t.Errorf("%sthe gradient is not centered", name)
						}
					}
					// toward them, by the rate
					centering.V, centering.H = make([]float64, s.nx+s.classes), make([]float64, s.nh)
					c.WeightedGradient(&g, x.Matrix, labels, weights, rbm.NewPCD(3, 1, newSource(1)))
					centering.Center(&g)
					floats.Scale(0.25, mu)
					checkAllNear(t, name+"V moved", centering.V, mu, 1e-13)
				}
			}
		}
		// Without a row that counts, there are no means.
		var g rbm.Gradient
		none := slices.Repeat([]int{rbm.NoLabel}, s.n)
		weighted(c, 1, 0, 0).Gradient(&g, bits, none, nil)
		wantPanic(t, "Center", func() { new(rbm.Centering).Center(&g) }, "V of centering has length 0")
	}
}

func TestClassifierWeightedGradientMisuse(t *testing.T) {
	c := weighted(randomClassifier(5, 4, 3, 1, 1), 1, 0, 0)
	x, labels := rbm.NewBits(2, 5), []int{0, rbm.NoLabel}
	for _, tt := range []struct {
		weights []float64
		want    string
	}{
		{[]float64{1}, "data weights have length 1, want 2"},
		{[]float64{1, -1}, "data weights[1] is -1"},
		{[]float64{math.NaN(), 1}, "data weights[0] is NaN"},
		{[]float64{0, 0}, "data weights have sum 0"},
		{[]float64{1e308, 1e308}, "data weights have sum +Inf"},
	} {
		wantPanic(t, fmt.Sprint(tt.weights), func() { c.WeightedGradient(new(rbm.Gradient), x, labels, tt.weights, nil) }, tt.want)
	}
}

// With more configurations than Exact can sample, the gradient is that of log Z, too: of p(x) it
// is the gradient of rows with each label, by p(y|x).
func TestClassifierGradientOfExactLogZ(t *testing.T) {
	const n, nx, nh, classes = 12, 30, 4, 3
	c := withLabel(randomClassifier(nx, nh, classes, 0.5, 1))
	x, labels, weights := randomBits(n, nx, 0.4, 2), cycle(n, classes, 3), someZero(n, 4, 3)
	var all, rows []int
	var w, u []float64 // of rows with their labels, and of rows with each label
	var withLabels, without []int
	logp := c.LogProbs(nil, x)
	for r, y := range labels {
		if y != rbm.NoLabel {
			rows, withLabels, w = append(rows, r), append(withLabels, y), append(w, weights[r])
			continue
		}
		for k := range classes {
			all, without, u = append(all, r), append(without, k), append(u, weights[r]*math.Exp(logp.At(r, k)))
		}
	}
	if len(w) == 0 || len(u) == 0 {
		t.Fatal("want rows with a label, and without")
	}
	var generative, unlabeled, discriminative, got rbm.Gradient
	c.Model.WeightedGradient(&generative, c.Join(nil, x.Gather(nil, rows), withLabels), w, new(rbm.Exact))
	c.Model.WeightedGradient(&unlabeled, c.Join(nil, x.Gather(nil, all), without), u, new(rbm.Exact))
	weighted(c, 1, 0, 0).WeightedGradient(&discriminative, x, labels, weights, nil)
	for _, o := range [][3]float64{{0, 0, 1}, {1, 0.5, 0}, {0.25, 0.5, 2}} {
		want := gradientValues(&discriminative)
		for k, d := range want {
			want[k] = o[0]*d + o[1]*gradientValues(&generative)[k] + o[2]*gradientValues(&unlabeled)[k]
		}
		weighted(c, o[0], o[1], o[2]).WeightedGradient(&got, x, labels, weights, new(rbm.Exact))
		checkGradient(t, fmt.Sprint(o), &got, want, "sum of gradients", 1e-12)
	}
}

// A weight that is nothing beside another has a chain, but no part in the gradient.
func TestClassifierWeightedGradientOfTinyWeights(t *testing.T) {
	const nx, nh, classes, n = 6, 5, 3, 4
	x, labels := randomBits(n, nx, 0.4, 2), cycle(n, classes, 0)
	for _, o := range [][3]float64{{1, 0.5, 0}, {0, 1, 0}, {0, 1, 1}} {
		c := weighted(randomClassifier(nx, nh, classes, 1, 1), o[0], o[1], o[2])
		var got, want rbm.Gradient
		c.WeightedGradient(&got, x, labels, []float64{3e300, 1e300, 1e-300, 5e-324}, rbm.NewCD(1, newSource(3)))
		c.WeightedGradient(&want, x, labels, []float64{3, 1, 0, 0}, rbm.NewCD(1, newSource(3)))
		checkGradient(t, fmt.Sprint(o), &got, gradientValues(&want), "weights of 0", 1e-13)
	}
}
