package rbm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// expectedCD returns the expectation of the gradient of CD-k and, for chains that start
// reps times at each row of data, its standard error. After the first sweep the
// distribution moves by the transition matrix among the allowed configurations.
func expectedCD(m *rbm.RBM, data mat.Matrix, k, reps int, allowed func(x int) bool) (mean, stderr []float64) {
	n, nv := data.Dims()
	var power mat.Dense
	if k > 1 {
		power.Pow(transitionAmong(m, allowed), k-1)
	}
	vs := configs(nv)
	statistics := make([][]float64, 1<<nv)
	for x := range statistics {
		statistics[x] = naiveStatistics(m, vs.Slice(x, x+1, 0, nv), nil)
	}
	mean = naiveStatistics(m, data, nil)
	variance := make([]float64, len(mean))
	for r := range n {
		p := mat.NewVecDense(1<<nv, sweepAmong(m, mat.Row(nil, r, data), allowed))
		if k > 1 {
			p.MulVec(power.T(), p)
		}
		for q := range mean {
			first, second := 0.0, 0.0
			for x, s := range statistics {
				first += p.AtVec(x) * s[q]
				second += p.AtVec(x) * s[q] * s[q]
			}
			mean[q] -= first / float64(n)
			variance[q] += math.Max(second-first*first, 0) / float64(n*n*reps)
		}
	}
	for q, x := range variance {
		variance[q] = math.Sqrt(x)
	}
	return mean, variance
}

// checkExpectation reports every mean of n draws from [0,1] that is more than 5 standard
// errors from want; 5/n allows for what Bernstein's inequality adds where events are rare.
func checkExpectation(t *testing.T, m *rbm.RBM, got, want, stderr []float64, n int) {
	t.Helper()
	for p := range want {
		if !(math.Abs(got[p]-want[p]) <= 5*stderr[p]+5/float64(n)) {
			t.Errorf("mean %s = %v, want %v, standard error %.2g", paramName(m, p), got[p], want[p], stderr[p])
		}
	}
}

func TestCDExpectation(t *testing.T) {
	t.Parallel()
	const rows = 3
	reps := rbm.Fewer(8000)
	for _, s := range []struct{ nv, nh int }{{2, 3}, {3, 2}, {5, 4}, {8, 3}, {1, 8}} {
		m := randomModel(s.nv, s.nh, 1.5, 1)
		for _, tt := range []struct {
			name string
			data mat.Matrix
		}{
			{"bits", randomBits(rows, s.nv, 0.5, 2)},
			{"reals", randomReals(rows, s.nv, 3)},
		} {
			for _, k := range []int{1, 5} {
				t.Run(fmt.Sprintf("CD%d/nv=%d/nh=%d/%s", k, s.nv, s.nh, tt.name), func(t *testing.T) {
					want, stderr := expectedCD(m, tt.data, k, reps, anything)
					var g rbm.Gradient
					m.Gradient(&g, repeated(tt.data, reps), rbm.NewCD(k, newSource(uint64(k))))
					checkExpectation(t, m, gradientValues(&g), want, stderr, rows*reps)
				})
			}
		}
	}
}

// The mean over many calls has the same expectation: calls draw afresh.
func TestCDExpectationOverCalls(t *testing.T) {
	const calls = 10000
	m, data := randomModel(5, 4, 1.5, 1), randomBits(2, 5, 0.5, 2)
	want, stderr := expectedCD(m, data, 1, calls, anything)
	mean := make([]float64, len(want))
	var g rbm.Gradient
	cd := rbm.NewCD(1, newSource(4))
	for range calls {
		m.Gradient(&g, data, cd)
		floats.AddScaled(mean, 1.0/calls, gradientValues(&g))
	}
	checkExpectation(t, m, mean, want, stderr, 2*calls)
}

// copier returns a model in which h copies v and v copies h: v never changes.
func copier(nv, nh int) *rbm.RBM {
	m := rbm.New(nv, nh)
	for j := range nh {
		m.W.Set(j, j%nv, 2000)
		m.C.SetVec(j, -1000)
	}
	for i := range nv {
		m.B.SetVec(i, -1000)
	}
	return m
}

func TestCDStartsAtTheData(t *testing.T) {
	m := copier(3, 5)
	for _, k := range []int{1, 4} {
		cd := rbm.NewCD(k, newSource(1))
		for seed, n := range []int{100, 7, 100, 130, 1} {
			data := randomBits(n, 3, 0.5, uint64(seed))
			if v, _ := cd.Sample(m, data); !mat.Equal(v, data) {
				t.Errorf("CD-%d of %d rows does not start at the data", k, n)
			}
		}
	}
}

func TestCDDrawsAreFresh(t *testing.T) {
	const n, nv = 200, 100
	m, data := rbm.New(nv, 3), rbm.NewBits(n, nv) // every bit is a fair coin
	cd := rbm.NewCD(1, newSource(1))
	draw := func() *mat.Dense {
		v, _ := cd.Sample(m, data)
		return mat.DenseCopyOf(v)
	}
	first, second := draw(), draw()
	checkMean(t, "bits of the first call that are zero", agreements(first, data), n*nv, 0.5)
	checkMean(t, "bits that two calls agree on", agreements(first, second), n*nv, 0.5)
}

// The negative phase is the sample itself: p(h|v) of the last v, not of the data and not of
// the state before.
func TestCDGradientIsOfItsSample(t *testing.T) {
	const nv, nh = 5, 4
	m := randomModel(nv, nh, 1, 1)
	for _, data := range []mat.Matrix{randomBits(30, nv, 0.3, 2), randomReals(30, nv, 3)} {
		for _, k := range []int{1, 2, 5} {
			cd := rbm.NewCD(k, newSource(1))
			var g rbm.Gradient
			for range 3 {
				m.Gradient(&g, data, cd)
				want := naiveGradient(m, data, cd.Chains.Visible(), nil)
				checkGradient(t, fmt.Sprintf("Gradient(CD-%d)", k), &g, want, "loop", 1e-14)
			}
		}
	}
}

func TestPCDReachesTheModel(t *testing.T) {
	t.Parallel()
	const k, calls = 1, 60
	n := rbm.Fewer(10000)
	for _, s := range []struct{ nv, nh int }{{3, 2}, {5, 4}} {
		m, data := randomModel(s.nv, s.nh, 1.5, 1), rbm.NewBits(10, s.nv)
		p := naiveVisible(m)
		var mixed mat.Dense
		mixed.Pow(transition(m), k*calls)
		for x := range p {
			for y := range p {
				if math.Abs(mixed.At(y, x)-p[x]) > 1e-4 {
					t.Fatalf("%d sweeps from %0*b do not reach the model's distribution", k*calls, s.nv, y)
				}
			}
		}
		pcd := rbm.NewPCD(n, k, newSource(1))
		for range calls - 1 {
			pcd.Sample(m, data)
		}
		v, _ := pcd.Sample(m, data)
		checkFrequencies(t, "PCD", countRows(v), p)
	}
}

func TestNewPCDFollowsChains(t *testing.T) {
	const n = 70
	m, data := randomModel(5, 4, 1, 1), randomBits(10, 5, 0.3, 2)
	pcd, twin := rbm.NewPCD(n, 2, newSource(1)), rbm.NewChains(newSource(1))
	twin.StartRandom(m, n)
	for call := range 4 {
		twin.Gibbs(m, 2)
		if v, _ := pcd.Sample(m, data); !mat.Equal(v, twin.Visible()) {
			t.Errorf("NewPCD, call %d: sample differs from StartRandom and Gibbs", call)
		}
	}
}

func TestPCDGradientIsOfItsSample(t *testing.T) {
	m, data := randomModel(5, 4, 1, 1), randomBits(30, 5, 0.3, 2)
	pcd := rbm.NewPCD(70, 2, newSource(1))
	var g rbm.Gradient
	for range 3 {
		m.Gradient(&g, data, pcd)
		checkGradient(t, "Gradient(PCD)", &g, naiveGradient(m, data, pcd.Chains.Visible(), nil), "loop", 1e-14)
	}
}

func TestCDOfALongBatch(t *testing.T) {
	const nv, nh, n = 5, 4, 4200
	m, data := randomModel(nv, nh, 0.5, 63), randomBits(n, nv, 0.3, 64)
	cd, chains := rbm.NewCD(2, newSource(65)), rbm.NewChains(newSource(65))
	chains.Start(data)
	chains.Gibbs(m, 2)
	if got, _ := cd.Sample(m, data); !mat.Equal(got, chains.Visible()) {
		t.Error("CD differs from two sweeps from the data")
	}
	for _, v := range []mat.Matrix{data, gray(data, 66)} {
		checkSame(t, "CD", train(m, v, rbm.NewCD(2, newSource(67))), train(m, v, bare{rbm.NewCD(2, newSource(67))}))
	}
}
