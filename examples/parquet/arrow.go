package main

import (
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// openArrow returns a block for each record batch of an Arrow IPC file.
func openArrow(f *os.File, skip []string, m memory.Allocator) (*source, error) {
	r, err := ipc.NewFileReader(f, ipc.WithAllocator(m))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, field := range r.Schema().Fields() {
		all = append(all, field.Name)
	}
	chosen, names, err := choose(all, skip)
	if err != nil {
		return nil, err
	}
	for _, i := range chosen {
		if of := r.Schema().Field(i).Type; of.ID() != arrow.BOOL && !arrow.IsInteger(of.ID()) {
			return nil, wrongType(all[i], of)
		}
	}
	return &source{names, func(yield func(*block, error) bool) {
		defer r.Close()
		first := 0
		for k := range r.NumRecords() {
			record, err := r.RecordBatchAt(k)
			if err != nil {
				yield(nil, err)
				return
			}
			b, err := pack(record, chosen, names, first)
			n := int(record.NumRows())
			record.Release()
			if n == 0 {
				continue
			}
			if !yield(b, err) || err != nil {
				return
			}
			first += n
		}
	}}, nil
}

// pack returns the chosen columns of a record.
func pack(record arrow.RecordBatch, chosen []int, names []string, first int) (*block, error) {
	if record.NumRows() == 0 {
		return nil, nil
	}
	b := newBlock(int(record.NumRows()), len(chosen), first)
	for j, i := range chosen {
		if err := setAll(b, j, record.Column(i)); err != nil {
			return nil, fmt.Errorf("column %q, %w", names[j], err)
		}
	}
	return b, nil
}

// setAll sets column j of b.
func setAll(b *block, j int, column arrow.Array) error {
	switch c := column.(type) {
	case *array.Boolean:
		return setEach(b, j, c, func(r int) uint8 {
			if c.Value(r) {
				return 1
			}
			return 0
		})
	case *array.Int8:
		return setEach(b, j, c, c.Value)
	case *array.Int16:
		return setEach(b, j, c, c.Value)
	case *array.Int32:
		return setEach(b, j, c, c.Value)
	case *array.Int64:
		return setEach(b, j, c, c.Value)
	case *array.Uint8:
		return setEach(b, j, c, c.Value)
	case *array.Uint16:
		return setEach(b, j, c, c.Value)
	case *array.Uint32:
		return setEach(b, j, c, c.Value)
	case *array.Uint64:
		return setEach(b, j, c, c.Value)
	}
	panic("the type of a column was not checked")
}

func setEach[T number](b *block, j int, column arrow.Array, value func(r int) T) error {
	for r := range column.Len() {
		if column.IsNull(r) {
			continue
		}
		if err := set(b, r, j, value(r)); err != nil {
			return err
		}
	}
	return nil
}
