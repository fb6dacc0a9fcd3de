package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

// usualMissing are the texts of missing values that package bitio knows.
var usualMissing = []string{"", "NA", "N/A", "?", "nan", "NaN", "null"}

// join puts a unit for each class behind the columns, by the labels that were read as names
// of the rows. A label that is missing leaves these units missing.
func (r *rows) join(o *bitio.Options) error {
	if r.names == nil {
		return fmt.Errorf("%s: there are no labels", r.path)
	}
	missing := o.Missing
	if missing == nil {
		missing = usualMissing
	}
	known := func(label string) bool { return !slices.Contains(missing, strings.TrimSpace(label)) }
	if r.format.Classes == nil {
		r.format.Classes = classesOf(r.names, known)
	}
	if len(r.format.Classes) < 2 {
		return fmt.Errorf("%s: column %q has the labels %q, want two at least", r.path, r.format.Label, r.format.Classes)
	}
	n, nx := r.bits.Dims()
	classes := len(r.format.Classes)
	v, observed := rbm.NewBits(n, nx+classes), rbm.NewBits(n, nx+classes)
	for i, label := range r.names {
		copy(v.RawRow(i), r.bits.RawRow(i))
		for j := range nx {
			observed.SetBit(i, j, r.observed == nil || r.observed.Bit(i, j))
		}
		if !known(label) {
			continue
		}
		class := slices.Index(r.format.Classes, strings.TrimSpace(label))
		if class < 0 {
			return fmt.Errorf("%s: row %d has the label %q, want one of %q", r.path, i, label, r.format.Classes)
		}
		v.SetBit(i, nx+class, true)
		for k := range classes {
			observed.SetBit(i, nx+k, true)
		}
	}
	r.bits, r.observed, r.names = v, observed, nil
	if len(r.complete()) == n {
		r.observed = nil
	}
	if r.columns != nil {
		r.columns = r.format.names()
	}
	return nil
}

// classesOf returns the labels that there are, in order.
func classesOf(labels []string, known func(string) bool) (classes []string) {
	seen := make(map[string]bool)
	for _, label := range labels {
		if label := strings.TrimSpace(label); known(label) && !seen[label] {
			seen[label] = true
			classes = append(classes, label)
		}
	}
	slices.Sort(classes)
	return classes
}

// names returns the names of the columns, and of a unit for each class, or nil.
func (f *rowFormat) names() []string {
	if f.Columns == nil {
		return nil
	}
	names := slices.Clone(f.Columns)
	for _, class := range f.Classes {
		names = append(names, f.Label+"="+class)
	}
	return names
}
