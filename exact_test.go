package rbm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func TestLogPartition(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		for _, std := range []float64{0.1, 1, 5} {
			m := randomModel(nv, nh, std, 1)
			checkNear(t, "LogPartition()", m.LogPartition(), naiveLogZ(m), 1e-14*(10+magnitude(m)))
		}
	})
}

func TestLogPartitionTransposed(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{20, 3}, {3, 20}, {11, 12}, {300, 5}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		checkNear(t, "LogPartition()", m.LogPartition(), transposed(m).LogPartition(), 1e-14*magnitude(m))
	}
}

// Hidden units that see disjoint visible units make p a product.
func TestLogPartitionOfIndependentBlocks(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{7, 1}, {1, 7}} {
		m := rbm.New(3*s.nv, 3*s.nh)
		want := 0.0
		for k := range 3 {
			part := randomModel(s.nv, s.nh, 1, uint64(k))
			want += naiveLogZ(part)
			m.W.Slice(k*s.nh, (k+1)*s.nh, k*s.nv, (k+1)*s.nv).(*mat.Dense).Copy(part.W)
			m.B.SliceVec(k*s.nv, (k+1)*s.nv).(*mat.VecDense).CopyVec(part.B)
			m.C.SliceVec(k*s.nh, (k+1)*s.nh).(*mat.VecDense).CopyVec(part.C)
		}
		checkNear(t, "LogPartition()", m.LogPartition(), want, 1e-14*magnitude(m))
	}
}

// At W = 0 all units are independent, and log Z = Σ_i log(1+exp(b_i)) + Σ_j log(1+exp(c_j)).
func TestLogPartitionWithoutWeights(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{1, 1}, {5, 4}, {20, 3}, {3, 20}, {1000, 2}, {2, 1000}, {64, 1}} {
		m := randomModel(s.nv, s.nh, 2, 1)
		m.W.Zero()
		want := 0.0
		for _, x := range params(m)[s.nv*s.nh:] {
			want += math.Log(1 + math.Exp(x))
		}
		checkNear(t, "LogPartition()", m.LogPartition(), want, 1e-13*want)
	}
}

func TestLogPartitionOfLargeParameters(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		for _, size := range []float64{1e3, 1e6} {
			m := saturated(nv, nh, size, 1)
			checkNear(t, "LogPartition()", m.LogPartition(), naiveLogZ(m), 1e-15*magnitude(m))
		}
	})
}

func TestLogPartitionNaN(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{2, 3}, {3, 2}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		x := params(m)
		for p := range x {
			y := append([]float64(nil), x...)
			y[p] = math.NaN()
			setParams(m, y)
			if got := m.LogPartition(); !math.IsNaN(got) {
				t.Errorf("LogPartition() = %v with %s = NaN, want NaN", got, paramName(m, p))
			}
		}
	}
}

func TestLogPartitionStrided(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{5, 4}, {4, 5}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		if got, want := stridedModel(m).LogPartition(), m.LogPartition(); got != want {
			t.Errorf("LogPartition() = %v, want %v as without strides", got, want)
		}
	}
}

func TestLogPartitionTooLarge(t *testing.T) {
	for _, n := range []int{60, 62, 63, 64, 65, 100} {
		m := rbm.New(n, n+1)
		wantPanic(t, "LogPartition", func() { m.LogPartition() })
	}
}

// checkExact reports an error unless the sample is every configuration once, with its probability.
func checkExact(t *testing.T, m *rbm.RBM, v mat.Matrix, weights []float64, tol float64) {
	t.Helper()
	nv, _ := m.Dims()
	want := naiveVisible(m)
	if r, c := v.Dims(); r != 1<<nv || c != nv || len(weights) != 1<<nv {
		t.Fatalf("Sample = %d×%d, %d weights, want %d×%d, %d", r, c, len(weights), 1<<nv, nv, 1<<nv)
	}
	seen := make([]bool, 1<<nv)
	for r, w := range weights {
		x := 0
		for i, bit := range mat.Row(nil, r, v) {
			x |= int(bit) << i
		}
		if seen[x] {
			t.Errorf("configuration %0*b occurs again in row %d", nv, x, r)
		}
		seen[x] = true
		if !(math.Abs(w-want[x]) <= tol) {
			t.Errorf("weight of %0*b = %v, want %v (enumeration)", nv, x, w, want[x])
		}
	}
}

func TestExactWeights(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		v, w := new(rbm.Exact).Sample(m, randomBits(3, nv, 0.5, 1))
		checkExact(t, m, v, w, 1e-14)
	})
}

func TestExactWeightsOfLargeParameters(t *testing.T) {
	for _, size := range []float64{1e3, 1e6} {
		m := saturated(5, 4, size, 1)
		v, w := new(rbm.Exact).Sample(m, randomBits(3, 5, 0.5, 1))
		checkExact(t, m, v, w, 1e-13*size)
	}
}

func TestExactFollowsTheModel(t *testing.T) {
	var e rbm.Exact
	for seed, s := range []struct{ nv, nh int }{{5, 4}, {5, 4}, {3, 6}, {5, 2}, {6, 1}} {
		m := randomModel(s.nv, s.nh, 1, uint64(seed))
		v, w := e.Sample(m, randomBits(3, s.nv, 0.5, 1))
		checkExact(t, m, v, w, 1e-14)
	}
}

func TestExactTooLarge(t *testing.T) {
	for _, nv := range []int{60, 62, 63, 64, 65, 100} {
		m := rbm.New(nv, 2)
		wantPanic(t, "Exact.Sample", func() { new(rbm.Exact).Sample(m, rbm.NewBits(1, nv)) })
	}
}

// More configurations than are enumerated at a time; hidden units that see disjoint visible
// units make p a product.
func TestLogPartitionOfManyConfigurations(t *testing.T) {
	m := rbm.New(15, 15)
	want := 0.0
	for k := range 3 {
		part := randomModel(5, 5, 1, uint64(k))
		want += naiveLogZ(part)
		m.W.Slice(k*5, (k+1)*5, k*5, (k+1)*5).(*mat.Dense).Copy(part.W)
		m.B.SliceVec(k*5, (k+1)*5).(*mat.VecDense).CopyVec(part.B)
		m.C.SliceVec(k*5, (k+1)*5).(*mat.VecDense).CopyVec(part.C)
	}
	checkNear(t, "LogPartition()", m.LogPartition(), want, 1e-14*magnitude(m))
}

func TestExactWeightsOfManyConfigurations(t *testing.T) {
	m := randomModel(13, 2, 1, 1)
	v, w := new(rbm.Exact).Sample(m, randomBits(3, 13, 0.5, 1))
	checkExact(t, m, v, w, 1e-14)
}

// What a model that was NaN has left behind does not reach the next one.
func TestExactAfterNaN(t *testing.T) {
	const nv = 5
	for _, nh := range []int{7, 8} {
		m := randomModel(nv, 8, 1, 1)
		for p := range 8 {
			m.W.Set(p, p%nv, math.NaN())
		}
		var e rbm.Exact
		e.Sample(m, randomBits(3, nv, 0.5, 1))
		clean := randomModel(nv, nh, 1, 2)
		v, w := e.Sample(clean, randomBits(3, nv, 0.5, 1))
		checkExact(t, clean, v, w, 1e-14)
	}
}

// hiddenWeights returns, for every configuration of the hidden layer, the log of its weight
// and the inputs x of the visible units:
//
//	log Σ_v exp(-E(v,h)) = c·h + Σ_i softplus(x_i)    x = b + hᵀW
func hiddenWeights(m *rbm.RBM) (logp []float64, x [][]float64) {
	_, nh := m.Dims()
	logp, x = make([]float64, 1<<nh), make([][]float64, 1<<nh)
	for y := range logp {
		x[y] = mat.Col(nil, 0, m.B)
		for j := range nh {
			if y>>j&1 == 1 {
				logp[y] += m.C.AtVec(j)
				floats.Add(x[y], m.W.RawRowView(j))
			}
		}
		for _, x := range x[y] {
			logp[y] += max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
		}
	}
	return logp, x
}

// loopLogZ returns log Z by enumeration of the smaller layer.
func loopLogZ(m *rbm.RBM) float64 {
	if nv, nh := m.Dims(); nv < nh {
		m = transposed(m)
	}
	logp, _ := hiddenWeights(m)
	return floats.LogSumExp(logp)
}

// loopMoments returns the means of hvᵀ, v and h under m, in the order of params, by the
// same enumeration.
func loopMoments(m *rbm.RBM) []float64 {
	nv, nh := m.Dims()
	if nv < nh {
		m = transposed(m)
		setParams(m, loopMoments(m))
		return params(transposed(m))
	}
	logp, x := hiddenWeights(m)
	logZ := floats.LogSumExp(logp)
	s := make([]float64, nh*nv+nv+nh)
	for y := range logp {
		p := math.Exp(logp[y] - logZ)
		for i, x := range x[y] {
			pv := p / (1 + math.Exp(-x))
			s[nh*nv+i] += pv
			for j := range nh {
				s[j*nv+i] += pv * float64(y>>j&1)
			}
		}
		for j := range nh {
			s[nh*nv+nv+j] += p * float64(y>>j&1)
		}
	}
	return s
}

// uniform returns a model whose parameters are all x.
func uniform(nv, nh int, x float64) *rbm.RBM {
	m := rbm.New(nv, nh)
	all := params(m)
	floats.AddConst(x, all)
	setParams(m, all)
	return m
}

// More configurations than a block has, and inputs up to where sums of exponentials
// overflow and beyond.
func TestLogPartitionOfBlocks(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{13, 13}, {14, 13}, {13, 33}} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), func(t *testing.T) {
			models := []*rbm.RBM{saturated(s.nv, s.nh, 1e3, 4), saturated(s.nv, s.nh, 1e6, 5)}
			for _, std := range []float64{0.1, 1, 5, 30} {
				models = append(models, randomModel(s.nv, s.nh, std, 1))
			}
			for _, x := range []float64{20, 49.9, 50.1, 50.9} { // exp(14·50.9) overflows
				models = append(models, uniform(s.nv, s.nh, x), uniform(s.nv, s.nh, -x), saturated(s.nv, s.nh, x, 2))
			}
			for _, m := range models {
				name := fmt.Sprintf("LogPartition() with b[0]=%v", m.B.AtVec(0))
				checkNear(t, name, m.LogPartition(), loopLogZ(m), 2e-15*(100+magnitude(m)))
			}
		})
	}
}

// Long products of the factors 1 + e⁰.
func TestLogPartitionOfZero(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{1, 1}, {5, 4}, {13, 13}, {9000, 13}, {13, 9000}} {
		want := float64(s.nv+s.nh) * math.Ln2
		checkNear(t, "LogPartition()", rbm.New(s.nv, s.nh).LogPartition(), want, 1e-15*want)
	}
}

// A change to this number is a change to the results of every user.
func TestLogPartitionStaysTheSame(t *testing.T) {
	const want = 0x1.0eb6583f2f345p+06
	cpu.Each(func(name string) {
		if got := rbm.NewRandom(70, 13, 0.3, newSource(1)).LogPartition(); got != want {
			t.Errorf("%s: LogPartition() = %x, want %x", name, got, want)
		}
	})
}

func TestLogPartitionGradient(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{
		{1, 1}, {2, 3}, {3, 2}, {5, 9}, {9, 5}, {8, 8}, {6, 70}, {70, 6}, {64, 6}, {6, 64}, {13, 14}, {33, 13},
	} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), func(t *testing.T) {
			var g rbm.Gradient
			for _, std := range []float64{0.1, 1, 5} {
				m := randomModel(s.nv, s.nh, std, 1)
				checkNear(t, "LogPartitionGradient()", m.LogPartitionGradient(&g), loopLogZ(m), 1e-15*(100+magnitude(m)))
				checkGradient(t, "LogPartitionGradient", &g, loopMoments(m), "loop", 1e-15*(100+magnitude(m)))
				if got, want := m.LogPartitionGradient(&g), m.LogPartition(); got != want {
					t.Errorf("LogPartitionGradient() = %v, want %v as LogPartition", got, want)
				}
			}
		})
	}
}

// The references are sums over the configurations of both layers.
func TestLogPartitionGradientIsThatOfAllConfigurations(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		var g rbm.Gradient
		checkNear(t, "LogPartitionGradient()", m.LogPartitionGradient(&g), naiveLogZ(m), 1e-14*(10+magnitude(m)))
		checkGradient(t, "LogPartitionGradient", &g, naiveStatistics(m, configs(nv), naiveVisible(m)), "enumeration", 1e-13)
	})
}

func TestLogPartitionGradientIsTheSlopeOfLogPartition(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{5, 9}, {9, 5}, {70, 6}, {6, 70}} {
		m := randomModel(s.nv, s.nh, 0.5, 1)
		var g rbm.Gradient
		m.LogPartitionGradient(&g)
		want := differences(m, (*rbm.RBM).LogPartition)
		checkGradient(t, fmt.Sprintf("LogPartitionGradient(nv=%d,nh=%d)", s.nv, s.nh), &g, want, "fd", 1e-8)
	}
}

func TestLogPartitionGradientOfLargeParameters(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{5, 4}, {4, 5}, {7, 13}, {13, 14}} {
		for _, size := range []float64{60, 1e3, 1e6} {
			m := saturated(s.nv, s.nh, size, 1)
			var g rbm.Gradient
			checkNear(t, "LogPartitionGradient()", m.LogPartitionGradient(&g), loopLogZ(m), 1e-15*magnitude(m))
			// Configurations differ by multiples of the size, but for log 2: those that
			// count have the same weight.
			checkGradient(t, fmt.Sprintf("LogPartitionGradient(%v)", size), &g, loopMoments(m), "loop", 1e-14*size)
		}
	}
}

// Where log Z is large its rounding is more than that of the means may be.
func TestLogPartitionGradientIsNormalised(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{5, 9}, {9, 5}} {
		m := uniform(s.nv, s.nh, 1e8)
		m.W.Zero()
		m.B.SetVec(0, 0)
		m.C.SetVec(1, 0)
		mean := func(bias float64) float64 { return 1 / (1 + math.Exp(-bias)) }
		var want []float64
		for j := range s.nh {
			for i := range s.nv {
				want = append(want, mean(m.C.AtVec(j))*mean(m.B.AtVec(i)))
			}
		}
		for _, bias := range params(m)[s.nv*s.nh:] {
			want = append(want, mean(bias))
		}
		var g rbm.Gradient
		m.LogPartitionGradient(&g)
		checkGradient(t, "LogPartitionGradient", &g, want, "independent units", 1e-14)
	}
}

func TestLogPartitionGradientNaN(t *testing.T) {
	t.Parallel()
	var g rbm.Gradient
	for _, s := range []struct{ nv, nh, step int }{{2, 3, 1}, {3, 2, 1}, {13, 14, 7}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		g = rbm.Gradient{}
		x := params(m)
		for p := 0; p < len(x); p += s.step {
			y := append([]float64(nil), x...)
			y[p] = math.NaN()
			setParams(m, y)
			if got := m.LogPartitionGradient(&g); !math.IsNaN(got) {
				t.Errorf("LogPartitionGradient() = %v with %s = NaN, want NaN", got, paramName(m, p))
			}
			for q, got := range gradientValues(&g) {
				if !math.IsNaN(got) {
					t.Errorf("LogPartitionGradient.%s = %v with %s = NaN, want NaN", paramName(m, q), got, paramName(m, p))
				}
			}
		}
		setParams(m, x)
		m.LogPartitionGradient(&g)
		checkGradient(t, "LogPartitionGradient after NaN", &g, loopMoments(m), "loop", 1e-13)
	}
}

// A Gradient may be used for one method after the other.
func TestLogPartitionGradientReused(t *testing.T) {
	const n = 9
	data := randomBits(3, n, 0.5, 3)
	for _, nh := range []int{4, 9, 12} {
		m := randomModel(n, nh, 1, uint64(nh))
		var g, moments, slope rbm.Gradient
		m.LogPartitionGradient(&moments)
		m.FreeEnergyGradient(&slope, data, nil)
		for range 2 {
			m.LogPartitionGradient(&g)
			checkSame(t, "LogPartitionGradient", gradientValues(&g), gradientValues(&moments))
			m.FreeEnergyGradient(&g, data, nil)
			checkSame(t, "FreeEnergyGradient", gradientValues(&g), gradientValues(&slope))
		}
	}
}

func TestLogPartitionGradientIntoViews(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{70, 5}, {5, 70}, {64, 5}} {
		m := randomModel(s.nv, s.nh, 1, 19)
		view, around := surrounded(rbm.New(s.nv, s.nh))
		dst := rbm.Gradient{W: view.W, B: view.B, C: view.C}
		var want rbm.Gradient
		stridedModel(m).LogPartitionGradient(&dst)
		m.LogPartitionGradient(&want)
		checkSame(t, "LogPartitionGradient into views", gradientValues(&dst), gradientValues(&want))
		checkSurroundings(t, s.nv, s.nh, around)
	}
}

func TestLogPartitionGradientMisuse(t *testing.T) {
	m := rbm.New(5, 4)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"nil dst", func() { m.LogPartitionGradient(nil) }, []string{"nil"}},
		{"dst.W", func() { m.LogPartitionGradient(&rbm.Gradient{W: mat.NewDense(5, 4, nil)}) }, []string{"W", "5×4", "4×5"}},
		{"dst.B", func() { m.LogPartitionGradient(&rbm.Gradient{B: mat.NewVecDense(4, nil)}) }, []string{"B", "4", "5"}},
		{"dst.C", func() { m.LogPartitionGradient(&rbm.Gradient{C: mat.NewVecDense(5, nil)}) }, []string{"C", "5", "4"}},
		{"too many units", func() { rbm.New(21, 22).LogPartitionGradient(new(rbm.Gradient)) }, []string{"22×21", "20"}},
		{"Gradient with Exact, too many units", func() {
			rbm.New(21, 22).Gradient(new(rbm.Gradient), rbm.NewBits(1, 21), new(rbm.Exact))
		}, []string{"22×21", "20"}},
		{"Gradient with Exact, v", func() {
			rbm.New(30, 4).Gradient(new(rbm.Gradient), rbm.NewBits(1, 31), new(rbm.Exact))
		}, []string{"v is 1×31", "n×30"}},
		{"Gradient with Exact, nil dst", func() {
			rbm.New(30, 4).Gradient(nil, rbm.NewBits(1, 30), new(rbm.Exact))
		}, []string{"nil"}},
		{"Exact behind an interface", func() {
			rbm.New(30, 4).Gradient(new(rbm.Gradient), rbm.NewBits(1, 30), bare{new(rbm.Exact)})
		}, []string{"30 visible units", "20"}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantPanic(t, tt.name, tt.call, tt.want...) })
	}
}

// More visible units than Exact can sample.
func TestGradientWithExactOfManyVisibleUnits(t *testing.T) {
	t.Parallel()
	var e rbm.Exact
	for _, s := range []struct{ nv, nh int }{{70, 6}, {21, 5}} {
		m := randomModel(s.nv, s.nh, 0.5, 1)
		for _, data := range []mat.Matrix{randomBits(7, s.nv, 0.4, 2), randomReals(7, s.nv, 3)} {
			var g rbm.Gradient
			m.Gradient(&g, data, &e)
			want := differences(m, func(m *rbm.RBM) float64 {
				return -stat.Mean(m.FreeEnergy(nil, data), nil) - m.LogPartition()
			})
			checkGradient(t, fmt.Sprintf("Gradient(nv=%d,nh=%d)", s.nv, s.nh), &g, want, "fd", 1e-8)
		}
		m.W.Set(1, 2, math.NaN())
		var g rbm.Gradient
		m.Gradient(&g, rbm.NewBits(1, s.nv), &e)
		for q, got := range gradientValues(&g) {
			if !math.IsNaN(got) {
				t.Errorf("Gradient.%s = %v with W[1,2] = NaN, want NaN", paramName(m, q), got)
			}
		}
	}
}

// countdown is a context that is canceled once it has been asked so many times.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// The exact log-likelihood is the one without a context, or an error.
func TestExactLogLikelihoodContext(t *testing.T) {
	logPartition := func(ctx context.Context, m *rbm.RBM) (float64, error) {
		nv, _ := m.Dims()
		l, err := m.LogLikelihood(ctx, rbm.NewBits(1, nv), nil)
		if err != nil {
			return math.NaN(), err
		}
		return l.LogZ, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	for _, m := range []*rbm.RBM{randomModel(5, 4, 1, 1), randomModel(14, 15, 1, 1), saturated(15, 14, 1e3, 1)} {
		got, err := logPartition(ctx, m)
		if want := m.LogPartition(); got != want || err != nil {
			t.Errorf("log Z = %v, %v, want %v, nil", got, err, want)
		}
	}
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	for _, m := range []*rbm.RBM{randomModel(5, 4, 1, 1), randomModel(14, 15, 1, 1), saturated(15, 14, 1e3, 1)} {
		for _, tt := range []struct {
			ctx  context.Context
			want error
		}{{ctx, context.Canceled}, {late, context.DeadlineExceeded}} {
			if got, err := logPartition(tt.ctx, m); !math.IsNaN(got) || !errors.Is(err, tt.want) {
				t.Errorf("log Z = %v, %v, want NaN, %v", got, err, tt.want)
			}
		}
		for blocks := range int64(3) {
			var during countdown
			during.left.Store(blocks)
			if got, err := logPartition(&during, m); blocks == 0 || m.W.RawMatrix().Rows > 4 {
				if !math.IsNaN(got) || !errors.Is(err, context.Canceled) {
					t.Errorf("log Z = %v, %v, want NaN, %v after %d blocks", got, err, context.Canceled, blocks)
				}
			}
		}
	}
}

func TestPartitionSameForEveryGOMAXPROCSAndCPU(t *testing.T) {
	setProcs(t, 1)
	for _, m := range []*rbm.RBM{
		randomModel(13, 33, 0.2, 5), randomModel(40, 13, 0.2, 6), saturated(13, 14, 1e3, 7),
	} {
		nv, nh := m.Dims()
		data := randomBits(5, nv, 0.5, 8)
		var want []float64
		cpu.Each(func(name string) {
			for _, p := range append([]int{1}, procs...) {
				runtime.GOMAXPROCS(p)
				var g rbm.Gradient
				got := []float64{m.LogPartition(), m.LogPartitionGradient(&g)}
				got = append(got, gradientValues(&g)...)
				m.Gradient(&g, data, new(rbm.Exact))
				got = append(got, gradientValues(&g)...)
				if want == nil {
					want = got
				}
				checkSame(t, fmt.Sprintf("nv=%d/nh=%d/%s/GOMAXPROCS=%d", nv, nh, name, p), got, want)
			}
		})
	}
}

// Inputs about as large as those that exponentials of can be multiplied. One
// hidden unit has weights, so that log Z is a sum of few terms.
func TestLogPartitionAtTheEdgeOfOverflow(t *testing.T) {
	const nv, nh = 40, 14
	for _, largest := range []float64{650, 699, 701, 709.4, 710.8, 715} {
		m := rbm.New(nv, nh)
		const w = 0.3
		bias := largest - 1 - w
		for i := range nv {
			m.W.Set(3, i, w)
			m.B.SetVec(i, bias)
		}
		low, high := nv*softplus(bias), nv*softplus(bias+w) // without and with hidden unit 3
		want := (nh-1)*math.Ln2 + high + math.Log1p(math.Exp(low-high))
		if got := m.LogPartition(); !(math.Abs(got-want) <= 1e-12*want) {
			t.Errorf("inputs up to %v: log Z = %v, want %v", largest-1, got, want)
		}
	}
}

// An Exact serves models of any size, one after the other.
func TestExactOfOtherModels(t *testing.T) {
	var e rbm.Exact
	var first []float64
	for k, s := range [][2]int{{22, 4}, {23, 3}, {5, 4}, {22, 4}} {
		m := randomModel(s[0], s[1], 0.3, 1)
		data := randomBits(4, s[0], 0.5, 2)
		var got, want rbm.Gradient
		m.Gradient(&got, data, &e)
		m.Gradient(&want, data, new(rbm.Exact))
		checkSame(t, fmt.Sprintf("model %d", k), gradientValues(&got), gradientValues(&want))
		if k == 0 {
			first = gradientValues(&got)
		} else if k == 3 {
			checkSame(t, "the first model again", gradientValues(&got), first)
		}
	}
}
