package main

import (
	"context"
	"fmt"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
)

// update ends the round with the sum of all parts. The file that it writes says that
// the round is complete.
func (r Round) update(ctx context.Context, sum []byte) error {
	m, err := r.load(ctx)
	if err != nil {
		return err
	}
	if err := m.move(r, sum); err != nil {
		return fmt.Errorf("sum of round %d: %w", r.Number, err)
	}
	return files.Save(ctx, r.Work.round(r.Number+1), m.parts()...)
}

// move takes the step along the gradient of all shards, or to the mean of their models.
func (m *model) move(r Round, sum []byte) error {
	if r.Settings.Mode == epoch {
		var to mean
		if err := to.UnmarshalBinary(sum); err != nil {
			return err
		}
		m.rbm = to.model
		return nil
	}
	var p rbm.Phases
	if err := p.UnmarshalBinary(sum); err != nil {
		return err
	}
	var g rbm.Gradient
	p.Gradient(&g)
	m.centering.Center(&g)
	m.sgd.Rate = r.Settings.schedule(1)(r.Number)
	m.sgd.Step(&m.rbm, &g)
	return nil
}
