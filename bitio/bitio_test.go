package bitio_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

// show returns a table as text: "a b: x=01 y=?1".
func show(t *bitio.Table) string {
	n, c := t.Bits.Dims()
	if t.Observed != nil {
		if r, k := t.Observed.Dims(); r != n || k != c {
			return fmt.Sprintf("observed is %d×%d, want %d×%d", r, k, n, c)
		}
	}
	var b strings.Builder
	if t.Columns != nil {
		b.WriteString(strings.Join(t.Columns, " ") + ": ")
	}
	for r := range n {
		if r > 0 {
			b.WriteByte(' ')
		}
		if t.Rows != nil {
			b.WriteString(t.Rows[r] + "=")
		}
		for j := range c {
			known := t.Observed == nil || t.Observed.Bit(r, j)
			switch {
			case t.Bits.Bit(r, j) && known:
				b.WriteByte('1')
			case known:
				b.WriteByte('0')
			case t.Bits.Bit(r, j):
				b.WriteByte('!') // a missing value must be 0
			default:
				b.WriteByte('?')
			}
		}
		// Bits past the last column must be zeros.
		for _, x := range []*rbm.Bits{t.Bits, t.Observed} {
			if x != nil && c%64 != 0 && x.RawRow(r)[c/64]>>(c%64) != 0 {
				b.WriteString("+")
			}
		}
	}
	return b.String()
}

func above(x float64) *float64 { return &x }

// tests of what is read, and streamed unless values are missing.
var tests = []struct {
	name   string
	o      bitio.Options
	in     string
	want   string
	stream string // what the error of Stream has; "": it gives the rows
}{
	{"a.csv", bitio.Options{}, "a,b,c\n0,1,0\n1,1,0\n", "a b c: 010 110", ""},
	{"a.csv", bitio.Options{}, "0,1,0\n1,1,0", "010 110", ""},
	{"a.csv", bitio.Options{}, "\ufeffa;b\r\n0;1\r\n\r\n1;1\r\n", "a b: 01 11", ""},
	{"a.csv", bitio.Options{}, "a\tb\n0\t\n1\t1\n", "a b: 0? 11", "line 2: a value is missing"},
	{"a.tsv", bitio.Options{}, "a,x\tb\n\t1\n1\t1\n", "a,x b: ?1 11", "line 2: a value is missing"},
	{"a.csv", bitio.Options{Comma: '|'}, "a,x|b\n0|1\n", "a,x b: 01", ""},
	{"a.csv", bitio.Options{}, "a\n0\n1\n\n\n", "a: 0 1", ""},
	{"a.csv", bitio.Options{}, "\"a, \"\"b\"\"\", c\n\"0\", 1\n 1 ,\"1\"\n", `a, "b" c: 01 11`, ""},
	{"a.csv", bitio.Options{}, "0,1,2,,\n0,1,1,0,0\n", "0 1 2  : 01100", ""},
	{"a.csv", bitio.Options{}, "31,1029\n0,1\n", "31 1029: 01", ""},
	{"a.csv", bitio.Options{Header: bitio.WithHeader}, "-1,0,0\n0,1,0\n", "-1 0 0: 010", ""},
	{"a.csv", bitio.Options{}, "x,y\nNA,N/A\n?,nan\nNaN,null\n,1\n0,0\n", "x y: ?? ?? ?? ?1 00", "line 2: a value is missing"},
	{"a.csv", bitio.Options{Missing: []string{"-", ""}}, "x,y\n-,\n1,0\n", "x y: ?? 10", "line 2: a value is missing"},
	{"a.csv", bitio.Options{Missing: []string{"0"}}, "x,y\n0,1\n1,0.0\n", "x y: ?1 10", "line 2: a value is missing"},
	{"a.csv", bitio.Options{}, "x,y\n0.0,1.00\n1e0,-0\ntrue,False\nTRUE,FALSE\n+1,0x0p0\n", "x y: 01 10 10 10 10", ""},
	{"a.csv", bitio.Options{Spins: true}, "x,y\n-1,1\n+1,-1.0\n", "x y: 01 10", ""},
	{"a.csv", bitio.Options{Threshold: above(2.5)}, "x,y\n2.5,2.6\n-3,1e999\nNA,-inf\n", "x y: 01 01 ?0", "line 4: a value is missing"},
	{"a.csv", bitio.Options{ID: "id"}, "id,a,b\nu,0,1\nv,1,0\n", "a b: u=01 v=10", ""},
	{"a.csv", bitio.Options{ID: "id"}, "a,id,b\n0, 7 ,1\n", "a b: 7=01", ""},
	{"a.csv", bitio.Options{ID: "0"}, "u,0,1\nv,1,0\n", "u=01 v=10", ""},
	{"a.csv", bitio.Options{ID: "0"}, "n,q,x\nv,1,0\n", "q x: v=10", ""},
	{"a.csv", bitio.Options{Skip: []string{"t", "0"}}, "q,a,t\n9,0,hello\n8,1,0\n", "a: 0 1", ""},
	{"a.csv", bitio.Options{Skip: []string{"2"}}, "0,1,x\n1,1,y\n", "01 11", ""},
	{"a.csv", bitio.Options{Header: bitio.WithHeader}, "0,1\n1,1\n", "0 1: 11", ""},
	{"a.csv", bitio.Options{Header: bitio.WithHeader, Skip: []string{"1"}}, "1,0\n1,0\n", "0: 0", ""}, // a name before a number
	{"a.csv", bitio.Options{Columns: []string{"c", "a"}}, "a,c\n0,1\n1,1\n", "c a: 10 11", ""},
	{"a.csv", bitio.Options{Columns: []string{"c", "a"}, IgnoreUnknown: true}, "a,b,c\n0,7,1\n1,x,1\n", "c a: 10 11", ""},
	{"a.csv", bitio.Options{Columns: []string{"1", "0"}}, "0,1\n0,1\n", "1 0: 10", ""},
	{"a.csv", bitio.Options{Columns: []string{"p", "q"}}, "0,1\n1,1\n", "p q: 01 11", ""},
	{"", bitio.Options{}, "a,b\n0,1\n", "a b: 01", ""},
	{"x.data", bitio.Options{}, "0\t1\n", "01", ""},
	{"x.data", bitio.Options{}, "a\n0\n", "a: 0", ""},

	{"a.txt", bitio.Options{}, "0110\n1010\n", "0110 1010", ""},
	{"a.txt", bitio.Options{}, "# by hand\n\n0 1 1\t0\r\n  1010", "0110 1010", ""},
	{"a.txt", bitio.Options{}, "0?10\n? 010\n", "0?10 ?010", "line 1: a value is missing"},
	{"a.txt", bitio.Options{}, "0.000e+00 1.000e+00 nan\n1 0 1\n", "01? 101", "line 1: a value is missing"},
	{"a.txt", bitio.Options{Spins: true}, "1 -1\n1 1\n", "10 11", ""},
	{"a.txt", bitio.Options{Threshold: above(5)}, "10 0\n5 6\n", "10 01", ""},
	{"", bitio.Options{}, "0110\n1010\n", "0110 1010", ""},
	{"", bitio.Options{}, "1.0 0.0\n", "10", ""},
	{"", bitio.Options{}, "\ufeff01\n10\n", "01 10", ""},

	{"a.pairs", bitio.Options{}, "u a\nv b\nu b\n", "a b: u=11 v=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "u,b\nv,a\n", "b a: u=10 v=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "5\t10\n3\t9\n5\t9\n", "9 10: 5=11 3=10", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "user,item,value\nu,10,1\nu,9,0\n", "9 10: u=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "user;item;value\nu;x y;1\nu;z;NA\nw;z;1", "x y z: u=1? w=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Threshold: above(3), AbsentMissing: true, Skip: []string{"timestamp"}},
		"userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,1029,4.0,1260759179\n2,31,5,0\n", "31 1029: 1=01 2=1?", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Skip: []string{"2", "3"}}, "196\t242\t3\t881250949\n186\t302\t3\t891717742\n", "242 302: 196=10 186=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Columns: []string{"z", "a", "b"}}, "u,a\nu,b\nv,b\n", "z a b: u=011 v=001", ""},
	{"a.pairs", bitio.Options{Columns: []string{"z", "a"}, IgnoreUnknown: true}, "u,a\nu,q\nv,q\nw,z\n", "z a: u=01 v=00 w=10", ""},
	{"a.pairs", bitio.Options{Columns: []string{"z", "a"}}, "u,a,1\nv,a,0\nu,z,1\n", "z a: u=11 v=00", `line 3: user "u" was there before`},
	{"a.pairs", bitio.Options{Columns: []string{"z", "a"}, AbsentMissing: true}, "u,a,1\nu,z,0\nv,a,0\n", "z a: u=01 v=?0", `user "v": a value is missing`},
	{"a.pairs", bitio.Options{Columns: []string{"a", "b"}}, "u,a\nu,a\nu,b\n", "a b: u=11", ""},
	{"a.pairs", bitio.Options{Header: bitio.NoHeader}, "u,7\nv,8\n", "7 8: u=10 v=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Header: bitio.WithHeader}, "u,7\nv,8\n", "8: v=1", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "user,item\nu,7\nv,8\nu,8\nuser,8\n", "7 8: u=11 v=01 user=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "id,item\n7,b\n8,a\n", "b a: 7=10 8=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "a3f,7\n123,8\nb7,7\n", "7 8: a3f=10 123=01 b7=10", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "u,a\nv,b\nv,c\nw,d\n", "a b c d: u=1000 v=0110 w=0001", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "u,a\nv,b\nu,b\n", "a b: u=11 v=01", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{}, "u,a\nv,a\nv,b\n", "a b: u=10 v=11", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Header: bitio.NoHeader}, "user,item\nv,a\nv,b\n", "item a b: user=100 v=011", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Columns: []string{"a"}, IgnoreUnknown: true}, "u,b\nv,a\nv,q\nw,z\n", "a: u=0 v=1 w=0", `line 1: item "b" is not among the 1 Columns; set Header`},
	{"a.pairs", bitio.Options{}, "u,a\n", "a: u=1", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Columns: []string{"8", "7"}}, "user,item\nu,7\nv,8\n", "8 7: u=01 v=10", `line 1: item "item" is not among the 2 Columns; set Header`},
	{"a.pairs", bitio.Options{Columns: []string{"8", "7"}, IgnoreUnknown: true}, "user,item\nu,7\nv,9\n", "8 7: u=01 v=00", `line 1: item "item" is not among the 2 Columns; set Header`},
	{"a.pairs", bitio.Options{Columns: []string{"8", "7"}}, "u,7\n1,8\n2,8\n", "8 7: u=01 1=10 2=10", ""},
	{"a.pairs", bitio.Options{Columns: []string{"8", "7"}, Header: bitio.WithHeader}, "user,item\nu,7\nv,8\n", "8 7: u=01 v=10", ""},
	{"a.pairs", bitio.Options{}, "u 07\nu 7\nu 06\n", "06 07 7: u=111", "a stream of pairs wants Columns"},
	{"a.pairs", bitio.Options{Comma: ' '}, "u,1 a\nv  b\n", "a b: u,1=10 v=01", "a stream of pairs wants Columns"},

	{"a.svm", bitio.Options{}, "+1 1:1 3:1\n-1 2:1 # note\n+1\n", "+1=101 -1=010 +1=000", "a stream wants Width"},
	{"a.svm", bitio.Options{Width: 4}, "2:1 1:1\n\n4:1\n", "1100 0000 0001", ""},
	{"a.svm", bitio.Options{ZeroBased: true, Width: 3}, "0:1 2:0 1:1.0\n", "110", ""},
	{"a.svm", bitio.Options{Columns: []string{"x", "y"}}, "a 2:1 2:1\n", "x y: a=01", ""},
	{"a.svm", bitio.Options{}, "1:NA 2:1\n3:1\n", "?10 001", "a stream wants Width"},
	{"a.svm", bitio.Options{Width: 3}, "1:NA 2:1\n3:1\n", "?10 001", "line 1: a value is missing"},
	{"a.svm", bitio.Options{Threshold: above(0.5)}, "1:0.4 3:0.6\n", "001", "a stream wants Width"},
	{"", bitio.Options{}, "1 1:1\n0 2:1\n", "1=10 0=01", "a stream wants Width"},
	{"a.indices", bitio.Options{Width: 5}, "3 1\n\n5\n", "10100 00000 00001", ""},
	{"a.indices", bitio.Options{ZeroBased: true}, "0\n2 2\r\n", "100 001", "a stream wants Width"},
}

func TestRead(t *testing.T) {
	for _, tt := range tests {
		name := fmt.Sprintf("%s %+v %q", tt.name, tt.o, tt.in)
		table, err := bitio.Read(strings.NewReader(tt.in), tt.name, &tt.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := show(table); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
		rows, err := streamed(bitio.Stream(strings.NewReader(tt.in), tt.name, &tt.o))
		checkError(t, name+": Stream", err, tt.stream)
		if err == nil {
			if got, want := show(&bitio.Table{Bits: rows}), show(&bitio.Table{Bits: table.Bits}); got != want {
				t.Errorf("%s: Stream has %s, want %s", name, got, want)
			}
		}
		if strings.Contains(tt.stream, "a value is missing") && !errors.Is(err, bitio.ErrMissing) {
			t.Errorf("%s: Stream: error %v is not ErrMissing", name, err)
		}
	}
}

// streamed returns the rows of a stream.
func streamed(blocks func(func(*rbm.Bits, error) bool)) (*rbm.Bits, error) {
	var all [][]uint64
	cols := 0
	for block, err := range blocks {
		if err != nil {
			if block != nil {
				return nil, errors.New("there is a block besides the error")
			}
			return nil, err
		}
		n, c := block.Dims()
		cols = c
		for r := range n {
			all = append(all, slices.Clone(block.RawRow(r)))
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the stream has neither rows nor an error")
	}
	b := rbm.NewBits(len(all), cols)
	for r, row := range all {
		copy(b.RawRow(r), row)
	}
	return b, nil
}

// checkError fails unless err has the wanted text, or is nil if want is "".
func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && err == nil:
		t.Errorf("%s: no error, want %q", name, want)
	case want != "" && (!strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "bitio: ")):
		t.Errorf("%s: error %q, want bitio: and %q", name, err, want)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    bitio.Options
		in   string
		want string
	}{
		{"a.csv", bitio.Options{}, "", "bitio: a.csv: file is empty"},
		{"", bitio.Options{}, "", "bitio: file is empty"},
		{"a.csv", bitio.Options{}, "\n\n", "there are no rows"},
		{"a.csv", bitio.Options{}, "a,b\n", "there are no rows"},
		{"a.csv", bitio.Options{}, "a,b\n0,1\n\n0,2\n", `bitio: a.csv: line 4, column 1 ("b") is "2", want 0 or 1; set Threshold`},
		{"a.csv", bitio.Options{}, "0,1\n0,x\n", `line 2, column 1 is "x", want 0 or 1`},
		{"a.csv", bitio.Options{}, "0,x,0\n0,1,1\n", `bitio: a.csv: line 1: column 1 is "x", want 0 or 1; set Header if the line has names`},
		{"a.csv", bitio.Options{}, "-1,1\n1,1\n", `line 1: column 0 is "-1", want 0 or 1; set Spins to read -1 and 1; set Header if`},
		{"a.csv", bitio.Options{}, "a,0.5\n1,1\n", `line 1: column 0 is "a", want 0 or 1; set Header if`},
		{"a.csv", bitio.Options{}, "0,1\n-1,1\n", `line 2, column 0 is "-1", want 0 or 1; set Spins to read -1 and 1`},
		{"a.csv", bitio.Options{Spins: true}, "1,1\n0,1\n", `line 2, column 0 is "0", want -1 or 1`},
		{"a.csv", bitio.Options{Spins: true}, "1,1\ntrue,1\n", `line 2, column 0 is "true", want -1 or 1`},
		{"a.csv", bitio.Options{Missing: []string{}}, "a\nNaN\n", `line 2, column 0 ("a") is "NaN", want 0 or 1`},
		{"a.csv", bitio.Options{Missing: []string{}, Threshold: above(0)}, "a\nNaN\n", `is "NaN", want a number`},
		{"a.csv", bitio.Options{Threshold: above(0)}, "1\ntrue\n", `line 2, column 0 is "true", want a number`},
		{"a.csv", bitio.Options{}, "a,b\n0,1\n0,1,1\n", "line 3 has 3 fields, want 2 as line 1 has"},
		{"a.csv", bitio.Options{}, "\n0,1\n0\n", "line 3 has 1 fields, want 2 as line 2 has"},
		{"a.csv", bitio.Options{}, "a\n0\n\n1\n", "line 3 is blank, want a value, NA if it is missing"},
		{"a.csv", bitio.Options{}, "a,b\n0,\"1\n", `quote`},
		{"a.csv", bitio.Options{ID: "x"}, "a,b\n0,1\n", `line 1: there is no column "x" for ID, want one of "a", "b", or a number from 0 to 1`},
		{"a.csv", bitio.Options{Skip: []string{"2"}, Header: bitio.NoHeader}, "0,1\n0,1\n", `there is no column "2" for Skip, want a number from 0 to 1`},
		{"a.csv", bitio.Options{Skip: []string{"a"}}, "a,a\n0,1\n", `there are two columns "a"`},
		{"a.csv", bitio.Options{Skip: []string{"a"}, ID: "a"}, "a,b\n0,1\n", `column "a" is both ID and to be skipped`},
		{"a.csv", bitio.Options{Skip: []string{"a"}}, "a\n0\n", "there are no columns of values"},
		{"a.csv", bitio.Options{Columns: []string{"a", "c"}}, "a,b\n0,1\n", `there is no column "c", want all of "a", "c"`},
		{"a.csv", bitio.Options{Columns: []string{"a"}}, "a,b\n0,1\n", `there is a column "b", want only "a"`},
		{"a.csv", bitio.Options{Columns: []string{"a"}}, "a,a\n0,1\n", `there are two columns "a"`},
		{"a.csv", bitio.Options{Columns: []string{"a"}}, "0,1\n0,1\n", `there are 2 columns, want 1: "a"`},
		{"a.csv", bitio.Options{Columns: []string{"a", "a"}}, "a\n0\n", `Columns has "a" twice`},
		{"a.csv", bitio.Options{Columns: []string{}}, "a\n0\n", `Columns is empty`},
		{"a.csv", bitio.Options{}, "\xff\xfea\x00", "it is UTF-16, want UTF-8"},
		{"a.csv", bitio.Options{}, "\x1f\x8b\x08\x00", "unexpected EOF: the file is cut off"},
		{"a.csv", bitio.Options{Comma: '\n'}, "a\n0\n", `Comma is '\n'`},
		{"a.csv", bitio.Options{Threshold: above(0), Spins: true}, "a\n0\n", "both Threshold and Spins"},
		{"a.csv", bitio.Options{Format: "xls"}, "a\n0\n", `format is "xls", want one of ["text" "csv"`},

		{"a.txt", bitio.Options{}, "01\n012\n", `line 2, column 0 is "012", want 0 or 1`},
		{"a.txt", bitio.Options{}, "01\n\n011\n", "line 3 has 3 values, want 2 as line 1 has"},
		{"a.txt", bitio.Options{}, "1 0\n1 -1\n", `line 2, column 1 is "-1", want 0 or 1; set Spins`},
		{"a.txt", bitio.Options{Missing: []string{"x"}}, "1?\n", `line 1, column 0 is "1?"`},
		{"a.txt", bitio.Options{}, "# nothing\n", "there are no rows"},
		{"a.txt", bitio.Options{Columns: []string{"a"}}, "01\n", `there are 2 columns, want 1: "a"`},

		{"a.pairs", bitio.Options{}, "u\nv\n", "line 1: there are 1 fields, want a user, an item and optionally a value"},
		{"a.pairs", bitio.Options{}, "u,a,1,9\nu,b,1,8\n", "line 1: there are 4 fields"},
		{"a.pairs", bitio.Options{}, "u,a\nv\n", "line 2 has 1 fields, want 2 as line 1 has"},
		{"a.pairs", bitio.Options{}, "u,a\n,b\n", "line 2, column 0 is empty, want the name of a user"},
		{"a.pairs", bitio.Options{}, "u,a\nv, \n", "line 2, column 1 is empty, want the name of an item"},
		{"a.pairs", bitio.Options{}, "user,item\nv,a\nv,b\n", `bitio: a.pairs: line 1: user "user" and item "item" are on no other line: set Header`},
		{"a.pairs", bitio.Options{}, "user,item\nv,a\nw,a\n", `line 1: user "user" and item "item" are on no other line: set Header`},
		{"a.pairs", bitio.Options{Columns: []string{"a"}, IgnoreUnknown: true}, "user,item\nv,a\nv,b\n", `line 1: user "user" and item "item" are on no other line: set Header`},
		{"a.pairs", bitio.Options{Columns: []string{"a", "b"}}, "user,item\nv,a\nv,b\n", `line 1: item "item" is not among the 2 Columns; set Header if it is one`},
		{"a.csv", bitio.Options{}, "id,a,b\nx,0,1\n", `line 2, column 0 ("id") is "x", want 0 or 1; set ID or Skip if`},
		{"a.tsv", bitio.Options{}, "u\ta\nv\tb\n", `line 2, column 0 ("u") is "v", want 0 or 1; set Format to Pairs if`},
		{"a.pairs", bitio.Options{}, "u,a,1\nv,a,5\n", `line 2, column 2 is "5", want 0 or 1; set Threshold`},
		{"a.pairs", bitio.Options{}, "u,a,1\nv,a,1\nu,a,0\n", `line 3: user "u" and item "a" have another value than in an older line`},
		{"a.pairs", bitio.Options{}, "u,a,NA\nu,a,0\nv,a,1\n", `line 2: user "u" and item "a" have another value`},
		{"a.pairs", bitio.Options{Columns: []string{"a"}}, "u,a\nv,b\n", `line 2: item "b" is not among the 1 Columns; set IgnoreUnknown`},
		{"a.pairs", bitio.Options{MaxBytes: 47}, "u,a\nv,b\n", "the table is 2×2 and takes 48 bytes, want at most 47: set MaxBytes"},
		{"a.pairs", bitio.Options{Header: bitio.WithHeader}, "user,item\n\n", "there are no rows"},
		{"a.pairs", bitio.Options{Columns: []string{"1"}}, "u,a\nv,1\nw,1\nx,2\n", `line 4: item "2" is not among the 1 Columns`},
		{"a.pairs", bitio.Options{Columns: []string{"1", "b"}}, "u,a\nv,1\nw,b\n", `line 1: item "a" is not among the 2 Columns`},

		{"a.svm", bitio.Options{}, "1 1:1\n2:1\n", `line 2 begins with "2:1", want a label as older lines have`},
		{"a.svm", bitio.Options{}, "1:1\n1 2:1\n", `line 2 begins with "1", want index:value as older lines have no label`},
		{"a.svm", bitio.Options{}, "\n1 2:1\n", `line 2 has a label "1", want none as line 1 is blank`},
		{"a.svm", bitio.Options{}, "1 2:1\n\n", `line 2 is blank, want a label`},
		{"a.svm", bitio.Options{}, "1 2\n", `line 1 has "2", want index:value: an index alone is of the format indices`},
		{"a.svm", bitio.Options{}, "1 qid:2\n", `line 1 has the index "qid", want a number`},
		{"a.svm", bitio.Options{}, "1 0:1\n", "line 1 has the index 0, want at least 1; set ZeroBased"},
		{"a.svm", bitio.Options{ZeroBased: true}, "1 -1:1\n", "line 1 has the index -1, want at least 0"},
		{"a.svm", bitio.Options{Width: 3}, "1 4:1\n", "line 1 has the index 4, want at most 3 for 3 columns"},
		{"a.svm", bitio.Options{Width: 3, ZeroBased: true}, "1 3:1\n", "line 1 has the index 3, want at most 2 for 3 columns"},
		{"a.svm", bitio.Options{}, "1 1:0.5\n", `line 1, index 1 is "0.5", want 0 or 1; set Threshold`},
		{"a.svm", bitio.Options{}, "1 1:1 1:0\n", "line 1 has the index 1 twice, with different values"},
		{"a.svm", bitio.Options{}, "a\n", "there are 1 rows and no index, want at least one, or Width"},
		{"a.svm", bitio.Options{MaxBytes: 1 << 20}, "1:1\n2000000000:1\n", "the table is 2×2000000000"},
		{"a.svm", bitio.Options{}, "99999999999999999999:1\n", `the index "99999999999999999999", want a number`},
		{"a.indices", bitio.Options{}, "1 2:1\n", `line 1 has "2:1", want an index: index:value is of the format libsvm`},
		{"a.indices", bitio.Options{}, "1 x\n", `line 1 has the index "x"`},
		{"a.svm", bitio.Options{Width: -1}, "1:1\n", `Width is -1`},
		{"a.svm", bitio.Options{Width: 1, Columns: []string{"a", "b"}}, "1:1\n", `Width is 1 and there are 2 Columns`},
		{"a.svm", bitio.Options{MaxBytes: -1}, "1:1\n", `MaxBytes is -1`},
	} {
		name := fmt.Sprintf("%s %+v %q", tt.name, tt.o, tt.in)
		table, err := bitio.Read(strings.NewReader(tt.in), tt.name, &tt.o)
		checkError(t, name, err, tt.want)
		if table != nil {
			t.Errorf("%s: there is a table besides the error", name)
		}
		if strings.Contains(tt.want, "MaxBytes if") || strings.Contains(tt.want, "the table is") {
			continue // a stream takes less
		}
		if _, err := streamed(bitio.Stream(strings.NewReader(tt.in), tt.name, &tt.o)); err == nil {
			t.Errorf("%s: Stream has no error", name)
		}
	}
}

// packed returns b, compressed.
func packed(b string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	io.WriteString(z, b)
	z.Close()
	return out.String()
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, in, want string }{
		{"plain.csv", "a,b\n0,1\n", "a b: 01"},
		{"packed.csv.gz", packed("a,b\n0,1\n"), "a b: 01"},
		{"misnamed.csv", packed("a,b\n0,1\n"), "a b: 01"},
		{"also.csv.gz", "a,b\n0,1\n", "a b: 01"},
		{"Large.TSV.GZ", packed("a\tb\n0\t1\n"), "a b: 01"},
		{"none", packed("0 1\n"), "01"},
		{"two.txt", packed("0 1\n") + packed("1 1\n"), "01 11"},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.in), 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := bitio.ReadFile(path, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := show(table); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		for range 2 { // a file may be read again
			rows, err := streamed(bitio.StreamFile(path, nil))
			if err != nil || show(&bitio.Table{Bits: rows}) != show(&bitio.Table{Bits: table.Bits}) {
				t.Errorf("%s: StreamFile: %v, error %v", tt.name, rows, err)
			}
		}
	}
	absent := filepath.Join(dir, "absent.csv")
	_, err := bitio.ReadFile(absent, nil)
	checkError(t, "absent", err, "absent.csv")
	if !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "absent.csv") != 1 {
		t.Errorf("error %v, want one of a file that does not exist", err)
	}
	if _, err = streamed(bitio.StreamFile(absent, nil)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one of a file that does not exist", err)
	}
	_, err = bitio.ReadFile(dir, nil)
	checkError(t, "a directory", err, "directory")
	cut := packed(strings.Repeat("0,1\n", 1000))
	_, err = bitio.Read(strings.NewReader(cut[:len(cut)-6]), "x.csv", nil)
	checkError(t, "cut off", err, "x.csv: unexpected EOF")
}

// An error of the reader is not the end of a table.
func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct{ name, in string }{
		{"a.csv", "a,b\n0,1\n"}, {"a.txt", "01\n"}, {"a.pairs", "u,a\n"}, {"a.pairs", "u a\n"}, {"a.svm", "1 1:1\n"}, {"a.indices", "1\n"},
	} {
		for n := range len(tt.in) + 1 {
			r := io.MultiReader(strings.NewReader(tt.in[:n]), failing{broken})
			_, err := bitio.Read(r, tt.name, nil)
			if !errors.Is(err, broken) {
				t.Errorf("%s: error %v after %q, want broken", tt.name, err, tt.in[:n])
			}
		}
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }
