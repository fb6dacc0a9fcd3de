package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// randomClassifier returns a classifier of nx inputs whose parameters are all N(0, std²).
func randomClassifier(nx, nh, classes int, std float64, seed uint64) *rbm.Classifier {
	return withLabel(&rbm.Classifier{Model: randomModel(nx+classes, nh, std, seed), Classes: classes})
}

// withLabel makes the label a group of the model of c.
func withLabel(c *rbm.Classifier) *rbm.Classifier {
	nv, _ := c.Model.Dims()
	c.Model.OneHot = []rbm.Group{{From: nv - c.Classes, To: nv}}
	return c
}

// classifierOf returns a classifier whose inputs are the visible units of m.
func classifierOf(m *rbm.RBM, classes int) *rbm.Classifier {
	nv, nh := m.Dims()
	c := randomClassifier(nv, nh, classes, 0.3, 1)
	c.Model.W.Slice(0, nh, 0, nv).(*mat.Dense).Copy(m.W)
	c.Model.B.SliceVec(0, nv).(*mat.VecDense).CopyVec(m.B)
	c.Model.C.CopyVec(m.C)
	return c
}

// weighted returns c with weights of the terms of its objective.
func weighted(c *rbm.Classifier, discriminative, generative, unlabeled float64) *rbm.Classifier {
	w := *c
	w.Discriminative, w.Generative, w.Unlabeled = discriminative, generative, unlabeled
	return &w
}

// cycle returns n labels 0, 1, …, of which each every-th has none.
func cycle(n, classes, every int) []int {
	labels := make([]int, n)
	for r := range labels {
		labels[r] = (r + r/classes) % classes
		if every > 0 && r%every == every-1 {
			labels[r] = rbm.NoLabel
		}
	}
	return labels
}

// expanded returns each row of x with each label: row r·classes+y is (x_r, e_y).
func expanded(x mat.Matrix, classes int) *mat.Dense {
	n, nx := x.Dims()
	all := mat.NewDense(n*classes, nx+classes, nil)
	for r := range n * classes {
		copy(all.RawRowView(r), mat.Row(nil, r/classes, x))
		all.Set(r, nx+r%classes, 1)
	}
	return all
}

// expandedLogProbs returns log p(y|x) from the free energies of all rows with all labels.
func expandedLogProbs(c *rbm.Classifier, x mat.Matrix) *mat.Dense {
	n, _ := x.Dims()
	f := c.Model.FreeEnergy(nil, expanded(x, c.Classes))
	floats.Scale(-1, f)
	logp := mat.NewDense(n, c.Classes, f)
	for r := range n {
		row := logp.RawRowView(r)
		floats.AddConst(-floats.LogSumExp(row), row)
	}
	return logp
}

// oneLabel is the Sampler of all configurations with exactly one label, weighted by their
// probabilities up to a factor.
type oneLabel struct{ classes int }

func (s oneLabel) Sample(m *rbm.RBM, _ mat.Matrix) (mat.Matrix, []float64) {
	nv, _ := m.Dims()
	all := expanded(configs(nv-s.classes), s.classes)
	f := m.FreeEnergy(nil, all)
	least := floats.Min(f)
	for r := range f {
		f[r] = math.Exp(least - f[r])
	}
	return all, f
}

// naiveLogWeights returns -F of each row.
func naiveLogWeights(m *rbm.RBM, rows *mat.Dense) []float64 {
	n, _ := rows.Dims()
	f := make([]float64, n)
	for r := range f {
		f[r] = -naiveFreeEnergy(m, rows.RawRowView(r))
	}
	return f
}

// naiveObjective is what Gradient climbs, from sums over hidden units, labels and inputs.
func naiveObjective(c *rbm.Classifier, x mat.Matrix, labels []int) float64 {
	nv, _ := c.Model.Dims()
	logZ := floats.LogSumExp(naiveLogWeights(c.Model, expanded(configs(nv-c.Classes), c.Classes)))
	f := naiveLogWeights(c.Model, expanded(x, c.Classes))
	var conditional, joint, marginal, labeled, unlabeled float64
	for r, y := range labels {
		of := f[r*c.Classes:][:c.Classes]
		sum := floats.LogSumExp(of)
		if y == rbm.NoLabel {
			marginal += sum - logZ
			unlabeled++
			continue
		}
		conditional += of[y] - sum
		joint += of[y] - logZ
		labeled++
	}
	labeled, unlabeled = math.Max(labeled, 1), math.Max(unlabeled, 1)
	return c.Discriminative*conditional/labeled + c.Generative*joint/labeled + c.Unlabeled*marginal/unlabeled
}

// sampledShare is the weight of the mean over the model in the gradient.
func sampledShare(c *rbm.Classifier, labels []int) (share float64) {
	has := map[bool]bool{}
	for _, y := range labels {
		has[y == rbm.NoLabel] = true
	}
	if has[false] {
		share += c.Generative
	}
	if has[true] {
		share += c.Unlabeled
	}
	return share
}

// rowWeights returns the weight of (x_r, e_y) in the gradient's terms of the data.
func rowWeights(c *rbm.Classifier, x mat.Matrix, labels []int) []float64 {
	var n [2]float64
	for _, y := range labels {
		if y == rbm.NoLabel {
			n[1]++
		} else {
			n[0]++
		}
	}
	logp := expandedLogProbs(c, x)
	var w []float64
	for r, label := range labels {
		for y := range c.Classes {
			p, is := math.Exp(logp.At(r, y)), 0.0
			if y == label {
				is = 1
			}
			if label == rbm.NoLabel {
				w = append(w, c.Unlabeled/n[1]*p)
			} else {
				w = append(w, c.Discriminative/n[0]*(is-p)+c.Generative/n[0]*is)
			}
		}
	}
	return w
}

// expandedGradient is that of the data's terms from rows with all labels, less the mean
// over the rows of v.
func expandedGradient(c *rbm.Classifier, x mat.Matrix, labels []int, v mat.Matrix, weights []float64) []float64 {
	w := rowWeights(c, x, labels)
	floats.Scale(-1, w)
	var g, model rbm.Gradient
	c.Model.FreeEnergyGradient(&g, expanded(x, c.Classes), w)
	sum := gradientValues(&g)
	if share := sampledShare(c, labels); share > 0 {
		n, _ := v.Dims()
		w := make([]float64, n)
		for r := range w {
			w[r] = 1 / float64(n)
			if weights != nil {
				w[r] = weights[r] / floats.Sum(weights)
			}
		}
		c.Model.FreeEnergyGradient(&model, v, w)
		floats.AddScaled(sum, share, gradientValues(&model))
	}
	return sum
}

// objectives are weights of the terms: each alone, and together.
var objectives = []struct{ discriminative, generative, unlabeled float64 }{
	{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.5, 0, 0}, {0, 3, 0}, {1, 0.01, 0}, {0.7, 0, 0.3}, {0, 0.4, 2}, {1, 0.3, 0.2},
}

func TestLogProbs(t *testing.T) {
	for _, s := range []struct{ nx, nh, classes, n int }{
		{1, 1, 1, 3}, {5, 4, 3, 7}, {4, 5, 2, 1}, {3, 8, 10, 20}, {61, 65, 10, 40}, {64, 64, 1, 5}, {130, 9, 70, 33}, {9, 130, 70, 10}, {60, 128, 4, 3},
	} {
		c := randomClassifier(s.nx, s.nh, s.classes, 1, 1)
		bits := randomBits(s.n, s.nx, 0.4, 2)
		for _, x := range []namedMatrix{{"bits", bits}, {"gray", gray(bits, 3)}} {
			call := fmt.Sprintf("LogProbs(nx=%d,nh=%d,classes=%d,%s)", s.nx, s.nh, s.classes, x.name)
			got := c.LogProbs(nil, x.Matrix)
			checkAllNear(t, call, values(got), values(expandedLogProbs(c, x.Matrix)), 1e-14*(10+magnitude(c.Model)))
			for r := range s.n {
				checkNear(t, call+": log of the sum", floats.LogSumExp(got.RawRowView(r)), 0, 1e-14)
			}
			view := strided(mat.NewDense(s.n, s.classes, nil))
			if c.LogProbs(view, x.Matrix) != view {
				t.Errorf("%s did not return its destination", call)
			}
			checkSame(t, call+" into a view", values(view), values(got))
			checkSame(t, call+" of views", values((&rbm.Classifier{Model: stridedModel(c.Model), Classes: s.classes}).LogProbs(nil, x.Matrix)), values(got))
		}
	}
}

// By the sums over hidden units that define F.
func TestLogProbsAreTheirDefinition(t *testing.T) {
	forShapes(t, func(t *testing.T, nx, nh int) {
		for _, classes := range []int{1, 2, 3, 10} {
			c := randomClassifier(nx, nh, classes, 2, 1)
			for _, x := range []mat.Matrix{randomBits(4, nx, 0.5, 2), randomReals(4, nx, 3)} {
				got := c.LogProbs(nil, x)
				all := expanded(x, classes)
				for r := range 4 {
					want := make([]float64, classes)
					for y := range want {
						want[y] = -naiveFreeEnergy(c.Model, all.RawRowView(r*classes+y))
					}
					floats.AddConst(-floats.LogSumExp(want), want)
					checkAllNear(t, fmt.Sprintf("LogProbs of %d classes", classes), got.RawRowView(r), want, 1e-13*(1+magnitude(c.Model)))
				}
			}
		}
	})
}

// More rows and classes than are worked off at a time.
func TestLogProbsOfManyRows(t *testing.T) {
	t.Parallel()
	const nx, nh, n, classes = 3, 65, 5000, 70
	c, x := randomClassifier(nx, nh, classes, 0.3, 1), randomBits(n, nx, 0.5, 2)
	all, first := c.LogProbs(nil, x), map[int]int{}
	for r := range n {
		number := 0
		for i := range nx {
			number |= int(x.At(r, i)) << i
		}
		if _, ok := first[number]; !ok {
			first[number] = r
		}
		checkSame(t, fmt.Sprintf("row %d", r), all.RawRowView(r), all.RawRowView(first[number]))
	}
	checkSame(t, "the last row alone", values(c.LogProbs(nil, x.Slice(n-1, n))), all.RawRowView(n-1))
}

func TestLogProbsOfLargeParameters(t *testing.T) {
	for _, size := range []float64{1e3, 1e6} {
		c := &rbm.Classifier{Model: saturated(5+3, 4, size, 1), Classes: 3}
		x := configs(5)
		got := c.LogProbs(nil, x)
		checkAllNear(t, "LogProbs", values(got), values(expandedLogProbs(c, x)), 1e-15*magnitude(c.Model))
		for r := range 32 {
			sum := 0.0
			for _, logp := range got.RawRowView(r) {
				sum += math.Exp(logp)
			}
			checkNear(t, "sum of p(y|x)", sum, 1, 1e-14)
		}
	}
}

func TestPermutedClasses(t *testing.T) {
	const nx, nh, classes = 5, 4, 6
	c, x := randomClassifier(nx, nh, classes, 1, 1), randomBits(9, nx, 0.5, 2)
	perm := rand.New(rand.NewPCG(3, 3)).Perm(classes)
	other := &rbm.Classifier{Model: c.Model.Clone(), Classes: classes}
	for y, k := range perm {
		other.Model.B.SetVec(nx+k, c.Model.B.AtVec(nx+y))
		for j := range nh {
			other.Model.W.Set(j, nx+k, c.Model.W.At(j, nx+y))
		}
	}
	got, want := other.LogProbs(nil, x), c.LogProbs(nil, x)
	predicted, classesOf := other.Predict(nil, x), c.Predict(nil, x)
	for r := range 9 {
		for y, k := range perm {
			checkNear(t, fmt.Sprintf("log p(%d|x) of row %d", k, r), got.At(r, k), want.At(r, y), 1e-13)
		}
		if predicted[r] != perm[classesOf[r]] {
			t.Errorf("row %d is predicted as %d, want %d", r, predicted[r], perm[classesOf[r]])
		}
	}
}

func TestPredict(t *testing.T) {
	const nx, nh, classes, n = 6, 5, 10, 200
	c, x := randomClassifier(nx, nh, classes, 1, 5), randomBits(n, nx, 0.5, 2)
	for y := range classes { // none much better than the others
		c.Model.B.SetVec(nx+y, 0)
	}
	dst := make([]int, n)
	got := c.Predict(dst, x)
	if &got[0] != &dst[0] {
		t.Error("Predict did not return its destination")
	}
	logp, seen := expandedLogProbs(c, x), map[int]bool{}
	for r, y := range got {
		if want := floats.MaxIdx(logp.RawRowView(r)); y != want {
			t.Errorf("row %d is predicted as %d, want %d of %v", r, y, want, logp.RawRowView(r))
		}
		seen[y] = true
	}
	if len(seen) < 3 {
		t.Errorf("only %d classes are predicted: no test", len(seen))
	}
	// The last classes are equally probable.
	tie := &rbm.Classifier{Model: rbm.New(nx+classes, nh), Classes: classes}
	for y := 4; y < classes; y++ {
		tie.Model.B.SetVec(nx+y, 1)
	}
	for r, y := range tie.Predict([]int{7, 7, 7}, x.Slice(0, 3)) {
		if y != 4 {
			t.Errorf("of equally probable classes from 4 on, row %d is predicted as %d", r, y)
		}
	}
}

func TestClassifierNaN(t *testing.T) {
	const nx, nh, classes, n = 3, 2, 3, 6
	x, labels := randomBits(n, nx, 0.5, 2), cycle(n, classes, 3)
	for r := range n {
		x.SetBit(r, 1, false)
	}
	good := randomClassifier(nx, nh, classes, 1, 1)
	cd, pcd := rbm.NewCD(1, newSource(3)), rbm.NewPCD(5, 1, newSource(4))
	var g rbm.Gradient
	for p := range params(good.Model) {
		c := &rbm.Classifier{Model: good.Model.Clone(), Classes: classes}
		y := params(c.Model)
		y[p] = math.NaN()
		setParams(c.Model, y)
		name := paramName(c.Model, p) + " = NaN"
		for i, logp := range values(c.LogProbs(nil, x)) {
			if !math.IsNaN(logp) {
				t.Errorf("value %d of LogProbs is %v with %s, want NaN", i, logp, name)
			}
		}
		for r, y := range c.Predict(nil, x) {
			if y != rbm.NoLabel {
				t.Errorf("row %d is predicted as %d with %s, want %d", r, y, name, rbm.NoLabel)
			}
		}
		for _, o := range objectives {
			for _, s := range []rbm.Sampler{cd, pcd, oneLabel{classes}} {
				for _, labels := range [][]int{labels, {0, 1, 2, 0, 1, 2}, {-1, -1, -1, -1, -1, -1}} {
					weighted(c, o.discriminative, o.generative, o.unlabeled).Gradient(&g, x, labels, s)
					for q, got := range gradientValues(&g) {
						if !math.IsNaN(got) {
							t.Fatalf("%+v, %T: %s = %v with %s, want NaN", o, s, paramName(c.Model, q), got, name)
						}
					}
				}
			}
		}
	}
	weighted(good, 1, 1, 1).Gradient(&g, x, labels, oneLabel{classes})
	if !allFinite(gradientValues(&g)) {
		t.Error("a gradient after those of NaN is not finite")
	}
}

func allFinite(x []float64) bool {
	for _, x := range x {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

func TestJoin(t *testing.T) {
	for _, s := range []struct{ nx, classes int }{{1, 1}, {5, 3}, {60, 10}, {63, 1}, {64, 1}, {64, 64}, {63, 70}, {130, 70}} {
		const n = 75
		c := randomClassifier(s.nx, 2, s.classes, 1, 1)
		x, labels := randomBits(n, s.nx, 0.5, 2), cycle(n, s.classes, 5)
		got := c.Join(nil, x, labels)
		for r, y := range labels {
			for i := range s.nx + s.classes {
				want := i == s.nx+y && y != rbm.NoLabel
				if i < s.nx {
					want = x.Bit(r, i)
				}
				if got.Bit(r, i) != want {
					t.Errorf("nx=%d, %d classes: bit (%d, %d) is %v, label %d", s.nx, s.classes, r, i, got.Bit(r, i), y)
				}
			}
		}
		full := randomBits(n+2, s.nx+s.classes, 1, 3)
		dst := full.Slice(1, n+1)
		if c.Join(dst, x, labels) != dst || !mat.Equal(dst, got) {
			t.Errorf("nx=%d, %d classes: Join into a slice differs", s.nx, s.classes)
		}
		if floats.Sum(values(full.Slice(0, 1)))+floats.Sum(values(full.Slice(n+1, n+2))) != float64(2*(s.nx+s.classes)) {
			t.Errorf("nx=%d, %d classes: Join wrote beside its destination", s.nx, s.classes)
		}
	}
}

func TestClassifierGradientIsTheSlope(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nx, nh, classes int }{{1, 2, 1}, {2, 3, 2}, {3, 2, 3}, {4, 1, 2}, {2, 3, 10}} {
		const n = 5
		c := randomClassifier(s.nx, s.nh, s.classes, 1, 1)
		none := make([]int, n)
		for r := range none {
			none[r] = rbm.NoLabel
		}
		for _, x := range []mat.Matrix{randomBits(n, s.nx, 0.4, 2), randomReals(n, s.nx, 3)} {
			for _, tt := range []struct {
				name   string
				labels []int
			}{{"all", cycle(n, s.classes, 0)}, {"mixed", cycle(n, s.classes, 3)}, {"none", none}} {
				var slopes [3][]float64 // of each part of an objective, in which they are weighted
				for k, o := range objectives[:3] {
					slopes[k] = differences(c.Model, func(m *rbm.RBM) float64 {
						c := weighted(c, o.discriminative, o.generative, o.unlabeled)
						c.Model = m
						return naiveObjective(c, x, tt.labels)
					})
				}
				for _, o := range objectives {
					var g rbm.Gradient
					c := weighted(c, o.discriminative, o.generative, o.unlabeled)
					c.Gradient(&g, x, tt.labels, oneLabel{s.classes})
					want := make([]float64, len(slopes[0]))
					for k, weight := range []float64{o.discriminative, o.generative, o.unlabeled} {
						floats.AddScaled(want, weight, slopes[k])
					}
					checkGradient(t, fmt.Sprintf("Gradient(%+v, %+v, %T, labeled: %s)", s, o, x, tt.name), &g, want, "fd", 1e-8)
				}
			}
		}
	}
}

// The sums over classes of each row, by way of rows that are all written out.
func TestClassifierGradientOfExpandedRows(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nx, nh, classes, n int }{
		{5, 4, 3, 20}, {61, 65, 10, 90}, {64, 64, 1, 70}, {130, 9, 70, 20}, {9, 130, 70, 10}, {60, 31, 4, 3}, {4, 200, 2, 2100},
	} {
		c := randomClassifier(s.nx, s.nh, s.classes, 0.5, 1)
		bits := randomBits(s.n, s.nx, 0.4, 2)
		v, w := expanded(randomBits(3, s.nx, 0.5, 4), s.classes), randomWeights(3*s.classes, 5)
		var g rbm.Gradient
		for _, x := range []namedMatrix{{"bits", bits}, {"gray", gray(bits, 3)}} {
			last := 6
			if s.n > 1000 {
				last = 8
			}
			for _, labels := range [][]int{cycle(s.n, s.classes, 0), cycle(s.n, s.classes, 3)} {
				for _, o := range objectives[last:] {
					c := weighted(c, o.discriminative, o.generative, o.unlabeled)
					c.Gradient(&g, x.Matrix, labels, sample{v, w})
					want := expandedGradient(c, x.Matrix, labels, v, w)
					checkGradient(t, fmt.Sprintf("Gradient(%+v, %+v, %s)", s, o, x.name), &g, want, "expanded", 1e-12)
				}
			}
		}
	}
}

// CD starts from the rows with their labels, and from those without with each of them, by
// its probability.
func TestClassifierGradientOfSamplers(t *testing.T) {
	t.Parallel()
	const nx, nh, classes, n = 6, 5, 3, 11
	c := randomClassifier(nx, nh, classes, 1, 1)
	bits := randomBits(n, nx, 0.4, 2)
	labels := cycle(n, classes, 3)
	for _, x := range []mat.Matrix{bits, gray(bits, 3)} {
		for _, o := range objectives[4:] {
			c := weighted(c, o.discriminative, o.generative, o.unlabeled)
			all, weights := expanded(x, classes), rowWeights(weighted(c, 0, o.generative, o.unlabeled), x, labels)
			var rows []float64
			var w []float64
			for r := range n * classes {
				if weights[r] > 0 {
					rows = append(rows, all.RawRowView(r)...)
					w = append(w, weights[r])
				}
			}
			var data mat.Matrix
			if len(w) > 0 {
				data = mat.NewDense(len(w), nx+classes, rows)
			}
			for k := 1; k <= 2; k++ {
				cds, pcds := [3]*rbm.CD{}, [3]*rbm.PCD{}
				for i := range 3 {
					cds[i], pcds[i] = rbm.NewCD(k, newSource(4)), rbm.NewPCD(20, k, newSource(5))
				}
				var g rbm.Gradient
				for range 2 { // chains that go on
					var v mat.Matrix
					if data != nil {
						v, _ = cds[0].Sample(c.Model, data)
					}
					c.Gradient(&g, x, labels, cds[1])
					checkGradient(t, fmt.Sprintf("Gradient(CD-%d, %+v, %T)", k, o, x), &g, expandedGradient(c, x, labels, v, w), "Sample", 1e-13)

					v, _ = pcds[0].Sample(c.Model, bits)
					c.Gradient(&g, x, labels, pcds[1])
					checkGradient(t, fmt.Sprintf("Gradient(PCD-%d, %+v, %T)", k, o, x), &g, expandedGradient(c, x, labels, v, nil), "Sample", 1e-13)
					want := gradientValues(&g)
					c.Gradient(&g, x, labels, bare{pcds[2]})
					checkAllNear(t, "PCD behind an interface", gradientValues(&g), want, 1e-15)
				}
			}
		}
	}
}

// Generative training alone is that of an RBM of joined rows, and rows whose term has no
// weight do not count.
func TestClassifierGradientOfTheRowsThatCount(t *testing.T) {
	const nx, nh, classes, n = 70, 9, 3, 31
	c := randomClassifier(nx, nh, classes, 0.5, 1)
	x, labels := randomBits(n, nx, 0.4, 2), cycle(n, classes, 3)
	var rows [2][]int // with a label, without
	var of []int
	for r, y := range labels {
		if y == rbm.NoLabel {
			rows[1] = append(rows[1], r)
		} else {
			rows[0] = append(rows[0], r)
			of = append(of, y)
		}
	}
	labeled, unlabeled := x.Gather(nil, rows[0]), x.Gather(nil, rows[1])
	none := labels[:0:0]
	for range rows[1] {
		none = append(none, rbm.NoLabel)
	}
	cd := func() *rbm.CD {
		return rbm.NewCD(1, newSource(3))
	}
	of2 := func(c *rbm.Classifier, x mat.Matrix, labels []int) []float64 {
		var g rbm.Gradient
		c.Gradient(&g, x, labels, cd())
		return gradientValues(&g)
	}
	for _, x := range []namedMatrix{{"bits", x}, {"Dense", mat.DenseCopyOf(x)}} {
		for _, o := range []struct{ discriminative, generative float64 }{{1, 0}, {0, 1}, {1, 0.5}} {
			c := weighted(c, o.discriminative, o.generative, 0)
			checkSame(t, fmt.Sprintf("%s, %+v, rows without a label", x.name, o), of2(c, x.Matrix, labels), of2(c, labeled, of))
			checkSame(t, fmt.Sprintf("%s, %+v, no row that counts", x.name, o), of2(c, unlabeled, none), make([]float64, len(params(c.Model))))
		}
		checkSame(t, x.name+", rows with a label", of2(weighted(c, 0, 0, 2), x.Matrix, labels), of2(weighted(c, 0, 0, 2), unlabeled, none))
	}
	var want rbm.Gradient
	c.Model.Gradient(&want, c.Join(nil, labeled, of), cd())
	checkSame(t, "generative", of2(weighted(c, 0, 1, 0), x, labels), gradientValues(&want))
	var g rbm.Gradient
	weighted(c, 1, 0, 0).Gradient(&g, x, labels, nil) // needs no sampler
	checkSame(t, "without a sampler", gradientValues(&g), of2(weighted(c, 1, 0, 0), x, labels))
}

func TestClassifierGradientOfLargeParameters(t *testing.T) {
	const nx, classes, n = 4, 3, 9
	for _, size := range []float64{1e3, 1e6} {
		c := weighted(withLabel(&rbm.Classifier{Model: saturated(nx+classes, 5, size, 1), Classes: classes}), 1, 0.5, 0.2)
		x, labels := randomBits(n, nx, 0.5, 2), cycle(n, classes, 3)
		v, w := oneLabel{classes}.Sample(c.Model, nil)
		var g rbm.Gradient
		c.Gradient(&g, x, labels, sample{v, w})
		checkGradient(t, fmt.Sprintf("Gradient(%v)", size), &g, expandedGradient(c, x, labels, v, w), "expanded", 1e-14*size)
	}
}

func TestClassifierSameForEveryInstructionSet(t *testing.T) {
	const nx, nh, classes, n = 70, 45, 3, 40
	c := weighted(randomClassifier(nx, nh, classes, 0.5, 1), 1, 0.5, 0.2)
	x, labels := randomBits(n, nx, 0.4, 2), cycle(n, classes, 3)
	var want []float64
	cpu.Each(func(name string) {
		cd := rbm.NewCD(1, newSource(3))
		var g rbm.Gradient
		c.Gradient(&g, x, labels, cd)
		got := append(values(c.LogProbs(nil, x)), gradientValues(&g)...)
		if want == nil {
			want = got
		}
		checkSame(t, name, got, want)
	})
}

// threeClasses returns n rows of three patterns, each bit of which is flipped with
// probability noise, and their classes.
func threeClasses(n int, noise float64, seed uint64) (x *rbm.Bits, labels []int) {
	const nx = 12
	rnd := rand.New(rand.NewPCG(seed, 5))
	x, labels = rbm.NewBits(n, nx), make([]int, n)
	for r := range n {
		labels[r] = rnd.IntN(3)
		for i := range nx {
			x.SetBit(r, i, (i/4 == labels[r]) != (rnd.Float64() < noise))
		}
	}
	return x, labels
}

// learn takes steps of gradient ascent and returns the share of other rows that are
// predicted right.
func learn(c *rbm.Classifier, x *rbm.Bits, labels []int, s rbm.Sampler, steps int, rate float64) float64 {
	var g rbm.Gradient
	sgd := rbm.SGD{Rate: rate, Momentum: 0.5}
	for range steps {
		c.Gradient(&g, x, labels, s)
		sgd.Step(c.Model, &g)
	}
	test, want := threeClasses(1000, 0.2, 99)
	right := 0.0
	for r, y := range c.Predict(nil, test) {
		if y == want[r] {
			right++
		}
	}
	return right / 1000
}

// The best rule, the nearest pattern, is right for about 94 of 100 rows.
func TestClassifierLearns(t *testing.T) {
	t.Parallel()
	const nh = 8
	x, labels := threeClasses(400, 0.2, 1)
	few := make([]int, len(labels)) // one of a class
	seen := map[int]bool{}
	for r, y := range labels {
		few[r] = rbm.NoLabel
		if !seen[y] {
			few[r], seen[y] = y, true
		}
	}
	for _, tt := range []struct {
		name                                  string
		labels                                []int
		discriminative, generative, unlabeled float64
		least                                 float64
	}{
		{"discriminative", labels, 1, 0, 0, 0.9},
		{"generative", labels, 0, 1, 0, 0.9},
		{"hybrid", labels, 1, 0.1, 0, 0.9},
		{"semi-supervised", few, 1, 1, 1, 0.9},
	} {
		m := rbm.NewRandom(12+3, nh, 0.1, newSource(2))
		m.FitVisibleBias((&rbm.Classifier{Model: m, Classes: 3}).Join(nil, x, labels))
		c := weighted(&rbm.Classifier{Model: m, Classes: 3}, tt.discriminative, tt.generative, tt.unlabeled)
		pcd := rbm.NewPCD(100, 1, newSource(3))
		m.OneHot = []rbm.Group{{From: 12, To: 15}}
		got := learn(c, x, tt.labels, pcd, 300, 0.2)
		t.Logf("%s: %v", tt.name, got)
		if got < tt.least {
			t.Errorf("%s: %v of the rows are predicted right, want at least %v", tt.name, got, tt.least)
		}
	}
}

// Exclusive or needs the hidden units.
func TestClassifierLearnsExclusiveOr(t *testing.T) {
	x, labels := configs(2), []int{0, 1, 1, 0}
	c := weighted(&rbm.Classifier{Model: rbm.NewRandom(2+2, 6, 0.5, newSource(1)), Classes: 2}, 1, 0, 0)
	var g rbm.Gradient
	sgd := rbm.SGD{Rate: 0.5, Momentum: 0.9}
	for range 500 {
		c.Gradient(&g, x, labels, nil)
		sgd.Step(c.Model, &g)
	}
	logp := c.LogProbs(nil, x)
	for r, y := range labels {
		if p := math.Exp(logp.At(r, y)); !(p > 0.95) {
			t.Errorf("p(%d|%v) = %v, want more than 0.95", y, x.RawRowView(r), p)
		}
	}
}

// A call that panicked leaves the destination usable, for a model alone as well.
func TestClassifierPanicLeavesNoTrace(t *testing.T) {
	const nx, classes, n = 65, 3, 30
	c := weighted(randomClassifier(nx, 9, classes, 1, 1), 1, 0.5, 0.2)
	x, labels := randomBits(n, nx, 0.5, 2), cycle(n, classes, 3)
	joined := c.Join(nil, randomBits(n, nx, 0.5, 4), cycle(n, classes, 0))
	bad := mat.NewDense(1, nx+classes, nil)
	bad.Set(0, 3, 2)
	for _, wrong := range []rbm.Sampler{sample{bad, nil}, sample{joined, []float64{1}}} {
		var used, fresh rbm.Gradient
		wantPanic(t, "Gradient", func() { c.Gradient(&used, x, labels, wrong) }, "sample")
		c.Model.FreeEnergyGradient(&used, joined, nil)
		c.Model.FreeEnergyGradient(&fresh, joined, nil)
		checkSame(t, "FreeEnergyGradient after a panic", gradientValues(&used), gradientValues(&fresh))
		wantPanic(t, "Gradient", func() { c.Gradient(&used, x, labels, wrong) }, "sample")
		c.Gradient(&used, x, labels, sample{joined, nil})
		c.Gradient(&fresh, x, labels, sample{joined, nil})
		checkSame(t, "Gradient after a panic", gradientValues(&used), gradientValues(&fresh))
	}
}

func TestClassifierMisuse(t *testing.T) {
	const nx, nh, classes, n = 5, 4, 3, 2
	c := weighted(randomClassifier(nx, nh, classes, 1, 1), 1, 1, 1)
	x, labels := rbm.NewBits(n, nx), []int{0, 1}
	narrow, empty := rbm.NewBits(n, nx-1), &rbm.Bits{}
	var g rbm.Gradient
	s := oneLabel{classes}
	gradient := func(labels ...int) func() { return func() { c.Gradient(&g, x, labels, s) } }
	weights := func(d, g, u float64) func() {
		return func() { weighted(c, d, g, u).Gradient(new(rbm.Gradient), x, labels, s) }
	}
	with := func(s rbm.Sampler) func() { return func() { c.Gradient(&g, x, labels, s) } }
	grouped := func(groups ...rbm.Group) func() {
		m := c.Model.Clone()
		m.OneHot = groups
		other := *c
		other.Model = m
		return func() { other.Gradient(new(rbm.Gradient), x, labels, s) }
	}
	joined := rbm.NewBits(n, nx+classes)
	reals := mat.NewDense(n, nx, nil)
	reals.Set(1, 2, 1.5)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"no classes", func() { (&rbm.Classifier{Model: c.Model}).LogProbs(nil, x) }, []string{"0 classes", "8 visible units"}},
		{"only classes", func() { (&rbm.Classifier{Model: c.Model, Classes: 8}).Predict(nil, x) }, []string{"8 classes", "8 visible units"}},
		{"no model", func() { (&rbm.Classifier{Classes: 2}).Gradient(&g, x, labels, s) }, []string{"model is nil"}},
		{"LogProbs x", func() { c.LogProbs(nil, narrow) }, []string{"x is 2×4", "n×5"}},
		{"LogProbs nil", func() { c.LogProbs(nil, nil) }, []string{"x is nil"}},
		{"LogProbs empty", func() { c.LogProbs(nil, empty) }, []string{"x is 0×0", "n×5"}},
		{"LogProbs dst", func() { c.LogProbs(mat.NewDense(n, nx, nil), x) }, []string{"dst is 2×5", "2×3"}},
		{"LogProbs value", func() { c.LogProbs(nil, reals) }, []string{"x[1, 2] is 1.5", "[0, 1]"}},
		{"Predict x", func() { c.Predict(nil, narrow) }, []string{"x is 2×4", "n×5"}},
		{"Predict dst", func() { c.Predict(make([]int, 3), x) }, []string{"dst has length 3", "2"}},
		{"Join x", func() { c.Join(nil, narrow, labels) }, []string{"x is 2×4", "n×5"}},
		{"Join nil", func() { c.Join(nil, nil, labels) }, []string{"x is nil"}},
		{"Join dst", func() { c.Join(rbm.NewBits(n, nx), x, labels) }, []string{"dst is 2×5", "2×8"}},
		{"Join labels", func() { c.Join(nil, x, []int{0}) }, []string{"labels have length 1", "2"}},
		{"Join large label", func() { c.Join(nil, x, []int{0, 3}) }, []string{"labels[1] is 3", "[-1, 3)"}},
		{"Join negative label", func() { c.Join(nil, x, []int{-2, 0}) }, []string{"labels[0] is -2", "[-1, 3)"}},
		{"Gradient dst", func() { c.Gradient(nil, x, labels, s) }, []string{"gradient is nil"}},
		{"Gradient dst.W", func() { c.Gradient(&rbm.Gradient{W: mat.NewDense(4, 5, nil)}, x, labels, s) }, []string{"W of 4×5", "4×8"}},
		{"Gradient x", func() { c.Gradient(&g, joined, labels, s) }, []string{"x is 2×8", "n×5"}},
		{"Gradient value", func() { c.Gradient(&g, reals, labels, s) }, []string{"x[1, 2] is 1.5", "[0, 1]"}},
		{"number of labels", gradient(0), []string{"labels have length 1", "2"}},
		{"large label", gradient(0, 3), []string{"labels[1] is 3", "[-1, 3)"}},
		{"negative label", gradient(-2, 0), []string{"labels[0] is -2", "[-1, 3)"}},
		{"no weights", weights(0, 0, 0), []string{"Discriminative, Generative and Unlabeled are 0"}},
		{"Discriminative", weights(-1, 1, 1), []string{"Discriminative is -1", "at least 0"}},
		{"Generative", weights(1, math.NaN(), 1), []string{"Generative is NaN", "at least 0"}},
		{"Unlabeled", weights(1, 1, math.Inf(1)), []string{"Unlabeled is +Inf", "at least 0"}},
		{"no sampler", with(nil), []string{"sampler is nil"}},
		{"no group", grouped(), []string{"no group [5, 8)", "OneHot"}},
		{"another group", grouped(rbm.Group{From: nx - 1, To: nx + classes}), []string{"no group [5, 8)", "OneHot"}},
		{"inputs that do not fit a group", grouped(rbm.Group{From: 1, To: 3}, rbm.Group{From: nx, To: nx + classes}), []string{"row 0 of x has 0 units on in the group [1, 3)"}},
		{"CD without Chains", with(&rbm.CD{K: 1}), []string{"CD has no Chains"}},
		{"PCD without Chains", with(&rbm.PCD{K: 1}), []string{"PCD has no Chains"}},
		{"sample", with(sample{rbm.NewBits(3, nx), nil}), []string{"sample is 3×5", "n×8"}},
		{"weights of the sample", with(sample{rbm.NewBits(2, nx+classes), []float64{1, -1}}), []string{"sample weights[1] is -1"}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantPanic(t, tt.name, tt.call, tt.want...) })
	}
}
