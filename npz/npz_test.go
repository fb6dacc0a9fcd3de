package npz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/npz"
	"gonum.org/v1/gonum/mat"
)

const nv, nh = 4, 3

// An entry is a file in a zip file.
type entry struct {
	name   string
	method uint16
	data   []byte
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npy returns an array with this header.
func npy(version byte, header string, data []byte) []byte {
	b := []byte{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, byte(len(header)), byte(len(header) >> 8)}
	if version > 1 {
		b = append(b, byte(len(header)>>16), byte(len(header)>>24))
	}
	return append(append(b, header...), data...)
}

func header(descr string, fortran bool, shape string) string {
	order := "False"
	if fortran {
		order = "True"
	}
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }    \n", descr, order, shape)
}

// elements returns the r×c elements of x, which is in C order.
func elements(descr string, fortran bool, x []float64, r, c int) (b []byte) {
	var order binary.AppendByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	for k := range x {
		at := k
		if fortran {
			at = k%r*c + k/r
		}
		if descr[1:] == "f4" {
			b = order.AppendUint32(b, math.Float32bits(float32(x[at])))
		} else {
			b = order.AppendUint64(b, math.Float64bits(x[at]))
		}
	}
	return b
}

// parts returns the arrays of m.
func parts(m *rbm.RBM, names []string, version byte, descr string, fortran bool, method uint16) []entry {
	nv, nh := m.Dims()
	return []entry{
		{names[0] + ".npy", method, npy(version, header(descr, fortran, fmt.Sprintf("(%d, %d)", nh, nv)),
			elements(descr, fortran, m.W.RawMatrix().Data, nh, nv))},
		{names[1] + ".npy", method, npy(version, header(descr, fortran, fmt.Sprintf("(%d,)", nv)),
			elements(descr, false, m.B.RawVector().Data, 1, nv))},
		{names[2] + ".npy", method, npy(version, header(descr, fortran, fmt.Sprintf("(%d,)", nh)),
			elements(descr, false, m.C.RawVector().Data, 1, nh))},
	}
}

var (
	ours    = []string{"W", "b", "c"}
	sklearn = []string{"components_", "intercept_visible_", "intercept_hidden_"}
)

func random(nv, nh int) *rbm.RBM {
	rnd := rand.New(rand.NewPCG(1, 2))
	m := rbm.NewRandom(nv, nh, 1, rnd)
	for i := range nv {
		m.B.SetVec(i, rnd.NormFloat64())
	}
	for j := range nh {
		m.C.SetVec(j, rnd.NormFloat64())
	}
	return m
}

// plain returns the three arrays of a random model, float64 and stored.
func plain() []entry { return parts(random(nv, nh), ours, 1, "<f8", false, zip.Store) }

func read(data []byte) (*rbm.RBM, error) {
	return npz.Read(bytes.NewReader(data), int64(len(data)))
}

func written(t testing.TB, m *rbm.RBM) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npz.Write(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkSame fails unless the parameters are the same bits.
func checkSame(t testing.TB, name string, got, want *rbm.RBM) {
	t.Helper()
	x, err := got.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	y, err := want.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s: got W %v, b %v, c %v, want W %v, b %v, c %v", name, mat.Formatted(got.W), got.B, got.C, mat.Formatted(want.W), want.B, want.C)
	}
}

func checkError(t *testing.T, name string, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	for _, w := range append(want, "npz: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q lacks %q", name, err, w)
		}
	}
}

func checkRefused(t *testing.T, name string, data []byte, want ...string) {
	t.Helper()
	m, err := read(data)
	checkError(t, name, err, want...)
	if m != nil {
		t.Errorf("%s: there is a model besides the error", name)
	}
}

func TestRead(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {nv, nh}, {1, 3}, {5, 1}, {35, 20}} {
		for _, descr := range []string{"<f8", ">f8", "<f4", ">f4"} {
			for _, fortran := range []bool{false, true} {
				for _, method := range []uint16{zip.Store, zip.Deflate} {
					for version := byte(1); version <= 3; version++ {
						for _, names := range [][]string{ours, sklearn} {
							m := random(size[0], size[1])
							data := archive(t, parts(m, names, version, descr, fortran, method)...)
							if descr[1:] == "f4" {
								for _, p := range [][]float64{m.W.RawMatrix().Data, m.B.RawVector().Data, m.C.RawVector().Data} {
									for i := range p {
										p[i] = float64(float32(p[i]))
									}
								}
							}
							name := fmt.Sprintf("%v %s fortran=%v method=%d version=%d %s", size, descr, fortran, method, version, names[0])
							got, err := read(data)
							if err != nil {
								t.Errorf("%s: %v", name, err)
								continue
							}
							checkSame(t, name, got, m)
						}
					}
				}
			}
		}
	}
}

// unusual returns a model whose numbers are not what a decimal or a conversion would keep.
func unusual() *rbm.RBM {
	return &rbm.RBM{
		W: mat.NewDense(3, 2, []float64{math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.Float64frombits(0xfff8000000001234),
			math.Float64frombits(0x7ff0000000000001), -math.MaxFloat64, 0x1p-1030}),
		B: mat.NewVecDense(2, []float64{math.Inf(1), math.Inf(-1)}),
		C: mat.NewVecDense(3, []float64{math.NaN(), 0.1, math.Nextafter(1, 2)}),
	}
}

func TestRoundTrip(t *testing.T) {
	got, err := read(written(t, unusual()))
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, "unusual numbers", got, unusual())
	got.W.Set(2, 1, 5) // all of it may be set
	got.B.SetVec(1, 5)
	got.C.SetVec(2, 5)

	big := random(8, 6)
	view := &rbm.RBM{
		W: big.W.Slice(1, 4, 2, 4).(*mat.Dense),
		B: mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}).ColView(1).(*mat.VecDense),
		C: mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}).ColView(0).(*mat.VecDense),
	}
	if got, err = read(written(t, view)); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "view", got, view)

	large := random(300, 200) // more than one step of reading
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		for _, fortran := range []bool{false, true} {
			m := large.Clone()
			if method == zip.Deflate {
				m.W.Zero() // which is a few bytes
				m.W.Set(199, 298, 1)
			}
			if got, err = read(archive(t, parts(m, ours, 1, ">f8", fortran, method)...)); err != nil {
				t.Fatal(err)
			}
			checkSame(t, "large model", got, m)
		}
	}
}

// A NaN of float32 stays one, with the same bits on every processor.
func TestNaNOfFloat32(t *testing.T) {
	m := rbm.New(nv, nh)
	e := parts(m, ours, 1, "<f4", false, zip.Store)
	b := e[1].data[len(e[1].data)-4*nv:]
	for i, x := range []uint32{0x7fc00000, 0xffc12345, 0x7f812345, 0xff800000} {
		binary.LittleEndian.PutUint32(b[4*i:], x)
	}
	got, err := read(archive(t, e...))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{0x7ff8000000000000, 0xfff82468a0000000, 0x7ff82468a0000000, 0xfff0000000000000} {
		if x := math.Float64bits(got.B.AtVec(i)); x != want {
			t.Errorf("b[%d] = %x, want %x", i, x, want)
		}
	}
}

// What is written, byte by byte as far as it is the format of NumPy.
func TestWrite(t *testing.T) {
	m := random(nv, nh)
	data := written(t, m)
	if !bytes.Equal(data, written(t, m.Clone())) {
		t.Error("two files of the same model differ")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := parts(m, ours, 1, "<f8", false, zip.Store)
	if len(z.File) != len(want) {
		t.Fatalf("there are %d arrays, want %d", len(z.File), len(want))
	}
	for k, f := range z.File {
		if f.Name != want[k].name || f.Method != zip.Store || f.Modified.Year() != 1980 {
			t.Errorf("array %d is %s, method %d, of %v", k, f.Name, f.Method, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		shape := []string{"(3, 4)", "(4,)", "(3,)"}[k]
		head := "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }"
		head += strings.Repeat(" ", 128-10-1-len(head)) + "\n"
		w := append([]byte("\x93NUMPY\x01\x00\x76\x00"+head), want[k].data[len(want[k].data)-len(got)+128:]...)
		if !bytes.Equal(got, w) {
			t.Errorf("%s is %q, want %q", f.Name, got, w)
		}
	}
	for n := range data {
		full := errors.New("full")
		err := npz.Write(&limited{n, full}, m)
		if checkError(t, "Write", err, "full"); !errors.Is(err, full) {
			t.Errorf("error %v does not wrap that of the writer", err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic at a model without parameters")
		}
	}()
	npz.Write(io.Discard, new(rbm.RBM))
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

func TestNames(t *testing.T) {
	m := random(nv, nh)
	a, b := plain(), parts(m, sklearn, 1, "<f8", false, zip.Store)
	other := []entry{
		{"x.npy", zip.Store, []byte("anything")},
		{"b", zip.Store, []byte("no array")},
		{"c.npy.txt", zip.Store, nil},
		{"W/b.npy", zip.Store, nil},
	}
	for _, set := range [][]entry{a, b} {
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
			e := slices.Concat(other[:2], []entry{set[order[0]], set[order[1]], set[order[2]]}, other[2:])
			got, err := read(archive(t, e...))
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, "with other files", got, m)
		}
	}
	const want = "want either W, b, c or components_, intercept_visible_, intercept_hidden_"
	for k := range 3 {
		without := slices.Delete(slices.Clone(a), k, k+1)
		n := func(i int) string { return fmt.Sprintf("%q", strings.TrimSuffix(without[i].name, ".npy")) }
		checkRefused(t, "two arrays", archive(t, without...), "there are arrays "+n(0)+", "+n(1)+", "+want)
		checkRefused(t, "mixed", archive(t, append(slices.Clone(without), b[k])...), n(0)+", "+n(1)+`, "`+sklearn[k]+`", `+want)
		checkRefused(t, "one of another set", archive(t, append(slices.Clone(a), b[k])...), `arrays "W", "b", "c", "`+sklearn[k]+`", `+want)
		checkRefused(t, "one of another set", archive(t, append(slices.Clone(b), a[k])...), `"intercept_hidden_", "`+ours[k]+`", `+want)
		checkRefused(t, "the same twice", archive(t, append(slices.Clone(a), a[k])...), `there are two arrays "`+ours[k]+`"`)
	}
	checkRefused(t, "both", archive(t, slices.Concat(a, b)...), `"W", "b", "c", "components_", "intercept_visible_", "intercept_hidden_", `+want)
	checkRefused(t, "no file", archive(t), "there are no arrays, "+want)
	checkRefused(t, "lower case", archive(t, entry{"w.npy", 0, nil}, a[1], a[2]), `"w", "b", "c"`)
	var many []entry
	for i := range 1000 {
		many = append(many, entry{fmt.Sprintf("%d%s.npy", i, strings.Repeat("x", 1000)), 0, nil})
	}
	_, err := read(archive(t, many...))
	checkError(t, "many arrays", err, "and 992 more")
	if n := len(err.Error()); n > 600 {
		t.Errorf("the error has %d bytes", n)
	}
	checkRefused(t, "no zip file", []byte("PK\x03\x04 and so on"), "zip: not a valid zip file")
	checkRefused(t, "nothing", nil, "zip: not a valid zip file")
}

// with returns the entries of plain with another array k.
func with(t testing.TB, k int, data []byte) []byte {
	e := plain()
	e[k].data = data
	return archive(t, e...)
}

func TestShapes(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, 8*n) }
	for _, tt := range []struct {
		k     int
		shape string
		n     int
		want  string
	}{
		{0, "(4, 3)", 12, "npz: W has shape (4, 3), want (3, 4) as b has shape (4,) and c has shape (3,): W is transposed, or b and c are swapped"},
		{1, "(1, 3)", 3, "want (4,) as W has shape (3, 4)"},
		{0, "(4, 2)", 8, "b has shape (4,), want (2,) as W has shape (4, 2)"},
		{0, "(5, 3)", 15, "b has shape (4,), want (3,) as W has shape (5, 3)"},
		{0, "(3, 5)", 15, "b has shape (4,), want (5,) as W has shape (3, 5)"},
		{0, "(2, 4)", 8, "c has shape (3,), want (2,) as W has shape (2, 4)"},
		{0, "(12,)", 12, "W has shape (12,), want (nh, nv) with at least 1 of each"},
		{0, "(3, 4, 1)", 12, "W has shape (3, 4, 1), want (nh, nv)"},
		{0, "()", 1, "W has shape (), want (nh, nv)"},
		{0, "(0, 4)", 0, "W has shape (0, 4), want (nh, nv)"},
		{0, "(3, 0)", 0, "W has shape (3, 0), want (nh, nv)"},
		{1, "(4, 1)", 4, "b has shape (4, 1), want (4,) as W has shape (3, 4)"},
		{1, "(1, 4)", 4, "b has shape (1, 4), want (4,)"},
		{1, "(3,)", 3, "b has shape (3,), want (4,)"},
		{1, "()", 1, "b has shape (), want (4,)"},
		{2, "(4,)", 4, "c has shape (4,), want (3,) as W has shape (3, 4)"},
		{0, "(3, 4)", 11, "array W: it has 162 bytes, want 170 as the shape is (3, 4)"},
		{0, "(3, 4)", 13, "array W: it has 178 bytes, want 170"},
		{1, "(4,)", 0, "array b: it has 72 bytes, want 104"},
		{0, "(1152921504606846976, 16)", 12, "W: "},
		{0, "(1152921504606846976, 2)", 0, "W: "}, // 2⁶⁴ bytes are none, if they are counted wrong
		{0, "(2147483648, 4294967296)", 0, "W: "},
		{0, "(4294967296, 4294967296)", 12, "W: "},
		{0, "(9223372036854775807, 2)", 12, "W: "},
		{0, "(9223372036854775808, 2)", 12, "W: header is"},
		{0, "(1, 1152921504606846976)", 12, "W: "},
		{0, "(1, 536870912)", 12, "W: "},
	} {
		checkRefused(t, tt.shape, with(t, tt.k, npy(1, header("<f8", false, tt.shape), zeros(tt.n))), tt.want)
	}
	e := parts(random(nv, nh), sklearn, 1, "<f8", false, zip.Store)
	e[2].data = npy(1, header("<f8", false, "(4,)"), zeros(4))
	checkRefused(t, "names", archive(t, e...), "intercept_hidden_ has shape (4,), want (3,) as components_ has shape (3, 4)")
	e[1].data = npy(1, header("<f8", false, "(3,)"), zeros(3))
	checkRefused(t, "swapped", archive(t, e...), "components_ has shape (3, 4), want (4, 3) as intercept_visible_ has shape (3,) "+
		"and intercept_hidden_ has shape (4,): components_ is transposed, or intercept_visible_ and intercept_hidden_ are swapped")
	e = plain()
	e[1].data = npy(1, header("<f8", false, "(1, 3)"), zeros(3))
	e[2].data = npy(1, header("<f8", false, "(4,)"), zeros(4))
	checkRefused(t, "a row", archive(t, e...), "W has shape (3, 4), want (4, 3) as b has shape (1, 3) and c has shape (4,): W is transposed, or b and c are swapped")
}

func TestHeaders(t *testing.T) {
	m := random(nv, nh)
	x := elements("<f8", false, m.W.RawMatrix().Data, nh, nv)
	const bad = "W: header is"
	for _, tt := range []struct{ header, want string }{
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }\n", ""},
		{"{'shape': (3, 4), 'fortran_order': False, 'descr': '<f8'}", ""},
		{`{"shape":(3,4,),"descr":"<f8","fortran_order":False}`, ""},
		{" \n{\t'shape' :\n( 3 , 4 )\r\n, 'descr'\f: '<f8' , 'fortran_order' : False , } \n\n", ""},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 4L), }", ""},

		{"", bad},
		{"{}", bad},
		{"{", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)} x", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}\x00", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4),,}", bad},
		{"{,'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}", bad},
		{"{'descr': '<f8' 'fortran_order': False, 'shape': (3, 4)}", bad},
		{"{'descr', '<f8', 'fortran_order': False, 'shape': (3, 4)}", bad},
		{"{descr: '<f8', 'fortran_order': False, 'shape': (3, 4)}", bad},
		{"['descr', 'fortran_order', 'shape']", bad},
		{"{'fortran_order': False, 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), 'x': 1}", `header has a key "x", want descr, fortran_order and shape`},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), 'shape': (3, 4)}", `header has two keys "shape"`},
		{"{'descr': '<f8', 'fortran_order': false, 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': 0, 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': 'False', 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': Falsehood, 'shape': (3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': [3, 4]}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': 12}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (12)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4 1)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3,,4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (,)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, -4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (+3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4.0)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (03, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (0x3, 4)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 99999999999999999999)}", bad},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4", bad},
		{"{'descr': '<f8, 'fortran_order': False, 'shape': (3, 4)}", "dtype is"},
		{"{'descr': '<f8", bad},
		{`{'descr': '\x3cf8', 'fortran_order': False, 'shape': (3, 4)}`, bad},
		{"{'descr': 8, 'fortran_order': False, 'shape': (3, 4)}", bad},
		{header("<i8", false, "(3, 4)"), `W: dtype is "<i8", want "<f8", ">f8", "<f4" or ">f4"`},
		{header("<f2", false, "(3, 4)"), `dtype is "<f2", want`},
		{header("float16", false, "(3, 4)"), `dtype is "float16", want`},
		{header("|O", false, "(3, 4)"), `dtype is "|O", want`},
		{header("<c8", false, "(3, 4)"), `dtype is "<c8", want`},
		{header("|f8", false, "(3, 4)"), `dtype is "|f8", want`},
		{header("<f16", false, "(3, 4)"), `dtype is "<f16", want`},
		{header("", false, "(3, 4)"), `dtype is "", want`},
		{"{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (3, 4)}", "dtype is a structure, want"},
		{"{'descr': ('<f8', (3,)), 'fortran_order': False, 'shape': (3, 4)}", "dtype is a structure, want"},
		{strings.Repeat(" ", 10_001), "W: header has 10001 bytes, want at most 10000"},
	} {
		for version := byte(1); version <= 3; version++ {
			data := with(t, 0, npy(version, tt.header, x))
			if tt.want != "" {
				checkRefused(t, tt.header, data, tt.want)
			} else if got, err := read(data); err != nil {
				t.Errorf("%q: %v", tt.header, err)
			} else {
				checkSame(t, tt.header, got, m)
			}
		}
	}
	good := npy(1, header("<f8", false, "(3, 4)"), x)
	for _, tt := range []struct {
		at   int
		b    byte
		want string
	}{
		{0, 'N', `W: it begins with "NNUMPY", want "\x93NUMPY"`},
		{5, 'y', `W: it begins with "\x93NUMPy"`},
		{6, 0, "W: format version is 0.0, known are 1.0, 2.0 and 3.0"},
		{6, 4, "W: format version is 4.0"},
		{7, 1, "W: format version is 1.1"},
		{6, 2, "W: header has"}, // whose size has two more bytes
	} {
		b := slices.Clone(good)
		b[tt.at] = tt.b
		checkRefused(t, tt.want, with(t, 0, b), tt.want)
	}
	for n := range len(good) - len(x) {
		checkRefused(t, fmt.Sprintf("first %d bytes", n), with(t, 0, good[:n]), "array W: unexpected EOF")
	}
	for n := 2; n < 12; n++ {
		checkRefused(t, fmt.Sprintf("first %d bytes", n), with(t, 0, npy(2, "", nil)[:n]), "array W: ")
	}
}

// A file that was cut off or has changed gives an error, or the same model where the byte
// does not matter. One of the elements matters.
func TestDamage(t *testing.T) {
	m := random(nv, nh)
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		whole := archive(t, parts(m, ours, 1, "<f8", true, method)...)
		for n := range whole {
			checkRefused(t, fmt.Sprintf("first %d bytes", n), whole[:n])
			for _, flip := range []byte{1, 8, 0xff} {
				bad := slices.Clone(whole)
				bad[n] ^= flip
				if got, err := read(bad); err == nil {
					checkSame(t, fmt.Sprintf("byte %d changed", n), got, m)
				}
			}
		}
	}
	whole := written(t, m)
	for _, e := range plain() {
		x := e.data[bytes.IndexByte(e.data, '\n')+1:]
		at := bytes.Index(whole, x)
		if at < 0 {
			t.Fatalf("%s is not in the file", e.name)
		}
		for n := at - 128; n < at+len(x); n++ {
			for _, flip := range []byte{1, 0x80, 0xff} {
				bad := slices.Clone(whole)
				bad[n] ^= flip
				checkRefused(t, fmt.Sprintf("byte %d changed", n), bad)
			}
		}
	}
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		e := plain()
		size := len(e[1].data)
		e[1] = entry{e[1].name, method, append(e[1].data, make([]byte, 1<<20)...)}
		if method == zip.Deflate {
			e[1].data = deflated(t, e[1].data)
		}
		long := claiming(t, e, []int{len(e[0].data), size, len(e[2].data)}, []int{len(e[0].data), len(e[1].data), len(e[2].data)})
		checkRefused(t, "bytes behind", long, "array b: ")
	}
}

// claiming returns a zip file of what may be compressed already, which says that the
// entries have these sizes.
func claiming(t testing.TB, entries []entry, sizes, compressed []int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for k, e := range entries {
		w, err := z.CreateRaw(&zip.FileHeader{
			Name:               e.name,
			Method:             e.method,
			UncompressedSize64: uint64(sizes[k]),
			CompressedSize64:   uint64(compressed[k]),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A claim of size takes no memory before the elements are there.
func TestClaims(t *testing.T) {
	const much = 1 << 27
	head := npy(1, header("<f8", false, fmt.Sprintf("(1, %d)", much)), nil)
	biases := npy(1, header("<f8", false, fmt.Sprintf("(%d,)", much)), nil)
	one := npy(1, header("<f8", false, "(1,)"), make([]byte, 8))
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		for _, stored := range []int{0, 100, 10_000, 100_000} {
			e := []entry{{"W.npy", method, head}, {"b.npy", method, biases}, {"c.npy", zip.Store, one}}
			sizes := []int{len(head) + 8*much, len(biases) + 8*much, len(one)}
			for k := range 2 {
				e[k].data = append(e[k].data, make([]byte, stored)...)
				if method == zip.Deflate {
					e[k].data = deflated(t, e[k].data)
				}
			}
			data := claiming(t, e, sizes, sizes)
			var m0, m1 runtime.MemStats
			runtime.ReadMemStats(&m0)
			_, err := read(data)
			runtime.ReadMemStats(&m1)
			checkError(t, fmt.Sprintf("method %d, %d bytes", method, stored), err, "array W: ")
			if n := m1.TotalAlloc - m0.TotalAlloc; n > uint64(512<<10+8*len(data)) {
				t.Errorf("method %d: %d bytes take %d, error %v", method, len(data), n, err)
			}
		}
	}
}

func deflated(t testing.TB, data []byte) []byte {
	b := archive(t, entry{"x", zip.Deflate, data})
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.npz")
	_, err := npz.Load(path)
	if checkError(t, "no file", err, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of no file: %v", err)
	}
	for _, m := range []*rbm.RBM{random(nv, nh), unusual()} {
		if err := npz.Save(path, m); err != nil {
			t.Fatal(err)
		}
		got, err := npz.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, "Load", got, m)
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, written(t, m)) {
			t.Errorf("Save does not write what Write does, %v", err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("there are the files %v, want one, %v", entries, err)
	}
	for _, bad := range []string{filepath.Join(dir, "missing", "m.npz"), filepath.Join(path, "m.npz")} {
		checkError(t, "Save", npz.Save(bad, random(1, 1)), bad)
		_, err := npz.Load(bad)
		checkError(t, "Load", err, bad)
	}
	_, err = npz.Load(dir)
	checkError(t, "directory", err, dir)
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = npz.Load(text)
	checkError(t, "text", err, text, "not a valid zip file")
}

// The files are from NumPy 1.24, in the way that their names say.
func TestFilesOfNumPy(t *testing.T) {
	want := rbm.New(nv, nh)
	for j := range nh {
		for i := range nv {
			want.W.Set(j, i, 1.5*float64(j)-0.25*float64(i))
		}
		want.C.SetVec(j, float64(j)+0.125)
	}
	for i := range nv {
		want.B.SetVec(i, -float64(i))
	}
	want.B.SetVec(2, math.Inf(1))
	paths, err := filepath.Glob("testdata/*.npz")
	if err != nil || len(paths) < 4 {
		t.Fatalf("files %q, %v", paths, err)
	}
	for _, path := range paths {
		got, err := npz.Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		checkSame(t, path, got, want)
	}
}

func FuzzRead(f *testing.F) {
	m := random(3, 2)
	for _, descr := range []string{"<f8", ">f4"} {
		for _, fortran := range []bool{false, true} {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				f.Add(archive(f, parts(m, ours, 1, descr, fortran, method)...))
				f.Add(archive(f, parts(m, sklearn, 2, descr, fortran, method)...))
			}
		}
	}
	f.Add(written(f, unusual()))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := read(data)
		if (m == nil) == (err == nil) {
			t.Fatalf("Read = %v, %v", m, err)
		}
		if err != nil {
			return
		}
		again, err := read(written(t, m))
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, "what was written again", again, m)
	})
}

// Headers, which random bytes seldom reach behind a checksum.
func FuzzHeader(f *testing.F) {
	f.Add(byte(1), header("<f8", false, "(3, 4)"), uint16(96))
	f.Add(byte(3), header(">f4", true, "(3, 4)"), uint16(48))
	f.Add(byte(2), `{"shape":(3L,4,),"descr":"<f8","fortran_order":True}`, uint16(96))
	f.Fuzz(func(t *testing.T, version byte, header string, n uint16) {
		if len(header) > 1<<15 {
			return
		}
		m, err := read(with(t, 0, npy(version, header, make([]byte, n))))
		if (m == nil) == (err == nil) {
			t.Fatalf("Read = %v, %v", m, err)
		}
		if err == nil && n != 96 && n != 48 {
			t.Fatalf("%d bytes were read as 12 numbers", n)
		}
	})
}
