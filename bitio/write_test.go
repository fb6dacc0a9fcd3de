package bitio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
	"gonum.org/v1/gonum/mat"
)

// table returns one of random values, of which all are known unless masked.
func table(n, c int, masked bool, names bool, seed uint64) *bitio.Table {
	rnd := rand.New(rand.NewPCG(seed, 1))
	t := &bitio.Table{Bits: rbm.NewBits(n, c)}
	if masked {
		t.Observed = rbm.NewBits(n, c)
	}
	for r := range n {
		for j := range c {
			known := !masked || rnd.IntN(3) > 0
			t.Bits.SetBit(r, j, known && rnd.IntN(2) == 1)
			if masked {
				t.Observed.SetBit(r, j, known)
			}
		}
	}
	if masked {
		t.Bits.SetBit(0, 0, false)
		t.Observed.SetBit(0, 0, false) // one at least
	}
	if names {
		for r := range n {
			t.Rows = append(t.Rows, fmt.Sprintf("r%d", r))
		}
		for j := range c {
			t.Columns = append(t.Columns, fmt.Sprintf("c, \"%d\"", j))
		}
	}
	return t
}

// formats are the formats of extensions.
var formats = map[string]bitio.Format{
	"csv": bitio.CSV, "tsv": bitio.CSV, "txt": bitio.Text, "pairs": bitio.Pairs, "svm": bitio.LibSVM,
	"indices": bitio.Indices, "npy": bitio.NPY, "npz": bitio.NPZ, "idx": bitio.IDX,
}

// What is written is read as it was, whatever the format.
func TestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name          string
		o             bitio.Options
		masked, names bool
	}{
		{"a.csv", bitio.Options{}, false, false},
		{"a.csv", bitio.Options{ID: "id"}, true, true},
		{"a.csv.gz", bitio.Options{ID: "who", Comma: ';', Missing: []string{"-"}}, true, true},
		{"a.tsv", bitio.Options{ID: "id", Spins: true}, true, true},
		{"a.csv", bitio.Options{Spins: true}, true, false},
		{"a.txt", bitio.Options{}, true, false},
		{"a.txt", bitio.Options{Missing: []string{"x"}}, true, false},
		{"a.txt.gz", bitio.Options{Spins: true}, true, false},
		{"a.pairs", bitio.Options{}, true, true},
		{"a.pairs", bitio.Options{}, false, true},
		{"a.pairs", bitio.Options{AbsentMissing: true, Comma: '\t'}, true, true},
		{"a.pairs", bitio.Options{Spins: true}, true, true},
		{"a.svm", bitio.Options{}, true, false},
		{"a.svm", bitio.Options{ZeroBased: true}, false, false},
		{"a.svm", bitio.Options{Spins: true}, true, false},
		{"a.indices", bitio.Options{Width: -1}, false, false},
		{"a.indices", bitio.Options{Width: -1, ZeroBased: true}, false, false},
		{"a.npy", bitio.Options{}, false, false},
		{"a.npy", bitio.Options{}, true, false},
		{"a.npy.gz", bitio.Options{Spins: true}, false, false},
		{"a.npy", bitio.Options{Spins: true}, true, false},
		{"a.npz", bitio.Options{}, false, false},
		{"a.npz", bitio.Options{Array: "X", Spins: true}, true, false},
		{"a.idx", bitio.Options{}, false, false},
		{"a.idx.gz", bitio.Options{Spins: true}, false, false},
		{"a.bits", bitio.Options{}, false, false},
	} {
		for i, size := range [][2]int{{1, 1}, {1, 3}, {3, 1}, {5, 7}, {2, 64}, {7, 65}, {300, 130}} {
			n, c := size[0], size[1]
			for _, empty := range []bool{false, true} {
				o := tt.o
				if o.Width < 0 {
					o.Width = c
				}
				want := table(n, c, tt.masked, tt.names, uint64(i))
				if empty { // the last row and column
					for r := range n {
						want.Bits.SetBit(r, c-1, false)
						if want.Observed != nil {
							want.Observed.SetBit(r, c-1, !o.AbsentMissing)
						}
					}
					for j := range c {
						want.Bits.SetBit(n-1, j, false)
						if want.Observed != nil {
							want.Observed.SetBit(n-1, j, !o.AbsentMissing)
						}
					}
				}
				name := fmt.Sprintf("%s %+v masked=%t n=%d/c=%d empty=%t", tt.name, o, tt.masked, n, c, empty)
				in := o
				if strings.HasPrefix(tt.name, "a.pairs") {
					in.Columns = want.Columns
				}
				var got *bitio.Table
				var err error
				if n == 5 || tt.name == "a.bits" {
					path := filepath.Join(t.TempDir(), tt.name)
					if err := bitio.WriteFile(path, want, &o); err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					got, err = bitio.ReadFile(path, &in)
				} else { // without the disk, which takes its time
					var b bytes.Buffer
					o.Format = formats[strings.Split(tt.name, ".")[1]]
					if err := bitio.Write(&b, want, &o); err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					in.Format = o.Format
					got, err = bitio.Read(&b, "", &in)
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if got, want := show(got), show(want); got != want {
					t.Errorf("%s: got %.300s, want %.300s", name, got, want)
				}
			}
		}
	}
}

// What is written, to the byte.
func TestWrite(t *testing.T) {
	known := &bitio.Table{Bits: rbm.NewBits(2, 3)}
	known.Bits.SetBit(0, 1, true)
	known.Bits.SetBit(0, 2, true)
	known.Bits.SetBit(1, 0, true)
	masked := *known
	masked.Observed = rbm.NewBits(2, 3)
	for _, x := range [][2]int{{0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}} {
		masked.Observed.SetBit(x[0], x[1], true)
	}
	named := masked
	named.Rows, named.Columns = []string{"u", "v"}, []string{"a", "b,c", "d"}
	rows := masked
	rows.Rows = []string{"+1", "x"}
	zero := &bitio.Table{Bits: rbm.NewBits(2, 2)}
	for _, tt := range []struct {
		t    *bitio.Table
		o    *bitio.Options
		want string
	}{
		{known, nil, "0,1,1\n1,0,0\n"},
		{&named, nil, "id,a,\"b,c\",d\nu,NA,1,1\nv,1,0,0\n"},
		{&named, &bitio.Options{Spins: true, ID: "who", Comma: ';', Missing: []string{"", "?"}}, "who;a;b,c;d\nu;;1;1\nv;1;-1;-1\n"},
		{&named, &bitio.Options{Header: bitio.NoHeader}, "u,NA,1,1\nv,1,0,0\n"},
		{&masked, &bitio.Options{Format: bitio.Text}, "?11\n100\n"},
		{&masked, &bitio.Options{Format: bitio.Text, Spins: true}, "? 1 1\n1 -1 -1\n"},
		{&named, &bitio.Options{Format: bitio.Pairs}, "user,item,value\nu,a,NA\nu,\"b,c\",1\nu,d,1\nv,a,1\n"},
		{&named, &bitio.Options{Format: bitio.Pairs, AbsentMissing: true, Header: bitio.NoHeader}, "u,\"b,c\",1\nu,d,1\nv,a,1\nv,\"b,c\",0\nv,d,0\n"},
		{known, &bitio.Options{Format: bitio.Pairs, Comma: ' '}, "user item value\n0 1 1\n0 2 1\n1 0 1\n"},
		{zero, &bitio.Options{Format: bitio.Pairs}, "user,item,value\n0,0,0\n0,1,0\n1,0,0\n"},
		{&rows, &bitio.Options{Format: bitio.LibSVM}, "+1 1:NA 2:1 3:1\nx 1:1\n"},
		{zero, &bitio.Options{Format: bitio.LibSVM, ZeroBased: true}, "1:0\n\n"},
		{known, &bitio.Options{Format: bitio.Indices}, "2 3\n1\n"},
		{zero, &bitio.Options{Format: bitio.Indices, Width: 2}, "\n\n"},
		{known, &bitio.Options{Format: bitio.NPY}, npy("|u1", false, "(2, 3)", "000101 010000")},
		{known, &bitio.Options{Format: bitio.NPY, Spins: true}, npy("|i1", false, "(2, 3)", "ff0101 01ffff")},
		{&masked, &bitio.Options{Format: bitio.NPY}, npy("<f4", false, "(2, 3)", "0000c07f 0000803f 0000803f 0000803f 00000000 00000000")},
		{known, &bitio.Options{Format: bitio.IDX}, unhex("00000802 00000002 00000003 000101 010000")},
	} {
		var b bytes.Buffer
		if err := bitio.Write(&b, tt.t, tt.o); err != nil {
			t.Errorf("%+v: %v", tt.o, err)
			continue
		}
		if got := b.String(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
		full := errors.New("full")
		for n := range len(tt.want) {
			if err := bitio.Write(&limited{n, full}, tt.t, tt.o); !errors.Is(err, full) {
				t.Errorf("%+v: error %v after %d bytes, want full", tt.o, err, n)
			}
		}
	}
}

// limited takes n bytes, and no more.
type limited struct {
	n   int
	err error
}

func (w *limited) Write(p []byte) (int, error) {
	if len(p) <= w.n {
		w.n -= len(p)
		return len(p), nil
	}
	return w.n, w.err
}

func TestWriteErrors(t *testing.T) {
	named := func(rows, columns []string) *bitio.Table {
		return &bitio.Table{Bits: rbm.NewBits(2, 2), Rows: rows, Columns: columns}
	}
	masked := table(2, 2, true, false, 1)
	column := table(2, 1, true, false, 1)
	for i, tt := range []struct {
		t    *bitio.Table
		o    bitio.Options
		want string
	}{
		{masked, bitio.Options{Format: bitio.IDX}, "format idx has no place for missing values; set Observed to nil"},
		{masked, bitio.Options{Format: bitio.Indices}, "format indices has no place for missing values"},
		{named([]string{"a", "b"}, nil), bitio.Options{Format: bitio.Text}, "format text has no place for names of rows; set Rows to nil"},
		{named([]string{"a", "b"}, nil), bitio.Options{Format: bitio.NPY}, "format npy has no place for names of rows"},
		{named(nil, []string{"a", "b"}), bitio.Options{Format: bitio.NPZ}, "format npz has no place for names of columns; set Columns to nil"},
		{named(nil, []string{"a", "b"}), bitio.Options{Format: bitio.LibSVM}, "format libsvm has no place for names of columns"},
		{named(nil, nil), bitio.Options{Format: bitio.Packed}, "format bits is written to files only"},
		{named(nil, nil), bitio.Options{Format: "xls"}, `format is "xls", want one of ["text"`},
		{named(nil, nil), bitio.Options{Header: bitio.WithHeader}, "a header is wanted, but columns have no names"},
		{named(nil, []string{"0", "NA"}), bitio.Options{}, `the names of the columns, "0", "NA", look like values`},
		{named(nil, []string{" a", "b"}), bitio.Options{}, `name 0 of columns is " a", want one without blanks around it`},
		{named([]string{"a", "b\r\n"}, nil), bitio.Options{}, `name 1 of rows is "b\r\n"`},
		{named([]string{"\ufeffa", "b"}, nil), bitio.Options{}, `name 0 of rows is "\ufeffa", want one without blanks around it, carriage returns and marks that begin files`},
		{named([]string{"\ufeffa", "b"}, nil), bitio.Options{Format: bitio.LibSVM}, `name 0 of rows is "\ufeffa", want a label`},
		{named([]string{"\xff\xfea", "b"}, nil), bitio.Options{Format: bitio.LibSVM}, "name 0 of rows"},
		{named([]string{"a", "\x1f\x8b\x08"}, nil), bitio.Options{}, "name 1 of rows"},
		{named([]string{"a", "a"}, nil), bitio.Options{Format: bitio.Pairs}, `rows have the name "a" twice`},
		{named([]string{"a", ""}, nil), bitio.Options{Format: bitio.Pairs}, `name 1 of rows is empty`},
		{named(nil, []string{"a", "b c"}), bitio.Options{Format: bitio.Pairs, Comma: ' '}, `name 1 of columns is "b c", want one without blanks`},
		{named([]string{"a", "b:c"}, nil), bitio.Options{Format: bitio.LibSVM}, `name 1 of rows is "b:c", want a label`},
		{named(nil, nil), bitio.Options{Format: bitio.Indices}, "column 1 is all zeros, which indices do not tell: set Width to 2"},
		{column, bitio.Options{Missing: []string{""}}, "is a blank line in a table of one column"},
		{masked, bitio.Options{Format: bitio.Text, Missing: []string{"not known"}}, `a missing value is "not known", want a word`},
		{masked, bitio.Options{Format: bitio.LibSVM, Missing: []string{""}}, `a missing value is "", want a word`},
		{masked, bitio.Options{Format: bitio.Pairs, Comma: ' ', Missing: []string{""}}, `a missing value is "", want a word`},
		{named(nil, nil), bitio.Options{Comma: '"'}, "Comma is"},
	} {
		checkError(t, fmt.Sprint(i), bitio.Write(io.Discard, tt.t, &tt.o), tt.want)
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := named(nil, []string{"0", "1"})
	checkError(t, "bad names", bitio.WriteFile(path, bad, nil), "a.csv: the names of the columns")
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Errorf("after an error the file has %q, error %v", b, err)
	}
	checkError(t, "no format", bitio.WriteFile("table", bad, nil), "table: the name says no format")
	checkError(t, "mask", bitio.WriteFile(filepath.Join(t.TempDir(), "a.bits"), masked, nil), "format bits has no place for missing values")
	checkError(t, "compressed", bitio.WriteFile(filepath.Join(t.TempDir(), "a.bits.gz"), named(nil, nil), nil), "format bits is written to files only, by WriteFile, and not compressed")
	checkError(t, "no folder", bitio.WriteFile(filepath.Join(t.TempDir(), "none", "a.csv"), named(nil, nil), nil), "none")
	for want, f := range map[string]func(){
		"bitio: table is nil":                         func() { bitio.Write(io.Discard, nil, nil) },
		"bitio: there are 1 names of rows, want 2":    func() { bitio.Write(io.Discard, named([]string{"a"}, nil), nil) },
		"bitio: there are 3 names of columns, want 2": func() { bitio.WriteFile(path, named(nil, make([]string, 3)), nil) },
		"bitio: observed is 1×2, want 2×2": func() {
			bitio.Write(io.Discard, &bitio.Table{Bits: rbm.NewBits(2, 2), Observed: rbm.NewBits(1, 2)}, nil)
		},
		"bitio: matrix is nil":                        func() { bitio.WriteValues(io.Discard, nil, nil, nil, nil) },
		"bitio: there are 0 names of columns, want 2": func() { bitio.WriteValues(io.Discard, rbm.NewBits(2, 2), nil, []string{}, nil) },
		"bitio: reader is nil":                        func() { bitio.Read(nil, "a.csv", nil) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic with %v, want %s", got, want)
				}
			}()
			f()
		}()
	}
}

func TestWriteValues(t *testing.T) {
	x := mat.NewDense(2, 3, []float64{0.1, -1e-300, 3, math.Inf(1), math.NaN(), 1.0 / 3})
	for _, tt := range []struct {
		rows, columns []string
		o             *bitio.Options
		want          string
	}{
		{nil, nil, nil, "0.1,-1e-300,3\n+Inf,NaN,0.3333333333333333\n"},
		{[]string{"u", "v"}, []string{"a", "b", "c"}, nil, "id,a,b,c\nu,0.1,-1e-300,3\nv,+Inf,NaN,0.3333333333333333\n"},
		{nil, []string{"1", "2", "3"}, &bitio.Options{Comma: '\t'}, "1\t2\t3\n0.1\t-1e-300\t3\n+Inf\tNaN\t0.3333333333333333\n"},
		{nil, nil, &bitio.Options{Format: bitio.NPY}, npy("<f8", false, "(2, 3)",
			"9a9999999999b93f 59f3f8c21f6ea581 0000000000000840 000000000000f07f 010000000000f87f 555555555555d53f")},
	} {
		var b bytes.Buffer
		if err := bitio.WriteValues(&b, x, tt.rows, tt.columns, tt.o); err != nil {
			t.Errorf("%+v: %v", tt.o, err)
			continue
		}
		if got := b.String(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
	}
	checkError(t, "names", bitio.WriteValues(io.Discard, x, []string{"a", "b"}, nil, &bitio.Options{Format: bitio.NPY}), "format npy has no place for names")
	checkError(t, "idx", bitio.WriteValues(io.Discard, x, nil, nil, &bitio.Options{Format: bitio.IDX}), `format of numbers is "idx", want csv or npy`)
	path := filepath.Join(t.TempDir(), "a.csv.gz")
	if err := bitio.WriteValuesFile(path, rbm.NewBits(1, 2), nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := bitio.ReadFile(path, nil); err != nil || show(got) != "00" {
		t.Errorf("got %v, error %v", got, err)
	}
}
