package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gorbm/rbm"
)

// A kind of work.
type kind string

const (
	step       kind = "step"  // of training: the gradient of a minibatch by CD-k, and an update by SGD
	gibbs      kind = "gibbs" // sweeps of n chains
	freeEnergy kind = "free energy"
)

const learningRate = 0.01

// A benchCase is work that this library and its peers do, with a model of 784 visible units.
type benchCase struct {
	Kind   kind `json:"kind"`
	Hidden int  `json:"hidden"`
	N      int  `json:"n"` // rows of a minibatch or of a call, or chains
	K      int  `json:"k"` // sweeps of CD
}

var cases = []benchCase{
	{step, 500, 10, 1},
	{step, 500, 100, 1},
	{step, 500, 512, 1},
	{step, 500, 100, 10},
	{step, 64, 100, 1},
	{step, 2000, 100, 1},
	{gibbs, 500, 100, 0},
	{freeEnergy, 500, rowsAll, 0},
}

// String returns the name of the case, as in 784x500 CD-1 n=100.
func (c benchCase) String() string {
	what := map[kind]string{step: fmt.Sprintf("CD-%d", c.K), gibbs: "Gibbs", freeEnergy: "free energy"}[c.Kind]
	return fmt.Sprintf("%dx%d %s n=%d", visible, c.Hidden, what, c.N)
}

// unit returns what the speed of the case counts.
func (c benchCase) unit() string {
	if c.Kind == gibbs {
		return "chain sweeps/s"
	}
	return "rows/s"
}

// A variant is a way to do a kind of work with this library.
type variant struct {
	name  string
	kind  kind
	start starter
}

// A starter returns a function that does a part of the work and returns the number of rows,
// or chain sweeps, that were done. It may change m, not data.
type starter func(c benchCase, m *rbm.RBM, data *rbm.Bits) (work func() (int, error))

var variants = []variant{
	{"Gradient+SGD.Step", step, startGradient},
	{"Trainer.Train", step, startTrainer},
	{"Trainer.Train single precision", step, startSingle},
	{"Chains.Gibbs", gibbs, startGibbs},
	{"FreeEnergy", freeEnergy, startFreeEnergy},
}

func startGradient(c benchCase, m *rbm.RBM, data *rbm.Bits) func() (int, error) {
	n, _ := data.Dims()
	var batches []*rbm.Bits
	for i := 0; i+c.N <= n; i += c.N {
		batches = append(batches, data.Slice(i, i+c.N))
	}
	var g rbm.Gradient
	sgd := rbm.SGD{Rate: learningRate}
	cd := rbm.NewCD(c.K, rand.NewPCG(5, 6))
	turn := 0
	return func() (int, error) {
		turn = (turn + 1) % len(batches)
		m.Gradient(&g, batches[turn], cd)
		sgd.Step(m, &g)
		return c.N, nil
	}
}

// stepsOfEpoch is the number of steps of a Trainer in one call, at most.
const stepsOfEpoch = 20

func startTrainer(c benchCase, m *rbm.RBM, data *rbm.Bits) func() (int, error) {
	return train(c, trainer(c, m, data))
}

func startSingle(c benchCase, m *rbm.RBM, data *rbm.Bits) func() (int, error) {
	t := trainer(c, m, data)
	t.Single = true
	return train(c, t)
}

// train returns a function that trains for an epoch, of which it returns the number of rows.
func train(c benchCase, t *rbm.Trainer) func() (int, error) {
	rows, _ := t.Data.Dims()
	return func() (int, error) { return rows, t.Train(context.Background(), t.Epochs()+1) }
}

func trainer(c benchCase, m *rbm.RBM, data *rbm.Bits) *rbm.Trainer {
	n, _ := data.Dims()
	t := rbm.NewTrainer(m, data.Slice(0, min(n/c.N, stepsOfEpoch)*c.N), rbm.NewCD(c.K, rand.NewPCG(5, 6)), rand.NewPCG(7, 8))
	t.BatchSize = c.N
	t.SGD.Rate = learningRate
	t.Centering = nil // which the peers have not
	return t
}

func startGibbs(c benchCase, m *rbm.RBM, data *rbm.Bits) func() (int, error) {
	const sweeps = 10
	chains := rbm.NewChains(rand.NewPCG(5, 6))
	chains.Start(data.Slice(0, c.N))
	return func() (int, error) {
		chains.Gibbs(m, sweeps)
		return sweeps * c.N, nil
	}
}

func startFreeEnergy(c benchCase, m *rbm.RBM, data *rbm.Bits) func() (int, error) {
	dst, v := make([]float64, c.N), data.Slice(0, c.N)
	return func() (int, error) {
		m.FreeEnergy(dst, v)
		return c.N, nil
	}
}

// speed repeats work for so long, after a fifth of it to warm up, and returns how much was
// done in a second.
func speed(work func() (int, error), d time.Duration) (float64, error) {
	if _, err := repeat(work, d/5); err != nil {
		return 0, err
	}
	return repeat(work, d)
}

func repeat(work func() (int, error), d time.Duration) (float64, error) {
	for done, start := 0, time.Now(); ; {
		n, err := work()
		if err != nil {
			return 0, err
		}
		done += n
		if elapsed := time.Since(start); elapsed >= d && elapsed > 0 {
			return float64(done) / elapsed.Seconds(), nil
		}
	}
}
