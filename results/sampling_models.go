package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/mnist/idx"
	"github.com/gorbm/rbm/internal/datasets"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// A training makes a subject.
type training struct {
	name   string
	rows   func(o *sampling, rnd *rand.Rand) (rows *rbm.Bits, labels []int, err error) // labels: the clusters
	hidden int
	batch  int
	steps  int
	rate   float64 // at first; it falls linearly to 0
	passes int     // Gibbs sweeps of a chain when the model is sampled
}

var subjects = []training{
	{"warm spins", func(_ *sampling, rnd *rand.Rand) (*rbm.Bits, []int, error) {
		rows := spins(rnd, 3000, 8, 2.7, 1)
		return rows, up(rows), nil
	}, 16, 100, 8000, 0.3, 10000},
	{"cold spins", func(_ *sampling, rnd *rand.Rand) (*rbm.Bits, []int, error) {
		rows := spins(rnd, 3000, 6, 2.1, 0.5)
		return rows, up(rows), nil
	}, 16, 100, 8000, 0.5, 40000},
	{"clusters", clustered, 16, 100, 8000, 0.5, 40000},
	{"digits", func(*sampling, *rand.Rand) (*rbm.Bits, []int, error) { return digits() }, 128, 10, 7500, 0.2, 20000},
	{"MNIST", mnistRows, 100, 100, 1200, 0.1, 5000},
	{halfName, mnistRows, 100, 100, 1200, 0.1, 2500}, // the same model, but the left half of a test image is given
}

const halfName = "MNIST half"

func mnistRows(o *sampling, _ *rand.Rand) (*rbm.Bits, []int, error) {
	train, _, err := idx.Labeled(o.data)
	return train.Images, train.Labels, err
}

// spins are states of the Ising model on a torus. Of those with at most half of the spins up, only a share is kept.
func spins(rnd *rand.Rand, n, side int, temperature, share float64) *rbm.Bits {
	s := datasets.NewTorus(side, temperature)
	for range 1000 {
		s.Flip(rnd)
	}
	rows := rbm.NewBits(n, side*side)
	for r := 0; r < n; {
		for range 20 {
			s.Flip(rnd)
		}
		if up := s.SetRow(rows, r); 2*up > side*side || rnd.Float64() < share {
			r++
		}
	}
	return rows
}

// up is 1 for each row of which more than half is on, else 0.
func up(rows *rbm.Bits) []int {
	n, nv := rows.Dims()
	labels := make([]int, n)
	for r := range n {
		on := 0.
		for i := range nv {
			on += rows.At(r, i)
		}
		if 2*on > float64(nv) {
			labels[r] = 1
		}
	}
	return labels
}

// clustered are noisy copies of six random patterns, the first of which is the most frequent.
func clustered(_ *sampling, rnd *rand.Rand) (*rbm.Bits, []int, error) {
	const n, nv, kinds, noise = 3000, 60, 6, 0.04
	pattern := rbm.NewBits(kinds, nv)
	for k := range kinds {
		for i := range nv {
			pattern.SetBit(k, i, rnd.IntN(2) == 0)
		}
	}
	rows, labels := rbm.NewBits(n, nv), make([]int, n)
	for r := range n {
		k := int(kinds * rnd.Float64() * rnd.Float64())
		labels[r] = k
		for i := range nv {
			rows.SetBit(r, i, pattern.Bit(k, i) != (rnd.Float64() < noise))
		}
	}
	return rows, labels, nil
}

// digits are those of examples/digits, in the same two parts, of which this is the first.
func digits() (*rbm.Bits, []int, error) {
	all, labels, err := datasets.Digits(filepath.FromSlash("../examples/digits/digits.csv.gz"), 4) // from the folder of this module
	if err != nil {
		return nil, nil, err
	}
	chosen := rand.New(rand.NewPCG(1, 0)).Perm(len(labels))[:1500]
	of := make([]int, len(chosen))
	for k, r := range chosen {
		of[k] = labels[r]
	}
	return all.Gather(nil, chosen), of, nil
}

// A follower is PCD with a PTT beside it, which saves the ladder.
type follower struct {
	*rbm.PCD
	ladder *rbm.PTT
}

func (s follower) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	s.ladder.Sample(m, data)
	return s.PCD.Sample(m, data)
}

// subject trains a model.
func (o *sampling) subject(ctx context.Context, k training) (*subject, error) {
	rows, labels, err := k.rows(o, rand.New(rand.NewPCG(o.seed, 1)))
	if err != nil {
		return nil, err
	}
	src := rand.NewPCG(o.seed, 2)
	n, nv := rows.Dims()
	m := rbm.NewRandom(nv, k.hidden, 0.01, src)
	m.FitVisibleBias(rows)
	ladder := rbm.NewPTT(100, 1, nil, src)
	ladder.MinSwapRate = o.least
	var by rbm.Sampler = ladder
	if o.train == "pcd" {
		by = follower{rbm.NewPCD(100, 1, src), ladder}
	}
	t := rbm.NewTrainer(m, rows, by, src)
	t.BatchSize = k.batch
	t.SGD.L2 = 1 / float64(n)
	steps := max(10, int(o.scale*float64(k.steps)))
	t.Schedule = rbm.Linear(k.rate, 0, steps)
	begin := processorTime()
	for range steps {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := t.Step(); err != nil {
			return nil, err
		}
	}
	s := &subject{
		name: k.name, m: m, labels: labels, ladder: ladder.Models(), rows: rows, source: rand.NewPCG(o.seed, 3),
		centers: centersOf(rows, labels), axes: principal(rows, 2), passes: int(o.scale * float64(k.passes)),
	}
	fmt.Fprintf(os.Stderr, "%s: trained for %d steps in %.0f s of processor time, %d models in the ladder\n", k.name, steps, (processorTime() - begin).Seconds(), len(s.ladder))
	if k.name == halfName {
		if err := o.half(s); err != nil {
			return nil, err
		}
	}
	return s, o.findTruth(ctx, s)
}

// half makes s the model of the right half of an image, given the left half of the first test
// image.
func (o *sampling) half(s *subject) error {
	_, test, err := idx.Images(o.data)
	if err != nil {
		return err
	}
	image, observed := test.Images.Slice(0, 1), rbm.NewBits(1, idx.Pixels)
	for i := range idx.Pixels {
		observed.SetBit(0, i, i%idx.Side < idx.Side/2)
	}
	s.m = given(s.m, image, observed)
	for k, m := range s.ladder {
		s.ladder[k] = given(m, image, observed)
	}
	s.rows = without(s.rows, observed)
	s.centers, s.axes = centersOf(s.rows, s.labels), principal(s.rows, 2)
	return nil
}

// given returns the model of the visible units that are not observed, with the observed ones
// clamped at v: their fields are hidden biases.
func given(m *rbm.RBM, v, observed *rbm.Bits) *rbm.RBM {
	nv, nh := m.Dims()
	var missing []int
	c := mat.VecDenseCopyOf(m.C)
	for i := range nv {
		if !observed.Bit(0, i) {
			missing = append(missing, i)
		} else if v.Bit(0, i) {
			c.AddVec(c, m.W.ColView(i))
		}
	}
	rest := rbm.New(len(missing), nh)
	rest.C = c
	for k, i := range missing {
		rest.B.SetVec(k, m.B.AtVec(i))
		for j := range nh {
			rest.W.Set(j, k, m.W.At(j, i))
		}
	}
	return rest
}

// without returns the columns of rows that are not observed.
func without(rows, observed *rbm.Bits) *rbm.Bits {
	n, nv := rows.Dims()
	var missing []int
	for i := range nv {
		if !observed.Bit(0, i) {
			missing = append(missing, i)
		}
	}
	rest := rbm.NewBits(n, len(missing))
	for r := range n {
		for k, i := range missing {
			rest.SetBit(r, k, rows.Bit(r, i))
		}
	}
	return rest
}

// findTruth finds the shares of the clusters: by independent rows where the hidden units can
// be enumerated, else by a long run of PTT.
func (o *sampling) findTruth(ctx context.Context, s *subject) error {
	if _, nh := s.m.Dims(); nh <= 20 {
		s.how = "independent samples"
		s.truth = s.shares(independent(s.m, max(1000, int(100000*o.scale)), s.source))
		return nil
	}
	s.how = "PTT, a long run"
	r, err := s.judge(ctx, []sampler{s.ptt(o.chains, nil)}, max(10, 5*s.passes/(2*len(s.ladder)+2)))
	s.truth = r.shares
	return err
}

// independent returns n independent samples of a model with few hidden units: hidden states
// by their exact probabilities, and visible ones given these.
func independent(m *rbm.RBM, n int, src rand.Source) *rbm.Bits {
	flipped := &rbm.RBM{W: mat.DenseCopyOf(m.W.T()), B: m.C, C: m.B}
	_, nh := m.Dims()
	all, p := new(rbm.Exact).Sample(flipped, rbm.NewBits(1, nh))
	hidden := all.(*rbm.Bits)
	below := make([]float64, len(p)) // the sum of the probabilities up to each state
	sum := 0.
	for i := range p {
		sum += p[i]
		below[i] = sum
	}
	rnd := rand.New(src)
	rows := make([]int, n)
	for r := range rows {
		rows[r] = searchFloat(below, sum*rnd.Float64())
	}
	// The visible units are drawn with their probabilities given the hidden ones.
	probs := m.VisibleProbs(nil, hidden.Gather(nil, rows))
	c := rbm.NewChains(src)
	c.Start(probs)
	return c.Visible()
}

// searchFloat returns the first i with x < sorted[i], or the last.
func searchFloat(sorted []float64, x float64) int {
	low, high := 0, len(sorted)-1
	for low < high {
		if middle := (low + high) / 2; x < sorted[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// centersOf returns the mean of the rows of each label.
func centersOf(rows *rbm.Bits, labels []int) *mat.Dense {
	n, nv := rows.Dims()
	most := 0
	for _, k := range labels {
		most = max(most, k)
	}
	centers := mat.NewDense(most+1, nv, nil)
	count := make([]float64, most+1)
	for r := range n {
		for i := range nv {
			centers.Set(labels[r], i, centers.At(labels[r], i)+rows.At(r, i))
		}
		count[labels[r]]++
	}
	for k := range count {
		for i := range nv {
			centers.Set(k, i, centers.At(k, i)/count[k])
		}
	}
	return centers
}

// principal returns the first k principal directions of up to 3,000 rows, a column each.
func principal(rows *rbm.Bits, k int) *mat.Dense {
	n, nv := rows.Dims()
	covariance := mat.NewSymDense(nv, nil)
	stat.CovarianceMatrix(covariance, rows.Slice(0, min(n, 3000)), nil)
	var e mat.EigenSym
	if !e.Factorize(covariance, true) {
		panic("the covariances have no eigenvectors")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors) // in the order of rising eigenvalues
	axes := mat.NewDense(nv, k, nil)
	for c := range k {
		for i := range nv {
			axes.Set(i, c, vectors.At(i, nv-1-c))
		}
	}
	return axes
}
