package rbm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// completionsOf returns all rows that agree with row r of v where it is observed, in the
// order of Completions.
func completionsOf(v, observed mat.Matrix, r int) *mat.Dense {
	_, nv := v.Dims()
	var missing []int
	for i := range nv {
		if observed.At(r, i) == 0 {
			missing = append(missing, i)
		}
	}
	all := mat.NewDense(1<<len(missing), nv, nil)
	row := mat.Row(nil, r, v)
	for x := range 1 << len(missing) {
		all.SetRow(x, row)
		for k, i := range missing {
			all.Set(x, i, float64(x>>k&1))
		}
	}
	return all
}

// naiveConditional returns the completions of row r of v and the log-probabilities of each.
func naiveConditional(m *rbm.RBM, v, observed mat.Matrix, r int) (all *mat.Dense, logp []float64) {
	all = completionsOf(v, observed, r)
	n, _ := all.Dims()
	for x := range n {
		logp = append(logp, -naiveFreeEnergy(m, all.RawRowView(x)))
	}
	floats.AddConst(-floats.LogSumExp(logp), logp)
	return all, logp
}

// checkConditional compares all exact conditionals with the enumeration of the joint distribution.
func checkConditional(t *testing.T, m *rbm.RBM, v mat.Matrix, observed *rbm.Bits, tol float64) {
	t.Helper()
	n, nv := v.Dims()
	got, means := m.LogProbGiven(nil, v, observed), m.MeansGiven(nil, v, observed)
	for r := range n {
		all, logp := naiveConditional(m, v, observed, r)
		var mean mat.VecDense
		p := make([]float64, len(logp))
		for x, logp := range logp {
			p[x] = math.Exp(logp)
			if floats.Equal(all.RawRowView(x), mat.Row(nil, r, v)) {
				checkNear(t, fmt.Sprintf("log p of row %d", r), got[r], logp, tol)
			}
		}
		mean.MulVec(all.T(), mat.NewVecDense(len(p), p))
		for i := range nv {
			checkNear(t, fmt.Sprintf("mean of unit %d in row %d", i, r), means.At(r, i), mean.AtVec(i), tol)
		}
	}
}

func TestConditional(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1.5, 1)
		v, observed := randomBits(9, nv, 0.5, 2), randomBits(9, nv, 0.5, 3)
		checkConditional(t, m, v, observed, 1e-12)
		checkConditional(t, m, v, rbm.NewBits(9, nv), 1e-12)
		checkConditional(t, m, v, ones(9, nv), 0)
		real := gray(v, 4) // real values only where they are observed
		for r := range 9 {
			for i := range nv {
				if !observed.Bit(r, i) {
					real.Set(r, i, v.At(r, i))
				}
			}
		}
		checkConditional(t, m, real, observed, 1e-12)
		checkConditional(t, stridedModel(m), v, observed, 1e-12)

		row := randomBits(1, nv, 0.5, 5)
		checkSame(t, "one row for all", m.LogProbGiven(nil, v, row), m.LogProbGiven(nil, v, gathered(row, 9)))
		checkSame(t, "means, one row for all", values(m.MeansGiven(nil, v, row)), values(m.MeansGiven(nil, v, gathered(row, 9))))
		none := m.LogProbGiven(nil, v, rbm.NewBits(1, nv))
		checkSame(t, "nil", m.LogProbGiven(nil, v, nil), none)
		for r, f := range m.FreeEnergy(nil, v) {
			checkNear(t, "log p of nothing given", none[r], -f-m.LogPartition(), 1e-12)
		}
		used := m.LogProbGiven(nil, v, nil)
		checkSame(t, "all observed", m.LogProbGiven(used, v, ones(1, nv)), make([]float64, 9))
		checkSame(t, "means, all observed", values(m.MeansGiven(nil, v, ones(1, nv))), values(v))
	})
}

// someMissing returns a mask of n×nv with about so many units missing, of all words, a
// different number a row.
func someMissing(n, nv, missing int) *rbm.Bits {
	observed := ones(n, nv)
	for r := range n {
		for k := range missing - r%3 {
			observed.SetBit(r, (r+k*nv/missing)%nv, false)
		}
	}
	return observed
}

// Several words of units, and more of them missing than tables are made of, by free
// energies and by the product rule
//
//	log p(a,b|c) = log p(a|b,c) + log p(b|c)
func TestConditionalOfWideModels(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, n, missing int }{{70, 9, 40, 5}, {70, 130, 4, 11}, {140, 66, 4, 14}, {20, 3, 3, 16}} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d/missing=%d", s.nv, s.nh, s.missing), func(t *testing.T) {
			m := randomModel(s.nv, s.nh, 0.5, 1)
			v, observed := randomBits(s.n, s.nv, 0.5, 2), someMissing(s.n, s.nv, s.missing)
			got, means := m.LogProbGiven(nil, v, observed), m.MeansGiven(nil, v, observed)
			rows, weights := m.CompletionsGiven(v, observed)
			f, start := m.FreeEnergy(nil, v), 0
			for r := range s.n {
				all := completionsOf(v, observed, r)
				n, _ := all.Dims()
				if !mat.Equal(all, rows.Slice(start, start+n)) {
					t.Fatalf("completions of row %d differ", r)
				}
				logp := m.FreeEnergy(nil, rows.Slice(start, start+n))
				floats.Scale(-1, logp)
				logZ := floats.LogSumExp(logp)
				checkNear(t, fmt.Sprintf("log p of row %d", r), got[r], -f[r]-logZ, 1e-11)
				mean := make([]float64, s.nv)
				for x, w := range weights[start : start+n] {
					if d := math.Log(w) - (logp[x] - logZ); !(math.Abs(d) <= 1e-11) {
						t.Errorf("log weight %d of row %d is off by %v", x, r, d)
					}
					floats.AddScaled(mean, w, all.RawRowView(x))
				}
				checkNear(t, "sum of the weights", floats.Sum(weights[start:start+n]), 1, 1e-14)
				for i, x := range mean {
					checkNear(t, fmt.Sprintf("mean of unit %d in row %d", i, r), means.At(r, i), x, 1e-12)
				}
				start += n
			}
			if n, _ := rows.Dims(); n != start || len(weights) != n {
				t.Errorf("%d completions and %d weights, want %d", n, len(weights), start)
			}

			// a is missing in all three, b in the first only
			ab, a := got, mat.DenseCopyOf(observed)
			b := mat.DenseCopyOf(observed)
			marginal := make([]float64, s.n) // log p(b|c), a being summed out
			for r := range s.n {
				second := false
				for i := range s.nv {
					if !observed.Bit(r, i) {
						if second {
							a.Set(r, i, 1)
						} else {
							b.Set(r, i, 1)
						}
						second = !second
					}
				}
			}
			aMissing, bMissing := bitsFrom(t, a), bitsFrom(t, b)
			aGiven := m.LogProbGiven(nil, v, aMissing)
			start = 0
			for r := range s.n {
				all := completionsOf(v, observed, r)
				n, _ := all.Dims()
				for x, w := range weights[start : start+n] {
					same := true
					for i := range s.nv {
						same = same && (bMissing.Bit(r, i) || all.At(x, i) == v.At(r, i))
					}
					if same {
						marginal[r] += w
					}
				}
				checkNear(t, fmt.Sprintf("product rule of row %d", r), ab[r], aGiven[r]+math.Log(marginal[r]), 1e-11)
				start += n
			}
		})
	}
}

func bitsFrom(t testing.TB, a mat.Matrix) *rbm.Bits {
	t.Helper()
	b, err := rbm.BitsOf(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The result for a row does not depend on the others, of which there are some blocks.
func TestConditionalOfManyRows(t *testing.T) {
	t.Parallel()
	const nv, nh, n, few = 7, 3, 4500, 90
	m := randomModel(nv, nh, 1, 1)
	v, observed := randomBits(n, nv, 0.5, 2), randomBits(n, nv, 0.5, 3)
	logp, means := m.LogProbGiven(nil, v, observed), m.MeansGiven(nil, v, observed)
	rows, weights := m.CompletionsGiven(v, observed)
	start := 0
	for r := 0; r < n; r += few {
		v, mask := v.Slice(r, r+few), observed.Slice(r, r+few)
		name := fmt.Sprintf("rows from %d on", r)
		checkSame(t, name, logp[r:r+few], m.LogProbGiven(nil, v, mask))
		checkSame(t, name, values(means.Slice(r, r+few, 0, nv)), values(m.MeansGiven(nil, v, mask)))
		all, w := m.CompletionsGiven(v, mask)
		end := start + len(w)
		checkSame(t, name, values(rows.Slice(start, end)), values(all))
		checkSame(t, name, weights[start:end], w)
		start = end
	}
	real := mat.DenseCopyOf(v)
	checkSame(t, "in place", values(m.MeansGiven(real, real, observed)), values(means))
}

// The gradient of the likelihood of what is observed, with all completions, each by its
// probability.
func TestCompletionsGradient(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{2, 3}, {5, 4}, {8, 3}} {
		m := randomModel(s.nv, s.nh, 1, 1)
		v, observed := randomBits(6, s.nv, 0.5, 2), randomBits(6, s.nv, 0.6, 3)
		want := differences(m, func(m *rbm.RBM) (sum float64) {
			for r := range 6 {
				all := completionsOf(v, observed, r)
				n, _ := all.Dims()
				logp := make([]float64, n)
				for x := range logp {
					logp[x] = -naiveFreeEnergy(m, all.RawRowView(x))
				}
				sum += (floats.LogSumExp(logp) - naiveLogZ(m)) / 6
			}
			return sum
		})
		rows, weights := m.CompletionsGiven(v, observed)
		var g rbm.Gradient
		m.WeightedGradient(&g, rows, weights, &rbm.Exact{})
		checkGradient(t, "WeightedGradient of Completions", &g, want, "fd", 1e-7)
	}
}

// Chains that have long moved have the exact means.
func TestMeansGivenAreMeansGiven(t *testing.T) {
	const nv, nh, n, k = 70, 5, 2000, 5
	m := randomModel(nv, nh, 0.4, 1)
	v, observed := gathered(randomBits(1, nv, 0.5, 2), n), someMissing(1, nv, 12)
	c := rbm.NewChains(newSource(3))
	c.StartGiven(m, v, observed)
	c.GibbsGiven(m, 30, observed)
	got, want := c.MeansGiven(nil, m, k, observed), m.MeansGiven(nil, v.Slice(0, 1), observed)
	for i := range nv {
		mean, std := meanStd(mat.Col(nil, i, got))
		checkNear(t, fmt.Sprintf("mean of unit %d", i), mean, want.At(0, i), 4.5*std/math.Sqrt(n)+1e-12)
	}
}

func TestConditionalOfExtremeModels(t *testing.T) {
	t.Parallel()
	const nv, nh = 70, 9
	for _, missing := range []int{4, 13} {
		for _, size := range []float64{1e3, 1e6} {
			m := saturated(nv, nh, size, 1)
			v, observed := randomBits(5, nv, 0.5, 2), someMissing(5, nv, missing)
			rows, weights := m.CompletionsGiven(v, observed)
			start := 0
			for r, x := range m.LogProbGiven(nil, v, observed) {
				n, _ := completionsOf(v, observed, r).Dims()
				logp := m.FreeEnergy(nil, rows.Slice(start, start+n))
				floats.Scale(-1, logp)
				logZ := floats.LogSumExp(logp)
				checkNear(t, "log p", x, -m.FreeEnergy(nil, v.Slice(r, r+1))[0]-logZ, 1e-14*size*nv*nh)
				if !(x <= 0) {
					t.Errorf("log p = %v, want at most 0", x)
				}
				for x, w := range weights[start : start+n] {
					checkNear(t, "weight", w, math.Exp(logp[x]-logZ), 1e-14*size*nv*nh)
				}
				checkNear(t, "sum of the weights", floats.Sum(weights[start:start+n]), 1, 1e-14)
				start += n
			}
			for _, x := range values(m.MeansGiven(nil, v, observed)) {
				if !(0 <= x && x <= 1) {
					t.Errorf("a mean is %v", x)
				}
			}
		}
	}
}

func TestConditionalNaN(t *testing.T) {
	const nv, nh = 3, 2
	v, observed := bitsOf(t, nv, []float64{0, 1, 0, 1, 0, 1}), bitsOf(t, nv, []float64{1, 0, 0, 1, 1, 1})
	for p := range params(rbm.New(nv, nh)) {
		m := randomModel(nv, nh, 1, 1)
		x := params(m)
		x[p] = math.NaN()
		setParams(m, x)
		got, means := m.LogProbGiven(nil, v, observed), m.MeansGiven(nil, v, observed)
		if !math.IsNaN(got[0]) || got[1] != 0 {
			t.Errorf("%s is NaN: log p = %v, want NaN and 0", paramName(m, p), got)
		}
		if !math.IsNaN(means.At(0, 1)) || !math.IsNaN(means.At(0, 2)) || means.At(0, 0) != 0 || means.At(1, 2) != 1 {
			t.Errorf("%s is NaN: means %v, want NaN where units are missing", paramName(m, p), mat.Formatted(means))
		}
		_, weights := m.CompletionsGiven(v, observed)
		for x, w := range weights {
			if math.IsNaN(w) != (x < 4) {
				t.Errorf("%s is NaN: weight %d = %v", paramName(m, p), x, w)
			}
		}
	}
}

// What stands in the place of missing values does not matter, and neither does the representation.
func TestConditionalDoesNotReadTheMissing(t *testing.T) {
	const nv, nh, n = 70, 9, 30
	m := randomModel(nv, nh, 1, 1)
	v, observed := randomBits(n, nv, 0.5, 2), someMissing(n, nv, 4)
	nan := mat.DenseCopyOf(v)
	for r := range n {
		for i := range nv {
			if !observed.Bit(r, i) {
				nan.Set(r, i, []float64{math.NaN(), 7, -1}[(r+i)%3])
			}
		}
	}
	want := m.MeansGiven(nil, v, observed)
	rows, weights := m.CompletionsGiven(v, observed)
	for _, a := range representations(nan) {
		checkSame(t, a.name, values(m.MeansGiven(nil, a.Matrix, observed)), values(want))
		r, w := m.CompletionsGiven(a.Matrix, observed)
		checkSame(t, a.name, values(r), values(rows))
		checkSame(t, a.name, w, weights)
	}
	checkSame(t, "in place", values(m.MeansGiven(nan, nan, observed)), values(want))
	for _, a := range representations(mat.DenseCopyOf(v)) {
		checkSame(t, a.name, m.LogProbGiven(nil, a.Matrix, observed), m.LogProbGiven(nil, v, observed))
	}
}

func TestConditionalMisuse(t *testing.T) {
	m := rbm.New(20, 4)
	v, bad := rbm.NewBits(3, 20), mat.NewDense(3, 20, nil)
	bad.Set(1, 7, 0.5)
	worse := mat.DenseCopyOf(bad)
	worse.Set(1, 7, math.NaN())
	all, seven := ones(1, 20), ones(1, 20)
	seven.SetBit(0, 7, false)
	seventeen := ones(3, 20)
	for i := range 17 {
		seventeen.SetBit(1, i, false)
	}
	sixteen := ones(1, 20)
	for i := range 16 {
		sixteen.SetBit(0, i+3, false)
	}
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"LogProbGiven v", func() { m.LogProbGiven(nil, rbm.NewBits(3, 19), all) }, []string{"v is 3×19, want n×20"}},
		{"LogProbGiven observed", func() { m.LogProbGiven(nil, v, rbm.NewBits(2, 20)) }, []string{"observed is 2×20, want 3×20 or 1×20"}},
		{"LogProbGiven dst", func() { m.LogProbGiven(make([]float64, 2), v, all) }, []string{"dst has length 2, want 3"}},
		{"LogProbGiven missing", func() { m.LogProbGiven(nil, v, seventeen) }, []string{"row 1 misses 17 units, want at most 16"}},
		{"LogProbGiven nil", func() { m.LogProbGiven(nil, v, nil) }, []string{"row 0 misses 20 units, want at most 16"}},
		{"LogProbGiven outcome", func() { m.LogProbGiven(nil, bad, seven) }, []string{"v[1, 7] is 0.5, want 0 or 1 as it is not observed"}},
		{"LogProbGiven NaN", func() { m.LogProbGiven(nil, worse, all) }, []string{"v[1, 7] is NaN, want a value in [0, 1]"}},
		{"MeansGiven dst", func() { m.MeansGiven(mat.NewDense(3, 19, nil), v, all) }, []string{"dst is 3×19, want 3×20"}},
		{"MeansGiven missing", func() { m.MeansGiven(nil, v, seventeen) }, []string{"row 1 misses 17 units"}},
		{"MeansGiven NaN", func() { m.MeansGiven(nil, worse, all) }, []string{"v[1, 7] is NaN, want a value in [0, 1]"}},
		{"Completions missing", func() { m.CompletionsGiven(v, seventeen) }, []string{"row 1 misses 17 units"}},
		{"Completions real", func() { m.CompletionsGiven(bad, all) }, []string{"v: entry at row 1, column 7 is 0.5, want 0 or 1"}},
		{"Completions too many", func() { m.CompletionsGiven(rbm.NewBits(300, 20), sixteen) }, []string{"rows [0, 257) have 16842752 completions, want at most 16777216"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
	for _, x := range m.LogProbGiven(nil, v, sixteen) {
		checkNear(t, "16 fair coins", x, -16*math.Ln2, 1e-13)
	}
}
