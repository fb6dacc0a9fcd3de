package bitio_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/gorbm/rbm/bitio"
)

// fuzzRead checks that bytes give a table or an error, in memory that is bounded; that a stream
// has the same rows; and that what is written of the table is read as it is.
func fuzzRead(f *testing.F, format bitio.Format, extension string) {
	for _, tt := range tests {
		if strings.HasPrefix(tt.name, "a."+extension) {
			f.Add([]byte(tt.in), uint16(0))
			f.Add([]byte(tt.in), uint16(0xffff))
		}
	}
	for _, tt := range arrays {
		if strings.HasPrefix(tt.name, "a."+extension) && tt.stream != "it is compressed" {
			f.Add([]byte(tt.in), uint16(0))
			f.Add([]byte(tt.in), uint16(0xff))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, flags uint16) {
		if bytes.HasPrefix(in, []byte{0x1f, 0x8b}) {
			return // of which the memory is not bounded by its size
		}
		flag := func(i int) bool { return flags>>i&1 == 1 }
		o := &bitio.Options{Format: format, MaxBytes: 1 << 16}
		if flag(0) {
			o.Spins = true
		} else if flag(1) {
			o.Threshold = above(0.5)
		}
		if flag(2) {
			o.Header = bitio.WithHeader
		} else if flag(3) {
			o.Header = bitio.NoHeader
		}
		if flag(4) {
			o.ID = "0"
		}
		if flag(5) {
			o.Skip = []string{"1"}
		}
		o.AbsentMissing, o.ZeroBased, o.IgnoreUnknown = flag(6), flag(7), flag(8)
		if flag(9) {
			o.Columns = []string{"a", "b", "1"}
		}
		if flag(10) && !flag(9) {
			o.Width = 5
		}
		if flag(11) {
			o.Array = "X"
		}
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		table, err := bitio.Read(bytes.NewReader(in), "", o)
		runtime.ReadMemStats(&m1)
		// The bytes that are zipped are bounded by what is in the file a thousand times.
		most := uint64(1<<19 + 300*len(in))
		if format == bitio.NPZ {
			most = uint64(1<<20 + 40_000*len(in))
		}
		if n := m1.TotalAlloc - m0.TotalAlloc; n > most {
			t.Errorf("%d bytes take %d", len(in), n)
		}
		rows, streamErr := streamed(bitio.Stream(bytes.NewReader(in), "", o))
		if err != nil {
			if table != nil || !strings.HasPrefix(err.Error(), "bitio: ") {
				t.Errorf("table %v besides the error %v", table, err)
			}
			if streamErr == nil && !strings.Contains(err.Error(), "MaxBytes") {
				t.Errorf("Stream has no error, Read has %v", err)
			}
			return
		}
		values := show(&bitio.Table{Bits: table.Bits, Observed: table.Observed})
		if strings.ContainsAny(values, "!+") {
			t.Errorf("a missing value is 1, or a bit past the last column: %s", values)
		}
		if streamErr == nil {
			if strings.Contains(values, "?") {
				t.Errorf("Stream has rows of which values are missing: %s", values)
			}
			if got, want := show(&bitio.Table{Bits: rows}), show(&bitio.Table{Bits: table.Bits}); got != want {
				t.Errorf("Stream has %s, want %s", got, want)
			}
		}
		if format == bitio.Auto {
			return
		}
		var out bytes.Buffer
		again := &bitio.Options{Format: format, Spins: o.Spins, ZeroBased: o.ZeroBased, AbsentMissing: o.AbsentMissing, Array: o.Array, ID: "id"}
		if format != bitio.CSV && format != bitio.Pairs {
			table.Columns = nil
			_, again.Width = table.Bits.Dims()
		} else {
			again.Columns = table.Columns
			again.Comma = ','
			if table.Rows == nil {
				again.ID = ""
			} else if table.Columns == nil {
				again.ID = "0"
			}
			for _, name := range table.Columns {
				if name == "id" {
					return
				}
			}
		}
		got := show(table)
		if err := bitio.Write(&out, table, again); err != nil {
			return // a name that cannot be written
		}
		second, err := bitio.Read(bytes.NewReader(out.Bytes()), "", again)
		if err != nil {
			t.Errorf("%s was written as %q, but not read: %v", got, out.Bytes(), err)
		} else if s := show(second); s != got {
			// With all values known a mask is not written.
			plain := *table
			plain.Observed = nil
			if strings.Contains(values, "?") || s != show(&plain) {
				t.Errorf("%s was written as %q, and read as %s", got, out.Bytes(), s)
			}
		}
	})
}

func FuzzReadCSV(f *testing.F)     { fuzzRead(f, bitio.CSV, "csv") }
func FuzzReadText(f *testing.F)    { fuzzRead(f, bitio.Text, "txt") }
func FuzzReadPairs(f *testing.F)   { fuzzRead(f, bitio.Pairs, "pairs") }
func FuzzReadLibSVM(f *testing.F)  { fuzzRead(f, bitio.LibSVM, "svm") }
func FuzzReadIndices(f *testing.F) { fuzzRead(f, bitio.Indices, "indices") }
func FuzzReadNPY(f *testing.F)     { fuzzRead(f, bitio.NPY, "npy") }
func FuzzReadNPZ(f *testing.F)     { fuzzRead(f, bitio.NPZ, "npz") }
func FuzzReadIDX(f *testing.F)     { fuzzRead(f, bitio.IDX, "idx") }
func FuzzReadPacked(f *testing.F)  { fuzzRead(f, bitio.Packed, "bits") }
func FuzzReadAuto(f *testing.F)    { fuzzRead(f, bitio.Auto, "") }
