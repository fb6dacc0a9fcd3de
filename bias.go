package rbm

import (
	"github.com/gorbm/rbm/internal/logistic"
	"gonum.org/v1/gonum/mat"
)

// FitVisibleBias sets B to [RBM.FittedBias] of data (n×nv) before training; copy that to B
// where there are weights or missing values.
func (m *RBM) FitVisibleBias(data mat.Matrix) { m.B.CopyVec(m.FittedBias(data, nil, nil)) }

// FittedBias returns the visible biases with which the model without weights has the means
// of data (n×nv), kept finite by half a row of each value more (Haldane, 1956; Anscombe,
// 1956). For a unit i, or k in a group of G units,
//
//	bᵢ = log((Σᵣ wᵣdataᵣᵢ + ½) / (n - Σᵣ wᵣdataᵣᵢ + ½))    bₖ = log((Σᵣ wᵣdataᵣₖ + ½) / (n + G/2))
//
// where n is the total weight of the rows that observe the unit; nil observed means all.
// The mean weight counts as 1; nil weights are equal.
func (m *RBM) FittedBias(data mat.Matrix, weights []float64, observed *Bits) *mat.VecDense {
	nv, _ := m.Dims()
	n := checkBatch("data", data, nv)
	checkObserved(observed, n, nv)
	var total float64
	if weights != nil {
		totalWeight("weights", weights, n, nil)
		weights = withoutUnit(weights, nil)
	}
	if observed != nil {
		data = known(data, observed)
	}
	var groups oneHot
	groups.load(m.OneHot)
	sum, of := make([]float64, nv), make([]float64, nv)
	var in, mask batch
	in.each("data", data, n, func(r0 int) {
		groups.check("data", &in, r0, observed, nil)
		for r := range in.rows {
			w := weightOf(weights, r0+r)
			in.addTo(sum, r, w)
			if observed == nil {
				total += w
				continue
			}
			k := min(r0+r, observed.rows-1)
			mask.read("observed", observed, k, k+1)
			mask.addTo(of, 0, w)
		}
	})
	for i := range of {
		of[i] += total
	}
	return biasOf(m.OneHot, sum, of)
}

// biasOf returns the biases of FittedBias, given for each unit the weighted sum of its
// values and the weight of the rows in which it is observed.
func biasOf(groups []Group, sum, n []float64) *mat.VecDense {
	bias := mat.NewVecDense(len(sum), nil)
	for i, s := range sum {
		bias.SetVec(i, logit(s, n[i]))
	}
	for _, g := range groups {
		for i := g.From; i < g.To; i++ {
			bias.SetVec(i, logistic.Log((sum[i]+0.5)/(n[i]+float64(g.To-g.From)/2)))
		}
	}
	return bias
}

// logit returns the log-odds of sum in n, with ½ more of each value.
func logit(sum, n float64) float64 { return logistic.Log((sum + 0.5) / (n - sum + 0.5)) }

// logZOfBiases returns log Z of visible units with the given biases alone, plus logZ.
func logZOfBiases(logZ float64, biases []float64, groups []Group) float64 {
	for i := 0; i < len(biases); i++ {
		if len(groups) == 0 || groups[0].From != i {
			logZ += logistic.Softplus(biases[i])
			continue
		}
		logZ += logistic.LogSumExp(biases[i:groups[0].To])
		i = groups[0].To - 1
		groups = groups[1:]
	}
	return logZ
}
