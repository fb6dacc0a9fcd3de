package bitio

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/gorbm/rbm"
)

// maxIndex is the largest index of a column.
const maxIndex = 1<<31 - 2

// An entry is a value of a row of LibSVM or Indices.
type entry struct {
	j int
	x value
}

// sparse reads the lines of LibSVM or Indices.
type sparse struct {
	lines
	p       *parser
	bare    bool // Indices
	base    int  // the first index
	width   int  // or 0
	named   bool // rows have labels
	known   bool // named is known
	blank   int  // the first line that is blank, before it is known
	entries []entry
}

// next reads the entries of a row, in the order of the columns.
func (s *sparse) next() (label string, err error) {
	line, err := s.lines.next()
	if err != nil {
		return "", err
	}
	if !s.bare {
		line, _, _ = bytes.Cut(line, []byte("#"))
	}
	s.entries = s.entries[:0]
	fields := bytes.Fields(line)
	if !s.bare {
		if label, fields, err = s.label(fields); err != nil {
			return "", err
		}
	}
	for _, field := range fields {
		e := entry{x: one}
		index, text, colon := bytes.Cut(field, []byte(":"))
		i, err := strconv.Atoi(string(index))
		switch {
		case colon == s.bare && s.bare:
			return "", fmt.Errorf("line %d has %.40q, want an index: index:value is of the format libsvm", s.number, field)
		case colon == s.bare:
			return "", fmt.Errorf("line %d has %.40q, want index:value: an index alone is of the format indices", s.number, field)
		case err != nil:
			return "", fmt.Errorf("line %d has the index %.40q, want a number", s.number, index)
		case i < s.base && s.base == 1:
			return "", fmt.Errorf("line %d has the index %d, want at least 1; set ZeroBased if the first one is 0", s.number, i)
		case i < s.base:
			return "", fmt.Errorf("line %d has the index %d, want at least 0", s.number, i)
		case s.width > 0 && i >= s.base+s.width:
			return "", fmt.Errorf("line %d has the index %d, want at most %d for %d columns", s.number, i, s.base+s.width-1, s.width)
		case i > maxIndex:
			return "", fmt.Errorf("line %d has the index %d, want at most %d", s.number, i, maxIndex)
		}
		e.j = i - s.base
		if colon {
			var bad string
			if e.x, bad = s.p.field(string(text)); bad != "" {
				return "", fmt.Errorf("line %d, index %d %s", s.number, i, bad)
			}
		}
		s.entries = append(s.entries, e)
	}
	slices.SortStableFunc(s.entries, func(a, b entry) int { return a.j - b.j })
	for k, e := range s.entries {
		if k > 0 && e.j == s.entries[k-1].j && e.x != s.entries[k-1].x {
			return "", fmt.Errorf("line %d has the index %d twice, with different values", s.number, e.j+s.base)
		}
	}
	return label, nil
}

// label takes the label off the fields of a line.
func (s *sparse) label(fields [][]byte) (string, [][]byte, error) {
	switch {
	case len(fields) == 0 && s.known && s.named:
		return "", nil, fmt.Errorf("line %d is blank, want a label as older lines have", s.number)
	case len(fields) == 0:
		if s.blank == 0 {
			s.blank = s.number
		}
		return "", nil, nil
	}
	labeled := !bytes.ContainsRune(fields[0], ':')
	switch {
	case !s.known && labeled && s.blank > 0:
		return "", nil, fmt.Errorf("line %d has a label %.40q, want none as line %d is blank", s.number, fields[0], s.blank)
	case s.known && labeled && !s.named:
		return "", nil, fmt.Errorf("line %d begins with %.40q, want index:value as older lines have no label", s.number, fields[0])
	case s.known && !labeled && s.named:
		return "", nil, fmt.Errorf("line %d begins with %.40q, want a label as older lines have", s.number, fields[0])
	}
	s.known, s.named = true, labeled
	if labeled {
		return string(fields[0]), fields[1:], nil
	}
	return "", fields, nil
}

func (in *input) openSparse(stream bool) (*source, error) {
	s := &sparse{lines: lines{r: in.Reader}, p: newParser(in.o), bare: in.format == Indices, base: 1, width: in.o.Width}
	if in.o.ZeroBased {
		s.base = 0
	}
	if n := len(in.o.Columns); n > 0 && s.width == 0 {
		s.width = n
	}
	if stream {
		if s.width == 0 {
			return nil, fmt.Errorf("how many columns %s has is not known before its end: a stream wants Width", in.format)
		}
		if s.width > maxIndex {
			return nil, fmt.Errorf("option Width is %d, want at most %d", s.width, maxIndex)
		}
		return &source{
			cols:  s.width,
			where: func() string { return fmt.Sprintf("line %d", s.number) },
			next: func(row *row) error {
				_, err := s.next()
				for _, e := range s.entries {
					row.set(e.j, e.x)
				}
				return err
			},
		}, nil
	}
	t, err := s.table(in.o)
	if err != nil {
		return nil, err
	}
	return &source{table: t}, nil
}

// table reads all rows.
func (s *sparse) table(o *Options) (*Table, error) {
	var entries []uint64 // each a column and its value
	var ends []int       // of the rows
	var names []string
	cols, masked := s.width, false
	for {
		name, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, e := range s.entries {
			entries = append(entries, uint64(e.j)<<2|uint64(e.x))
			cols = max(cols, e.j+1)
			masked = masked || e.x == missing
		}
		ends = append(ends, len(entries))
		if s.named {
			names = append(names, name)
		}
	}
	if len(ends) == 0 {
		return nil, errNoRows
	}
	if cols == 0 {
		return nil, fmt.Errorf("there are %d rows and no index, want at least one, or Width", len(ends))
	}
	tables := 1
	if masked {
		tables = 2
	}
	if err := checkBytes(len(ends), cols, tables, o); err != nil {
		return nil, err
	}
	t := &Table{Bits: rbm.NewBits(len(ends), cols), Rows: names}
	if masked {
		t.Observed = rbm.NewBits(len(ends), cols)
		invert(t.Observed)
	}
	k := 0
	for r, end := range ends {
		for ; k < end; k++ {
			j := int(entries[k] >> 2)
			switch value(entries[k] & 3) {
			case one:
				t.Bits.SetBit(r, j, true)
			case missing:
				t.Observed.SetBit(r, j, false)
			}
		}
	}
	return t, nil
}

// checkBytes returns an error if so many tables are larger than MaxBytes.
func checkBytes(n, c, tables int, o *Options) error {
	most := o.MaxBytes
	if most == 0 {
		most = 4 << 30
	}
	// Every factor is less than 2³¹, or the number of things that are in memory.
	if size := float64(n) * float64(wordsOf(c)) * 8 * float64(tables); size > float64(most) || size > maxBits {
		return fmt.Errorf("the table is %d×%d and takes %.0f bytes, want at most %d: set MaxBytes if it is right", n, c, size, most)
	}
	return nil
}

const maxBits = 1 << (30 + 28*(^uint(0)>>63)) // what a machine may address, about
