package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/rows"
	"gonum.org/v1/gonum/mat"
)

func init() {
	register.DoFn3x0[context.Context, rows.Row, func(int, []byte)](&scoreFn{})
	register.Function1x2(emptyPart)
	register.DoFn3x1[context.Context, int, func(*[]byte) bool, error](&writeFn{})
	register.Emitter2[int, []byte]()
	register.Iter1[[]byte]()
}

// score adds to a pipeline what scores rows by a model of this size, whose weights
// are never part of the pipeline.
func score(s beam.Scope, o options, nv, nh int) {
	good, bad := rows.Read(s, o.input, nv)
	rows.WriteBad(s, bad, o.bad)
	scored := beam.ParDo(s, &scoreFn{Model: o.model, Columns: nv, Hidden: nh, Batch: o.batch, Parts: o.parts, Features: o.features}, good)
	// A part without rows is written too.
	parts := make([]int, o.parts)
	for k := range parts {
		parts[k] = k
	}
	all := beam.Flatten(s, scored, beam.ParDo(s, emptyPart, beam.CreateList(s, parts)))
	write := &writeFn{Prefix: o.output, Parts: o.parts}
	if o.features {
		write.Hidden = nh
	}
	beam.ParDo0(s, write, beam.GroupByKey(s, all))
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
	Model           string // its path
	Columns, Hidden int    // its size
	Batch, Parts    int
	Features        bool

	m      *rbm.RBM
	batch  *rbm.Bits
	rows   []rows.Row // of the batch
	energy []float64
	probs  *mat.Dense
}

func (fn *scoreFn) Setup(ctx context.Context) error {
	m, err := load(ctx, fn.Model)
	if err != nil {
		return err
	}
	if nv, nh := m.Dims(); nv != fn.Columns || nh != fn.Hidden {
		return fmt.Errorf("%s has changed: it has %d visible and %d hidden units, want %d and %d", fn.Model, nv, nh, fn.Columns, fn.Hidden)
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
		line := appendPlace(nil, r)
		line = strconv.AppendFloat(line, energy[i], 'g', -1, 64)
		if fn.Features {
			for _, p := range fn.probs.RawRowView(i) {
				line = strconv.AppendFloat(append(line, ','), p, 'g', -1, 32)
			}
		}
		emit(part(r, fn.Parts), line)
	}
	fn.rows = fn.rows[:0]
}

// A line begins with its place: the file, a zero and the number in 8 bytes, so that
// lines sort by both.
func appendPlace(b []byte, r rows.Row) []byte {
	b = append(append(b, r.File...), 0)
	return binary.BigEndian.AppendUint64(b, uint64(r.Number))
}

// part returns to which of n parts a row belongs.
func part(r rows.Row, n int) int {
	h := fnv.New64a()
	h.Write(appendPlace(nil, r))
	return int(h.Sum64() % uint64(n))
}

func emptyPart(k int) (int, []byte) { return k, nil }

// A writeFn writes a part.
type writeFn struct {
	Prefix string
	Parts  int
	Hidden int // columns of features
}

func (fn *writeFn) ProcessElement(ctx context.Context, k int, next func(*[]byte) bool) error {
	var lines [][]byte
	for line := []byte(nil); next(&line); {
		if len(line) > 0 {
			lines = append(lines, line)
		}
	}
	slices.SortFunc(lines, bytes.Compare)
	lines = slices.CompactFunc(lines, bytes.Equal) // an engine may deliver one more often
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	header := []string{"file", "row", "free_energy"}
	for j := range fn.Hidden {
		header = append(header, fmt.Sprintf("h%d", j+1))
	}
	w.Write(header)
	for _, line := range lines {
		file, rest, _ := bytes.Cut(line, []byte{0})
		number := strconv.FormatUint(binary.BigEndian.Uint64(rest), 10)
		w.Write(append([]string{string(file), number}, strings.Split(string(rest[8:]), ",")...))
	}
	w.Flush()
	return files.Write(ctx, partPath(fn.Prefix, fmt.Sprintf("%05d", k), fn.Parts), out.Bytes())
}

// partPath returns the path of a part, or a pattern of all.
func partPath(prefix, k string, parts int) string {
	return fmt.Sprintf("%s-%s-of-%05d.csv", prefix, k, parts)
}
