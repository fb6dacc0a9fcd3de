package rbm_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
)

// Held-out figures are means by the weights, of which a common factor does not matter.
func TestHeldOutWeights(t *testing.T) {
	const nv, n = 7, 60
	for _, nh := range []int{4, 1 << 16} { // log Z is cheap, and is not
		data, held, weights := randomBits(n, nv, 0.4, 1), randomBits(20, nv, 0.6, 2), someZero(20, 3, 3)
		var chosen []int
		var some []float64
		for r, w := range weights {
			if w > 0 {
				chosen, some = append(chosen, r), append(some, w)
			}
		}
		m := randomModel(nv, nh, 0.1, 4)
		report := func(held *rbm.Bits, weights []float64) rbm.Report {
			tr, reports := still(m, data, rbm.NewCD(1, newSource(1)))
			tr.HeldOut, tr.HeldOutWeights, tr.Centering = held, weights, nil
			trainFor(t, tr, 1)
			r := (*reports)[0]
			r.RowsPerSecond = 0
			return r
		}
		r := report(held, weights)
		w := slices.Clone(weights)
		floats.Scale(1/floats.Sum(w), w)
		checkNear(t, "HeldOutPseudoLogLikelihood", r.HeldOutPseudoLogLikelihood, weightedSum(m.PseudoLogLikelihood(nil, held), w), 1e-12)
		if nh == 4 {
			checkNear(t, "HeldOutLogLikelihood", r.HeldOutLogLikelihood, -weightedSum(m.FreeEnergy(nil, held), w)-naiveLogZ(m), 1e-11)
		}
		same := report(held.Gather(nil, chosen), some)
		if got, want := fmt.Sprint(same), fmt.Sprint(r); got != want {
			t.Errorf("nh=%d, rows of weight 0: %s, want %s", nh, got, want)
		}
		floats.Scale(0x1p-1000, weights)
		if got, want := fmt.Sprint(report(held, weights)), fmt.Sprint(r); got != want {
			t.Errorf("nh=%d, weights times 2⁻¹⁰⁰⁰: %s, want %s", nh, got, want)
		}
		equal := report(held, nil)
		if equal.HeldOutPseudoLogLikelihood == r.HeldOutPseudoLogLikelihood {
			t.Error("weights do not matter: no test")
		}
		if got := report(held, slices.Repeat([]float64{2}, 20)); math.Abs(got.HeldOutPseudoLogLikelihood-equal.HeldOutPseudoLogLikelihood) > 1e-12 {
			t.Errorf("nh=%d: %v with equal weights, want %v", nh, got.HeldOutPseudoLogLikelihood, equal.HeldOutPseudoLogLikelihood)
		}

		// The gap is with all rows of Data, if there are as many of HeldOut.
		tr, reports := still(m, data.Slice(0, 20), rbm.NewCD(1, newSource(1)))
		tr.HeldOut, tr.HeldOutWeights = held, randomWeights(22, 8)[2:]
		trainFor(t, tr, 1)
		w = slices.Clone(tr.HeldOutWeights)
		floats.Scale(1/floats.Sum(w), w)
		if positive := slices.Min(w); positive > 0 {
			checkNear(t, "FreeEnergyGap", (*reports)[0].FreeEnergyGap, weightedSum(m.FreeEnergy(nil, held), w)-meanOf(m.FreeEnergy(nil, data.Slice(0, 20))), 1e-9)
		} else {
			t.Errorf("weights %v: no test of the gap", w)
		}
	}
}

// The best model is that of the weighted score.
func TestHeldOutWeightsChooseTheBest(t *testing.T) {
	best := func(weights []float64) *rbm.RBM {
		tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
		tr.HeldOutWeights, tr.ReportEvery, tr.OnReport = weights, 10, nil
		trainFor(t, tr, 60)
		return tr.Best()
	}
	first := append(slices.Repeat([]float64{1}, 3), make([]float64, 47)...)
	alone := func() *rbm.RBM {
		tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
		tr.HeldOut, tr.ReportEvery = tr.HeldOut.(*rbm.Bits).Slice(0, 3), 10
		trainFor(t, tr, 60)
		return tr.Best()
	}
	checkSame(t, "the best by three of the rows", params(best(first)), params(alone()))
	if slices.Equal(params(best(first)), params(best(nil))) {
		t.Error("weights do not matter: no test")
	}
}

func TestHeldOutWeightsMisuse(t *testing.T) {
	for _, tt := range []struct {
		weights []float64
		want    string
	}{
		{make([]float64, 49), "HeldOutWeights have length 49, want 50"},
		{make([]float64, 50), "HeldOutWeights are all 0"},
		{append([]float64{-1}, make([]float64, 49)...), "HeldOutWeights[0] is -1"},
		{append([]float64{math.NaN()}, make([]float64, 49)...), "HeldOutWeights[0] is NaN"},
		{slices.Repeat([]float64{1e308}, 50), "HeldOutWeights have the sum +Inf"},
	} {
		tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
		tr.HeldOutWeights = tt.weights
		wantPanic(t, "Train", func() { tr.Train(context.Background(), 1) }, tt.want)
		if tr.Steps() != 0 {
			t.Errorf("%s: %d steps before the panic", tt.want, tr.Steps())
		}
	}
	tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
	tr.HeldOut, tr.HeldOutWeights = nil, []float64{1}
	wantPanic(t, "Step", func() { tr.Step() }, "HeldOutWeights have length 1, want 0")
}

// A checkpoint goes on with the same weights only.
func TestHeldOutWeightsOfOtherBytes(t *testing.T) {
	start := func(weights []float64) *rbm.Trainer {
		tr, _ := overfitting(rbm.NewCD(1, newSource(1)))
		tr.HeldOutWeights = weights
		return tr
	}
	weights := randomWeights(50, 1)
	good := saved(t, start(weights))
	if err := start(weights).UnmarshalBinary(good); err != nil {
		t.Error(err)
	}
	for want, weights := range map[string][]float64{"HeldOutWeights is 0×0, want 50×1": nil, "HeldOutWeights has checksum": randomWeights(50, 2)} {
		if err := start(weights).UnmarshalBinary(good); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
