package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
)

// Settings are the flags on which the bits of a model depend. They must not change
// while it is trained, and go to the workers with every job. The tags are the names of
// the flags.
type Settings struct {
	Input    string  `json:"input"`
	Columns  int     `json:"columns"`
	Mode     string  `json:"mode"`
	Shards   int     `json:"shards"`
	Hidden   int     `json:"hidden"`
	Batch    int     `json:"batch"`
	Chains   int     `json:"chains"`
	K        int     `json:"k"`
	Rate     float64 `json:"rate"`
	Constant bool    `json:"constant"`
	Rounds   int     `json:"rounds"` // 0 with a constant rate, which does not depend on them
	Momentum float64 `json:"momentum"`
	Seed     uint64  `json:"seed"`
}

// The modes.
const (
	step  = "step"  // a round is a step with a gradient from all shards
	epoch = "epoch" // a round is a pass over each shard, after which the models are averaged
)

// schedule returns the rate, where a round has so many steps.
func (s Settings) schedule(steps int) rbm.Schedule {
	if s.Constant {
		return rbm.Constant(s.Rate)
	}
	return rbm.Linear(s.Rate, 0, s.Rounds*steps)
}

// Random streams that are not those of a shard, which have its number.
const (
	modelStream = 1<<32 + iota
	aisStream
)

func (s Settings) source(stream uint64) rand.Source { return rand.NewPCG(s.Seed, stream) }

// save writes the settings, which says that all before the first round is there.
func (s Settings) save(ctx context.Context, d dir) error {
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return files.Write(ctx, d.settings(), append(b, '\n'))
}

// check reports whether there are settings. It is an error if they are others.
func (s Settings) check(ctx context.Context, d dir) (found bool, err error) {
	names, err := files.List(ctx, d.settings())
	if err != nil || len(names) == 0 {
		return false, err
	}
	b, err := files.Read(ctx, d.settings())
	if err != nil {
		return false, err
	}
	var was Settings
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&was); err != nil {
		return false, fmt.Errorf("%s: %w", d.settings(), err)
	}
	old, now := reflect.ValueOf(was), reflect.ValueOf(s)
	for i := range old.NumField() {
		if x, y := old.Field(i).Interface(), now.Field(i).Interface(); x != y {
			name := old.Type().Field(i).Tag.Get("json")
			return false, fmt.Errorf("%s has -%s %v, not -%s %v; give the same, or another -work", d.settings(), name, x, name, y)
		}
	}
	return true, nil
}
