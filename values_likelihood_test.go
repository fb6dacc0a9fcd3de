package rbm_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func logLikelihoodOf(t *testing.T, m *rbm.RBM, data rbm.Rows, a *rbm.AIS) rbm.LogLikelihood {
	t.Helper()
	l, err := m.LogLikelihood(context.Background(), data, a)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The mean is that of -F at the values, by the definition, minus the log of a sum over all
// configurations; and at most the expectation for rows drawn from the values.
func TestLogLikelihoodOfValues(t *testing.T) {
	for _, s := range [][2]int{{7, 4}, {4, 7}} {
		nv, nh := s[0], s[1]
		m := randomModel(nv, nh, 1, 1)
		a := gray(randomBits(600, nv, 0.4, 2), 3) // more than a block
		logZ := loopLogZ(m)
		minusF := func(v func(i int) float64) (sum float64) {
			for i := range nv {
				sum += m.B.AtVec(i) * v(i)
			}
			for j := range nh {
				x := m.C.AtVec(j)
				for i := range nv {
					x += m.W.At(j, i) * v(i)
				}
				sum += math.Log1p(math.Exp(x))
			}
			return sum
		}
		weights := sparseWeights(600, 0.5, 4)
		var want, drawn, weighted, total float64
		for r := range 600 {
			weighted += weights[r] * (minusF(func(i int) float64 { return a.At(r, i) }) - logZ)
			total += weights[r]
			want += (minusF(func(i int) float64 { return a.At(r, i) }) - logZ) / 600
			for x := range 1 << nv {
				p := 1.
				for i := range nv {
					if x>>i&1 == 1 {
						p *= a.At(r, i)
					} else {
						p *= 1 - a.At(r, i)
					}
				}
				drawn += p * (minusF(func(i int) float64 { return float64(x >> i & 1) }) - logZ) / 600
			}
		}
		for _, v := range []rbm.Rows{rbm.Values{Matrix: a}, &rbm.Values{Matrix: turned(a)}} {
			l := logLikelihoodOf(t, m, v, nil)
			checkNear(t, "Mean", l.Mean, want, 1e-12*600)
			if !l.Exact || !l.Believable() || l.Mean >= drawn {
				t.Errorf("%v, want exactly %v, below %v", l, want, drawn)
			}
			l, err := m.WeightedLogLikelihood(context.Background(), v, weights, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkNear(t, "weighted Mean", l.Mean, weighted/total, 1e-12*600)
		}
	}
}

// Zeros and ones are Bits, with an estimate of log Z too.
func TestLogLikelihoodOfValuesThatAreBits(t *testing.T) {
	for _, s := range [][2]int{{9, 6}, {26, 21}} {
		m := coupled(s[0], s[1], 0.3, 2)
		data := chainRows(m, 700)
		got := logLikelihoodOf(t, m, rbm.Values{Matrix: mat.DenseCopyOf(data)}, rbm.NewAIS(20, 50, newSource(1)))
		want := logLikelihood(t, m, data, rbm.NewAIS(20, 50, newSource(1)))
		if got, want := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); got != want {
			t.Errorf("%d×%d: %s, want %s", s[0], s[1], got, want)
		}
	}
}

// The interval holds the truth. Rows of values are no configurations: however many there are
// near the most probable one, they are no bound of Z.
func TestLogLikelihoodIntervalOfValues(t *testing.T) {
	m := coupled(26, 21, 0.2, 2)
	row := mat.NewDense(1, 26, nil)
	for i := range 26 {
		m.B.SetVec(i, 3*float64(i%2*2-1))
		row.Set(0, i, float64(i%2))
	}
	a, x := mat.NewDense(2000, 26, nil), randomReals(2000, 26, 3)
	a.Apply(func(r, i int, _ float64) float64 { return math.Abs(row.At(0, i) - 1e-6*x.At(r, i)) }, a)
	a.Apply(func(r, i int, x float64) float64 {
		if r < 100 {
			return float64(r%2)*0.4 + 0.3
		}
		return x
	}, a)
	logZ := m.LogPartition()
	want := -meanOf(m.FreeEnergy(nil, a)) - logZ
	if bound := -m.FreeEnergy(nil, row)[0] + math.Log(1900); bound < logZ+2 {
		t.Fatalf("as configurations the rows would give a log Z of at least %v only, of %v", bound, logZ)
	}
	held, believed := 0, 0
	seeds := rbm.Fewer(20)
	for s := range uint64(seeds) {
		l := logLikelihoodOf(t, m, rbm.Values{Matrix: a}, rbm.NewAIS(50, 300, newSource(s)))
		if l.Low <= want && want <= l.High {
			held++
		}
		if l.Believable() {
			believed++
		}
	}
	if held < seeds-1 || believed < seeds-2 {
		t.Errorf("%d of %d intervals hold the truth, %d are believable", held, seeds, believed)
	}
}

// What is nearest to a row is a configuration, of which Z has at least the weight, also if it is
// no row from which runs start.
func TestLogLikelihoodOfValuesThatRunsMiss(t *testing.T) {
	m, row := hole()
	a := randomReals(1000, 30, 1)
	for i := range 30 {
		a.Set(5, i, 0.98*row.At(0, i)+0.01)
	}
	logZ := m.LogPartition()
	want := -meanOf(m.FreeEnergy(nil, a)) - logZ
	for s := range uint64(3) {
		runs := rbm.NewAIS(100, 300, newSource(s))
		runs.Base = vec(make([]float64, 30))
		l := logLikelihoodOf(t, m, rbm.Values{Matrix: a}, runs)
		if off := l.AIS.Mean - logZ; off > -5 {
			t.Fatalf("AIS is off by %v only: this model is not hard", off)
		}
		if !strings.Contains(l.Doubt, "log Z is at least") {
			t.Errorf("%v, want doubt", l)
		}
		if l.Low > want || want > l.High {
			t.Errorf("%v does not hold the truth, %v", l, want)
		}
	}
}

func TestLogLikelihoodOfWrongValues(t *testing.T) {
	m := coupled(26, 21, 0.3, 2)
	m.OneHot = []rbm.Group{{From: 3, To: 6}}
	for _, tt := range []struct {
		r, i int
		x    float64
		want string
	}{
		{599, 25, math.NaN(), "rbm: data[599, 25] is NaN, want a value in [0, 1]"},
		{0, 0, -0.25, "rbm: data[0, 0] is -0.25, want a value in [0, 1]"},
		{550, 7, 1.5, "rbm: data[550, 7] is 1.5, want a value in [0, 1]"},
		{520, 4, 0.5, "rbm: data[520, 4] is 0.5, want 0 or 1 in the group [3, 6)"},
		{530, 3, 0, "rbm: row 530 of data has 0 units on in the group [3, 6), want 1"},
	} {
		a := mat.NewDense(600, 26, nil)
		a.Apply(func(r, i int, _ float64) float64 {
			switch i {
			case 3:
				return 1
			case 8:
				return 0.5
			}
			return 0
		}, a)
		a.Set(tt.r, tt.i, tt.x)
		_, err := m.LogLikelihood(context.Background(), rbm.Values{Matrix: a}, rbm.NewAIS(2, 2, newSource(1)))
		checkError(t, fmt.Sprint(tt), err, tt.want)
	}
}

// A block of values may have more rows than one of bits.
func TestLogLikelihoodOfWideValues(t *testing.T) {
	const n, nv = 5, 1 << 20
	m := rbm.New(nv, 1)
	m.B.SetVec(0, 1)
	m.W.Set(0, nv-1, 2)
	a := mat.NewDense(n, nv, nil)
	for r := range n {
		a.Set(r, 0, float64(r)/8)
		a.Set(r, nv-1, 1)
	}
	// log p̄(v̄) = v̄₀ + log(1+e²) - (nv-2)·log 2 - log(1+e) - log(2+(1+e²)), by hand
	softplus := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	want := 0.25 + softplus(2) - (nv-2)*math.Ln2 - softplus(1) - math.Log(3+math.Exp(2))
	checkNear(t, "Mean", logLikelihoodOf(t, m, rbm.Values{Matrix: a}, nil).Mean, want, 1e-6)
}

// The bound has the weight of the configuration that is nearest to a row, not of the row.
func TestLogLikelihoodBoundOfValues(t *testing.T) {
	const nv, nh = 25, 21
	m := rbm.New(nv, nh) // with log Z = 21 log 2 + 25 log(1+e⁻²)
	for i := range nv {
		m.B.SetVec(i, -2)
	}
	var rows []float64 // ½ at up to three units
	for i := range nv {
		for j := range i + 1 {
			for k := range j + 1 {
				row := make([]float64, nv)
				row[i], row[j], row[k] = 0.5, 0.5, 0.5
				rows = append(rows, row...)
			}
		}
	}
	a := mat.NewDense(len(rows)/nv, nv, rows)
	l := logLikelihoodOf(t, m, rbm.Values{Matrix: a}, rbm.NewAIS(20, 50, newSource(1)))
	checkNear(t, "log Z", l.LogZ, nh*math.Ln2+nv*math.Log1p(math.Exp(-2)), 0.5)
	if !l.Believable() {
		t.Errorf("%v, want no doubt", l)
	}
}
