package main

import (
	"context"
	"iter"

	"github.com/gorbm/rbm"
)

// until ends a stream with an error once ctx is done.
func until(ctx context.Context, blocks iter.Seq2[*rbm.Bits, error]) iter.Seq2[*rbm.Bits, error] {
	return func(yield func(*rbm.Bits, error) bool) {
		for b, err := range blocks {
			if err == nil && ctx.Err() != nil {
				b, err = nil, ctx.Err()
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}
