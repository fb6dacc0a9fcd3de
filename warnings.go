package rbm

import (
	"fmt"
	"slices"

	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// When to warn.
const (
	sureUnit      = 0.01 // ĥ or 1-ĥ of a unit that is off or on for all rows
	fewRows       = 20   // that tell nothing of a unit
	unlikelyValue = 0.05 // of the other value of a constant column
	fallOfAll     = 0.2  // of the pseudo-log-likelihood, in shares of the one of independent units
	fallOfNats    = 0.05 // and at least
	collapsed     = 0.05 // difference of two chains, in shares of that of two rows
	stuckMove     = 0.1  // ChainMove
	hugeWeights   = 50   // WeightRMS: odds of e⁵⁰ by the change of a single unit
	longLadder    = 30   // models of PTT

	// Something must have been learned after so many steps and epochs, or when the rate
	// is small. It is measured in shares of the log-likelihood of independent units.
	learningSteps  = 2000
	learningEpochs = 10
	smallRate      = 0.1   // in shares of the first
	littleGain     = 0.005 // above independent units
	muchToGain     = 0.02  // by what units tell of each other
	muchWorse      = 0.05

	// FreeEnergyShift of a model that goes up and down: times the gain of the
	// pseudo-log-likelihood, and nats above that, also in shares of the
	// log-likelihood of independent units.
	shiftOfGain = 2
	shiftOfNats = 0.75
	shiftOfAll  = 0.05
)

func (r *Report) warn(warnings ...string) {
	for _, w := range warnings {
		if w != "" {
			r.Warnings = append(r.Warnings, w)
		}
	}
}

// warnOfUnits tells of hidden units that say nothing about the rows, given ĥ.
func warnOfUnits(hidden *mat.Dense, until *stop.Signal) (off, on string) {
	n, nh := hidden.Dims()
	if n < fewRows {
		return "", ""
	}
	var units [2][]int // off, on
	for j := range nh {
		until.Look()
		low, high := 1., 0.
		for r := range n {
			p := hidden.At(r, j)
			low, high = min(low, p), max(high, p)
		}
		switch {
		case high < sureUnit:
			units[0] = append(units[0], j)
		case low > 1-sureUnit:
			units[1] = append(units[1], j)
		}
	}
	tell := func(units []int, state string) string {
		if len(units) == 0 {
			return ""
		}
		verb := "are"
		if len(units) == 1 {
			verb = "is"
		}
		return fmt.Sprintf("%d of %d hidden units %s %s for all %d rows watched (the first is %d), and so of no use: start again with a lower rate, or with fewer hidden units", len(units), nh, verb, state, n, units[0])
	}
	return tell(units[0], "off"), tell(units[1], "on")
}

// warnOfColumns tells of those among the constant columns of Data that the model
// does not take for such, given ĥ of the rows watched.
func (t *Trainer) warnOfColumns(hidden *mat.Dense, c *columns) string {
	visible := t.Model.VisibleProbs(nil, hidden)
	n, nv := visible.Dims()
	values := slices.Repeat([]float64{2}, nv) // of the unit, or of its group
	for _, g := range t.Model.OneHot {
		for i := g.From; i < g.To; i++ {
			values[i] = float64(g.To - g.From)
		}
	}
	first, count := 0, 0
	var other float64 // mean probability of the other value
	for _, i := range c.constant() {
		var p float64
		for r := range n {
			p += visible.At(r, i) / float64(n)
		}
		if c.ones[i] > 0 {
			p = 1 - p
		}
		fitted := 0.5 / (float64(c.known[i]) + values[i]/2) // by FitVisibleBias
		if p > max(unlikelyValue, 2*fitted) {
			if count == 0 {
				first = i
			}
			count++
			other += p
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d columns of Data are constant (the first is %d) and the model gives their other value a probability of %.2g: FitVisibleBias before training would tell it",
		count, nv, first, other/float64(count))
}

// warnOfRate tells that the rate has been 0 for more than the last step, as it may
// be at the end of a Schedule, and stays so.
func (t *Trainer) warnOfRate() string {
	steps := t.state.steps
	switch {
	case t.state.rate != 0:
		return ""
	case t.Schedule == nil:
		return "the rate is 0, and so the model learns nothing: set SGD.Rate, say to 0.1, or Schedule"
	case t.Schedule(max(0, min(t.state.reported, steps-2))) != 0 || t.Schedule(steps) != 0:
		return ""
	case t.Schedule(0) == 0:
		return "the rate of Schedule is 0 from the first step on, and so the model learns nothing: let it fall to 0 from a rate of, say, 0.2"
	}
	return fmt.Sprintf("the rate of Schedule is 0 before step %d, and so the model no longer learns: stop, or let it fall to 0 over all the steps of the training", steps)
}

// warnOfFall tells that the pseudo-log-likelihood has fallen from its peak, or lies
// below the one of tossing coins. What is much is measured by independent units: what
// they do not know is about what there is to gain.
func warnOfFall(r *Report, peak, coins float64) string {
	if r.PseudoLogLikelihood < 1.1*coins {
		return fmt.Sprintf("the pseudo-log-likelihood is %.4g nats, worse than the %.4g of tossing coins: the rate %.4g may be too high", r.PseudoLogLikelihood, coins, r.Rate)
	}
	if peak-r.PseudoLogLikelihood > max(fallOfNats, -fallOfAll*r.IndependentLogLikelihood) {
		return fmt.Sprintf("the pseudo-log-likelihood fell from %.4g to %.4g nats: the rate %.4g may be too high", peak, r.PseudoLogLikelihood, r.Rate)
	}
	return ""
}

// warnOfNothing tells that the model is no better than independent units, where it
// should have learned to be.
func (t *Trainer) warnOfNothing(r *Report, dependence float64) string {
	little := -littleGain * r.IndependentLogLikelihood
	gain := r.PseudoLogLikelihood - r.IndependentLogLikelihood
	if gain > little || !t.triedToLearn(r) {
		return ""
	}
	if gain < muchWorse*r.IndependentLogLikelihood {
		how := "call FitVisibleBias before training, or take a higher rate"
		if t.peak(r)-r.PseudoLogLikelihood > little {
			how = fmt.Sprintf("it was %.5g, and the rate %.4g may be too high", t.peak(r), r.Rate)
		}
		return fmt.Sprintf("after %d steps the pseudo-log-likelihood is %.5g nats, worse than the %.5g of independent units: %s", r.Step, r.PseudoLogLikelihood, r.IndependentLogLikelihood, how)
	}
	if dependence < -muchToGain*r.IndependentLogLikelihood {
		return ""
	}
	how := ""
	if t.SGD.L2 > 0 || t.SGD.L1 > 0 {
		how = ", or less decay of the weights"
	}
	return fmt.Sprintf("after %d steps the model knows little more than the means of Data: its pseudo-log-likelihood is %.5g nats, and independent units have %.5g: take a higher rate, say %.2g, or more epochs%s",
		r.Step, r.PseudoLogLikelihood, r.IndependentLogLikelihood, 10*t.rateAt(0), how)
}

// triedToLearn reports whether the training before the report should have changed
// the model: it has been long, or the rate has nearly fallen to 0.
func (t *Trainer) triedToLearn(r *Report) bool {
	first := 0.
	if r.Epoch >= learningEpochs {
		first = t.rateAt(0)
	}
	return first > 0 && (r.Step >= learningSteps || r.Rate < smallRate*first)
}

// warnOfWeights tells that parameters have exploded, though they are finite.
func warnOfWeights(r *Report) string {
	if !(r.WeightRMS > hugeWeights) {
		return ""
	}
	return fmt.Sprintf("the weights are huge, %.3g in the root mean square, by which units are sure of what no data can tell: the rate %.4g may be far too high", r.WeightRMS, r.Rate)
}

// warnOfShift tells of a model that goes up and down at a rate that does not fall.
func warnOfShift(r *Report, before *snapshot) string {
	if before == nil || r.Step-before.step < pastSteps || r.Rate < before.rate {
		return ""
	}
	gain := r.PseudoLogLikelihood - before.score
	if !(r.FreeEnergyShift > shiftOfGain*max(0, gain)+max(shiftOfNats, -shiftOfAll*r.IndependentLogLikelihood)) {
		return ""
	}
	return fmt.Sprintf("the model goes up and down: in %d steps the free energies of the rows moved by %.2g nats against each other, and the pseudo-log-likelihood by %+.2g: let the rate fall to 0, as Linear does, or take a lower one than %.4g", r.Step-before.step, r.FreeEnergyShift, gain, r.Rate)
}

// warnOfChains tells of chains that hardly differ from each other, or from where
// they were.
func warnOfChains(r *Report, before *snapshot, spread, dataSpread float64) string {
	switch {
	case spread < collapsed*dataSpread:
		return fmt.Sprintf("the chains are nearly alike: two of them differ in %.2g%% of the visible units, two rows of Data in %.2g%%: take a lower rate, or start again", 100*spread, 100*dataSpread)
	case r.ChainMove < stuckMove && r.Step-before.step >= pastSteps:
		return fmt.Sprintf("the chains are stuck: in %d steps they moved %.2g%% as far as two of them are apart: take PTT as the sampler, or a lower rate that falls to 0", r.Step-before.step, 100*r.ChainMove)
	}
	return ""
}

// warnOfLadder tells of a ladder of PTT that is longer than it is of use.
func warnOfLadder(s Sampler) string {
	p, ok := s.(interface{ ladder() int })
	if !ok || p.ladder() <= longLadder {
		return ""
	}
	return fmt.Sprintf("the ladder of PTT has %d models, and a sweep takes about twice as long for each as one of PCD: the model changes faster than it learns: take a lower rate, or a lower MinSwapRate", p.ladder())
}
