package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

// batchRows is how many rows of a Parquet file are read at a time. An Arrow IPC file has
// record batches of its own.
const batchRows = 1 << 14

// A block is the rows of a record batch.
type block struct {
	bits     *rbm.Bits
	observed *rbm.Bits // nil: nothing is missing
}

// read returns all rows of a file, without the columns to skip.
func read(path string, skip []string) (*bitio.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, records, err := open(f, skip, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	n, masked := 0, false
	var all []block
	for b, err := range blocks(names, records) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r, _ := b.bits.Dims()
		n += r
		masked = masked || b.observed != nil
		all = append(all, b)
	}
	if n == 0 {
		return nil, fmt.Errorf("%s: there are no rows", path)
	}
	t := &bitio.Table{Bits: rbm.NewBits(n, len(names)), Columns: names}
	if masked {
		t.Observed = rbm.NewBits(n, len(names))
	}
	n = 0
	for _, b := range all {
		r, c := b.bits.Dims()
		for i := range r {
			copy(t.Bits.RawRow(n+i), b.bits.RawRow(i))
			if !masked {
				continue
			}
			if b.observed != nil {
				copy(t.Observed.RawRow(n+i), b.observed.RawRow(i))
				continue
			}
			for j := range c {
				t.Observed.SetBit(n+i, j, true)
			}
		}
		n += r
	}
	return t, nil
}

// blocks returns the rows of records, as they are read.
func blocks(names []string, records iter.Seq2[arrow.RecordBatch, error]) iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		first := 0 // row of a record
		for record, err := range records {
			if err != nil {
				yield(block{}, err)
				return
			}
			if record.NumRows() == 0 {
				continue
			}
			b, err := pack(record, names, first)
			if !yield(b, err) || err != nil {
				return
			}
			first += int(record.NumRows())
		}
	}
}

// pack returns the rows of a record, the first of which has this number in the file.
func pack(record arrow.RecordBatch, names []string, first int) (block, error) {
	n, c := int(record.NumRows()), len(names)
	b := block{bits: rbm.NewBits(n, c)}
	masked := false
	for _, column := range record.Columns() {
		masked = masked || column.NullN() > 0
	}
	if masked {
		b.observed = rbm.NewBits(n, c)
	}
	for j, column := range record.Columns() {
		one, err := values(column)
		if err != nil {
			return block{}, fmt.Errorf("column %q %w", names[j], err)
		}
		for r := range n {
			if column.IsNull(r) {
				continue
			}
			on, err := one(r)
			if err != nil {
				return block{}, fmt.Errorf("row %d, column %q %w", first+r, names[j], err)
			}
			b.bits.SetBit(r, j, on)
			if masked {
				b.observed.SetBit(r, j, true)
			}
		}
	}
	return b, nil
}

// values returns a function for the value of each row of a column.
func values(column arrow.Array) (func(r int) (bool, error), error) {
	switch c := column.(type) {
	case *array.Boolean:
		return func(r int) (bool, error) { return c.Value(r), nil }, nil
	case *array.Int8:
		return bit(c.Value), nil
	case *array.Int16:
		return bit(c.Value), nil
	case *array.Int32:
		return bit(c.Value), nil
	case *array.Int64:
		return bit(c.Value), nil
	case *array.Uint8:
		return bit(c.Value), nil
	case *array.Uint16:
		return bit(c.Value), nil
	case *array.Uint32:
		return bit(c.Value), nil
	case *array.Uint64:
		return bit(c.Value), nil
	}
	return nil, isType(column.DataType())
}

func bit[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](value func(r int) T) func(r int) (bool, error) {
	return func(r int) (bool, error) {
		x := value(r)
		if x != 0 && x != 1 {
			return false, fmt.Errorf("is %d, want 0 or 1", x)
		}
		return x == 1, nil
	}
}

// isType is the error of a column of a type that has no bits.
func isType(t arrow.DataType) error {
	return fmt.Errorf("is of type %s, want bool or an integer: leave it out with -skip", t)
}

// open returns the names of the columns of a file that are not to skip, and its records.
func open(f *os.File, skip []string, m memory.Allocator) (names []string, records iter.Seq2[arrow.RecordBatch, error], err error) {
	start := make([]byte, 6)
	if _, err := f.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case string(start[:4]) == "PAR1":
		return openParquet(f, skip, m)
	case string(start) == "ARROW1":
		return openArrow(f, skip, m)
	}
	return nil, nil, fmt.Errorf("it begins with %q, want PAR1 of a Parquet file or ARROW1 of an Arrow IPC file", start)
}

func openParquet(f *os.File, skip []string, m memory.Allocator) ([]string, iter.Seq2[arrow.RecordBatch, error], error) {
	p, err := file.NewParquetReader(f)
	if err != nil {
		return nil, nil, err
	}
	r, err := pqarrow.NewFileReader(p, pqarrow.ArrowReadProperties{BatchSize: batchRows}, m)
	if err != nil {
		return nil, nil, err
	}
	schema, err := r.Schema()
	if err != nil {
		return nil, nil, err
	}
	names, fields, err := choose(schema, skip)
	if err != nil {
		return nil, nil, err
	}
	var leaves []int // only these are read
	for _, i := range fields {
		leaves = append(leaves, r.Manifest.Fields[i].ColIndex)
	}
	return names, func(yield func(arrow.RecordBatch, error) bool) {
		records, err := r.GetRecordReader(context.Background(), leaves, nil)
		if err != nil {
			yield(nil, err)
			return
		}
		defer records.Release()
		for records.Next() {
			if !yield(records.RecordBatch(), nil) {
				return
			}
		}
		if err := records.Err(); err != nil {
			yield(nil, err)
		}
	}, nil
}

func openArrow(f *os.File, skip []string, m memory.Allocator) ([]string, iter.Seq2[arrow.RecordBatch, error], error) {
	r, err := ipc.NewFileReader(f, ipc.WithAllocator(m))
	if err != nil {
		return nil, nil, err
	}
	names, fields, err := choose(r.Schema(), skip)
	if err != nil {
		return nil, nil, err
	}
	var chosen []arrow.Field
	for _, i := range fields {
		chosen = append(chosen, r.Schema().Field(i))
	}
	schema := arrow.NewSchema(chosen, nil)
	return names, func(yield func(arrow.RecordBatch, error) bool) {
		defer r.Close()
		for i := range r.NumRecords() {
			all, err := r.RecordBatchAt(i)
			if err != nil {
				yield(nil, err)
				return
			}
			var columns []arrow.Array
			for _, i := range fields {
				columns = append(columns, all.Column(i))
			}
			record := array.NewRecordBatch(schema, columns, all.NumRows())
			more := yield(record, nil)
			record.Release()
			all.Release()
			if !more {
				return
			}
		}
	}, nil
}

// choose returns the names and numbers of the columns that are not to skip.
func choose(schema *arrow.Schema, skip []string) (names []string, fields []int, err error) {
	for _, name := range skip {
		if !schema.HasField(name) {
			return nil, nil, fmt.Errorf("there is no column %q to skip", name)
		}
	}
	for i, field := range schema.Fields() {
		if slices.Contains(skip, field.Name) {
			continue
		}
		if id := field.Type.ID(); id != arrow.BOOL && !arrow.IsInteger(id) {
			return nil, nil, fmt.Errorf("column %q %w", field.Name, isType(field.Type))
		}
		names, fields = append(names, field.Name), append(fields, i)
	}
	if len(names) == 0 {
		return nil, nil, errors.New("there are no columns but those to skip")
	}
	return names, fields, nil
}
