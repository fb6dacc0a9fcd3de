package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/onehot"
)

// Settings are the flags on which the bits of a model depend. They must not change
// while it is trained, and go to the workers with every job. The tags are the names of
// the flags.
type Settings struct {
	Input    string  `json:"input"`
	Columns  int     `json:"columns"`
	Groups   string  `json:"groups"`
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

// oneHot returns the groups of one-hot units, which check has found to be right.
func (s Settings) oneHot() []rbm.Group {
	groups, err := onehot.Parse(s.Groups, s.Columns)
	if err != nil {
		panic(err)
	}
	return groups
}

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

// saved are settings, and the name of the folder of the training that has them.
type saved struct {
	Mark     string `json:"mark"` // says which program made them
	Training string `json:"training"`
	Settings
}

// save writes the settings, which says that all before the first round is there.
func (s Settings) save(ctx context.Context, work dir, training string) error {
	b, err := json.MarshalIndent(saved{program.Mark(), training, s}, "", "\t")
	if err != nil {
		return err
	}
	return files.Write(ctx, work.settings(), append(b, '\n'))
}

// shown returns the value of a flag as it is written after its name.
func shown(x any) any {
	if x == "" {
		return `""`
	}
	return x
}

// find returns the name of the folder of the training that is going on, or "" if there
// is none. It is an error if that has other settings, or if the folder of -work is not
// that of this program.
func (s Settings) find(ctx context.Context, work dir) (training string, err error) {
	names, err := files.List(ctx, work.settings())
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", work.checkFree(ctx)
	}
	b, err := files.Read(ctx, work.settings())
	if err != nil {
		return "", err
	}
	var was saved
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	err = in.Decode(&was)
	if err == nil && in.More() {
		err = errors.New("something follows the settings")
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", work.settings(), err)
	}
	if was.Mark != program.Mark() {
		return "", fmt.Errorf("%s: mark is %q, want %q; give another -work", work.settings(), was.Mark, program.Mark())
	}
	old, now := reflect.ValueOf(was.Settings), reflect.ValueOf(s)
	for i := range old.NumField() {
		if x, y := old.Field(i).Interface(), now.Field(i).Interface(); x != y {
			name := old.Type().Field(i).Tag.Get("json")
			return "", fmt.Errorf("%s has -%s %v, not -%s %v; give the same, or another -work", work.settings(), name, shown(x), name, shown(y))
		}
	}
	if !strings.HasPrefix(was.Training, trainingPrefix) || strings.ContainsAny(was.Training, `/\*?[`) {
		return "", fmt.Errorf("%s: training is %q, want the name of its folder", work.settings(), was.Training)
	}
	return was.Training, nil
}
