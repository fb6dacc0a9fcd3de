package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/npz"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

var publishedKind = kind{"published", "the likelihood of a published model and its rows", func(f *flag.FlagSet) action {
	o := new(published)
	f.StringVar(&o.file, "file", "", "`.npz` of W, b, c and the rows")
	f.StringVar(&o.rows, "rows", "x", "`name` of the array of rows")
	whole(f, &o.temperatures, "temperatures", 10000, 1, "`number` of temperatures of each run")
	f.Uint64Var(&o.seed, "seed", 1, "`seed` of the runs")
	return o.run
}}

// A published is a model that somebody else has trained.
type published struct {
	file, rows   string
	temperatures int
	seed         uint64
}

func (o *published) run(ctx context.Context, w io.Writer) error {
	if o.file == "" {
		return errors.New("published: want -file")
	}
	m, err := npz.Load(o.file)
	if err != nil {
		return err
	}
	t, err := bitio.ReadFile(o.file, &bitio.Options{Array: o.rows})
	if err != nil {
		return err
	}
	nv, nh := m.Dims()
	n, _ := t.Bits.Dims()
	f := stat.Mean(m.FreeEnergy(nil, t.Bits), nil)
	fmt.Fprintf(w, "%d×%d units, %d rows of mean free energy %.6f\n", nv, nh, n, f)

	begin := time.Now()
	l, err := m.LogLikelihood(ctx, t.Bits, rbm.NewAIS(100, o.temperatures, rand.NewPCG(o.seed, 0)))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "log-likelihood, log Z %.2f: %v (%.1f minutes)\n", l.LogZ, l, time.Since(begin).Minutes())

	// The trap: one side alone, from a base that knows nothing of the rows.
	for _, temperatures := range []int{1000, o.temperatures} {
		a := rbm.NewAIS(100, temperatures, rand.NewPCG(o.seed, 1))
		a.Base = mat.NewVecDense(nv, nil)
		z, err := a.Run(ctx, m)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "AIS from the uniform distribution alone, %d temperatures: log Z %.2f ± %.2f, ESS %.1f of 100, and a log-likelihood of %.2f\n",
			temperatures, z.Mean, z.StdErr, z.ESS, -f-z.Mean)
	}
	return nil
}
