package rbm

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// String returns the sizes, as in RBM(nv=784, nh=500), or why they do not fit.
func (m RBM) String() string {
	if wrong := m.wrong(); wrong != "" {
		return "RBM(" + wrong + ")"
	}
	nv, nh := m.Dims()
	if n := len(m.OneHot); n > 0 {
		return fmt.Sprintf("RBM(nv=%d, nh=%d, %d groups)", nv, nh, n)
	}
	return fmt.Sprintf("RBM(nv=%d, nh=%d)", nv, nh)
}

// String returns the sizes.
func (p *Prepared) String() string {
	checkNil("Prepared", p)
	if len(p.w) == 0 {
		return "Prepared(empty)"
	}
	nv, nh := p.Dims()
	return fmt.Sprintf("Prepared(nv=%d, nh=%d)", nv, nh)
}

// String returns the size, as in Bits(100×784); mat.Formatted prints bits.
func (b Bits) String() string { return fmt.Sprintf("Bits(%d×%d)", b.rows, b.cols) }

// String returns the sizes.
func (g *Gradient) String() string {
	checkNil("gradient", g)
	return "Gradient(" + g.sizes() + ")"
}

func (g *Gradient) sizes() string {
	if g.B == nil || g.C == nil {
		return "empty"
	}
	return fmt.Sprintf("nv=%d, nh=%d", g.B.Len(), g.C.Len())
}

// String returns the sizes and the weights.
func (p *Phases) String() string {
	p.checkNil()
	return fmt.Sprintf("Phases(%s, DataWeight=%v, ModelWeight=%v)", p.Data.sizes(), p.DataWeight, p.ModelWeight)
}

// String returns the size of the states, one chain per row.
func (c *Chains) String() string {
	checkNil("Chains", c)
	s := "not started"
	if c.v.rows > 0 {
		s = fmt.Sprintf("%d×%d", c.v.rows, c.v.cols)
	}
	return "Chains(" + s + ")"
}

// String returns the estimate without the weights of the runs.
func (e LogZ) String() string {
	return fmt.Sprintf("LogZ(%.6g ± %.2g, ESS %.3g of %d)", e.Mean, e.StdErr, e.ESS, len(e.LogWeights))
}

// String returns the settings.
func (s CD) String() string { return fmt.Sprintf("CD(K=%d)", s.K) }

// String returns the settings and the number of chains.
func (s PCD) String() string {
	n := s.n
	if s.Chains != nil && s.Chains.v.rows > 0 {
		n = s.Chains.v.rows
	}
	return fmt.Sprintf("PCD(K=%d, %d chains)", s.K, n)
}

// String returns the settings and the numbers of chains and temperatures.
func (s PT) String() string {
	return fmt.Sprintf("PT(K=%d, %d chains, %d temperatures)", s.K, s.n, len(s.Betas))
}

// String returns the settings and the numbers of chains and models.
func (s PTT) String() string {
	return fmt.Sprintf("PTT(K=%d, MinSwapRate=%v, %d chains, %d models)", s.K, s.MinSwapRate, s.n, len(s.saved))
}

// String returns the name of the type.
func (e *Exact) String() string {
	checkNil("Exact", e)
	return "Exact()"
}

// String returns Rate and the settings that are not 0.
func (o SGD) String() string {
	s := fmt.Sprintf("SGD(Rate=%v", o.Rate)
	for _, x := range []struct {
		name string
		x    float64
	}{{"Momentum", o.Momentum}, {"L2", o.L2}, {"L1", o.L1}, {"MaxNorm", o.MaxNorm}} {
		if x.x != 0 {
			s += fmt.Sprintf(", %s=%v", x.name, x.x)
		}
	}
	return s + ")"
}

// String returns the settings and the numbers of offsets.
func (c Centering) String() string {
	return fmt.Sprintf("Centering(Rate=%v, Enhanced=%v, %d+%d offsets)", c.Rate, c.Enhanced, len(c.V), len(c.H))
}

// String returns the settings.
func (s Sparsity) String() string {
	return fmt.Sprintf("Sparsity(Target=%v, Cost=%v, Rate=%v)", s.Target, s.Cost, s.Rate)
}

// String returns the numbers of parameters that stay.
func (f *Frozen) String() string {
	checkNil("Frozen", f)
	w, b, c := f.parts()
	return fmt.Sprintf("Frozen(%d weights, %d+%d biases)", w.count(), b.count(), c.count())
}

// String returns the numbers of runs and temperatures.
func (a AIS) String() string {
	return fmt.Sprintf("AIS(Runs=%d, %d temperatures)", a.Runs, len(a.Betas))
}

// String returns the model, the sampler, the settings and the number of steps.
func (t *Trainer) String() string {
	checkNil("Trainer", t)
	rows := 0
	if !isNil(t.Data) {
		rows, _ = t.Data.Dims()
	}
	sampler := fmt.Sprintf("%T", t.Sampler)
	if s, ok := t.Sampler.(fmt.Stringer); ok && !isNil(s) {
		sampler = s.String()
	}
	return fmt.Sprintf("Trainer(%v, %s, %v, %d rows, BatchSize=%d, step %d)", t.Model, sampler, t.SGD, rows, t.BatchSize, t.state.steps)
}

// String returns the figures that apply, and the warnings, on one line.
func (r Report) String() string {
	var figures []string
	add := func(format string, x float64) {
		if !math.IsNaN(x) {
			figures = append(figures, fmt.Sprintf(format, x))
		}
	}
	add("log-likelihood %.2f", r.LogLikelihood)
	add("held-out %.2f", r.HeldOutLogLikelihood)
	add("pseudo-log-likelihood %.2f", r.PseudoLogLikelihood)
	add("held-out %.2f", r.HeldOutPseudoLogLikelihood)
	add("of independent units %.2f", r.IndependentLogLikelihood)
	add("error %.4g", r.Error)
	add("log p(y|x) %.4g", r.LogProb)
	if r.Best {
		figures = append(figures, "the best so far")
	}
	add("free-energy gap %.2f", r.FreeEnergyGap)
	add("free-energy shift %.3g", r.FreeEnergyShift)
	add("weights %.3g", r.WeightRMS)
	add("activity %.3g", r.HiddenActivity)
	add("chains move %.3g", r.ChainMove)
	if len(r.SwapRates) > 0 {
		add("swap rates from %.2g", slices.Min(r.SwapRates))
	}
	add("rate %.3g", r.Rate)
	add("%.0f rows/s", r.RowsPerSecond)
	s := fmt.Sprintf("step %d, epoch %d: %s", r.Step, r.Epoch, strings.Join(figures, ", "))
	for _, w := range r.Warnings {
		s += "; warning: " + w
	}
	return s
}

// String returns the size, as in Values(100×784).
func (v Values) String() string {
	if v.isNil() {
		return "Values(nil)"
	}
	r, c := v.Dims()
	return fmt.Sprintf("Values(%d×%d)", r, c)
}
