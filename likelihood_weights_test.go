package rbm_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func weightedLogLikelihood(t *testing.T, m *rbm.RBM, data rbm.Rows, weights []float64, a *rbm.AIS) rbm.LogLikelihood {
	t.Helper()
	l, err := m.WeightedLogLikelihood(context.Background(), data, weights, a)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// grouped27 are rows for groups of a model of 27 visible units, too many to enumerate with
// 21 hidden ones.
func grouped27(n int) (m *rbm.RBM, data *rbm.Bits) {
	m = coupled(27, 21, 0.3, 2)
	m.OneHot = []rbm.Group{{From: 3, To: 6}}
	return m, chainRows(m, n)
}

// The mean is that of the rows by their weights, whatever the scale of these, and a row of
// weight 0 is as good as none.
func TestWeightedLogLikelihood(t *testing.T) {
	const n = 131
	small := coupled(50, 6, 0.5, 1)
	large, rows := grouped27(n)
	for _, tt := range []struct {
		m    *rbm.RBM
		data *rbm.Bits
		ais  func() *rbm.AIS
	}{
		{small, chainRows(small, n), func() *rbm.AIS { return nil }},
		{large, rows, func() *rbm.AIS { return rbm.NewAIS(40, 100, rand.NewPCG(1, 2)) }},
	} {
		weights := someZero(n, 3, 6)
		var chosen []int
		var some, times []float64
		var mean, total float64
		f := tt.m.FreeEnergy(nil, tt.data)
		for r, w := range weights {
			mean -= w * f[r]
			total += w
			if times = append(times, w*0x1p-1000); w > 0 {
				chosen, some = append(chosen, r), append(some, w)
			}
		}
		mean /= total
		l := weightedLogLikelihood(t, tt.m, tt.data, weights, tt.ais())
		checkNear(t, "Mean", l.Mean, mean-l.LogZ, 1e-11)
		if logZ := tt.m.LogPartition(); !(math.Abs(l.LogZ-logZ) <= 0.2) || l.Exact != (tt.ais() == nil) {
			t.Errorf("%v, want log Z %v", l, logZ)
		}
		for name, other := range map[string]rbm.LogLikelihood{
			"weights times 2⁻¹⁰⁰⁰":      weightedLogLikelihood(t, tt.m, tt.data, times, tt.ais()),
			"rows of weight 0 left out": weightedLogLikelihood(t, tt.m, tt.data.Gather(nil, chosen), some, tt.ais()),
			"rows elsewhere":            weightedLogLikelihood(t, tt.m, &elsewhere{Bits: tt.data}, weights, tt.ais()),
			"values":                    weightedLogLikelihood(t, tt.m, rbm.Values{Matrix: tt.data}, weights, tt.ais()),
		} {
			if got, want := fmt.Sprintf("%#v", other), fmt.Sprintf("%#v", l); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		equal := weightedLogLikelihood(t, tt.m, tt.data, slices.Repeat([]float64{3}, n), tt.ais())
		if got, want := fmt.Sprintf("%#v", equal), fmt.Sprintf("%#v", logLikelihood(t, tt.m, tt.data, tt.ais())); got != want {
			t.Errorf("equal weights: %s, want %s", got, want)
		}
		values := func(rows []int) rbm.Values {
			a := mat.DenseCopyOf(tt.data.Gather(nil, rows))
			a.Set(slices.Index(rows, chosen[0]), 8, 0.25)
			return rbm.Values{Matrix: a}
		}
		everyRow := make([]int, n)
		for r := range everyRow {
			everyRow[r] = r
		}
		got := fmt.Sprintf("%#v", weightedLogLikelihood(t, tt.m, values(chosen), some, tt.ais()))
		if want := fmt.Sprintf("%#v", weightedLogLikelihood(t, tt.m, values(everyRow), weights, tt.ais())); got != want {
			t.Errorf("values: %s, want %s", got, want)
		}
		if tt.ais() != nil { // chains that have not forgotten the rows from which they start
			short := func() *rbm.AIS { return rbm.NewAIS(40, 1, rand.NewPCG(1, 2)) }
			all, left := weightedLogLikelihood(t, tt.m, tt.data, weights, short()), weightedLogLikelihood(t, tt.m, tt.data.Gather(nil, chosen), some, short())
			checkSame(t, "Reverse from rows of weight 0 left out", all.Reverse.LogWeights, left.Reverse.LogWeights)
			if slices.Equal(all.Reverse.LogWeights, weightedLogLikelihood(t, tt.m, tt.data, nil, short()).Reverse.LogWeights) {
				t.Error("rows of weight 0 do not matter for Reverse: no test")
			}
		}
		if equal.Mean == l.Mean {
			t.Error("weights do not matter: no test")
		}
	}
}

// Whole weights are as good as repeated rows.
func TestWeightedLogLikelihoodOfRepeatedRows(t *testing.T) {
	m := coupled(30, 5, 0.5, 1)
	data := chainRows(m, 4)
	got := weightedLogLikelihood(t, m, data, []float64{3, 1, 0, 2}, nil)
	want := logLikelihood(t, m, data.Gather(nil, []int{0, 0, 0, 1, 3, 3}), nil)
	checkNear(t, "Mean", got.Mean, want.Mean, 1e-12)
}

// A weight that is nothing beside another is none, but its row counts as one.
func TestWeightedLogLikelihoodOfTinyWeights(t *testing.T) {
	m := coupled(30, 5, 0.5, 1)
	data := chainRows(m, 4)
	got := weightedLogLikelihood(t, m, data, []float64{1e-300, 3e300, 1e-300, 1e300}, nil)
	want := logLikelihood(t, m, data.Gather(nil, []int{1, 1, 1, 3}), nil)
	checkNear(t, "Mean", got.Mean, want.Mean, 1e-12)
}

// The base is fitted by the weights, and the bound is that of the rows that have one.
func TestWeightedLogLikelihoodBase(t *testing.T) {
	m, data := grouped27(60)
	weights := someZero(60, 4, 3)
	for r := range 20 {
		weights[r] *= 50
	}
	l := weightedLogLikelihood(t, m, data, weights, rbm.NewAIS(20, 30, rand.NewPCG(1, 1)))
	a := rbm.NewAIS(20, 30, rand.NewPCG(1, 1))
	a.Base = m.FittedBias(data, weights, nil)
	want, err := a.Run(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	checkAllNear(t, "weights of the runs", l.AIS.LogWeights, want.LogWeights, 1e-9)
	values := mat.DenseCopyOf(data)
	values.Apply(func(r, i int, x float64) float64 {
		if i < 3 || i >= 6 { // of no group
			return 0.1 + 0.6*x
		}
		return x
	}, values)
	l = weightedLogLikelihood(t, m, rbm.Values{Matrix: values}, weights, rbm.NewAIS(20, 30, rand.NewPCG(1, 1)))
	a = rbm.NewAIS(20, 30, rand.NewPCG(1, 1))
	a.Base = m.FittedBias(values, weights, nil)
	if want, err = a.Run(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	checkAllNear(t, "weights of the runs for values", l.AIS.LogWeights, want.LogWeights, 1e-9)

	l = weightedLogLikelihood(t, m, data, weights, rbm.NewAIS(20, 30, rand.NewPCG(1, 1)))
	a = rbm.NewAIS(20, 30, rand.NewPCG(1, 1))
	a.Base = m.FittedBias(data, nil, nil)
	if other, _ := a.Run(context.Background(), m); math.Abs(other.LogWeights[0]-l.AIS.LogWeights[0]) < 1e-3 {
		t.Error("weights do not matter: no test")
	}

	// A row of which the model is sure, and log Z is known, counts only by its weight. Nothing else
	// finds it: two hidden units are on there alone, and know half of it each.
	sure := rbm.New(25, 22)
	for i := range 25 {
		sure.B.SetVec(i, -1)
	}
	rows := rbm.NewBits(2, 25)
	sure.C.SetVec(0, 150)
	sure.C.SetVec(1, 150)
	for i := range 25 {
		if i%2 == 1 {
			sure.W.Set(i/13, i, -100)
			continue
		}
		rows.SetBit(1, i, true)
		sure.W.Set(i/13, i, 100)
		sure.C.SetVec(i/13, sure.C.AtVec(i/13)-100)
	}
	a = rbm.NewAIS(20, 2, rand.NewPCG(1, 1))
	a.Base = sure.B
	if with, without := weightedLogLikelihood(t, sure, rows, []float64{1, 1}, a), weightedLogLikelihood(t, sure, rows, []float64{1, 0}, a); !strings.Contains(with.Doubt, "configurations seen") && with.LogZ <= without.LogZ {
		t.Errorf("with a sure row: %v, without: %v", with, without)
	}
}

func TestWeightedLogLikelihoodMisuse(t *testing.T) {
	m, data := grouped27(5)
	ctx := context.Background()
	a := rbm.NewAIS(5, 5, newSource(1))
	for _, tt := range []struct {
		weights []float64
		want    string
	}{
		{[]float64{1}, "weights have length 1, want 5"},
		{[]float64{1, 1, -1, 1, 1}, "weights[2] is -1"},
		{[]float64{1, 1, 1, 1, math.NaN()}, "weights[4] is NaN"},
		{make([]float64, 5), "weights have sum 0"},
	} {
		wantPanic(t, fmt.Sprint(tt.weights), func() { m.WeightedLogLikelihood(ctx, data, tt.weights, a) }, tt.want)
	}
	bad := data.Gather(nil, []int{0, 1, 2, 3, 4})
	for i := 3; i < 6; i++ {
		bad.SetBit(2, i, true)
	}
	if _, err := m.WeightedLogLikelihood(ctx, bad, []float64{1, 1, 0, 1, 1}, a); err == nil || err.Error() != "rbm: row 2 of data has 3 units on in the group [3, 6), want 1" {
		t.Errorf("error %v of a row that the model cannot have", err)
	}
}

// No run starts from a row of weight 0, which shows where chains do not forget their starts.
func TestWeightedLogLikelihoodStarts(t *testing.T) {
	const n = 60
	m := coupled(27, 21, 4, 2)
	data, weights := randomBits(n, 27, 0.5, 3), someZero(n, 3, 4)
	var chosen []int
	var some []float64
	for r, w := range weights {
		if w > 0 {
			chosen, some = append(chosen, r), append(some, w)
		}
	}
	ais := func() *rbm.AIS { return rbm.NewAIS(30, 5, newSource(1)) }
	got := fmt.Sprintf("%#v", weightedLogLikelihood(t, m, data, weights, ais()))
	if want := fmt.Sprintf("%#v", weightedLogLikelihood(t, m, data.Gather(nil, chosen), some, ais())); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
