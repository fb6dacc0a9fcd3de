package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/gorbm/rbm"
)

func init() {
	register.Function1x1(encodePart)
	register.Function1x2(decodePart)
	beam.RegisterCoder(reflect.TypeFor[Part](), encodePart, decodePart)
	register.DoFn3x1[context.Context, int, func(int, Part), error](&shardFn{})
	register.DoFn3x1[int, func(*Part) bool, func(int, Part), error](&mergeFn{})
	register.DoFn3x1[context.Context, int, Part, error](&updateFn{})
	register.Emitter2[int, Part]()
	register.Iter1[Part]()
}

// pipeline returns the job of a round, over all shards:
//
//	numbers of shards → shardFn → (GroupByKey → mergeFn)* → updateFn
//
// As many levels of merging follow one another as it takes to make one part of all.
func (r Round) pipeline(shards []int) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	numbers := beam.Reshuffle(s, beam.CreateList(s, shards)) // so that each may go to another worker
	parts := beam.ParDo(s, &shardFn{Round: r}, numbers)
	for n := r.Settings.Shards; ; n = groups(n) {
		parts = beam.ParDo(s, &mergeFn{Mode: r.Settings.Mode, Parts: n}, beam.GroupByKey(s, parts))
		if groups(n) == 1 {
			break
		}
	}
	beam.ParDo0(s, &updateFn{Round: r}, parts)
	return p
}

// check returns an error unless the round has been made.
func (r Round) check(ctx context.Context) error {
	last, err := r.Work.last(ctx)
	if err == nil && last <= r.Number {
		err = fmt.Errorf("the job has ended without %s", r.Work.round(r.Number+1))
	}
	return err
}

// local does what the pipeline does, in a loop.
func (r Round) local(ctx context.Context) error {
	m, err := r.load(ctx)
	if err != nil {
		return err
	}
	var parts []Part
	for k := range r.Settings.Shards {
		p, err := r.shard(ctx, &m.rbm, k)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	for {
		var sums []Part
		for group := range slices.Chunk(parts, fan) {
			sum, err := merge(r.Settings.Mode, group)
			if err != nil {
				return err
			}
			sums = append(sums, Part{Index: len(sums), Sum: sum})
		}
		if parts = sums; len(parts) == 1 {
			return r.update(ctx, parts[0].Sum)
		}
	}
}

// shardFn does the work of a shard, and keys its part by the group it belongs to.
type shardFn struct {
	Round Round
	model *rbm.RBM
}

func (f *shardFn) Setup(ctx context.Context) error {
	m, err := f.Round.load(ctx)
	if err == nil {
		f.model = &m.rbm
	}
	return err
}

func (f *shardFn) ProcessElement(ctx context.Context, k int, emit func(int, Part)) error {
	p, err := f.Round.shard(ctx, f.model, k)
	if err == nil {
		emit(k/fan, p)
	}
	return err
}

// mergeFn makes one part of a group.
type mergeFn struct {
	Mode  string
	Parts int // in all groups
}

func (f *mergeFn) ProcessElement(group int, next func(*Part) bool, emit func(int, Part)) error {
	parts, err := gather(group, f.Parts, next)
	if err != nil {
		return err
	}
	sum, err := merge(f.Mode, parts)
	if err == nil {
		emit(group/fan, Part{Index: group, Sum: sum})
	}
	return err
}

// updateFn ends the round.
type updateFn struct{ Round Round }

func (f *updateFn) ProcessElement(ctx context.Context, _ int, sum Part) error {
	return f.Round.update(ctx, sum.Sum)
}
