package main

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/onehot"
	"github.com/gorbm/rbm/examples/mnist/idx"
)

// modelFile is in the folder of -out.
const modelFile = "true.rbm"

// A source has rows.
type source interface {
	// next returns the next n rows in blocks.
	next(n int) iter.Seq2[*rbm.Bits, error]
}

// newSource returns what -mnist or -columns asks for, and makes -rows the number of
// all rows where it is 0.
func newSource(o *options) (source, error) {
	if o.mnist == "" {
		return newSampled(o)
	}
	train, test, err := idx.Images(o.data)
	if err != nil {
		return nil, err
	}
	s := &images{v: train.Images}
	if o.mnist == "test" {
		s.v = test.Images
	}
	n, _ := s.v.Dims()
	if o.rows == 0 {
		o.rows = n
	}
	if o.rows > n || o.rows < o.files {
		return nil, fmt.Errorf("-rows is %d, want %d, one a file, to %d", o.rows, o.files, n)
	}
	return s, nil
}

// images are rows in memory.
type images struct {
	v  *rbm.Bits
	at int // the next one
}

func (s *images) next(n int) iter.Seq2[*rbm.Bits, error] {
	s.at += n
	return rbm.Blocks(s.v.Slice(s.at-n, s.at), 1000)
}

const (
	chains = 1000
	burnIn = 200 // sweeps before the first row
	thin   = 10  // and from one row of a chain to the next

	stream = 1 << 48 // of random numbers that no training has with the same seed
)

// sampled are the states of Gibbs chains.
type sampled struct {
	m *rbm.RBM
	c *rbm.Chains
}

// newSampled draws a model, writes it, and starts its chains.
func newSampled(o *options) (*sampled, error) {
	// Inputs of units have a standard deviation of 1 to 2, at any size: enough for
	// structure to learn, not enough for modes that chains do not leave.
	std := 4 / math.Sqrt(float64(o.columns+o.hidden))
	s := &sampled{
		m: rbm.NewRandom(o.columns, o.hidden, std, rand.NewPCG(o.seed, stream)),
		c: rbm.NewChains(rand.NewPCG(o.seed, stream+1)),
	}
	groups, err := onehot.Parse(o.groups, o.columns)
	if err != nil {
		return nil, err
	}
	s.m.OneHot = groups
	f, err := os.Create(filepath.Join(o.out, modelFile))
	if err != nil {
		return nil, err
	}
	_, err = s.m.WriteTo(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	s.c.StartRandom(s.m, min(chains, o.rows))
	s.c.Gibbs(s.m, burnIn)
	return s, nil
}

func (s *sampled) next(n int) iter.Seq2[*rbm.Bits, error] {
	return func(yield func(*rbm.Bits, error) bool) {
		for n > 0 {
			v := s.c.Visible()
			r, _ := v.Dims()
			r = min(r, n)
			if !yield(v.Slice(0, r), nil) {
				return
			}
			n -= r
			s.c.Gibbs(s.m, thin)
		}
	}
}
