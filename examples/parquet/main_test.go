package main

import (
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
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/gorbm/rbm/bitio"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "tea", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "who", Type: arrow.BinaryTypes.String},
	{Name: "milk", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
	{Name: "sugar", Type: arrow.PrimitiveTypes.Uint64, Nullable: true},
}, nil)

// null tells where a value is missing: never in the first third of n rows.
func null(r, j, n int) bool { return r >= n/3 && (r+3*j)%7 == 0 }

// value is a one where the row, or all but the last column of a row, is odd.
func value(r, j int) int { return (r/2 + r*j/2) % 2 }

// records returns n rows, in records of some of them; the value of bad is 2.
func records(t *testing.T, n, bad int) []arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var all []arrow.RecordBatch
	for r := range n {
		tea, who := b.Field(0).(*array.BooleanBuilder), b.Field(1).(*array.StringBuilder)
		milk, sugar := b.Field(2).(*array.Int8Builder), b.Field(3).(*array.Uint64Builder)
		if null(r, 0, n) {
			tea.AppendNull()
		} else {
			tea.Append(value(r, 0) == 1)
		}
		who.Append(fmt.Sprint("person ", r))
		switch {
		case r == bad:
			milk.Append(2)
		case null(r, 1, n):
			milk.AppendNull()
		default:
			milk.Append(int8(value(r, 1)))
		}
		if null(r, 2, n) {
			sugar.AppendNull()
		} else {
			sugar.Append(uint64(value(r, 2)))
		}
		if (r+1)%(n/3) == 0 || r == n-1 {
			record := b.NewRecordBatch()
			t.Cleanup(record.Release)
			all = append(all, record)
		}
	}
	return all
}

// write writes records to a new file of this name.
func write(t *testing.T, name string, records []arrow.RecordBatch) (path string) {
	path = filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var w interface {
		Write(arrow.RecordBatch) error
		io.Closer
	}
	if strings.HasSuffix(name, ".arrow") {
		w, err = ipc.NewFileWriter(f, ipc.WithSchema(schema))
	} else {
		w, err = pqarrow.NewFileWriter(schema, f, nil, pqarrow.DefaultWriterProps())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

var names = []string{"rows.parquet", "rows.arrow"}

func TestRead(t *testing.T) {
	for _, n := range []int{3, 100, 3*batchRows + 5} { // of a Parquet file more than one batch
		for _, name := range names {
			table, err := read(write(t, name, records(t, n, -1)), []string{"who"})
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
					if table.Observed.Bit(r, j) != known || table.Bits.Bit(r, j) != (known && value(r, j) == 1) {
						t.Fatalf("%s: row %d, column %d of %d rows is %v, known %v", name, r, j, n, table.Bits.At(r, j), table.Observed.At(r, j))
					}
				}
			}
		}
	}
	// Of the first third nothing is missing.
	for _, name := range names {
		table, err := read(write(t, name, records(t, 30, -1)[:1]), []string{"who"})
		if err != nil || table.Observed != nil {
			t.Errorf("%s: table %v, error %v, want one without a mask", name, table, err)
		}
	}
}

// Batch by batch: the first one of a Parquet file comes before a value that is wrong is read.
func TestBlocks(t *testing.T) {
	for _, name := range names {
		f, err := os.Open(write(t, name, records(t, 3*batchRows, 2*batchRows+7)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m := memory.NewCheckedAllocator(memory.DefaultAllocator)
		columns, records, err := open(f, []string{"who"}, m)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for b, err := range blocks(columns, records) {
			if err != nil {
				if want := fmt.Sprintf(`row %d, column "milk" is 2, want 0 or 1`, 2*batchRows+7); err.Error() != want {
					t.Errorf("%s: error %v, want %s", name, err, want)
				}
				break
			}
			n, _ := b.bits.Dims()
			sizes = append(sizes, n)
		}
		if want := []int{batchRows, batchRows}; !slices.Equal(sizes, want) {
			t.Errorf("%s: blocks before the error have %v rows, want %v", name, sizes, want)
		}
		if name == "rows.arrow" {
			m.AssertSize(t, 0)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, name := range names {
		path := write(t, name, records(t, 6, 4))
		for _, tt := range []struct {
			skip []string
			want string
		}{
			{nil, `column "who" is of type utf8, want bool or an integer: leave it out with -skip`},
			{[]string{"who"}, `row 4, column "milk" is 2, want 0 or 1`},
			{[]string{"who", "mlik"}, `there is no column "mlik" to skip`},
			{[]string{"who", "tea", "milk", "sugar"}, "there are no columns but those to skip"},
		} {
			if _, err := read(path, tt.skip); err == nil || !strings.HasSuffix(err.Error(), path+": "+tt.want) {
				t.Errorf("%s: error %v, want %s", name, err, tt.want)
			}
		}
		if _, err := read(write(t, name, nil), []string{"who"}); err == nil || !strings.HasSuffix(err.Error(), "there are no rows") {
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
		path := write(t, name, records(t, 60, -1))
		var out strings.Builder
		if err := run([]string{"-skip", "who", "-epochs", "3", "-hidden", "2", path}, &out); err != nil {
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
	for _, args := range [][]string{nil, {"a", "b"}, {"-epochs", "0", "a"}, {"-x"}, {"none"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("no error for %q", args)
		}
	}
}
