package rbm

// A Report says how training goes. It watches at most 500 rows of Data, completed where
// they are not observed, and as many of HeldOut, chosen once by the seed. A figure that
// does not apply is NaN.
type Report struct {
	Step, Epoch   int     // done so far
	RowsPerSecond float64 // trained on since the last report, without the time that reports take
	Rate          float64 // of the last step

	// Means over the rows watched by Weights and HeldOutWeights, in nats a row.
	PseudoLogLikelihood        float64
	HeldOutPseudoLogLikelihood float64
	FreeEnergyGap              float64 // as [RBM.FreeEnergyGap]: it rises when the model overfits

	// LogLikelihood and HeldOutLogLikelihood are exact, and there if log Z takes some
	// milliseconds: if the configurations that [RBM.LogPartition] enumerates, times the units
	// of the larger layer, are at most 2²².
	LogLikelihood        float64
	HeldOutLogLikelihood float64

	// With a Classifier, over all rows of HeldOut that have a label, by HeldOutWeights: the
	// share predicted wrongly, and the mean of log p(y|x). The other figures of rows are
	// NaN then, except HiddenActivity, for which a row without a label has one from the
	// model.
	Error   float64
	LogProb float64

	// IndependentLogLikelihood is the figure of a model that knows only the means of Data:
	// without weights, with the biases of [RBM.FittedBias] as of the first report.
	IndependentLogLikelihood float64

	WeightRMS      float64 // the root mean square of W
	HiddenActivity float64 // the mean of ĥ over hidden units and the rows of Data watched

	SwapRates []float64 // of a Sampler that has them, as PT and PTT

	// ChainMove is how far the chains of PCD, PT or PTT, or of another Sampler with a method
	// Visible() *Bits, have moved since an earlier report, at least 100 steps back where there
	// is one: the share of units that differ, divided by the share by which two chains differ
	// now. It is about 1 if they have forgotten their states, and 0 if they are stuck.
	ChainMove float64

	// FreeEnergyShift is log ⟨exp(F - F′)⟩ - ⟨F - F′⟩ in nats, for the free energies F of the
	// rows of Data watched and F′ at the same earlier report. While a model learns, it is
	// about the gain of PseudoLogLikelihood; where it is much more, the model goes up and
	// down. It is NaN with Observed.
	FreeEnergyShift float64

	// Best is true for the largest HeldOutLogLikelihood so far, or
	// HeldOutPseudoLogLikelihood if that is NaN; with a Classifier for the least Error, or
	// an equal one with a larger LogProb.
	Best bool

	// Warnings say in words what seems to be wrong, with the figure, and what to do: of
	// units, columns, the rate, a model that does not learn, huge weights, stuck chains.
	Warnings []string
}
