package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// A score says how anomalous each tumor of the test is, the more the larger.
type score struct {
	name   string
	values []float64
}

// scores returns the free energy under m and what is to be had without a model: the
// free energy without weights, which takes all units for independent, and Mahalanobis'
// distance from the mean of the tumors trained on, by their covariance.
func scores(m *rbm.RBM, c code, train, test tumors) ([]score, error) {
	bits := c.encode(test.values)
	independent := rbm.New(c.units(), 1)
	independent.FitVisibleBias(c.encode(train.values))
	distances, err := mahalanobis(train.values, test.values)
	return []score{
		{"free energy", m.FreeEnergy(nil, bits)},
		{"free energy without weights", independent.FreeEnergy(nil, bits)},
		{"Mahalanobis distance", distances},
	}, err
}

// mahalanobis returns the distance of each row of values from the mean of those of
// train.
func mahalanobis(train, values *mat.Dense) ([]float64, error) {
	rows, n := values.Dims()
	mean := mat.NewVecDense(n, nil)
	for i := range n {
		mean.SetVec(i, stat.Mean(mat.Col(nil, i, train), nil))
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, train, nil)
	var chol mat.Cholesky
	if !chol.Factorize(&covariance) {
		return nil, errors.New("the covariance of the measurements is singular")
	}
	d := make([]float64, rows)
	for r := range d {
		d[r] = stat.Mahalanobis(values.RowView(r), mean, &chol)
	}
	return d, nil
}

// A roc is how many of the anomalies are found at which price, from (0, 0) to (1, 1).
type roc struct {
	found, wrong []float64 // shares of the malignant and of the benign above a threshold
}

func newROC(values []float64, malignant []bool) roc {
	values, malignant = slices.Clone(values), slices.Clone(malignant)
	stat.SortWeightedLabeled(values, malignant, nil)
	found, wrong, _ := stat.ROC(nil, values, malignant, nil)
	return roc{found, wrong}
}

// area returns the area under the curve: how often a malignant tumor has a larger
// score than a benign one.
func (c roc) area() float64 { return integrate.Trapezoidal(c.wrong, c.found) }

// at returns the largest share found with at most such a share of wrong alarms.
func (c roc) at(wrong float64) float64 {
	best := 0.
	for k, w := range c.wrong {
		if w <= wrong {
			best = max(best, c.found[k])
		}
	}
	return best
}

// A reason is what a measurement adds to the free energy of a row: how far it falls
// if that measurement alone moves to the level where it is least.
type reason struct {
	measurement int
	nats        float64
}

// explain returns the reasons for row r of bits, the largest first.
func explain(m *rbm.RBM, c code, bits *rbm.Bits, r int) []reason {
	n, _ := c.thresholds.Dims()
	levels := len(shares) + 1
	same := make([]int, n*levels)
	for k := range same {
		same[k] = r
	}
	moved := bits.Gather(nil, same)
	for k := range same {
		c.setLevel(moved, k, k/levels, k%levels)
	}
	f := m.FreeEnergy(nil, moved)
	now := m.FreeEnergy(nil, bits.Slice(r, r+1))[0]
	reasons := make([]reason, n)
	for i := range reasons {
		reasons[i] = reason{i, now - slices.Min(f[i*levels:][:levels])}
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.nats, a.nats) })
	return reasons
}
