// Digits trains a restricted Boltzmann machine on handwritten digits of 8×8
// pixels and paints data, samples drawn from the model and learned filters.
package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"io"
	"math/bits"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
	"github.com/gorbm/rbm/mcmc"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

const program output.Program = "digits"

const (
	batchSize = 10
	chains    = 100  // of PCD
	burnIn    = 1000 // Gibbs sweeps before a sample is shown
	draws     = 400  // of the chains, by which they are judged
	thin      = 10   // Gibbs sweeps from one to the next

	runs         = 100 // of annealed importance sampling, from either side
	temperatures = 2000
)

func main() { cli.Main(string(program), parse, run) }

// run trains a model and paints it.
func run(o options, w io.Writer) error {
	if err := program.CheckPNG(o.out); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	all, err := load()
	if err != nil {
		return err
	}
	train, held := all.split()

	src := rand.NewPCG(o.seed, 0)
	m := rbm.NewRandom(pixels, o.hidden, 0.01, src)
	m.FitVisibleBias(train.bits)
	fit(m, train.bits, held.bits, o, src, w)
	if err := judge(m, held.bits, src, w); err != nil {
		return err
	}

	samples := rbm.NewChains(src)
	samples.StartRandom(m, grid*grid)
	samples.Gibbs(m, burnIn)
	var picture bytes.Buffer
	if err := png.Encode(&picture, paint(held.showcase(), samples.Visible(), m.W)); err != nil {
		return err
	}
	if err := program.WritePNG(o.out, picture.Bytes()); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	fmt.Fprintf(w, "\n%s: held-out digits, samples after %d Gibbs sweeps, weights of the hidden units\n", o.out, burnIn)
	tau, rhat := mixing(m, samples)
	fmt.Fprintf(w, "the chains over %d more sweeps: autocorrelation time %.0f sweeps, R̂ %.3f (below 1.01 they agree)\n", draws*thin, tau, rhat)
	return nil
}

// mixing moves chains on and returns their autocorrelation time in sweeps and R̂: the larger
// one of their free energy and of the number of pixels that are on.
func mixing(m *rbm.RBM, c *rbm.Chains) (tau, rhat float64) {
	n, _ := c.Visible().Dims()
	energy, on := mat.NewDense(n, draws, nil), mat.NewDense(n, draws, nil)
	for t := range draws {
		c.Gibbs(m, thin)
		v := c.Visible()
		energy.SetCol(t, m.FreeEnergy(nil, v))
		for r := range n {
			for _, word := range v.RawRow(r) {
				on.Set(r, t, on.At(r, t)+float64(bits.OnesCount64(word)))
			}
		}
	}
	a, b := mcmc.Diagnose(energy), mcmc.Diagnose(on)
	return thin * max(a.AutocorrelationTime, b.AutocorrelationTime), max(a.SplitRHat, b.SplitRHat)
}

// fit trains m and prints a line an epoch.
func fit(m *rbm.RBM, train, held *rbm.Bits, o options, src rand.Source, w io.Writer) {
	ntrain, _ := train.Dims()
	nheld, _ := held.Dims()
	watched := train.Slice(0, nheld) // as many rows on either side
	fmt.Fprintf(w, "%d training and %d held-out digits, %d hidden units, %s-%d\n\n", ntrain, nheld, o.hidden, strings.ToUpper(o.sampler), o.k)
	fmt.Fprintf(w, "       pseudo-log-likelihood   free-energy\n")
	fmt.Fprintf(w, "epoch    training   held-out           gap    rows/s   (nats a row: more is better, and a growing gap is overfitting)\n")

	var sampler rbm.Sampler = rbm.NewPCD(chains, o.k, src)
	if o.sampler == "cd" {
		sampler = rbm.NewCD(o.k, src)
	}
	var opt rbm.SGD
	var g rbm.Gradient
	for epoch := range o.epochs {
		begin := time.Now()
		opt.Rate = o.rate * (1 - float64(epoch)/float64(o.epochs))
		for batch := range rbm.Minibatches(train, batchSize, src) {
			m.Gradient(&g, batch, sampler)
			opt.Step(m, &g)
		}
		speed := float64(ntrain) / time.Since(begin).Seconds()

		score := mean(m.PseudoLogLikelihood(nil, watched))
		heldScore := mean(m.PseudoLogLikelihood(nil, held))
		gap := m.FreeEnergyGap(watched, held)
		fmt.Fprintf(w, "%5d %11.3f %10.3f %13.3f %9.0f\n", epoch+1, score, heldScore, gap, speed)
	}
}

// judge prints the log-likelihood of the held-out digits, and whether to believe
// it.
func judge(m *rbm.RBM, held *rbm.Bits, src rand.Source, w io.Writer) error {
	l, err := m.LogLikelihood(context.Background(), held, rbm.NewAIS(runs, temperatures, src))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nlog-likelihood of a held-out digit: %v\n", l)
	return nil
}

func mean(x []float64) float64 { return stat.Mean(x, nil) }
