package bitio_test

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/bitio"
)

// npy returns an array, with the elements in hexadecimal.
func npy(descr string, fortran bool, shape, elements string) string {
	order := "False"
	if fortran {
		order = "True"
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	return "\x93NUMPY\x01\x00\x76\x00" + header + unhex(elements)
}

func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// zipped returns arrays X, Y, … in a zip file.
func zipped(method uint16, arrays ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, a := range arrays {
		w, err := z.CreateHeader(&zip.FileHeader{Name: string(rune('X'+i)) + ".npy", Method: method})
		if err != nil {
			panic(err)
		}
		io.WriteString(w, a)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// small is the array of NumPy's own np.savez_compressed(f, X=np.array([[0, 1, 1], [1, 0,
// 0]], "u1")).
var small = unhex("504b03041400000008000000210075d4e0ca4c0000008600000005001400582e6e70790100100086000000000000004c00000000000000" +
	"9bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e536aa8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a0ac69a3a0a" +
	"b50a64032e06464646060600504b010214031400000008000000210075d4e0ca4c00000086000000050000000000000000000000800100000000582e6e7079" +
	"504b0506000000000100010033000000830000000000")

// arrays are what NumPy writes of [[0, 1, 1], [1, 0, 0]] and of other arrays, and IDX files.
var arrays = []struct {
	name   string
	o      bitio.Options
	in     string
	want   string
	stream string // what the error of Stream has
}{
	{"a.npy", bitio.Options{}, npy("|b1", false, "(2, 3)", "000101010000"), "011 100", ""},
	{"", bitio.Options{}, npy("|b1", false, "(2, 3)", "000101010000"), "011 100", ""},
	{"a.npy", bitio.Options{}, npy(">i4", true, "(2, 3)", "000000000000000100000001000000000000000100000000"), "011 100", "Fortran"},
	{"a.npy", bitio.Options{}, npy("<f2", false, "(2, 3)", "007e003c003c003c00000000"), "?11 100", "row 0: a value is missing"},
	{"a.npy", bitio.Options{}, npy("|u1", true, "(2, 2, 3)", "000100000100000000000001"), "010000 100001", "Fortran"},
	{"a.npy", bitio.Options{}, npy("|u1", false, "(2, 2, 3)", "000100000100 000000000001"), "010010 000001", ""},
	{"a.npy", bitio.Options{}, npy(">f8", true, "(2, 3)", "00000000000000003ff00000000000003ff000000000000000000000000000003ff00000000000007ff8000000000000"), "011 10?", "Fortran"},
	{"a.npy", bitio.Options{Columns: []string{"a", "b", "c"}}, npy("<u2", false, "(1, 3)", "0000 0100 0000"), "a b c: 010", ""},
	{"a.npy", bitio.Options{Spins: true}, npy("|i1", false, "(2, 2)", "ff01 01ff"), "01 10", ""},
	{"a.npy", bitio.Options{Threshold: above(127)}, npy("|u1", false, "(2, 2)", "7f80 ff00"), "01 10", ""},
	{"a.npy", bitio.Options{Threshold: above(0.5)}, npy("<f4", false, "(2, 2)", "0000003f 0100003f 0000c07f 00000000"), "01 ?0", "row 1: a value is missing"},
	{"a.npz", bitio.Options{}, small, "011 100", ""},
	{"", bitio.Options{}, small, "011 100", ""},
	{"a.npz", bitio.Options{Array: "Y"}, zipped(zip.Store, "none", npy("|b1", false, "(1, 2)", "0001")), "01", ""},
	{"a.npz", bitio.Options{}, zipped(zip.Deflate, npy("|b1", true, "(2, 2)", "0001 0100")), "01 10", "Fortran"},
	{"a.idx", bitio.Options{}, unhex("00000802 00000002 00000003 000101 010000"), "011 100", ""},
	{"train-images-idx3-ubyte", bitio.Options{Threshold: above(127)}, unhex("00000803 00000002 00000001 00000003 007f80 ff00fe"), "001 101", ""},
	{"t10k-images-idx3-ubyte.gz", bitio.Options{Threshold: above(127)}, packed(unhex("00000803 00000001 00000003 00000001 007f80")), "001", ""},
	{"", bitio.Options{Spins: true}, unhex("00000902 00000001 00000002 ff01"), "01", ""},
	{"a.idx", bitio.Options{}, unhex("00000b02 00000001 00000002 0000 0001"), "01", ""},
	{"a.idx", bitio.Options{}, unhex("00000c02 00000001 00000002 00000000 00000001"), "01", ""},
	{"a.idx", bitio.Options{}, unhex("00000d02 00000001 00000002 3f800000 7fc00000"), "1?", "row 0: a value is missing"},
	{"a.idx", bitio.Options{}, unhex("00000e02 00000001 00000002 3ff0000000000000 0000000000000000"), "10", ""},
	{"a.bits", bitio.Options{}, string(bitsFile), "011 100", ""},
	{"", bitio.Options{}, string(bitsFile), "011 100", ""},
	{"a.bits", bitio.Options{}, packed(string(bitsFile)), "011 100", "it is compressed"},
	{"a.npz", bitio.Options{}, packed(small), "011 100", "it is compressed"},
}

// bitsFile is a file of package bitfile.
var bitsFile = func() []byte {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	b := rbm.NewBits(2, 3)
	b.SetBit(0, 1, true)
	b.SetBit(0, 2, true)
	b.SetBit(1, 0, true)
	path := filepath.Join(dir, "a.bits")
	if err := bitfile.Write(path, rbm.Blocks(b, 2)); err != nil {
		panic(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return data
}()

func TestReadArrays(t *testing.T) {
	for i, tt := range arrays {
		name := fmt.Sprintf("%d, %s %+v", i, tt.name, tt.o)
		for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
			table, err := bitio.Read(r, tt.name, &tt.o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := show(table); got != tt.want {
				t.Errorf("%s: got %s, want %s", name, got, tt.want)
			}
		}
		rows, err := streamed(bitio.Stream(strings.NewReader(tt.in), tt.name, &tt.o))
		checkError(t, name+": Stream", err, tt.stream)
		if err != nil {
			continue
		}
		_, want, found := strings.Cut(tt.want, ": ")
		if !found {
			want = tt.want
		}
		if got := show(&bitio.Table{Bits: rows}); got != want {
			t.Errorf("%s: Stream has %s, want %s", name, got, want)
		}
	}
	_, err := streamed(bitio.Stream(iotest.OneByteReader(strings.NewReader(small)), "a.npz", nil))
	checkError(t, "stream of a zip file that is none", err, "a stream wants a file that can be read anywhere")
}

// bySize returns the error where an int has 32 bits, or 64.
func bySize(on32, on64 string) string {
	if strconv.IntSize == 32 {
		return on32
	}
	return on64
}

func TestArrayErrors(t *testing.T) {
	for i, tt := range []struct {
		name string
		o    bitio.Options
		in   string
		want string
	}{
		{"a.npy", bitio.Options{}, npy("|u1", false, "(2, 2)", "0001 0002"), "bitio: a.npy: row 1, column 1 is 2, want 0 or 1; set Threshold"},
		{"a.npy", bitio.Options{}, npy("|u1", true, "(2, 2)", "0001 0200"), "row 0, column 1 is 2, want 0 or 1; set Threshold"},
		{"a.npy", bitio.Options{}, npy("|i1", false, "(1, 2)", "00ff"), "row 0, column 1 is -1, want 0 or 1; set Spins"},
		{"a.npy", bitio.Options{Spins: true}, npy("|b1", false, "(1, 2)", "0001"), "row 0, column 0 is 0, want -1 or 1"},
		{"a.npy", bitio.Options{}, npy("|u1", false, "(3,)", "000101"), "shape is (3,), want (rows, columns): in Python, x.reshape(1, -1) is a row"},
		{"a.npy", bitio.Options{}, npy("|u1", false, "()", "00"), "shape is (), want at least (1, 1)"},
		{"a.npy", bitio.Options{}, npy("|u1", false, "(0, 3)", ""), "shape is (0, 3), want at least (1, 1)"},
		{"a.npy", bitio.Options{}, npy("|u1", false, "(4294967296, 4294967296)", ""), bySize("header is", "too large")},
		{"a.npy", bitio.Options{}, npy("|u1", false, "(1, 1000000000)", "00"), bySize("too large", "it ends in row 0, column 1, want 1 rows of 1000000000 columns")},
		{"a.npy", bitio.Options{}, npy("<f4", false, "(1000000000, 2)", "00000000 00000000 00000000 00"), bySize("too large", "it ends in row 1, column 1, want 1000000000 rows")},
		{"a.npy", bitio.Options{}, npy("|u1", true, "(1000000000, 2)", "00"), bySize("too large", "it ends after 1 elements, want 2000000000")},
		{"a.npy", bitio.Options{}, npy("|u1", false, "(1, 2)", "0001 00"), "bytes follow the 1 rows"},
		{"a.npy", bitio.Options{}, npy("|u1", true, "(1, 2)", "0001 00"), "bytes follow the 1 rows"},
		{"a.npy", bitio.Options{}, npy("<c8", false, "(1, 1)", "0000000000000000"), `dtype is "<c8", want one of bool, uint`},
		{"a.npy", bitio.Options{}, npy("|S1", false, "(1, 1)", "30"), `dtype is "|S1", want one of bool, uint`},
		{"a.npy", bitio.Options{}, "0,1\n", "EOF"},
		{"a.npy", bitio.Options{}, "0,1\n1,1\n0,0\n1,1\n", `it begins with "0,1\n1,", want "\x93NUMPY"`},
		{"a.npy", bitio.Options{Columns: []string{"a"}}, npy("|u1", false, "(1, 2)", "0001"), `there are 2 columns, want 1: "a"`},
		{"a.npz", bitio.Options{}, zipped(0, "1", "2"), `there are the arrays "X", "Y", want one: name it by Array`},
		{"a.npz", bitio.Options{Array: "Z"}, zipped(0, "1", "2"), `there is no array "Z", want one of "X", "Y"`},
		{"a.npz", bitio.Options{}, zipped(0), "there is no array"},
		{"a.npz", bitio.Options{}, zipped(0, npy("|u1", false, "(1, 2)", "0002")), `array "X": row 0, column 1 is 2`},
		{"a.npz", bitio.Options{}, strings.Replace(zipped(0, npy("|u1", false, "(1, 2)", "0001")), "\x00\x01PK", "\x01\x01PK", 1), `array "X": zip: checksum error`},
		{"a.npz", bitio.Options{}, "PK and so on", "zip: not a valid zip file"},
		{"a.idx", bitio.Options{}, unhex("00000803 00000001 00000001 00000003 007f80"), "row 0, column 1 is 127, want 0 or 1; set Threshold"},
		{"a.idx", bitio.Options{}, unhex("00000801 00000003 000101"), "shape is (3,), as labels have, want at least two dimensions"},
		{"a.idx", bitio.Options{}, unhex("00000a02 00000001 00000001 00"), "it begins with 00 00 0a, want 00 00 and one of 08"},
		{"a.idx", bitio.Options{}, unhex("000008"), "EOF"},
		{"a.idx", bitio.Options{}, unhex("00000802 00000001"), "EOF"},
		{"a.idx", bitio.Options{}, unhex("00000802 00000002 00000002 000001"), "it ends in row 1, column 1, want 2 rows of 2 columns"},
		{"a.idx", bitio.Options{}, unhex("00000802 00000001 00000001 0000"), "bytes follow the 1 rows"},
		{"a.idx", bitio.Options{}, unhex("00000802 00000000 00000001"), "shape is (0, 1), want at least (1, 1)"},
		{"a.bits", bitio.Options{}, string(bitsFile[:len(bitsFile)-1]), "bitfile: file has"},
		{"a.bits", bitio.Options{}, "hello, here I am", "bitfile: file begins with"},
		{"a.bits", bitio.Options{}, strings.Replace(string(bitsFile), "\x06", "\x07", 1), "the file is damaged"},
		{"a.npy", bitio.Options{}, packed(npy("|u1", false, "(1, 2)", "0001"))[:60], "unexpected EOF"},
	} {
		name := fmt.Sprintf("%d, %s %+v", i, tt.name, tt.o)
		table, err := bitio.Read(strings.NewReader(tt.in), tt.name, &tt.o)
		checkError(t, name, err, tt.want)
		if table != nil {
			t.Errorf("%s: there is a table besides the error", name)
		}
		if _, err := streamed(bitio.Stream(strings.NewReader(tt.in), tt.name, &tt.o)); err == nil {
			t.Errorf("%s: Stream has no error", name)
		}
	}
}
