package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
)

// BenchmarkRound is what a round costs with Beam on Prism (by=prism), in a loop over the
// same shards and files without Beam (by=local), and what training on as many rows costs
// in memory with the library alone (by=memory). A model of 1×1 units shows what a
// job costs by itself, also where it has a worker that is a process, for which the
// program is staged (by=process).
func BenchmarkRound(b *testing.B) {
	initBeam()
	for _, size := range []struct {
		mode         string
		nv, nh, rows int // of a shard
	}{
		{step, 1, 1, 100},
		{step, 784, 500, 100},
		{epoch, 784, 500, 5000},
	} {
		for _, shards := range []int{1, 2, 4, 8} {
			for _, by := range []string{"prism", "process", "local", "memory"} {
				if by == "process" && size.nv > 1 {
					continue
				}
				name := fmt.Sprintf("mode=%s/nv=%d/nh=%d/shards=%d/by=%s", size.mode, size.nv, size.nh, shards, by)
				b.Run(name, func(b *testing.B) {
					o := options{Settings: Settings{
						Columns: size.nv, Mode: size.mode, Shards: shards, Hidden: size.nh, Batch: 100, Chains: 100, K: 1,
						Rate: 0.01, Constant: true, Seed: 1,
					}, attempts: 1, local: by == "local"}
					round := o.distributed(b, size.rows)
					if by == "memory" {
						round = o.memory(size.rows)
					}
					if by == "process" {
						before := *jobopts.EnvironmentType
						defer func() { *jobopts.EnvironmentType, *jobopts.EnvironmentConfig, *jobopts.WorkerBinary = before, "", "" }()
						*jobopts.EnvironmentType, *jobopts.EnvironmentConfig, *jobopts.WorkerBinary = "PROCESS", workers(b, nil), os.Args[0]
					}
					for i := 0; b.Loop(); i++ {
						round(i)
					}
					b.ReportMetric(float64(size.rows*shards*b.N)/b.Elapsed().Seconds(), "rows/s")
				})
			}
		}
	}
}

// sparse returns rows of which an eighth is ones, about as of digits.
func (o options) sparse(rows int, stream uint64) *rbm.Bits {
	m := rbm.New(o.Columns, 1)
	for i := range o.Columns {
		m.B.SetVec(i, -2)
	}
	c := rbm.NewChains(o.source(stream))
	c.StartRandom(m, rows)
	return c.Visible()
}

// distributed returns a function that makes a round, by its number.
func (o options) distributed(b *testing.B, rows int) func(i int) {
	ctx := context.Background()
	r := Round{Work: dir(b.TempDir()), Settings: o.Settings}
	for k := range o.Shards {
		path := r.Work.rows(k, o.Shards)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil {
			err = bitfile.Write(path, rbm.Blocks(o.sparse(rows, uint64(k)), rows))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := start(ctx, r.Work, o.Settings); err != nil {
		b.Fatal(err)
	}
	return func(i int) {
		r.Number = i
		err := o.round(ctx, r, io.Discard)
		if err == nil {
			err = r.Work.clean(ctx, i)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// memory returns a function that trains on as many rows as a round has, with as many
// steps.
func (o options) memory(rows int) func(i int) {
	data := o.sparse(rows*o.Shards, 1)
	batch := o.Batch
	if o.Mode == step {
		batch *= o.Shards
	}
	m := rbm.NewRandom(o.Columns, o.Hidden, 0.01, o.source(modelStream))
	sampler := rbm.NewPCD(batch, o.K, o.source(2))
	sgd := rbm.SGD{Rate: o.Rate}
	var centering rbm.Centering
	var g rbm.Gradient
	return func(int) {
		for v := range rbm.Blocks(data, batch) { // there is no error in memory
			m.Gradient(&g, v, sampler)
			centering.Center(&g)
			sgd.Step(m, &g)
		}
	}
}
