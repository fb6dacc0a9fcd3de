package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/job"
	"github.com/gorbm/rbm/examples/beam/rows"
	"gonum.org/v1/gonum/mat"
)

func init() {
	register.DoFn3x0[context.Context, rows.Row, func(int, []byte)](&scoreFn{})
	register.Emitter2[int, []byte]()
}

// tables returns those that are written: of scores, for so many hidden units, and of rows
// that are bad.
func (o options) tables(nh int) (scores, bad rows.Table) {
	scores = rows.Table{Prefix: o.output, Parts: o.parts, Columns: []string{"free_energy"}}
	if o.features {
		for j := range nh {
			scores.Columns = append(scores.Columns, fmt.Sprintf("h%d", j+1))
		}
	}
	return scores, rows.BadTable(o.bad, o.parts)
}

// pipeline scores all rows in a job, and returns how many there were.
func (o options) pipeline(ctx context.Context, of shape) (good, bad int64, err error) {
	p, s := beam.NewPipelineWithRoot()
	score(s, o, of)
	result, err := job.Run(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	good, bad = rows.Counts(result)
	return good, bad, nil
}

// loop does what the pipeline does, in a loop.
func (o options) loop(ctx context.Context, of shape) (good, bad int64, err error) {
	scores, bads := o.tables(of.nh)
	scored, unread := scores.NewLines(), bads.NewLines()
	fn := o.scoreFn(of)
	if err := fn.Setup(ctx); err != nil {
		return 0, 0, err
	}
	if err := rows.Each(ctx, o.input, of.nv, func(r rows.Row) {
		good++
		fn.ProcessElement(ctx, r, scored.Add)
	}, func(b rows.Bad) {
		bad++
		unread.AddBad(b)
	}, of.groups...); err != nil {
		return 0, 0, err
	}
	fn.FinishBundle(scored.Add)
	return good, bad, errors.Join(unread.Write(ctx), scored.Write(ctx))
}

// A shape is what a pipeline has of a model.
type shape struct {
	nv, nh int
	groups []rbm.Group
}

func shapeOf(m *rbm.RBM) shape {
	nv, nh := m.Dims()
	return shape{nv, nh, m.OneHot}
}

func (o options) scoreFn(of shape) *scoreFn {
	return &scoreFn{Model: o.model, Columns: of.nv, Hidden: of.nh, Groups: of.groups, Batch: o.batch, Features: o.features, Parts: o.parts}
}

// score adds to a pipeline what scores rows by a model of this shape, whose weights
// are never part of the pipeline.
func score(s beam.Scope, o options, of shape) {
	good, bad := rows.Read(s, o.input, of.nv, of.groups...)
	scores, bads := o.tables(of.nh)
	rows.WriteBad(s, bad, bads)
	scores.Write(s, beam.ParDo(s, o.scoreFn(of), good))
}

func load(ctx context.Context, path string) (*rbm.RBM, error) {
	data, err := files.Read(ctx, path)
	if err != nil {
		return nil, err
	}
	m := new(rbm.RBM)
	if _, err := m.ReadFrom(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// A scoreFn makes lines of rows, with their parts as keys.
type scoreFn struct {
	Model           string      // its path
	Columns, Hidden int         // its size
	Groups          []rbm.Group // which its rows do not violate
	Batch, Parts    int
	Features        bool

	m      *rbm.RBM
	batch  *rbm.Bits
	rows   []rows.Row // of the batch
	energy []float64
	probs  *mat.Dense
	cells  []byte // of a line
}

func (fn *scoreFn) Setup(ctx context.Context) error {
	m, err := load(ctx, fn.Model)
	if err != nil {
		return err
	}
	if nv, nh := m.Dims(); nv != fn.Columns || nh != fn.Hidden {
		return fmt.Errorf("%s has changed: it has %d visible and %d hidden units, want %d and %d", fn.Model, nv, nh, fn.Columns, fn.Hidden)
	}
	if !slices.Equal(m.OneHot, fn.Groups) {
		return fmt.Errorf("%s has changed: it has the groups %v, want %v", fn.Model, m.OneHot, fn.Groups)
	}
	fn.m = m
	fn.batch = rbm.NewBits(fn.Batch, fn.Columns)
	fn.energy = make([]float64, fn.Batch)
	if fn.Features {
		fn.probs = mat.NewDense(fn.Batch, fn.Hidden, nil)
	}
	return nil
}

func (fn *scoreFn) StartBundle(func(int, []byte)) { fn.rows = fn.rows[:0] }

func (fn *scoreFn) ProcessElement(_ context.Context, r rows.Row, emit func(int, []byte)) {
	r.Put(fn.batch, len(fn.rows))
	if fn.rows = append(fn.rows, r); len(fn.rows) == fn.Batch {
		fn.flush(emit)
	}
}

func (fn *scoreFn) FinishBundle(emit func(int, []byte)) { fn.flush(emit) }

// flush scores the rows that have been collected.
func (fn *scoreFn) flush(emit func(int, []byte)) {
	n := len(fn.rows)
	if n == 0 {
		return
	}
	v := fn.batch.Slice(0, n)
	energy := fn.m.FreeEnergy(fn.energy[:n], v)
	if fn.Features {
		fn.m.HiddenProbs(fn.probs.Slice(0, n, 0, fn.Hidden).(*mat.Dense), v)
	}
	for i, r := range fn.rows {
		cells := strconv.AppendFloat(fn.cells[:0], energy[i], 'g', -1, 64)
		if fn.Features {
			for _, p := range fn.probs.RawRowView(i) {
				cells = strconv.AppendFloat(append(cells, ','), p, 'g', -1, 32)
			}
		}
		fn.cells = cells
		emit(rows.Table{Parts: fn.Parts}.Line(r.File, r.Number, cells))
	}
	fn.rows = fn.rows[:0]
}
