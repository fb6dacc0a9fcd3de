package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"github.com/gorbm/rbm/internal/atomicfile"
	"github.com/gorbm/rbm/internal/logistic"
	"gonum.org/v1/gonum/mat"
)

var classifyCommand = &command{
	name:  "classify",
	args:  "MODEL ROWS",
	least: 2,
	most:  2,
	short: "the class of each row, by a model of train -label",
	long: `
Classify prints the most probable class of each row, and the probability p(class|row) of every class, exactly. The rows
need no column of labels. With -test they have one, and classify says on the standard error how many of its answers are
wrong.`,
	examples: []string{
		"rbm classify model.rbm new.csv",
		"rbm classify model.rbm test.csv -test -o classes.csv",
		"rbm classify model.rbm new.csv -o probabilities.npy",
	},
	setup: func(f *flags) action {
		o := new(classification)
		f.group("Output")
		f.text(&o.out, "o", "", "`FILE` of the classes, .csv or .tsv, or .npy of the probabilities alone (default CSV on the standard output)")
		f.yes(&o.test, "test", "the rows have labels to compare with")
		o.data.declare(f)
		return o.run
	},
}

type classification struct {
	out  string
	test bool
	data dataFlags
}

func (o *classification) run(ctx context.Context, e *env, args []string) error {
	if err := checkValuesOutput(o.out, args...); err != nil {
		return err
	}
	if strings.HasSuffix(o.out, ".gz") {
		return usagef("classify: -o is %q, want a name that ends in .csv, .tsv or .npy", o.out)
	}
	m, side, err := readModel(args[0])
	if err != nil {
		return err
	}
	if side == nil || side.Rows.Label == "" {
		return fmt.Errorf("%s: this model has no classes, want one of train -label", args[0])
	}
	r, err := o.read(ctx, e, args[1], m, side)
	if err != nil {
		return err
	}
	classes := side.Rows.Classes
	nx := r.width()
	if o.test {
		nx -= len(classes)
	}
	c := &rbm.Classifier{Model: m, Classes: len(classes)}
	n, _ := r.bits.Dims()
	x := rbm.NewBits(n, nx)
	for i := range n {
		for j := range nx {
			x.SetBit(i, j, r.bits.Bit(i, j))
		}
	}
	probs, predicted := c.LogProbs(nil, x), c.Predict(nil, x)
	if o.test {
		o.tell(e, r, nx, probs, predicted)
	}
	probs.Apply(func(_, _ int, x float64) float64 { return logistic.Exp(x) }, probs)
	if dataFormat(o.out) == bitio.NPY {
		return writeValues(e, o.out, probs, nil, nil, "")
	}
	return o.write(e, r, classes, predicted, probs)
}

// read reads rows, of which only those of -test have labels.
func (o *classification) read(ctx context.Context, e *env, path string, m *rbm.RBM, side *sidecar) (*rows, error) {
	if o.test {
		return o.data.readComplete(ctx, e, path, m, side)
	}
	inputs := side.Rows
	inputs.Label, inputs.Classes = "", nil
	o.data.ignore = o.data.ignore || inputs.Columns != nil // the labels may be there
	o.data.assume(inputs)
	nv, _ := m.Dims()
	nx := nv - len(side.Rows.Classes)
	if o.data.width == 0 {
		o.data.width = nx
	}
	r, err := o.data.readNamed(ctx, e, path)
	if err != nil {
		return nil, err
	}
	if err := r.checkColumns(inputs.Columns, nx, "the model"); err != nil {
		return nil, err
	}
	if r.observed != nil {
		return nil, fmt.Errorf("%s: %s is missing; rbm complete -draw fills in missing values", path, r.firstMissing())
	}
	if len(m.OneHot) > 1 {
		err = checkGroups(m.OneHot[:len(m.OneHot)-1], r)
	}
	return r, err
}

// tell says how many answers are wrong.
func (o *classification) tell(e *env, r *rows, nx int, logProbs *mat.Dense, predicted []int) {
	wrong, sum := 0, 0.0
	for i, class := range predicted {
		if class < 0 || !r.bits.Bit(i, nx+class) {
			wrong++
		}
		for k := range r.width() - nx {
			if r.bits.Bit(i, nx+k) {
				sum += logProbs.At(i, k)
			}
		}
	}
	n := len(predicted)
	fmt.Fprintf(e.stderr, "%s: %d of %d rows are classified wrongly, %.2f%%; log p(class) is %.4f nats a row\n", r.path, wrong, n, 100*float64(wrong)/float64(n), sum/float64(n))
}

// write writes names, classes and probabilities.
func (o *classification) write(e *env, r *rows, classes []string, predicted []int, probs *mat.Dense) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if ext := filepath.Ext(o.out); ext == ".tsv" || ext == ".tab" {
		w.Comma = '\t'
	}
	w.Write(append([]string{"id", "class"}, classes...))
	names := r.rowNames()
	for i, class := range predicted {
		record := []string{names[i], "NaN"}
		if class >= 0 {
			record[1] = classes[class]
		}
		for k := range classes {
			record = append(record, strconv.FormatFloat(probs.At(i, k), 'g', -1, 64))
		}
		w.Write(record)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	if o.out == "" || o.out == "-" {
		_, err := e.stdout.Write(b.Bytes())
		return err
	}
	return atomicfile.Replace(o.out, b.Bytes())
}
