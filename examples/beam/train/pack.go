package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/rows"
)

func init() {
	register.DoFn1x2[rows.Row, int, rows.Row](&dealFn{})
	register.DoFn3x1[context.Context, int, func(*rows.Row) bool, error](&packFn{})
	register.Iter1[rows.Row]()
}

// pack makes the shards of the input, by a job, and a model to begin with. It returns
// the name of the folder that has them: a new one for each attempt, so that one that is
// still going on somewhere, perhaps with other settings, has no part in them.
func (o options) pack(ctx context.Context, w io.Writer) (name string, err error) {
	if _, err := rows.Files(ctx, o.Input); err != nil {
		return "", fmt.Errorf("-input: %w", err)
	}
	var d dir
	var good, bad int64
	if err := o.try(ctx, "packing", w, func() (err error) {
		name = newName()
		d = o.work.training(name)
		if o.local {
			good, bad, err = o.packLocal(ctx, d)
			return err
		}
		result, err := o.run(ctx, packing(d, o.Settings))
		if err == nil {
			good, bad = rows.Counts(result)
		}
		return err
	}); err != nil {
		return "", err
	}
	bads := d.bad(o.Shards).Pattern()
	fmt.Fprintf(w, "%d rows in %d shards\n%d bad rows: %s\n", good, o.Shards, bad, bads)
	for k := range o.Shards {
		// A shard without rows has no key, and so no file.
		names, err := files.List(ctx, d.rows(k, o.Shards))
		if err != nil {
			return "", err
		}
		if len(names) == 0 {
			return "", fmt.Errorf("shard %d of %d has no rows, want fewer -shards or more rows; bad ones are in %s", k, o.Shards, bads)
		}
	}
	return name, start(ctx, d, o.Settings)
}

// start writes the model of round 0, which has the visible biases of the first shard.
func start(ctx context.Context, d dir, s Settings) error {
	data, done, err := openRows(ctx, d.rows(0, s.Shards))
	if err != nil {
		return err
	}
	defer done()
	n, c := data.Dims()
	first := rbm.NewBits(min(n, 100_000), c)
	if err := data.ReadRows(first, 0); err != nil {
		return fmt.Errorf("%s: %w", d.rows(0, s.Shards), err)
	}
	m := model{rbm: *rbm.NewRandom(c, s.Hidden, 0.01, s.source(modelStream))}
	m.rbm.OneHot = s.oneHot()
	m.rbm.FitVisibleBias(first)
	m.sgd.Momentum = s.Momentum
	return files.Save(ctx, d.round(0), m.parts()...)
}

// packing returns the job that packs rows:
//
//	rows.Read → dealFn → GroupByKey → packFn
func packing(d dir, s Settings) *beam.Pipeline {
	p, scope := beam.NewPipelineWithRoot()
	good, bad := rows.Read(scope, s.Input, s.Columns, s.oneHot()...)
	rows.WriteBad(scope, bad, d.bad(s.Shards))
	dealt := beam.ParDo(scope, &dealFn{Settings: s}, good)
	beam.ParDo0(scope, &packFn{Work: d, Settings: s}, beam.GroupByKey(scope, dealt))
	return p
}

// packLocal does what the job does, in a loop, and returns how many rows there were.
func (o options) packLocal(ctx context.Context, d dir) (good, bad int64, err error) {
	shards := make([][]rows.Row, o.Shards)
	bads := d.bad(o.Shards).NewLines()
	if err := rows.Each(ctx, o.Input, o.Columns, func(r rows.Row) {
		good++
		k, _ := o.Settings.place(r)
		shards[k] = append(shards[k], r)
	}, func(b rows.Bad) {
		bad++
		bads.AddBad(b)
	}, o.Settings.oneHot()...); err != nil {
		return 0, 0, err
	}
	if err := bads.Write(ctx); err != nil {
		return 0, 0, err
	}
	f := &packFn{Work: d, Settings: o.Settings}
	for k, shard := range shards {
		if len(shard) == 0 {
			continue
		}
		if err := f.ProcessElement(ctx, k, func(r *rows.Row) bool {
			if len(shard) == 0 {
				return false
			}
			*r, shard = shard[0], shard[1:]
			return true
		}); err != nil {
			return 0, 0, err
		}
	}
	return good, bad, nil
}

// place returns the shard of a row, and a number by which the rows of a shard are sorted:
// both are random, and the same whatever the order in which rows are read.
func (s Settings) place(r rows.Row) (shard int, order uint64) {
	name := fnv.New64a()
	io.WriteString(name, r.File)
	src := rand.NewPCG(s.Seed^name.Sum64(), uint64(r.Number))
	return int(src.Uint64() % uint64(s.Shards)), src.Uint64()
}

// dealFn keys rows by their shards.
type dealFn struct{ Settings Settings }

func (f *dealFn) ProcessElement(r rows.Row) (int, rows.Row) {
	k, _ := f.Settings.place(r)
	return k, r
}

// packFn writes a shard, which is in memory all at once.
type packFn struct {
	Work     dir
	Settings Settings
}

func (f *packFn) ProcessElement(ctx context.Context, k int, next func(*rows.Row) bool) error {
	b, err := f.Settings.shuffle(next)
	if err != nil {
		return fmt.Errorf("shard %d: %w", k, err)
	}
	return writeRows(ctx, f.Work.rows(k, f.Settings.Shards), b)
}

// writeRows writes a bitfile, by way of the temporary folder if it is not local.
func writeRows(ctx context.Context, path string, b *rbm.Bits) error {
	blocks := rbm.Blocks(b, 1<<12)
	if !strings.Contains(path, "://") {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		return bitfile.Write(path, blocks)
	}
	tmp, err := os.MkdirTemp("", "train-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	local := filepath.Join(tmp, "rows.bits")
	if err := bitfile.Write(local, blocks); err != nil {
		return err
	}
	data, err := os.ReadFile(local)
	if err != nil {
		return err
	}
	return files.Write(ctx, path, data)
}

// shuffle returns rows in their random order, each once: an engine may deliver one
// more often.
func (s Settings) shuffle(next func(*rows.Row) bool) (*rbm.Bits, error) {
	type entry struct {
		order uint64
		row   rows.Row
	}
	var all []entry
	names := make(map[string]string) // which has each but once
	for r := (rows.Row{}); next(&r); r = (rows.Row{}) {
		if _, ok := names[r.File]; !ok {
			names[r.File] = r.File
		}
		r.File = names[r.File]
		_, order := s.place(r)
		all = append(all, entry{order, r})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.row.File, b.row.File), cmp.Compare(a.row.Number, b.row.Number))
	})
	all = slices.CompactFunc(all, func(a, b entry) bool {
		return a.row.File == b.row.File && a.row.Number == b.row.Number && bytes.Equal(a.row.Bits, b.row.Bits)
	})
	if len(all) == 0 {
		return nil, errors.New("there are no rows")
	}
	b := rbm.NewBits(len(all), s.Columns)
	for i, e := range all {
		if i > 0 && e.row.File == all[i-1].row.File && e.row.Number == all[i-1].row.Number {
			return nil, fmt.Errorf("%s: row %d came twice, and not the same", e.row.File, e.row.Number)
		}
		e.row.Put(b, i)
	}
	return b, nil
}
