package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gorbm/rbm"
)

var loglikCommand = &command{
	name:  "loglik",
	args:  "MODEL [ROWS]",
	least: 1,
	most:  2,
	short: "the mean log-likelihood of rows, with bounds and a verdict",
	long: `
Loglik prints the mean of log p(v) over the rows, in nats a row, with bounds, log Z, and whether to believe it. Log Z is
exact if a layer is small; else annealed importance sampling estimates it from both sides. Exit code 3 says that the
figure is not believable; the output says why. More runs and temperatures may help, and so may -ladder, if the model was
trained by rbm train -sampler ptt -checkpoint FILE.

MODEL is a file of rbm train, .npz or .json. Without ROWS, MODEL is an .npz that holds the rows too, as an array that
-array names.`,
	examples: []string{
		"rbm loglik model.rbm test.csv",
		"rbm loglik model.rbm test.csv -temperatures 100000 -ladder model.checkpoint",
		"rbm loglik model.npz -array x",
	},
	setup: func(f *flags) action {
		o := new(loglik)
		f.group("Output")
		f.yes(&o.json, "json", "print JSON")
		o.ais.declare(f)
		o.data.declare(f)
		return o.run
	},
}

type loglik struct {
	json bool
	ais  aisFlags
	data dataFlags
}

func (o *loglik) run(ctx context.Context, e *env, args []string) error {
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	path := args[len(args)-1]
	if len(args) == 1 && o.data.array == "" {
		return usagef("loglik: want a file of rows, or -array to name those in %s", path)
	}
	r, err := o.data.readComplete(ctx, e, path, m, side)
	if err != nil {
		return err
	}
	l, err := o.ais.logLikelihood(ctx, e, m, r.bits)
	if err != nil {
		return err
	}
	if err := o.print(e, r, l); err != nil {
		return err
	}
	if !l.Believable() {
		return errNotBelievable
	}
	return nil
}

// print prints the figures and the verdict.
func (o *loglik) print(e *env, r *rows, l rbm.LogLikelihood) error {
	n, _ := r.bits.Dims()
	if !o.json {
		_, err := fmt.Fprintf(e.stdout, "%s: %d rows: %v\n", r.path, n, l)
		return err
	}
	d := json.NewEncoder(e.stdout)
	d.SetIndent("", "  ")
	return d.Encode(map[string]any{
		"rows": n, "mean": finite(l.Mean), "low": finite(l.Low), "high": finite(l.High), "log_z": finite(l.LogZ),
		"exact": l.Exact, "believable": l.Believable(), "doubt": l.Doubt,
	})
}

// finite returns x, or nil where JSON has no number for it.
func finite(x float64) any {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return x
}
