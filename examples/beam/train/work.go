package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gorbm/rbm/examples/beam/files"
	"github.com/gorbm/rbm/examples/beam/rows"
	"github.com/gorbm/rbm/examples/internal/output"
)

// A dir is a folder on any file system. That of -work has
//
//	settings                         what may not change, once rows are packed
//	training-NAME                    the folder of the training that has them
//	model                            the last one
//
// and that of a training, which no other one writes to,
//
//	bad-00003-of-00008.csv           rows that are bad
//	shards/00003-of-00008.bits       rows, in an order that is random
//	rounds/000017-model              what 17 rounds have made; the last file of a round
//	rounds/000017-shard-00003        what shard 3 goes on with
type dir string

const trainingPrefix = "training-" // of the names of folders of trainings

// newName names the folder of a training.
var newName = func() string { return trainingPrefix + rand.Text() }

func (d dir) training(name string) dir { return dir(d.path("%s", name)) }

// path returns the path of a file as files.List does.
func (d dir) path(format string, a ...any) string {
	name := fmt.Sprintf(format, a...)
	if strings.Contains(string(d), "://") {
		return strings.TrimRight(string(d), "/") + "/" + name
	}
	return filepath.Join(string(d), name)
}

func (d dir) settings() string          { return d.path("settings") }
func (d dir) model() string             { return d.path("model") }
func (d dir) rows(k, n int) string      { return d.path("shards/%05d-of-%05d.bits", k, n) }
func (d dir) round(round int) string    { return d.path("rounds/%06d-model", round) }
func (d dir) shard(round, k int) string { return d.path("rounds/%06d-shard-%05d", round, k) }

// checkFree returns an error if a folder without settings has what a training replaces,
// or is that of another program.
func (d dir) checkFree(ctx context.Context) error {
	for _, name := range append([]string{"model"}, output.Marked...) {
		path := d.path("%s", name)
		names, err := files.List(ctx, path)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			continue
		}
		if path == d.model() {
			return fmt.Errorf("%s exists without settings: not overwritten; give another -work, or remove it", path)
		}
		b, err := files.Read(ctx, path)
		if err != nil {
			return err
		}
		if p := output.Maker(b); p != "" {
			return fmt.Errorf("%s was made by examples/%s, whose folder this is; give another -work", path, p)
		}
	}
	return nil
}

// bad returns the table of bad rows, of as many parts as there are
// shards.
func (d dir) bad(shards int) rows.Table { return rows.BadTable(d.path("bad"), shards) }

// last returns the last round that is complete.
func (d dir) last(ctx context.Context) (int, error) {
	names, err := files.List(ctx, d.path("rounds/*-model"))
	if err != nil {
		return 0, err
	}
	last := -1
	for _, name := range names {
		if r := roundOf(name); name == d.round(r) {
			last = max(last, r)
		}
	}
	if last < 0 {
		return 0, fmt.Errorf("%s has no round that is complete; give another -work", d)
	}
	return last, nil
}

// roundOf returns the round that a file is of, or -1.
func roundOf(name string) int {
	number, _, _ := strings.Cut(path.Base(name), "-")
	r, err := strconv.Atoi(number)
	if err != nil {
		return -1
	}
	return r
}

// clean removes what rounds before this one have left.
func (d dir) clean(ctx context.Context, round int) error {
	names, err := files.List(ctx, d.path("rounds/*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if r := roundOf(name); 0 <= r && r < round {
			if err := files.Remove(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}
