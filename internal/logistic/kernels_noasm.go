//go:build !amd64 || purego

package logistic

func probs(p []float64, in Inputs, scale float64) { probsGo(p, in, scale) }

func draw(in Inputs, u *[64]uint32) uint64 { return drawGo(in, u) }

func drawProbs(p []float64, in Inputs, scale float64, u *[64]uint32) uint64 {
	return drawProbsGo(p, in, scale, u)
}

func softplus(sums *[16]float64, in Inputs) { softplusGo(sums, in) }

func exps(x []float64) { expsGo(x) }

func (r *Rule) draw(in FixedInputs, u *[64]uint32) (word, open uint64) { return r.drawGo(in, u) }
