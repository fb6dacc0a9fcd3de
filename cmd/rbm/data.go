package main

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

// A rowFormat says how to read rows for a model: the flags by which the rows were read that
// it was trained on, and the names of its columns.
type rowFormat struct {
	Columns   []string `json:"columns,omitempty"`
	Format    string   `json:"format,omitempty"`
	Header    string   `json:"header,omitempty"`
	Separator string   `json:"separator,omitempty"`
	Skip      string   `json:"skip,omitempty"`
	ID        string   `json:"id,omitempty"`
	Missing   string   `json:"missing,omitempty"`
	Threshold string   `json:"threshold,omitempty"`
	Spins     bool     `json:"spins,omitempty"`
	Absent    bool     `json:"absent_missing,omitempty"`
	ZeroBased bool     `json:"zero_based,omitempty"`

	// Of a classifier. Behind the columns it has a unit for each class.
	Label   string   `json:"label,omitempty"`
	Classes []string `json:"classes,omitempty"`
}

// dataFlags are the flags of all commands that read rows.
type dataFlags struct {
	rowFormat
	array  string
	width  int
	ignore bool
	flags  *flags
}

// declare declares the flags.
func (d *dataFlags) declare(f *flags) {
	d.flags = f
	f.group("Reading rows (train keeps these flags for the commands that use its model)")
	f.text(&d.Format, "format", "", "`NAME`: text, csv, pairs, libsvm, indices, npy, npz, idx or bits (default by the name of the file or its first bytes)")
	f.text(&d.Header, "header", "", "csv, pairs: `yes|no`, whether the first line has names (default found out)")
	f.text(&d.Separator, "sep", "", "csv, pairs: `CHARACTER` between fields, or tab (default found out)")
	f.text(&d.Skip, "skip", "", "csv: `COLUMNS` to leave out, by name or number from 0, with commas between them")
	f.text(&d.ID, "id", "", "csv: `COLUMN` with the names of the rows")
	f.text(&d.Missing, "missing", "", "`TEXTS` of missing values, with commas between them (default empty, NA, N/A, ?, nan, NaN, null)")
	f.text(&d.Threshold, "threshold", "", "values above `X` are ones, others zeros (default all are 0 or 1)")
	f.yes(&d.Spins, "spins", "values are -1 and 1")
	f.text(&d.array, "array", "", "npz: `NAME` of the array")
	f.yes(&d.Absent, "absent-missing", "pairs: what is not in the file is missing, not 0")
	f.yes(&d.ZeroBased, "zero-based", "libsvm, indices: the first column is 0, not 1")
	f.whole(&d.width, "width", 0, 1, 1e9, "libsvm, indices: `N` columns (default the largest index, or those of the model)")
	f.yes(&d.ignore, "ignore-unknown", "csv, pairs: leave out columns that the model does not have")
}

// assume takes the flags that the command line does not have from those that a model was
// trained with.
func (d *dataFlags) assume(r rowFormat) {
	text := func(name string, p *string, value string) {
		if !d.flags.given(name) {
			*p = value
		}
	}
	yes := func(name string, p *bool, value bool) {
		if !d.flags.given(name) {
			*p = value
		}
	}
	text("format", &d.Format, r.Format)
	text("header", &d.Header, r.Header)
	text("sep", &d.Separator, r.Separator)
	text("id", &d.ID, r.ID)
	text("missing", &d.Missing, r.Missing)
	text("threshold", &d.Threshold, r.Threshold)
	yes("spins", &d.Spins, r.Spins)
	yes("absent-missing", &d.Absent, r.Absent)
	yes("zero-based", &d.ZeroBased, r.ZeroBased)
	d.Label, d.Classes = r.Label, r.Classes
	d.Columns = r.Columns
	if d.Columns == nil {
		text("skip", &d.Skip, r.Skip)
	} else if r.Skip != "" && !d.flags.given("skip") {
		d.ignore = true // columns that were left out may be there or not
	}
}

// options returns the options of package bitio.
func (d *dataFlags) options() (*bitio.Options, error) {
	o := &bitio.Options{
		Format: bitio.Format(d.Format), Spins: d.Spins, ID: d.ID, Columns: d.Columns, IgnoreUnknown: d.ignore,
		AbsentMissing: d.Absent, ZeroBased: d.ZeroBased, Width: d.width, Array: d.array,
	}
	switch d.Header {
	case "":
	case "yes":
		o.Header = bitio.WithHeader
	case "no":
		o.Header = bitio.NoHeader
	default:
		return nil, usagef("-header is %q, want yes or no", d.Header)
	}
	if d.Label != "" {
		if d.ID != "" {
			return nil, usagef("-id cannot be given with -label, which is read in its place; leave the column of names out by -skip")
		}
		o.ID = d.Label
	}
	var err error
	if o.Comma, err = separator(d.Separator); err != nil {
		return nil, err
	}
	if d.Skip != "" {
		o.Skip = strings.Split(d.Skip, ",")
	}
	if d.flags.given("missing") || d.Missing != "" {
		o.Missing = strings.Split(d.Missing, ",")
	}
	if d.Threshold != "" {
		x, err := strconv.ParseFloat(d.Threshold, 64)
		if err != nil {
			return nil, usagef("-threshold is %q, want a number", d.Threshold)
		}
		o.Threshold = &x
	}
	return o, nil
}

// separator returns the character that a flag names, or 0.
func separator(s string) (rune, error) {
	switch {
	case s == "tab" || s == `\t`:
		return '\t', nil
	case s == "":
		return 0, nil
	case len([]rune(s)) == 1:
		return []rune(s)[0], nil
	}
	return 0, usagef("-sep is %q, want a character or tab", s)
}

// rows are what was read of a file.
type rows struct {
	path     string
	bits     *rbm.Bits
	observed *rbm.Bits // nil if no value is missing
	names    []string  // of the rows, or nil
	columns  []string  // names, or nil
	format   rowFormat
}

// read reads a file, or the standard input for "-".
func (d *dataFlags) read(ctx context.Context, e *env, path string) (*rows, error) {
	o, err := d.options()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var t *bitio.Table
	if path == "-" {
		t, err = bitio.Read(e.stdin, "standard input", o)
	} else {
		t, err = bitio.ReadFile(path, o)
	}
	if err != nil {
		return nil, trim(err)
	}
	r := &rows{path: path, bits: t.Bits, observed: t.Observed, names: t.Rows, columns: t.Columns, format: d.rowFormat}
	r.format.Columns = t.Columns
	if d.Label != "" {
		return r, r.join(o)
	}
	return r, nil
}

// readNamed reads rows for a model, and says so if it has names of columns and a CSV has none.
func (d *dataFlags) readNamed(ctx context.Context, e *env, path string) (*rows, error) {
	format := bitio.Format(d.Format)
	if format == bitio.Auto {
		format = dataFormat(path)
	}
	if d.Columns == nil || d.Header != "" || format != bitio.CSV || path == "-" {
		return d.read(ctx, e, path)
	}
	named := *d
	named.Header = "yes"
	if r, err := named.read(ctx, e, path); err == nil {
		return r, nil
	}
	r, err := d.read(ctx, e, path)
	if err == nil {
		fmt.Fprintf(e.stderr, "rbm: %s has no names of columns: they are taken in the order of the model; -header no says that this is right\n", path)
	}
	return r, err
}

// readFor reads rows for a model that has this sidecar, or none.
func (d *dataFlags) readFor(ctx context.Context, e *env, path string, m *rbm.RBM, s *sidecar) (*rows, error) {
	nv, _ := m.Dims()
	var columns []string
	if s != nil {
		d.assume(s.Rows)
		columns = s.Rows.names()
	}
	if d.width == 0 {
		d.width = nv - len(d.Classes)
	}
	r, err := d.readNamed(ctx, e, path)
	if err != nil {
		return nil, err
	}
	if err := r.checkColumns(columns, nv, "the model"); err != nil {
		return nil, err
	}
	switch {
	case r.columns == nil:
		r.columns = columns
	case columns == nil:
		fmt.Fprintf(e.stderr, "rbm: the model has no names of columns: those of %s are taken in their order\n", path)
	}
	if r.observed == nil {
		if err := m.CheckRows(r.bits); err != nil {
			return nil, fmt.Errorf("%s: %w", path, trim(err))
		}
	}
	return r, nil
}

// readComplete is readFor, for commands that cannot do with missing values.
func (d *dataFlags) readComplete(ctx context.Context, e *env, path string, m *rbm.RBM, s *sidecar) (*rows, error) {
	r, err := d.readFor(ctx, e, path, m, s)
	if err == nil && r.observed != nil {
		err = fmt.Errorf("%s: %s is missing; rbm complete -draw fills in missing values", path, r.firstMissing())
	}
	return r, err
}

// checkColumns returns an error unless rows have so many columns and, if both have names,
// these ones.
func (r *rows) checkColumns(names []string, width int, of string) error {
	if c := r.width(); c != width {
		return fmt.Errorf("%s has %d columns, want the %d of %s", r.path, c, width, of)
	}
	if names == nil || r.columns == nil {
		return nil
	}
	for i, name := range names {
		if r.columns[i] != name {
			return fmt.Errorf("%s: column %d is %q, want %q as in %s", r.path, i, r.columns[i], name, of)
		}
	}
	return nil
}

func (r *rows) width() int {
	_, c := r.bits.Dims()
	return c
}

// complete returns the numbers of the rows without missing values.
func (r *rows) complete() []int {
	n, _ := r.bits.Dims()
	var all []int
	for i := range n {
		if r.missing(i) == 0 {
			all = append(all, i)
		}
	}
	return all
}

// missing returns the number of missing values of a row.
func (r *rows) missing(i int) int {
	if r.observed == nil {
		return 0
	}
	return r.width() - ones(r.observed, i)
}

// missingShare returns the share of missing values.
func (r *rows) missingShare() float64 {
	n, c := r.bits.Dims()
	missing := 0
	for i := range n {
		missing += r.missing(i)
	}
	return float64(missing) / float64(n) / float64(c)
}

// firstMissing names the first missing value.
func (r *rows) firstMissing() string {
	n, c := r.bits.Dims()
	for i := range n {
		for j := range c {
			if !r.observed.Bit(i, j) {
				return fmt.Sprintf("row %s, column %s", r.rowName(i), r.columnName(j))
			}
		}
	}
	return "no value"
}

func (r *rows) rowName(i int) string {
	if r.names != nil {
		return strconv.Quote(r.names[i])
	}
	return strconv.Itoa(i)
}

func (r *rows) columnName(j int) string {
	if r.columns != nil {
		return strconv.Quote(r.columns[j])
	}
	return strconv.Itoa(j)
}

// columnNames returns the names of all columns, or numbers from 0.
func columnNames(names []string, n int) []string {
	if names != nil {
		return names
	}
	names = make([]string, n)
	for j := range names {
		names[j] = strconv.Itoa(j)
	}
	return names
}

// rowNames returns the names of all rows, or numbers from 0.
func (r *rows) rowNames() []string {
	n, _ := r.bits.Dims()
	return columnNames(r.names, n)
}

// ones returns the number of ones in row i.
func ones(b *rbm.Bits, i int) (n int) {
	for _, word := range b.RawRow(i) {
		n += bits.OnesCount64(word)
	}
	return n
}
