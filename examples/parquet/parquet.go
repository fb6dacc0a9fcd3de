package main

import (
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// batchRows is how many rows of a row group are read at a time.
const batchRows = 1 << 14

// openParquet returns a block for each batch of rows of a Parquet file. It reads columns as
// they are stored, which needs less of the library than records of Arrow do.
func openParquet(f *os.File, skip []string) (*source, error) {
	p, err := file.NewParquetReader(f)
	if err != nil {
		return nil, err
	}
	s := p.MetaData().Schema
	var all []string
	for i := range s.NumColumns() {
		all = append(all, s.Column(i).Path())
	}
	chosen, names, err := choose(all, skip)
	if err != nil {
		return nil, err
	}
	for _, i := range chosen {
		if c := s.Column(i); !hasBits(c) {
			return nil, wrongType(all[i], describe(c))
		}
	}
	return &source{names, func(yield func(*block, error) bool) {
		first := 0
		for g := range p.NumRowGroups() {
			group := p.RowGroup(g)
			var columns []func(b *block, j int) error
			for k, i := range chosen {
				c, err := group.Column(i)
				if err != nil {
					yield(nil, fmt.Errorf("column %q: %w", names[k], err))
					return
				}
				columns = append(columns, reader(c))
			}
			for left := int(group.NumRows()); left > 0; {
				n := min(left, batchRows)
				b := newBlock(n, len(chosen), first)
				for j, read := range columns {
					if err := read(b, j); err != nil {
						yield(nil, fmt.Errorf("column %q, %w", names[j], err))
						return
					}
				}
				if !yield(b, nil) {
					return
				}
				left -= n
				first += n
			}
		}
	}}, nil
}

// hasBits reports whether a column is one of booleans or integers, with at most one value a row.
func hasBits(c *schema.Column) bool {
	if c.MaxRepetitionLevel() > 0 {
		return false
	}
	switch c.PhysicalType() {
	case parquet.Types.Boolean:
		return true
	case parquet.Types.Int32, parquet.Types.Int64:
		switch c.LogicalType().(type) {
		case schema.NoLogicalType, schema.IntLogicalType:
			return true // not a date, say
		}
	}
	return false
}

func describe(c *schema.Column) string {
	switch {
	case c.MaxRepetitionLevel() > 0:
		return "list"
	case c.LogicalType().IsNone():
		return c.PhysicalType().String()
	}
	return c.LogicalType().String()
}

// reader returns a function that sets column j of a block to the next rows of a column.
func reader(c file.ColumnChunkReader) func(b *block, j int) error {
	most := c.Descriptor().MaxDefinitionLevel()
	of, ok := c.Descriptor().LogicalType().(schema.IntLogicalType)
	signed := !ok || of.IsSigned()
	switch c := c.(type) {
	case *file.BooleanColumnChunkReader:
		return next(c.ReadBatch, most, func(b *block, r, j int, x bool) error {
			if x {
				return set(b, r, j, int8(1))
			}
			return set(b, r, j, int8(0))
		})
	case *file.Int32ColumnChunkReader:
		return next(c.ReadBatch, most, func(b *block, r, j int, x int32) error {
			if signed {
				return set(b, r, j, x)
			}
			return set(b, r, j, uint32(x))
		})
	case *file.Int64ColumnChunkReader:
		return next(c.ReadBatch, most, func(b *block, r, j int, x int64) error {
			if signed {
				return set(b, r, j, x)
			}
			return set(b, r, j, uint64(x))
		})
	}
	panic("the type of a column was not checked")
}

// next returns such a function. Of the rows that readBatch reads, those with the most levels of
// definition have a value.
func next[T any](readBatch func(n int64, values []T, def, rep []int16) (rows int64, known int, err error),
	most int16, set func(b *block, r, j int, x T) error) func(b *block, j int) error {
	values, def := make([]T, batchRows), make([]int16, batchRows)
	return func(b *block, j int) error {
		n, _ := b.bits.Dims()
		for at := 0; at < n; {
			rows, known, err := readBatch(int64(n-at), values, def, nil)
			if err != nil {
				return err
			}
			if rows == 0 {
				return io.ErrUnexpectedEOF
			}
			k := 0
			for i := range int(rows) {
				if most > 0 && def[i] < most {
					continue
				}
				if k == known {
					return fmt.Errorf("row %d: %w", b.first+at+i, io.ErrUnexpectedEOF)
				}
				if err := set(b, at+i, j, values[k]); err != nil {
					return err
				}
				k++
			}
			at += int(rows)
		}
		return nil
	}
}
