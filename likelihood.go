package rbm

import (
	"context"
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// A LogLikelihood is the mean log-likelihood of a data set, log p(v) = -F(v) - log Z,
// in nats per row, and whether to believe it.
type LogLikelihood struct {
	Mean      float64
	Low, High float64 // the interval that Mean is in, as far as its method can tell
	LogZ      float64 // of the model, that Mean rests on

	// Exact says that log Z is exact, and the interval a point. Otherwise it is
	// half-way between two estimates, and the interval reaches two standard errors
	// beyond both.
	Exact        bool
	AIS, Reverse Estimate // if not exact
	Gap          float64  // Reverse.LogZ - AIS.LogZ
	Believable   bool     // see [RBM.LogLikelihood]
	Reason       string   // why not
}

// String returns the numbers and the verdict in a line.
func (l LogLikelihood) String() string {
	if l.Exact {
		return fmt.Sprintf("%.2f nats (exact)", l.Mean)
	}
	verdict := "believable"
	if !l.Believable {
		verdict = "not believable: " + l.Reason
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

// LogLikelihood returns the mean log-likelihood of the rows of data (n×nv), which
// must be 0 or 1: the error names the first entry that is not.
//
// Where the smaller layer has at most 20 units, log Z is exact, and a may be nil.
// Otherwise a estimates it from both sides: by Run, and by Reverse from as many
// rows of data, evenly spaced, after as many Gibbs sweeps as there are
// temperatures. The base model is fitted to data unless a has one. The result is
// believable if
//
//   - the effective number of runs is at least 10 on each side, so that no few of
//     them decide, and
//   - the gap between the sides is at most 3 of its standard errors, or 0.1 nats.
//
// Chains that do not mix, and too few temperatures, show in one or the other:
// runs from the base model miss what is far from it, and runs from the data do
// not. What neither has seen, a mode of the model far from both the data and the
// base model, no such test can know of.
//
// The error is that of ctx, or of data. It panics if the sizes do not fit.
func (m *RBM) LogLikelihood(ctx context.Context, data mat.Matrix, a *AIS) (LogLikelihood, error) {
	nv, nh := m.Dims()
	n := checkBatch("data", data, nv)
	rows, ok := data.(*Bits)
	if !ok {
		var err error
		if rows, err = BitsOf(data); err != nil {
			return LogLikelihood{}, err
		}
	}
	f := m.meanFreeEnergy("data", rows)
	if min(nv, nh) <= exactUnits {
		logZ, err := m.LogPartitionContext(ctx)
		if err != nil {
			return LogLikelihood{}, err
		}
		mean := -f - logZ
		return LogLikelihood{Mean: mean, Low: mean, High: mean, LogZ: logZ, Exact: true, Believable: !math.IsNaN(mean)}, nil
	}
	if a == nil {
		panic(fmt.Sprintf("rbm: a is nil and W is %d×%d, want AIS or at most %d rows or columns", nh, nv, exactUnits))
	}

	var l LogLikelihood
	var err error
	both := *a
	if both.chains == nil {
		both.chains = new(Chains)
	}
	if both.Base == nil {
		fit := New(nv, 1)
		fit.FitVisibleBias(rows)
		both.Base = fit.B.RawVector().Data
	}
	steps := 2 * (len(a.Betas) - 1)
	if a.Progress != nil {
		both.Progress = func(done, _ int) { a.Progress(done, steps) }
	}
	if l.AIS, err = both.Run(ctx, m); err != nil {
		return LogLikelihood{}, err
	}
	start := make([]int, a.Runs)
	for r := range start {
		start[r] = r * n / a.Runs % n
	}
	both.chains.Start(rows.Gather(nil, start))
	for sweeps := steps / 2; sweeps > 0; {
		if err := ctx.Err(); err != nil {
			return LogLikelihood{}, fmt.Errorf("rbm: before reverse AIS: %w", err)
		}
		k := min(100, sweeps)
		both.chains.Gibbs(m, k)
		sweeps -= k
	}
	if a.Progress != nil {
		both.Progress = func(done, _ int) { a.Progress(done+steps/2, steps) }
	}
	if l.Reverse, err = both.Reverse(ctx, m, both.chains.Visible()); err != nil {
		return LogLikelihood{}, err
	}
	l.judge(f)
	return l, nil
}

// judge draws the conclusions from the two estimates and the mean free energy.
func (l *LogLikelihood) judge(f float64) {
	ais, rev := l.AIS, l.Reverse
	l.LogZ = (ais.LogZ + rev.LogZ) / 2
	l.Gap = rev.LogZ - ais.LogZ
	l.Mean = -f - l.LogZ
	l.Low = -f - max(ais.LogZ+2*ais.StdErr, rev.LogZ+2*rev.StdErr)
	l.High = -f - min(ais.LogZ-2*ais.StdErr, rev.LogZ-2*rev.StdErr)
	switch err := math.Hypot(ais.StdErr, rev.StdErr); {
	case !(ais.ESS >= leastESS):
		l.Reason = fmt.Sprintf("effective runs of AIS are %.1f, want at least %d", ais.ESS, leastESS)
	case !(rev.ESS >= leastESS):
		l.Reason = fmt.Sprintf("effective runs of reverse AIS are %.1f, want at least %d", rev.ESS, leastESS)
	case !(math.Abs(l.Gap) <= max(mostErrs*err, mostGap)):
		l.Reason = fmt.Sprintf("the sides are %.2f nats apart, want at most %.2f", l.Gap, max(mostErrs*err, mostGap))
	default:
		l.Believable = true
	}
}

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
