package rbm

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// A LogLikelihood is the mean log-likelihood of a data set, log p(v) = -F(v) - log Z,
// in nats per row, and whether to believe it.
type LogLikelihood struct {
	Mean float64

	// Low and High are where the mean of these rows is, as far as the method can
	// tell: log Z may be wrong, while F is exact. That other rows have another mean
	// is no part of it.
	Low, High float64

	LogZ  float64 // log Z as used for Mean
	Exact bool    // log Z is exact, and the rest does not apply

	// Estimates of log Z: LogZ is half-way between AIS and Reverse, and the interval
	// reaches two standard errors beyond both, and beyond Uniform if that is larger.
	AIS     Estimate // from the base model
	Reverse Estimate // from the data, in reverse
	Uniform Estimate // from a base model without biases, unless the user gave one
	Gap     float64  // Reverse.LogZ - AIS.LogZ

	Believable bool   // see [RBM.LogLikelihood]
	Reason     string // why not
}

// String returns the numbers and the verdict in a line.
func (l LogLikelihood) String() string {
	verdict := "believable"
	if !l.Believable {
		verdict = "not believable: " + l.Reason
	}
	if l.Exact {
		if l.Believable {
			verdict = "exact"
		}
		return fmt.Sprintf("%.2f nats (%s)", l.Mean, verdict)
	}
	return fmt.Sprintf("%.2f nats in [%.2f, %.2f] (AIS: log Z %.2f ± %.2f, ESS %.0f of %d; reverse: %.2f ± %.2f, ESS %.0f of %d; gap %.2f; %s)",
		l.Mean, l.Low, l.High,
		l.AIS.LogZ, l.AIS.StdErr, l.AIS.ESS, len(l.AIS.LogWeights),
		l.Reverse.LogZ, l.Reverse.StdErr, l.Reverse.ESS, len(l.Reverse.LogWeights), l.Gap, verdict)
}

const (
	exactUnits = 20 // of the smaller layer, that LogLikelihood enumerates

	// What LogLikelihood believes.
	leastESS = 10  // effective runs of each side
	mostErrs = 3   // standard errors between the sides
	mostGap  = 0.1 // nats between the sides
)

// LogLikelihood returns the mean log-likelihood of data (n×nv), which it takes in one
// pass, block by block: [BitsOf] makes them of a matrix.
//
// Where the smaller layer has at most 20 units, log Z is exact, and a may be nil.
// Otherwise a estimates it from both sides: by Run, and by Reverse from a.Runs of
// the rows, evenly spaced, or all if there are fewer, after as many Gibbs sweeps
// as there are temperatures. Unless a has a base model, one is fitted to the
// data, and a second Run starts from the uniform distribution: as both sides
// start near the data, they may miss alike what the model has elsewhere. The
// result is believable if
//
//   - the effective number of runs is at least 10 on each side, so that no few of
//     them decide,
//   - the gap between the sides is at most 3 of its standard errors, or 0.1 nats,
//     and
//   - the second Run agrees as well with both, unless it finds less and fewer than
//     10 of its runs are effective.
//
// Chains that do not mix, and too few temperatures, show in one of these. What no
// run has seen, a mode of the model that is far from the data and hard to find, no
// such test can know of.
//
// It takes as long as three or four Runs. The error is that of ctx, or of data, with
// the numbers of the rows. It panics if the sizes do not fit, or if a is nil where it
// is needed.
func (m *RBM) LogLikelihood(ctx context.Context, data Rows, a *AIS) (LogLikelihood, error) {
	nv, nh := m.Dims()
	n := checkRows("data", data, nv)
	exact := min(nv, nh) <= exactUnits
	if a == nil && !exact {
		panic(fmt.Sprintf("rbm: a is nil and W is %d×%d, want AIS or at most %d rows or columns", nh, nv, exactUnits))
	}
	f, ones, err := m.survey(ctx, data)
	if err != nil {
		return LogLikelihood{}, err
	}
	if exact {
		logZ, err := m.LogPartitionContext(ctx)
		if err != nil {
			return LogLikelihood{}, err
		}
		mean := -f - logZ
		l := LogLikelihood{Mean: mean, Low: mean, High: mean, LogZ: logZ, Exact: true, Believable: true}
		if math.IsNaN(mean) {
			l.Believable, l.Reason = false, "a parameter is NaN"
		}
		return l, nil
	}
	if a.chains == nil {
		a.chains = new(Chains)
	}
	both := *a // may have another base
	steps, parts := len(a.Betas)-1, 3
	fitted := a.Base == nil
	if fitted {
		fit := New(nv, 1)
		fit.fitVisibleBias(ones, n)
		both.Base = fit.B.RawVector().Data
		parts++
	}
	begun := 0 // parts
	both.Progress = func(done, _ int) {
		if a.Progress != nil {
			a.Progress(begun*steps+done, parts*steps)
		}
	}
	var l LogLikelihood
	if l.AIS, err = both.Run(ctx, m); err != nil {
		return LogLikelihood{}, err
	}
	begun++
	if fitted {
		uniform := both
		uniform.Base = make([]float64, nv)
		if l.Uniform, err = uniform.Run(ctx, m); err != nil {
			return LogLikelihood{}, err
		}
		begun++
	}
	start := make([]int, min(n, a.Runs))
	for r := range start {
		start[r] = int(int64(r) * int64(n) / int64(len(start)))
	}
	var first Bits
	if err := gatherRows(&first, data, start); err != nil {
		return LogLikelihood{}, err
	}
	both.chains.Start(&first)
	for done := 0; done < steps; {
		if err := ctx.Err(); err != nil {
			return LogLikelihood{}, fmt.Errorf("rbm: before reverse AIS: %w", err)
		}
		k := min(100, steps-done)
		both.chains.Gibbs(m, k)
		done += k
		both.Progress(done, steps)
	}
	begun++
	if l.Reverse, err = both.Reverse(ctx, m, both.chains.Visible()); err != nil {
		return LogLikelihood{}, err
	}
	l.judge(f, fitted)
	return l, nil
}

// survey returns the mean free energy of the rows, and how many of them have each bit.
func (m *RBM) survey(ctx context.Context, rows Rows) (f float64, ones []float64, err error) {
	n, nv := rows.Dims()
	ones = make([]float64, nv)
	count := make([]int, nv)
	energies := make([]float64, min(n, passBlock(nv)))
	var sum float64
	done := 0
	for block, err := range Blocks(rows, passBlock(nv)) {
		if err == nil && ctx.Err() != nil {
			err = fmt.Errorf("rbm: before row %d of data: %w", done, ctx.Err())
		}
		if err != nil {
			return 0, nil, err
		}
		// Four at a time, as product.Sum would add all of them.
		for x := range slices.Chunk(m.FreeEnergy(energies[:block.rows], block), 4) {
			sum += product.Sum(x)
		}
		block.addOnes(count)
		done += block.rows
	}
	for i, k := range count {
		ones[i] = float64(k)
	}
	return sum / float64(n), ones, nil
}

// judge draws the conclusions from the estimates and the mean free energy.
func (l *LogLikelihood) judge(f float64, fitted bool) {
	ais, rev := l.AIS, l.Reverse
	l.LogZ = (ais.LogZ + rev.LogZ) / 2
	l.Gap = rev.LogZ - ais.LogZ
	l.Mean = -f - l.LogZ
	most := max(ais.LogZ+2*ais.StdErr, rev.LogZ+2*rev.StdErr)
	l.High = -f - min(ais.LogZ-2*ais.StdErr, rev.LogZ-2*rev.StdErr)
	var off, allowed float64 // of the uniform one, that agrees least
	if fitted {
		most = max(most, l.Uniform.LogZ+2*l.Uniform.StdErr)
		for _, e := range []Estimate{ais, rev} {
			d, a := l.Uniform.LogZ-e.LogZ, tolerance(l.Uniform, e)
			// AIS hardly ever finds much more than there is, but less where it has
			// too few temperatures, as its effective runs tell.
			if math.Abs(d)-a > math.Abs(off)-allowed && (d > 0 || l.Uniform.ESS >= leastESS) {
				off, allowed = d, a
			}
		}
	}
	l.Low = -f - most
	switch {
	case math.IsNaN(l.Mean):
		l.Reason = "a parameter is NaN"
	case !(ais.ESS >= leastESS):
		l.Reason = fmt.Sprintf("effective runs of AIS are %.1f, want at least %d", ais.ESS, leastESS)
	case !(rev.ESS >= leastESS):
		l.Reason = fmt.Sprintf("effective runs of reverse AIS are %.1f, want at least %d", rev.ESS, leastESS)
	case !(math.Abs(l.Gap) <= tolerance(ais, rev)):
		l.Reason = fmt.Sprintf("the sides are %.2f nats apart, want at most %.2f", l.Gap, tolerance(ais, rev))
	case math.Abs(off) > allowed:
		l.Reason = fmt.Sprintf("AIS from the uniform distribution is %.2f nats off, want at most %.2f", off, allowed)
	default:
		l.Believable = true
	}
}

// tolerance returns how far apart estimates of the same log Z may be.
func tolerance(a, b Estimate) float64 { return max(mostErrs*math.Hypot(a.StdErr, b.StdErr), mostGap) }

// FreeEnergyGap returns the mean free energies of two fixed sets of rows, seen
// and not seen in training (each n×nv), and the second minus the first: it grows
// when a model begins to overfit (Hinton, 2010), and needs no partition function.
// It panics if the sizes do not fit.
func (m *RBM) FreeEnergyGap(train, held mat.Matrix) (gap, trainMean, heldMean float64) {
	trainMean = m.meanFreeEnergy("train", train)
	heldMean = m.meanFreeEnergy("held", held)
	return heldMean - trainMean, trainMean, heldMean
}

// meanFreeEnergy returns the mean free energy of the rows of v, called name.
func (m *RBM) meanFreeEnergy(name string, v mat.Matrix) float64 {
	nv, _ := m.Dims()
	n := checkBatch(name, v, nv)
	return product.Sum(m.FreeEnergy(nil, v)) / float64(n)
}
