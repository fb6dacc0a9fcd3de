package bitio

import (
	"bytes"
	"fmt"
	"io"
)

func (in *input) openText() (*source, error) {
	p := newParser(in.o)
	l := &lines{r: in.Reader}
	digits := []byte("01 \t")
	if p.missing["?"] {
		digits = append(digits, '?')
	}
	var values []value
	// read sets values to the next row.
	read := func() error {
		for {
			line, err := l.next()
			if err != nil {
				return err
			}
			values = values[:0]
			line = bytes.TrimSpace(line)
			if len(line) == 0 || line[0] == '#' {
				continue
			}
			if !p.spins && p.threshold == nil && len(bytes.Trim(line, string(digits))) == 0 {
				for _, c := range line {
					switch c {
					case '0':
						values = append(values, zero)
					case '1':
						values = append(values, one)
					case '?':
						values = append(values, missing)
					}
				}
				return nil
			}
			for j, field := range bytes.Fields(line) {
				x, bad := p.field(string(field))
				if bad != "" {
					return fmt.Errorf("line %d, column %d %s", l.number, j, bad)
				}
				values = append(values, x)
			}
			return nil
		}
	}
	err := read()
	if err == io.EOF {
		return nil, errNoRows
	}
	if err != nil {
		return nil, err
	}
	s := &source{cols: len(values), where: func() string { return fmt.Sprintf("line %d", l.number) }}
	first, started := l.number, false
	s.next = func(row *row) error {
		if started {
			if err := read(); err != nil {
				return err
			}
		}
		started = true
		if len(values) != s.cols {
			return fmt.Errorf("line %d %w", l.number, ragged("values", len(values), s.cols, fmt.Sprintf("line %d", first)))
		}
		for j, x := range values {
			row.set(j, x)
		}
		return nil
	}
	return s, nil
}
