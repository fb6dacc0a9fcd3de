package bitio

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// records reads the records of a CSV.
type records struct {
	r    *csv.Reader
	line int // of the record that was read last
	last int // and where it ends
}

func newRecords(r io.Reader, comma rune) *records {
	c := csv.NewReader(r)
	c.Comma = comma
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	c.TrimLeadingSpace = comma != '\t' && comma != ' ' // which it would take for space
	return &records{r: c}
}

// next returns the next record, valid until the next one.
func (r *records) next() ([]string, error) {
	fields, err := r.r.Read()
	if err != nil {
		return nil, err
	}
	r.line, _ = r.r.FieldPos(0)
	r.last, _ = r.r.FieldPos(len(fields) - 1)
	r.last += strings.Count(fields[len(fields)-1], "\n")
	return fields, nil
}

// A layout says which fields of a record are values.
type layout struct {
	fields int
	id     int      // the field of names of rows, or -1
	values []int    // the fields of values, in the order of the columns
	names  []string // of the columns, or nil
	header []string // of the fields, or nil
}

// column names the column of field i.
func (l *layout) column(i int) string {
	if l.header != nil {
		return fmt.Sprintf("column %d (%.40q)", i, l.header[i])
	}
	return fmt.Sprintf("column %d", i)
}

// hint says what to do about a field that is no value.
func (l *layout) hint(field string, first bool) string {
	switch {
	case !first || isNumber(field):
		return ""
	case l.fields == 2:
		return "; set Format to Pairs if lines are a user and an item"
	}
	return "; set ID or Skip if the column has names, and see docs/data.md if it has categories"
}

func (in *input) openCSV() (*source, error) {
	comma := in.comma()
	if comma == ' ' && in.o.Comma == 0 {
		comma = ',' // a single column
	}
	p := newParser(in.o)
	r := newRecords(in.Reader, comma)
	first, err := r.next()
	if err == io.EOF {
		return nil, errNoRows
	}
	if err != nil {
		return nil, err
	}
	first = slices.Clone(first)
	l, err := newLayout(first, p, in.o)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", r.line, err)
	}
	firstLine, again, rows := r.line, l.header == nil, 0
	s := &source{
		cols: len(l.values), names: l.names,
		named: func() bool { return l.id >= 0 },
		where: func() string { return fmt.Sprintf("line %d", r.line) },
	}
	s.next = func(row *row) error {
		fields := first
		if again {
			again = false
		} else {
			last := r.last
			if fields, err = r.next(); err != nil {
				return err
			}
			if l.fields == 1 && r.line > last+1 {
				return fmt.Errorf("line %d is blank, want a value, NA if it is missing", last+1)
			}
		}
		if len(fields) != l.fields {
			return fmt.Errorf("line %d %w", r.line, ragged("fields", len(fields), l.fields, fmt.Sprintf("line %d", firstLine)))
		}
		rows++
		for j, i := range l.values {
			x, bad := p.field(fields[i])
			if bad != "" {
				return fmt.Errorf("line %d, %s %s%s", r.line, l.column(i), bad, l.hint(fields[i], rows == 1))
			}
			row.set(j, x)
		}
		if l.id >= 0 {
			row.name = strings.Clone(strings.TrimSpace(fields[l.id]))
		}
		return nil
	}
	return s, nil
}

// newLayout returns the layout of records of which the first one is known.
func newLayout(first []string, p *parser, o *Options) (*layout, error) {
	l := &layout{fields: len(first), id: -1}
	header := o.Header == WithHeader
	if o.Header == GuessHeader {
		header = o.ID != "" && isName(o.ID) || slices.ContainsFunc(o.Skip, isName) || o.Columns != nil && hasAll(first, o.Columns)
	}
	if header {
		l.header = trimmed(first)
	}
	find := func(what, s string) (int, error) { return findColumn(l.header, len(first), what, s) }
	left := make([]bool, len(first)) // out
	place := func() (err error) {
		l.id = -1
		clear(left)
		if o.ID != "" {
			if l.id, err = find("ID", o.ID); err != nil {
				return err
			}
			left[l.id] = true
		}
		for _, s := range o.Skip {
			i, err := find("Skip", s)
			if err != nil {
				return err
			}
			if i == l.id {
				return fmt.Errorf("column %.40q is both ID and to be skipped", s)
			}
			left[i] = true
		}
		return nil
	}
	err := place()
	if o.Header == GuessHeader && !header {
		names, bad := l.areNames(first, left, p)
		if bad != "" {
			return nil, errors.New(bad)
		}
		if names || err != nil { // a number may be a name
			l.header = trimmed(first)
			err = place()
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range first {
		if !left[i] {
			l.values = append(l.values, i)
			if l.header != nil {
				l.names = append(l.names, l.header[i])
			}
		}
	}
	if len(l.values) == 0 {
		return nil, fmt.Errorf("there are no columns of values, of %d fields", len(first))
	}
	if o.Columns != nil && l.header != nil {
		return l, l.choose(o)
	}
	return l, nil
}

// areNames reports whether the fields that are not left out are names of columns, as one
// is no value. What is wrong is returned if they are neither names nor values.
func (l *layout) areNames(fields []string, left []bool, p *parser) (names bool, wrong string) {
	odd := false // for names
	seen := make(map[string]bool)
	for i, field := range fields {
		if left[i] {
			continue
		}
		field = strings.TrimSpace(field)
		_, bad := p.field(field)
		switch {
		case bad != "" && !names:
			names, wrong = true, fmt.Sprintf("%s %s; set Header if the line has names", l.column(i), bad)
			fallthrough
		case bad != "":
			odd = odd || isNumber(field) && strings.Trim(field, "0123456789") != ""
		case !p.missing[field]:
			odd = odd || seen[field]
			seen[field] = true
		}
	}
	if odd && names {
		return false, wrong
	}
	return names, ""
}

// hasAll reports whether all names are among the fields.
func hasAll(fields, names []string) bool {
	fields = trimmed(fields)
	for _, name := range names {
		if !slices.Contains(fields, name) {
			return false
		}
	}
	return true
}

// isName reports whether an option has the name of a column, not its number.
func isName(s string) bool { _, err := strconv.Atoi(s); return err != nil }

// findColumn returns the one of n fields that has this name, if there is a header, or this
// number. What is the option that wants it.
func findColumn(header []string, n int, what, s string) (int, error) {
	if i := slices.Index(header, s); i >= 0 {
		if slices.Contains(header[i+1:], s) {
			return 0, fmt.Errorf("there are two columns %.40q, want one: give its number for %s", s, what)
		}
		return i, nil
	}
	if i, err := strconv.Atoi(s); err == nil && 0 <= i && i < n {
		return i, nil
	}
	if header != nil {
		return 0, fmt.Errorf("there is no column %.40q for %s, want one of %s, or a number from 0 to %d", s, what, list(header), n-1)
	}
	return 0, fmt.Errorf("there is no column %.40q for %s, want a number from 0 to %d", s, what, n-1)
}

// choose puts the values into the order of the wanted columns.
func (l *layout) choose(o *Options) error {
	at := make(map[string]int)
	for k, name := range l.names {
		if _, ok := at[name]; ok {
			return fmt.Errorf("there are two columns %.40q, want one of each", name)
		}
		at[name] = l.values[k]
	}
	var values []int
	for _, name := range o.Columns {
		i, ok := at[name]
		if !ok {
			return fmt.Errorf("there is no column %.40q, want all of %s", name, list(o.Columns))
		}
		values = append(values, i)
		delete(at, name)
	}
	if !o.IgnoreUnknown {
		for _, name := range l.names {
			if _, ok := at[name]; ok {
				return fmt.Errorf("there is a column %.40q, want only %s: skip it, or set IgnoreUnknown", name, list(o.Columns))
			}
		}
	}
	l.values, l.names = values, slices.Clone(o.Columns)
	return nil
}

func trimmed(fields []string) []string {
	names := make([]string, len(fields))
	for i, s := range fields {
		names[i] = strings.Clone(strings.TrimSpace(s))
	}
	return names
}

// list returns some of the names, for an error.
func list(names []string) string {
	const most = 8
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.40q", name)
	}
	return b.String()
}
