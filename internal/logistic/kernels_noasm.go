//go:build !amd64 || purego

package logistic

func probs(p []float64, in Inputs, scale float64) { probsGo(p, in, scale) }

func draw(in Inputs, u *[64]uint32) uint64 { return drawGo(in, u) }

func drawProbs(p []float64, in Inputs, scale float64, u *[64]uint32) uint64 {
	return drawProbsGo(p, in, scale, u)
}

func softplus(sums *[16]float64, in Inputs) { softplusGo(sums, in) }

func exps(x []float64) { expsGo(x) }

func (r *Rule) draw(in FixedInputs, u *[64]uint32) (word, open uint64) { return r.drawFixedGo(in, u) }

func (r *Rule) probs(p FixedInputs, scale float32, in FixedInputs) { r.probsFixedGo(p, scale, in) }

func (r *Rule) drawProbs(p FixedInputs, scale float32, in FixedInputs, u *[64]uint32) (word, open uint64) {
	return r.drawProbsFixedGo(p, scale, in, u)
}
