package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/checkpoint"
	"github.com/gorbm/rbm/examples/beam/files"
)

// A Round is a task of the workers: to make round Number+1 of round Number. What they
// do is a function of it and of the number of their shard, and so is the same
// whenever, wherever and how many times it is done.
type Round struct {
	Work     dir
	Settings Settings
	Number   int
}

// A model is what all shards have in common. Its optimizer is that of mode step.
type model struct {
	rbm rbm.RBM
	optimizer
}

type optimizer struct {
	sgd       rbm.SGD
	centering rbm.Centering
}

func (m *model) parts() []checkpoint.State {
	return []checkpoint.State{&m.rbm, &m.sgd, &m.centering}
}

// load returns what the rounds have made so far.
func (r Round) load(ctx context.Context) (*model, error) {
	m, path := new(model), r.Work.round(r.Number)
	if err := files.Load(ctx, path, m.parts()...); err != nil {
		return nil, err
	}
	if nv, nh := m.rbm.Dims(); nv != r.Settings.Columns || nh != r.Settings.Hidden {
		return nil, fmt.Errorf("%s: model has %d visible and %d hidden units, want %d and %d", path, nv, nh, r.Settings.Columns, r.Settings.Hidden)
	}
	if groups := r.Settings.oneHot(); !slices.Equal(m.rbm.OneHot, groups) {
		return nil, fmt.Errorf("%s: model has the groups %v, want %v", path, m.rbm.OneHot, groups)
	}
	return m, nil
}

// A shard is what one goes on with. Its optimizer is that of mode epoch.
type shard struct {
	sampler *rbm.PCD
	optimizer
}

func (s *shard) parts() []checkpoint.State {
	return []checkpoint.State{s.sampler, &s.sgd, &s.centering}
}

func (r Round) loadShard(ctx context.Context, k int) (*shard, error) {
	s := &shard{sampler: rbm.NewPCD(r.Settings.Chains, r.Settings.K, r.Settings.source(uint64(k)))}
	s.sgd.Momentum = r.Settings.Momentum
	if r.Number == 0 {
		return s, nil
	}
	return s, files.Load(ctx, r.Work.shard(r.Number, k), s.parts()...)
}

// shardDone is called when a shard has been written, for tests that end it there.
var shardDone = func(r Round, k int) {}

// shard does the work of shard k, and returns its part of the round.
func (r Round) shard(ctx context.Context, m *rbm.RBM, k int) (Part, error) {
	path := r.Work.rows(k, r.Settings.Shards)
	rows, done, err := openRows(ctx, path)
	if err != nil {
		return Part{}, err
	}
	defer done()
	if _, c := rows.Dims(); c != r.Settings.Columns {
		return Part{}, fmt.Errorf("%s: rows have %d columns, want %d", path, c, r.Settings.Columns)
	}
	s, err := r.loadShard(ctx, k)
	if err != nil {
		return Part{}, err
	}
	work := s.step
	if r.Settings.Mode == epoch {
		work = s.epoch
	}
	sum, err := work(r, m, rows)
	if err != nil {
		return Part{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := files.Save(ctx, r.Work.shard(r.Number+1, k), s.parts()...); err != nil {
		return Part{}, err
	}
	shardDone(r, k)
	b, err := sum.AppendBinary(nil)
	return Part{Index: k, Sum: b}, err
}

// step computes the phases of the next batch of rows. Each of its rows stands for as
// many as there are batches in the shard, so that in the sum over shards of different
// sizes all rows count alike.
func (s *shard) step(r Round, m *rbm.RBM, rows rbm.Rows) (checkpoint.State, error) {
	n, c := rows.Dims()
	batch := rbm.NewBits(min(r.Settings.Batch, n), c)
	b, _ := batch.Dims()
	first := r.Number * b % n
	head := min(b, n-first)
	if err := rows.ReadRows(batch.Slice(0, head), first); err != nil {
		return nil, err
	}
	if head < b {
		if err := rows.ReadRows(batch.Slice(head, b), 0); err != nil {
			return nil, err
		}
	}
	weights := make([]float64, b)
	for i := range weights {
		weights[i] = float64(n) / float64(b)
	}
	p := new(rbm.Phases)
	m.Phases(p, batch, weights, s.sampler)
	return p, nil
}

// epoch trains a copy of the model by one pass over the rows.
func (s *shard) epoch(r Round, m *rbm.RBM, rows rbm.Rows) (checkpoint.State, error) {
	n, _ := rows.Dims()
	steps := (n-1)/r.Settings.Batch + 1
	rate := r.Settings.schedule(steps)
	m = m.Clone()
	var g rbm.Gradient
	i := r.Number * steps
	for batch, err := range rbm.Blocks(rows, r.Settings.Batch) {
		if err != nil {
			return nil, err
		}
		m.Gradient(&g, batch, s.sampler)
		s.centering.Center(&g)
		s.sgd.Rate = rate(i)
		s.sgd.Step(m, &g)
		i++
	}
	return &mean{weight: float64(n), model: *m}, nil
}

// openRows opens a bitfile. One that is local is not read as a whole.
func openRows(ctx context.Context, path string) (rows *bitfile.File, done func() error, err error) {
	var r io.ReaderAt
	var size int64
	done = func() error { return nil }
	if strings.Contains(path, "://") {
		b, err := files.Read(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		r, size = bytes.NewReader(b), int64(len(b))
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, nil, err
		}
		r, size, done = f, info.Size(), f.Close
	}
	rows, err = bitfile.NewFile(r, size)
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, done, nil
}
