package rbm

// A Report says how training goes. It watches rows of Data, and as many of HeldOut,
// at most 500 each, which are chosen once, by the seed of the Trainer. Of rows of
// Data that are not observed in full it watches their present completions. A figure
// that does not apply is NaN.
type Report struct {
	Step, Epoch   int     // done so far
	RowsPerSecond float64 // trained on since the last report, without the time that reports take
	Rate          float64 // of the last step

	// Means over the rows watched, those of Data by their Weights, in nats a row.
	PseudoLogLikelihood        float64
	HeldOutPseudoLogLikelihood float64
	FreeEnergyGap              float64 // as [RBM.FreeEnergyGap]: it rises when the model overfits

	// IndependentLogLikelihood is the PseudoLogLikelihood of a model that knows only
	// the means of Data, which is the mean log-likelihood of independent units. They
	// have the biases of [RBM.FitVisibleBias], with its ½ of a row more of each value,
	// by Weights and as far as Data are observed, as they were at the first report.
	IndependentLogLikelihood float64

	WeightRMS      float64 // the root mean square of W
	HiddenActivity float64 // the mean of ĥ over hidden units and the rows of Data watched

	SwapRates []float64 // of a Sampler that has them, as PT and PTT

	// ChainMove is the share of visible units by which the chains of PCD, PT or PTT, or
	// of another Sampler with a method Visible() *Bits, differ from their states at an
	// earlier report, divided by the share by which two of them differ now: about 1 if
	// they have forgotten those states, 0 if they are stuck. The earlier report is the
	// last one or, where reports are closer than 100 steps, one at least 100 steps
	// back; in the first 100 steps after the first report it is the first. The first
	// report looks 100 steps back, if there are as many.
	ChainMove float64

	// FreeEnergyShift compares the free energies F of the rows of Data watched with F′,
	// those at the same earlier report:
	//
	//	log ⟨exp(F - F′)⟩ - ⟨F - F′⟩
	//
	// in nats, the means being by Weights. It is 0 if all rows became more likely alike,
	// and what the mean log-likelihood gained if the model now fits the rows perfectly.
	// While a model learns, it is about what PseudoLogLikelihood gains; where it is much
	// more, the model goes up and down and does not learn. It is NaN with Observed, as
	// the completions change as well.
	FreeEnergyShift float64

	Best bool // the largest HeldOutPseudoLogLikelihood so far

	// Warnings say in words what seems to be wrong, with the figure, and what to do:
	//
	//   - hidden units are off or on for all rows watched;
	//   - at the first report, Data have constant columns that the model does not take
	//     for such;
	//   - the rate is 0, or the Schedule has been 0 for more than a step;
	//   - PseudoLogLikelihood has fallen far, or is worse than that of tossing coins;
	//   - PseudoLogLikelihood is no better than IndependentLogLikelihood, although the
	//     units of Data depend on each other, after 2,000 steps and 10 epochs, or 10
	//     epochs at the end of which the Schedule has nearly reached 0;
	//   - W is larger than any data can ask for;
	//   - FreeEnergyShift is far above the gain of PseudoLogLikelihood, at a rate that
	//     does not fall;
	//   - chains of PCD, PT or PTT are nearly alike or stuck;
	//   - the ladder of PTT has grown long.
	Warnings []string
}
