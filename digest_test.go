package rbm_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/mat"
)

// trainingDigest is the digest of a short training, the same for every
// processor, with and without assembly. A change to it is a change to the
// results of every user.
const trainingDigest = "e1c3e1edc4cf2a30"

func TestDigest(t *testing.T) {
	cpu.Each(func(name string) { t.Run(name, testDigest) })
}

func testDigest(t *testing.T) {
	const nv, nh = 100, 70
	data := randomBits(90, nv, 0.3, 1)
	m := rbm.NewRandom(nv, nh, 0.3, newSource(2))
	m.FitVisibleBias(data)
	sgd := rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 0.001}
	var g rbm.Gradient
	step := func(v mat.Matrix, s rbm.Sampler) {
		m.Gradient(&g, v, s)
		sgd.Step(m, &g)
	}
	cd := rbm.NewCD(2, newSource(3))
	for batch := range rbm.Minibatches(data, 25, newSource(4)) {
		step(batch, cd)
	}
	pcd := rbm.NewPCD(13, 1, newSource(5))
	for batch := range rbm.Minibatches(data, 25, newSource(6)) {
		step(batch, pcd)
	}
	step(gray(data, 7), cd)
	small := rbm.NewRandom(9, 5, 1, newSource(8))
	var exact rbm.Gradient
	small.Gradient(&exact, randomBits(3, 9, 0.5, 9), &rbm.Exact{})
	chains := rbm.NewChains(newSource(11))
	chains.StartRandom(m, 20)
	chains.Gibbs(m, 2)
	started := rbm.NewChains(newSource(12))
	started.Start(gray(data, 13))

	h := sha256.New()
	add := func(x ...float64) {
		for _, x := range x {
			if err := binary.Write(h, binary.LittleEndian, math.Float64bits(x)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(params(m)...)
	add(params(&rbm.RBM{W: exact.W, B: exact.B, C: exact.C})...)
	add(mat.DenseCopyOf(chains.Visible()).RawMatrix().Data...)
	add(mat.DenseCopyOf(started.Visible()).RawMatrix().Data...)
	add(small.LogPartition())
	add(m.FreeEnergy(nil, data)...)
	add(m.PseudoLogLikelihood(nil, data)...)
	add(m.Energy(nil, data, randomBits(90, nh, 0.5, 10))...)
	add(m.HiddenProbs(nil, data).RawMatrix().Data...)
	add(m.VisibleProbs(nil, randomBits(30, nh, 0.5, 14)).RawMatrix().Data...)
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != trainingDigest {
		t.Errorf("digest of a training = %s, want %s", got, trainingDigest)
	}
}

// fixedDigest is the digest of chains and a gradient in fixed point.
const fixedDigest = "cfff2c4fe9d341ef"

func TestDigestOfFixedPoint(t *testing.T) {
	cpu.Each(func(name string) { t.Run(name, testDigestOfFixedPoint) })
}

func testDigestOfFixedPoint(t *testing.T) {
	const nv, nh, n, k = 150, 90, 100, 4
	m := rbm.NewRandom(nv, nh, 0.3, newSource(2))
	data := randomBits(n, nv, 0.3, 1)
	m.FitVisibleBias(data)
	c := rbm.NewChains(newSource(3))
	c.Start(data)
	c.Gibbs(m, k)
	g := rbm.Gradient{Single: true}
	m.Gradient(&g, data, rbm.NewCD(2, newSource(4)))
	h := sha256.New()
	for _, x := range [][]float64{mat.DenseCopyOf(c.Visible()).RawMatrix().Data, gradientValues(&g)} {
		for _, x := range x {
			if err := binary.Write(h, binary.LittleEndian, math.Float64bits(x)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != fixedDigest {
		t.Errorf("digest in fixed point = %s, want %s", got, fixedDigest)
	}
}
