package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/gorbm/rbm/bitio"
)

// null tells where a value is missing: never in the first third of n rows.
func null(r, j, n int) bool { return r >= n/3 && (r+3*j)%7 == 0 }

func value(r, j int) int { return (r/2 + r*j/2) % 2 }

// of returns the values of rows [i, k) of column j of n rows; in column 1 that of row bad is
// 2. Known ones have a definition level of 1.
func of[T int8 | int32 | int64 | uint64](i, k, j, n, bad int) (values []T, known []bool, levels []int16) {
	for r := i; r < k; r++ {
		x := T(value(r, j))
		if j == 1 && r == bad {
			x = 2
		}
		values, known, levels = append(values, x), append(known, !null(r, j, n)), append(levels, 1)
		if null(r, j, n) {
			levels[len(levels)-1] = 0
		}
	}
	return values, known, levels
}

// present returns the values that are known, and bools those that are 1.
func present[T any](values []T, known []bool) (x []T) {
	for r, v := range values {
		if known[r] {
			x = append(x, v)
		}
	}
	return x
}

func bools(values []int8) (x []bool) {
	for _, v := range values {
		x = append(x, v == 1)
	}
	return x
}

// people returns as many names.
func people(n int) (names []string) {
	for r := range n {
		names = append(names, fmt.Sprint("person ", r))
	}
	return names
}

// write writes the first of three parts of n rows to a new file of this name.
func write(t *testing.T, name string, n, bad, parts int) (path string) {
	path = filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ends := []int{0, n / 3, 2 * (n / 3), n}
	if strings.HasSuffix(name, ".arrow") {
		err = writeArrow(f, ends[:parts+1], n, bad)
	} else {
		err = writeParquet(f, ends[:parts+1], n, bad)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func writeArrow(f io.Writer, ends []int, n, bad int) error {
	s := arrow.NewSchema([]arrow.Field{
		{Name: "tea", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "who", Type: arrow.BinaryTypes.String},
		{Name: "milk", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
		{Name: "sugar", Type: arrow.PrimitiveTypes.Uint64, Nullable: true},
	}, nil)
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(s))
	if err != nil {
		return err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for p := range len(ends) - 1 {
		i, k := ends[p], ends[p+1]
		tea, known, _ := of[int8](i, k, 0, n, bad)
		b.Field(0).(*array.BooleanBuilder).AppendValues(bools(tea), known)
		b.Field(1).(*array.StringBuilder).AppendValues(people(k-i), nil)
		milk, known, _ := of[int8](i, k, 1, n, bad)
		b.Field(2).(*array.Int8Builder).AppendValues(milk, known)
		sugar, known, _ := of[uint64](i, k, 2, n, bad)
		b.Field(3).(*array.Uint64Builder).AppendValues(sugar, known)
		record := b.NewRecordBatch()
		err := w.Write(record)
		record.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

func writeParquet(f io.Writer, ends []int, n, bad int) error {
	optional := parquet.Repetitions.Optional
	root := schema.MustGroup(schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{
		schema.NewBooleanNode("tea", optional, -1),
		schema.NewByteArrayNode("who", parquet.Repetitions.Required, -1),
		schema.Must(schema.NewPrimitiveNodeLogical("milk", optional, schema.NewIntLogicalType(8, true), parquet.Types.Int32, 0, -1)),
		schema.NewInt64Node("sugar", optional, -1),
	}, -1))
	w := file.NewParquetWriter(f, root)
	for p := range len(ends) - 1 {
		i, k := ends[p], ends[p+1]
		group := w.AppendRowGroup()
		var columns [4]file.ColumnChunkWriter
		write := func(c int, write func(w file.ColumnChunkWriter) error) error {
			var err error
			if columns[c], err = group.NextColumn(); err != nil {
				return err
			}
			if err := write(columns[c]); err != nil {
				return err
			}
			return columns[c].Close()
		}
		for c, do := range []func(w file.ColumnChunkWriter) error{
			func(w file.ColumnChunkWriter) error {
				x, known, levels := of[int8](i, k, 0, n, bad)
				_, err := w.(*file.BooleanColumnChunkWriter).WriteBatch(bools(present(x, known)), levels, nil)
				return err
			},
			func(w file.ColumnChunkWriter) error {
				var x []parquet.ByteArray
				for _, name := range people(k - i) {
					x = append(x, parquet.ByteArray(name))
				}
				_, err := w.(*file.ByteArrayColumnChunkWriter).WriteBatch(x, nil, nil)
				return err
			},
			func(w file.ColumnChunkWriter) error {
				x, known, levels := of[int32](i, k, 1, n, bad)
				_, err := w.(*file.Int32ColumnChunkWriter).WriteBatch(present(x, known), levels, nil)
				return err
			},
			func(w file.ColumnChunkWriter) error {
				x, known, levels := of[int64](i, k, 2, n, bad)
				_, err := w.(*file.Int64ColumnChunkWriter).WriteBatch(present(x, known), levels, nil)
				return err
			},
		} {
			if err := write(c, do); err != nil {
				return err
			}
		}
		if err := group.Close(); err != nil {
			return err
		}
	}
	return w.Close()
}

var names = []string{"rows.parquet", "rows.arrow"}

func TestRead(t *testing.T) {
	for _, n := range []int{3, 100, 6*batchRows + 15} { // at last, more than one batch of a row group
		for _, name := range names {
			table, err := read(write(t, name, n, -1, 3), []string{"who"})
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"tea", "milk", "sugar"}; !slices.Equal(table.Columns, want) {
				t.Errorf("%s: columns are %q, want %q", name, table.Columns, want)
			}
			if r, c := table.Bits.Dims(); r != n || c != 3 {
				t.Fatalf("%s: the table is %d×%d, want %d×3", name, r, c, n)
			}
			for r := range n {
				for j := range 3 {
					known := !null(r, j, n)
					observed := table.Observed == nil || table.Observed.Bit(r, j)
					if observed != known || table.Bits.Bit(r, j) != (known && value(r, j) == 1) {
						t.Fatalf("%s: row %d, column %d of %d rows is %v, known %t, want %d, known %t", name, r, j, n, table.Bits.At(r, j), observed, value(r, j), known)
					}
				}
			}
		}
	}
	// Of the first third nothing is missing.
	for _, name := range names {
		table, err := read(write(t, name, 30, -1, 1), []string{"who"})
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := table.Bits.Dims(); r != 10 || table.Observed != nil {
			t.Errorf("%s: there are %d rows, mask %v, want 10 without a mask", name, r, table.Observed)
		}
	}
}

// Blocks come as they are read: those before a value that is wrong.
func TestBlocks(t *testing.T) {
	const n, bad = 3 * batchRows, 2*batchRows + 8
	want := fmt.Sprintf(`column "milk", row %d is 2, want 0 or 1`, bad)
	for _, name := range names {
		f, err := os.Open(write(t, name, n, bad, 3))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m := memory.NewCheckedAllocator(memory.DefaultAllocator)
		var s *source
		if name == "rows.arrow" {
			s, err = openArrow(f, []string{"who"}, m)
		} else {
			s, err = open(f, []string{"who"})
		}
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int
		var last error
		for b, err := range s.blocks {
			if last = err; err != nil {
				break
			}
			r, _ := b.bits.Dims()
			sizes = append(sizes, r)
		}
		if last == nil || last.Error() != want {
			t.Errorf("%s: error %v, want %s", name, last, want)
		}
		if want := []int{batchRows, batchRows}; !slices.Equal(sizes, want) {
			t.Errorf("%s: blocks before the error have %v rows, want %v", name, sizes, want)
		}
		m.AssertSize(t, 0)
	}
}

func TestErrors(t *testing.T) {
	types := map[string]string{"rows.parquet": "BYTE_ARRAY", "rows.arrow": "utf8"}
	for _, name := range names {
		path := write(t, name, 6, 5, 3)
		for _, tt := range []struct {
			skip []string
			want string
		}{
			{nil, `column "who" is of type ` + types[name] + `, want bool or an integer: leave it out with -skip`},
			{[]string{"who"}, `column "milk", row 5 is 2, want 0 or 1`},
			{[]string{"who", "mlik"}, `there is no column "mlik" to skip`},
			{[]string{"who", "tea", "milk", "sugar"}, "there are no columns but those to skip"},
		} {
			if _, err := read(path, tt.skip); err == nil || err.Error() != path+": "+tt.want {
				t.Errorf("%s: error %v, want %s", name, err, tt.want)
			}
		}
		if _, err := read(write(t, name, 6, -1, 0), []string{"who"}); err == nil || !strings.HasSuffix(err.Error(), "there are no rows") {
			t.Errorf("%s: error %v, want that there are no rows", name, err)
		}
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("a,b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(path, nil); err == nil || !strings.Contains(err.Error(), "want PAR1 of a Parquet file or ARROW1") {
		t.Errorf("error %v of a CSV", err)
	}
}

// A model is trained, and the table is written as a CSV.
func TestRun(t *testing.T) {
	for _, name := range names {
		path := write(t, name, 60, -1, 3)
		var out strings.Builder
		o, err := parse([]string{"-skip", "who", "-epochs", "3", "-hidden", "2", path}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := run(o, &out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) < 4 || lines[0] != "60 rows of tea, milk, sugar" {
			t.Errorf("%s: output is %q", name, out.String())
		}
		table, err := read(path, []string{"who"})
		if err != nil {
			t.Fatal(err)
		}
		var csv strings.Builder
		if err := bitio.Write(&csv, table, nil); err != nil {
			t.Fatal(err)
		}
		if got := csv.String(); !strings.HasPrefix(got, "tea,milk,sugar\n0,0,0\n") {
			t.Errorf("%s: CSV begins with %.40q", name, got)
		}
	}
	if err := run(options{file: "none", hidden: 1, epochs: 1}, io.Discard); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error %v of a missing file", err)
	}
}

func TestParse(t *testing.T) {
	for args, want := range map[string]string{
		"":              "0 arguments",
		"a b":           "2 arguments",
		"-epochs 0 a":   "-epochs is 0, want",
		"-hidden 0 a":   "-hidden is 0, want",
		"-x":            "-x",
		"-help":         flag.ErrHelp.Error(),
		"-epochs two a": `"two"`,
	} {
		var help strings.Builder
		if _, err := parse(strings.Fields(args), &help); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, want %q in it", args, err, want)
		}
		if got := help.String(); (args == "-help") != strings.Contains(got, "-skip") {
			t.Errorf("parse(%q) prints %q", args, got)
		}
	}
}
