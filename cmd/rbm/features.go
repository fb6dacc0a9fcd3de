package main

import (
	"context"
	"strconv"
)

var featuresCommand = &command{
	name:  "features",
	args:  "MODEL ROWS",
	least: 2,
	most:  2,
	short: "probabilities of the hidden units, as features of each row",
	long: `
Features prints p(hⱼ=1|v) of each hidden unit j for each row v: numbers from 0 to 1 by which a classifier may tell rows.`,
	examples: []string{
		"rbm features model.rbm rows.csv",
		"rbm features model.rbm rows.csv -o features.npy",
		"rbm features model.npz rows.npz -array x -o features.csv",
	},
	setup: func(f *flags) action {
		o := new(features)
		f.group("Output")
		f.text(&o.out, "o", "", "`FILE` of the features, .csv, .tsv or .npy (default CSV on the standard output)")
		o.data.declare(f)
		return o.run
	},
}

type features struct {
	out  string
	data dataFlags
}

func (o *features) run(ctx context.Context, e *env, args []string) error {
	if err := checkValuesOutput(o.out, args...); err != nil {
		return err
	}
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	r, err := o.data.readComplete(ctx, e, args[1], m, side)
	if err != nil {
		return err
	}
	_, nh := m.Dims()
	names := make([]string, nh)
	for j := range names {
		names[j] = "hidden_" + strconv.Itoa(j)
	}
	return writeValues(e, o.out, m.HiddenProbs(nil, r.bits), r.rowNames(), names, "")
}
