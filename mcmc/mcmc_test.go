package mcmc_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/mcmc"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// autoregressive returns stationary chains xₜ = ρxₜ₋₁ + noise, of variance 1.
func autoregressive(chains, draws int, rho float64, seed uint64) *mat.Dense {
	rnd := rand.New(newSource(seed))
	x := mat.NewDense(chains, draws, nil)
	for r := range chains {
		row := x.RawRowView(r)
		row[0] = rnd.NormFloat64()
		for t := 1; t < draws; t++ {
			row[t] = rho*row[t-1] + math.Sqrt(1-rho*rho)*rnd.NormFloat64()
		}
	}
	return x
}

// naiveDiagnostics has all pairs of lags at once, by double loops.
func naiveDiagnostics(x *mat.Dense) mcmc.Diagnostics {
	chains, draws := x.Dims()
	n := draws / 2
	var variances, means []float64
	autocovariance := make([]float64, n)
	for r := range chains {
		row := x.RawRowView(r)
		for _, half := range [][]float64{row[:n], row[(draws+1)/2:]} {
			mean, variance := stat.MeanVariance(half, nil)
			variances, means = append(variances, variance), append(means, mean)
			for s, a := range half {
				for t := s; t < n; t++ {
					autocovariance[t-s] += (a - mean) * (half[t] - mean) / float64(n) / float64(2*chains)
				}
			}
		}
	}
	w := meanOf(variances)
	between := float64(n) * stat.Variance(means, nil)
	plus := float64(n-1)/float64(n)*w + between/float64(n)
	rho := make([]float64, n)
	for t := range rho {
		rho[t] = 1 - (w-autocovariance[t])/plus
	}
	rho[0] = 1
	var pairs []float64
	for k := range n / 2 {
		pairs = append(pairs, rho[2*k]+rho[2*k+1])
	}
	if end := slices.IndexFunc(pairs, func(p float64) bool { return p <= 0 }); end >= 0 {
		pairs = pairs[:end]
	}
	tau := -1.0
	if 2*len(pairs) < n {
		tau += math.Max(0, rho[2*len(pairs)])
	}
	for k := range pairs {
		tau += 2 * slices.Min(pairs[:k+1])
	}
	total := float64(2 * chains * n)
	tau = math.Max(tau, 1/math.Log10(total))
	return mcmc.Diagnostics{AutocorrelationTime: tau, ESS: total / tau, SplitRHat: math.Sqrt(plus / w)}
}

func checkDiagnostics(t *testing.T, name string, got, want mcmc.Diagnostics, tol float64) {
	t.Helper()
	checkNear(t, name+": AutocorrelationTime", got.AutocorrelationTime, want.AutocorrelationTime, tol*want.AutocorrelationTime)
	checkNear(t, name+": ESS", got.ESS, want.ESS, tol*want.ESS)
	checkNear(t, name+": SplitRHat", got.SplitRHat, want.SplitRHat, tol*want.SplitRHat)
}

// The halves are 0, 1 and 2, 3, of means ½ and 2½: W = ½, var⁺ = ¼+2, and the
// autocovariance at lag 1 is -⅛.
func TestDiagnoseByHand(t *testing.T) {
	tau := -1 + 2*(1+1-(0.5+0.125)/2.25)
	want := mcmc.Diagnostics{AutocorrelationTime: tau, ESS: 4 / tau, SplitRHat: math.Sqrt(2.25 / 0.5)}
	checkDiagnostics(t, "0 1 2 3", mcmc.Diagnose(mat.NewDense(1, 4, []float64{0, 1, 2, 3})), want, 1e-15)
	checkDiagnostics(t, "0 1 9 2 3", mcmc.Diagnose(mat.NewDense(1, 5, []float64{0, 1, 9, 2, 3})), want, 1e-15)
}

func TestDiagnoseDefinition(t *testing.T) {
	for i, s := range []struct{ chains, draws int }{{1, 4}, {1, 5}, {2, 4}, {2, 7}, {5, 8}, {1, 50}, {3, 61}, {4, 200}, {20, 33}} {
		for _, rho := range []float64{-0.9, -0.3, 0, 0.5, 0.95} {
			for _, shift := range []float64{0, 0.3, 3} { // of each chain from the one before
				name := fmt.Sprintf("%d×%d, ρ = %v, shift %v", s.chains, s.draws, rho, shift)
				x := autoregressive(s.chains, s.draws, rho, uint64(i))
				x.Apply(func(r, _ int, x float64) float64 { return x + shift*float64(r) - 100 }, x)
				want := naiveDiagnostics(x)
				got := mcmc.Diagnose(x)
				checkDiagnostics(t, name, got, want, 1e-9)
				for _, a := range representations(x) {
					if d := mcmc.Diagnose(a.Matrix); d != got {
						t.Errorf("%s: %s gives %+v, want %+v", name, a.name, d, got)
					}
				}
			}
		}
	}
}

// Of an autoregressive process, τ = (1+ρ)/(1-ρ).
func TestDiagnoseAutoregressive(t *testing.T) {
	const repeats, chains, draws = 20, 10, 1000
	for _, rho := range []float64{-0.5, -0.2, 0, 0.3, 0.6, 0.9} {
		want := (1 + rho) / (1 - rho)
		var tau, rhat []float64
		for i := range repeats {
			d := mcmc.Diagnose(autoregressive(chains, draws, rho, uint64(100+i)))
			tau, rhat = append(tau, d.AutocorrelationTime), append(rhat, d.SplitRHat)
			checkNear(t, "ESS", d.ESS, chains*draws/d.AutocorrelationTime, 1e-9*d.ESS)
		}
		// The sequence ends where pairs are lost in noise, 1/√(chains·draws) = 0.01.
		checkMeanNear(t, fmt.Sprintf("ρ = %v: τ", rho), tau, want, 0.03+0.03*want)
		// var⁺/W = 1 + about (τ-1)/n, the halves having n draws
		checkMeanNear(t, fmt.Sprintf("ρ = %v: split R̂", rho), rhat, math.Sqrt(1+(want-1)/(draws/2)), 2e-3)
	}
}

func TestDiagnoseDisagreement(t *testing.T) {
	const chains, draws = 4, 400
	x := autoregressive(chains, draws, 0.3, 1)
	good := mcmc.Diagnose(x)
	if !(good.SplitRHat < 1.02) {
		t.Errorf("chains that agree have R̂ = %v, want about 1", good.SplitRHat)
	}
	for _, tt := range []struct {
		name string
		add  func(r, t int) float64
	}{
		{"a chain elsewhere", func(r, _ int) float64 { return float64(r / 3 * 5) }},
		{"all chains drift", func(_, t int) float64 { return float64(t) / 50 }},
		{"a chain jumps", func(r, t int) float64 { return float64(r / 3 * (2 * t / draws) * 8) }},
	} {
		var bad mat.Dense
		bad.Apply(func(r, t int, x float64) float64 { return x + tt.add(r, t) }, x)
		if d := mcmc.Diagnose(&bad); !(d.SplitRHat > 1.3) || !(d.ESS < 20) {
			t.Errorf("%s: %+v, want R̂ > 1.3 and ESS < 20", tt.name, d)
		}
	}
	drift := mat.NewDense(1, draws, nil) // a single chain is judged too
	drift.Apply(func(_, t int, _ float64) float64 { return x.At(0, t) + float64(t)/50 }, drift)
	if d := mcmc.Diagnose(drift); !(d.SplitRHat > 1.3) {
		t.Errorf("a single chain that drifts has R̂ = %v, want > 1.3", d.SplitRHat)
	}
}

// Chains that stay in one of two modes are worth one draw each, however long they run. R̂ tells,
// and ESS alone does not.
func TestDiagnoseStuck(t *testing.T) {
	const chains = 60
	for _, draws := range []int{200, 1600} {
		x := autoregressive(chains, draws, 0.3, 2)
		x.Apply(func(r, _ int, x float64) float64 { return x + 15*float64(r%2) }, x)
		if d := mcmc.Diagnose(x); !(d.SplitRHat > 5) || !(d.ESS > chains/2 && d.ESS < 1.5*chains) {
			t.Errorf("%d draws: %+v, want R̂ > 5 and an ESS of about %d, the number of chains", draws, d, chains)
		}
	}
}

func TestDiagnoseSpecial(t *testing.T) {
	constant := func(x float64) *mat.Dense {
		a := mat.NewDense(3, 11, nil)
		a.Apply(func(_, _ int, _ float64) float64 { return x }, a)
		return a
	}
	wantNaN := func(name string, x mat.Matrix) {
		t.Helper()
		if d := mcmc.Diagnose(x); !math.IsNaN(d.AutocorrelationTime) || !math.IsNaN(d.ESS) || !math.IsNaN(d.SplitRHat) {
			t.Errorf("%s: %+v, want NaN", name, d)
		}
	}
	for _, x := range []float64{0, 0.1, -1e6 / 3, 1e300} {
		wantNaN(fmt.Sprintf("all %v", x), constant(x))
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		wantNaN(fmt.Sprintf("all %v", bad), constant(bad))
		for _, at := range [][2]int{{0, 0}, {1, 5}, {2, 10}, {0, 4}} { // 5 is the middle
			x := autoregressive(3, 11, 0.5, 2)
			x.Set(at[0], at[1], bad)
			wantNaN(fmt.Sprintf("%v at %v", bad, at), x)
		}
	}
	stuck := constant(0)
	stuck.Apply(func(r, _ int, _ float64) float64 { return 0.1 * float64(r) }, stuck)
	// ρ̂ is 1 at each of 5 lags.
	if d := mcmc.Diagnose(stuck); !(math.Abs(d.AutocorrelationTime-8) < 1e-12) || !(math.Abs(d.ESS-30./8) < 1e-12) || !math.IsInf(d.SplitRHat, 1) {
		t.Errorf("stuck: %+v, want τ = 8, ESS = 30/8, R̂ = +Inf", d)
	}

	antithetic := constant(0)
	antithetic.Apply(func(_, t int, _ float64) float64 { return float64(t % 2) }, antithetic)
	least := 1 / math.Log10(30)
	if d := mcmc.Diagnose(antithetic); !(math.Abs(d.AutocorrelationTime-least) < 1e-12) || !(math.Abs(d.ESS-30/least) < 1e-9) {
		t.Errorf("antithetic: %+v, want τ = %v, ESS = %v", d, least, 30/least)
	}

	for _, tt := range []struct {
		x    mat.Matrix
		want string
	}{
		{&mat.Dense{}, "x is 0×0, want chains×draws, at least 1×4"},
		{mat.NewDense(7, 3, nil), "x is 7×3, want chains×draws, at least 1×4"},
	} {
		wantPanic(t, func() { mcmc.Diagnose(tt.x) }, tt.want)
	}
}

// Multiplied by a power of two, values have the same diagnostics, bit for bit, down to
// where they are subnormal and up to where their differences are infinite.
func TestDiagnoseHasNoUnit(t *testing.T) {
	whole := mat.NewDense(3, 61, nil) // exact in all ranges
	whole.Apply(func(r, t int, x float64) float64 { return math.Round(256*x) + float64(32*r) }, autoregressive(3, 61, 0.7, 4))
	drift := mat.NewDense(2, 9, nil)
	drift.Apply(func(r, t int, _ float64) float64 { return float64(1-2*r) * math.Ldexp(1-0x1p-53, t-8) }, drift)
	stuck := mat.NewDense(3, 11, nil)
	stuck.Apply(func(r, _ int, _ float64) float64 { return float64(r) }, stuck)
	for _, tt := range []struct {
		name       string
		x          *mat.Dense
		least, max int // exponents, up to a largest value of 2⁻¹⁰⁶² to 2¹⁰²⁴
	}{{"whole numbers", whole, -1074, 1013}, {"up to MaxFloat64", drift, -1013, 1024}, {"stuck", stuck, -1074, 1022}} {
		want := mcmc.Diagnose(tt.x)
		for _, k := range []int{tt.least, -1000, -700, -540, -520, -511, -300, -1, 1, 300, 500, 511, 512, 1000, tt.max} {
			var scaled mat.Dense
			scaled.Apply(func(_, _ int, x float64) float64 {
				y := math.Ldexp(x, k)
				if math.Ldexp(y, -k) != x {
					t.Fatalf("%s: 2^%d·%v is not exact", tt.name, k, x)
				}
				return y
			}, tt.x)
			if got := mcmc.Diagnose(&scaled); got != want || math.IsNaN(got.ESS) {
				t.Errorf("%s: of 2^%d·x: %+v, want %+v", tt.name, k, got, want)
			}
		}
	}
	if max := math.Ldexp(mat.Max(drift), 1024); max != math.MaxFloat64 {
		t.Errorf("largest value is %v, want MaxFloat64", max)
	}

	// The middle draw of an odd number does not count, not even for the unit.
	x := autoregressive(2, 5, 0.5, 5)
	want := mcmc.Diagnose(x)
	x.Set(0, 2, 1e300)
	if got := mcmc.Diagnose(x); got != want {
		t.Errorf("with another middle draw: %+v, want %+v", got, want)
	}
}

// The sum over all lags of the autocovariance of f under the transition matrix T is
// fᵀΠ(1 - T + 1πᵀ)⁻¹f, for f of mean 0 (Kemeny & Snell, 1960).
func TestDiagnoseGibbs(t *testing.T) {
	t.Parallel()
	const repeats, chains, draws = 8, 20, 600
	for _, tt := range []struct {
		nv, nh, thin int
		std          float64
		seed         uint64
	}{{3, 5, 1, 2, 8}, {5, 2, 1, 3, 4}, {5, 2, 2, 3, 4}} { // τ is 4.3, 6.7 and 3.7
		m := randomModel(tt.nv, tt.nh, tt.std, tt.seed)
		f := m.FreeEnergy(nil, configs(tt.nv))
		want := exactTime(m, tt.thin, f)
		c := rbm.NewChains(newSource(8))
		var tau []float64
		for i := range repeats {
			c.Start(exactRows(m, chains, uint64(i)))
			x := mat.NewDense(chains, draws, nil)
			for t := range draws {
				c.Gibbs(m, tt.thin)
				for r := range chains {
					y := 0 // the row of configs that chain r is at
					for i := range tt.nv {
						if c.Visible().Bit(r, i) {
							y |= 1 << i
						}
					}
					x.Set(r, t, f[y])
				}
			}
			tau = append(tau, mcmc.Diagnose(x).AutocorrelationTime)
		}
		checkMeanNear(t, fmt.Sprintf("%+v: τ", tt), tau, want, 0.05*want)
		if want < 3 {
			t.Errorf("%+v: τ = %.3g, want a model that mixes slowly", tt, want)
		}
	}
}

// functionMatrix is a matrix that is a function.
type functionMatrix func(i, j int) float64

func (f functionMatrix) Dims() (r, c int)    { return 1, 4 }
func (f functionMatrix) At(i, j int) float64 { return f(i, j) }
func (f functionMatrix) T() mat.Matrix       { return mat.Transpose{Matrix: f} }

// No x, and an x that holds a nil pointer or function, panics with a message that says so.
func TestDiagnoseNil(t *testing.T) {
	for _, good := range []mat.Matrix{rbm.NewBits(1, 4), functionMatrix(func(_, j int) float64 { return float64(j) })} {
		mcmc.Diagnose(good)
	}
	for _, x := range []mat.Matrix{nil, (*rbm.Bits)(nil), (*mat.Dense)(nil), (*mat.VecDense)(nil), (*mat.SymDense)(nil), functionMatrix(nil)} {
		wantPanic(t, func() { mcmc.Diagnose(x) }, "x is nil")
	}
}

// What encoding/json and encoding/gob write of Diagnostics they read again, and nothing is lost.
func TestDiagnosticsEncodings(t *testing.T) {
	want := mcmc.Diagnostics{AutocorrelationTime: 2, ESS: 1, SplitRHat: 1.5}
	for name, e := range map[string]struct {
		encode func(x any) ([]byte, error)
		decode func(b []byte, x any) error
	}{
		"JSON": {json.Marshal, json.Unmarshal},
		"gob": {
			func(x any) ([]byte, error) {
				var b bytes.Buffer
				err := gob.NewEncoder(&b).Encode(x)
				return b.Bytes(), err
			},
			func(b []byte, x any) error { return gob.NewDecoder(bytes.NewReader(b)).Decode(x) },
		},
	} {
		for _, holder := range []any{&want, want} {
			var got mcmc.Diagnostics
			b, err := e.encode(holder)
			if err == nil {
				err = e.decode(b, &got)
			}
			if err != nil || got != want {
				t.Errorf("%s of a %T: %+v, error %v, want %+v", name, holder, got, err, want)
			}
		}
	}
}

func TestDiagnosticsPrintNoPointers(t *testing.T) {
	for _, x := range []*mcmc.Diagnostics{{AutocorrelationTime: 2, ESS: 1, SplitRHat: 1.5}, {}, nil} {
		got := fmt.Sprintf("%v %+v", x, x)
		if strings.Contains(got, "0x") || strings.Contains(got, "PANIC") || len(got) > 1000 {
			t.Errorf("Diagnostics print %s", got)
		}
	}
}
