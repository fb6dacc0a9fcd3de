package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gorbm/rbm/internal/cpu"
)

var infoCommand = &command{
	name:  "info",
	args:  "[FILE]",
	least: 0,
	most:  1,
	short: "what a model, a checkpoint or a file of rows has in it",
	long: `
Info prints what a file is, and its sizes: of a model the units, groups and weights, and how it was trained; of a
checkpoint how far it is; of rows their number, the share of ones, and what is missing. Without a file it prints the
versions, the processor, and the kernels in use, AVX-512, AVX2, NEON or Go, for a report of a problem.

RBM_SIMD=off in the environment switches all kernels off, and RBM_SIMD=avx2 those for AVX-512. The results have the same
bits: if not, please report it.`,
	examples: []string{
		"rbm info model.rbm",
		"rbm info rows.csv",
		"rbm info",
	},
	setup: func(f *flags) action {
		o := new(information)
		o.data.declare(f)
		return o.run
	},
}

type information struct{ data dataFlags }

func (o *information) run(ctx context.Context, e *env, args []string) error {
	if len(args) == 0 {
		machine(e.stdout)
		return nil
	}
	path := args[0]
	if path != "-" {
		head, err := readHead(path)
		if err != nil {
			return err
		}
		if isCheckpoint(head) {
			return checkpointInfo(e.stdout, path)
		}
		model, err := (&conversion{data: o.data}).isModel(path)
		if err != nil {
			return err
		}
		if model {
			return modelInfo(e.stdout, path)
		}
	}
	r, err := o.data.read(ctx, e, path)
	if err != nil {
		return err
	}
	rowsInfo(e.stdout, r)
	return nil
}

// machine prints what a report of a problem should tell.
func machine(w io.Writer) {
	version := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		version = b.Main.Version
	}
	fmt.Fprintf(w, "rbm:     %s\nGo:      %s\nsystem:  %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if name := processor(); name != "" {
		fmt.Fprintf(w, "CPU:     %s\n", name)
	}
	fmt.Fprintf(w, "cores:   %d, of which %d are used\n", runtime.NumCPU(), runtime.GOMAXPROCS(0))
	fmt.Fprintf(w, "kernels: %s", cpu.Kernels())
	if value := os.Getenv(cpu.Variable); value != "" {
		fmt.Fprintf(w, ", with %s=%s", cpu.Variable, value)
	}
	fmt.Fprintln(w)
}

func checkpointInfo(w io.Writer, path string) error {
	s, err := loadSaved(path)
	if err != nil {
		return err
	}
	n := s.note
	fmt.Fprintf(w, "%s: a checkpoint of rbm train\n", path)
	fmt.Fprintf(w, "visible units: %d\n", n.Visible)
	fmt.Fprintf(w, "done:          %d of %d epochs, %d steps\n", n.Epoch, n.Settings.Epochs, n.Step)
	fmt.Fprintf(w, "settings:      %v\n", &n.Settings)
	columnsInfo(w, n.Rows)
	return nil
}

func modelInfo(w io.Writer, path string) error {
	m, side, err := readModel(path)
	if err != nil {
		return err
	}
	nv, nh := m.Dims()
	sum, odd := 0.0, 0
	for j := range nh {
		for _, x := range m.W.RawRowView(j) {
			sum += float64(x * x)
			if math.IsNaN(x) || math.IsInf(x, 0) {
				odd++
			}
		}
	}
	fmt.Fprintf(w, "%s: a model\n", path)
	fmt.Fprintf(w, "visible units: %d\n", nv)
	fmt.Fprintf(w, "hidden units:  %d\n", nh)
	if len(m.OneHot) > 0 {
		fmt.Fprintf(w, "groups:        %v\n", m.OneHot)
	}
	fmt.Fprintf(w, "weights:       root mean square %.4g\n", math.Sqrt(sum/float64(nv*nh)))
	if odd > 0 {
		fmt.Fprintf(w, "not finite:    %d weights\n", odd)
	}
	if side == nil {
		fmt.Fprintf(w, "columns:       without names, as there is no %s\n", sidecarOf(path))
		return nil
	}
	if side.Training != nil {
		fmt.Fprintf(w, "training:      %v\n", side.Training)
	}
	columnsInfo(w, side.Rows)
	return nil
}

// columnsInfo prints the names of the columns, or some.
func columnsInfo(w io.Writer, r rowFormat) {
	const most = 10
	switch n := len(r.Columns); {
	case n == 0:
		fmt.Fprintln(w, "columns:       without names")
	case n <= most:
		fmt.Fprintf(w, "columns:       %s\n", strings.Join(r.Columns, ", "))
	default:
		fmt.Fprintf(w, "columns:       %s and %d more\n", strings.Join(r.Columns[:most], ", "), n-most)
	}
}

func rowsInfo(w io.Writer, r *rows) {
	n, c := r.bits.Dims()
	on := 0
	for i := range n {
		on += ones(r.bits, i)
	}
	missing := r.missingShare()
	known := (1 - missing) * float64(n) * float64(c)
	fmt.Fprintf(w, "%s: rows\n", r.path)
	fmt.Fprintf(w, "rows:          %d\n", n)
	fmt.Fprintf(w, "columns:       %d\n", c)
	fmt.Fprintf(w, "ones:          %.4g%%\n", 100*float64(on)/max(1, known))
	fmt.Fprintf(w, "missing:       %.4g%%, in %d rows\n", 100*missing, n-len(r.complete()))
	always, never := constant(r)
	if always+never > 0 {
		fmt.Fprintf(w, "constant:      %d columns are always 1, %d always 0\n", always, never)
	}
	columnsInfo(w, r.format)
}

// constant returns how many columns have no other value than 1, or 0.
func constant(r *rows) (always, never int) {
	n, c := r.bits.Dims()
	for j := range c {
		on, off := false, false
		for i := range n {
			if r.observed == nil || r.observed.Bit(i, j) {
				on, off = on || r.bits.Bit(i, j), off || !r.bits.Bit(i, j)
			}
		}
		switch {
		case on && !off:
			always++
		case off && !on:
			never++
		}
	}
	return always, never
}
