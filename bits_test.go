package rbm_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

var widths = []int{1, 63, 64, 65, 127, 128, 130}

// opaque hides the concrete type of a matrix.
type opaque struct{ mat.Matrix }

type namedMatrix struct {
	name string
	mat.Matrix
}

// representations returns the values of d in every form that a caller may hold them.
func representations(d *mat.Dense) []namedMatrix {
	return []namedMatrix{
		{"Dense", d},
		{"view", strided(d)},
		{"transposed", mat.DenseCopyOf(d.T()).T()},
		{"custom", opaque{d}},
	}
}

// strided returns d as a view into a larger matrix of NaN.
func strided(d *mat.Dense) *mat.Dense {
	r, c := d.Dims()
	big := mat.NewDense(r+3, c+5, nil)
	big.Apply(func(_, _ int, _ float64) float64 { return math.NaN() }, big)
	view := big.Slice(1, 1+r, 2, 2+c).(*mat.Dense)
	view.Copy(d)
	return view
}

func ones(r, c int) *rbm.Bits {
	b := rbm.NewBits(r, c)
	for i := range r {
		for j := range c {
			b.SetBit(i, j, true)
		}
	}
	return b
}

func TestNewBitsIsZero(t *testing.T) {
	for _, c := range widths {
		b := rbm.NewBits(3, c)
		if r, got := b.Dims(); r != 3 || got != c {
			t.Errorf("NewBits(3, %d).Dims() = %d, %d", c, r, got)
		}
		if !mat.Equal(b, mat.NewDense(3, c, nil)) {
			t.Errorf("NewBits(3, %d) is not all zero", c)
		}
	}
}

func TestBitsSetBit(t *testing.T) {
	for _, c := range widths {
		b := rbm.NewBits(3, c)
		want := mat.NewDense(3, c, nil)
		for i := range 3 {
			for j := range c {
				b.SetBit(i, j, true)
				want.Set(i, j, 1)
				if !b.Bit(i, j) || b.At(i, j) != 1 || !mat.Equal(b, want) {
					t.Fatalf("width %d: SetBit(%d, %d, true) gave\n%v", c, i, j, mat.Formatted(b))
				}
				if (i+j)%2 == 0 {
					continue
				}
				b.SetBit(i, j, false)
				want.Set(i, j, 0)
				if b.Bit(i, j) || b.At(i, j) != 0 || !mat.Equal(b, want) {
					t.Fatalf("width %d: SetBit(%d, %d, false) gave\n%v", c, i, j, mat.Formatted(b))
				}
			}
		}
	}
}

func TestBitsTranspose(t *testing.T) {
	for _, c := range widths {
		b := randomBits(3, c, 0.5, 1)
		bt := b.T()
		if r, got := bt.Dims(); r != c || got != 3 {
			t.Errorf("3×%d: T is %d×%d", c, r, got)
		}
		for i := range 3 {
			for j := range c {
				if bt.At(j, i) != b.At(i, j) {
					t.Errorf("3×%d: T().At(%d, %d) = %v, want %v", c, j, i, bt.At(j, i), b.At(i, j))
				}
			}
		}
		if !mat.Equal(bt.T(), b) {
			t.Errorf("3×%d: T().T() is not the matrix itself", c)
		}
	}
}

func TestBitsWithGonum(t *testing.T) {
	for _, c := range widths {
		b := randomBits(5, c, 0.5, 2)
		want := mat.NewDense(5, c, nil)
		var sum float64
		for i := range 5 {
			for j := range c {
				if b.Bit(i, j) {
					want.Set(i, j, 1)
					sum++
				}
			}
		}
		for _, tt := range []struct {
			name      string
			got, want mat.Matrix
		}{
			{"Bits", b, want},
			{"T", b.T(), want.T()},
		} {
			if !mat.Equal(tt.got, tt.want) {
				t.Errorf("width %d, %s: mat.Equal is false", c, tt.name)
			}
			if got := mat.Sum(tt.got); got != sum {
				t.Errorf("width %d, %s: mat.Sum = %v, want %v", c, tt.name, got, sum)
			}
			if !mat.Equal(mat.DenseCopyOf(tt.got), tt.want) {
				t.Errorf("width %d, %s: mat.DenseCopyOf differs", c, tt.name)
			}
			if got, want := fmt.Sprint(mat.Formatted(tt.got)), fmt.Sprint(mat.Formatted(tt.want)); got != want {
				t.Errorf("width %d, %s: mat.Formatted gives\n%s\nwant\n%s", c, tt.name, got, want)
			}
		}
		var got, product mat.Dense
		got.Mul(b, b.T())
		product.Mul(want, want.T())
		if !mat.Equal(&got, &product) {
			t.Errorf("width %d: Mul(b, b.T()) = %v, want %v", c, mat.Formatted(&got), mat.Formatted(&product))
		}
	}
}

func TestBitsSlice(t *testing.T) {
	for _, c := range widths {
		b := randomBits(6, c, 0.5, 3)
		for i := range 6 {
			for k := i + 1; k <= 6; k++ {
				want := mat.DenseCopyOf(b).Slice(i, k, 0, c)
				if !mat.Equal(b.Slice(i, k), want) {
					t.Errorf("width %d: Slice(%d, %d) differs from the rows", c, i, k)
				}
			}
		}
		if !mat.Equal(b.Slice(1, 5).Slice(2, 3), b.Slice(3, 4)) {
			t.Errorf("width %d: Slice(1, 5).Slice(2, 3) is not row 3", c)
		}
	}
}

func TestBitsSliceSharesMemory(t *testing.T) {
	for _, c := range widths {
		b := rbm.NewBits(4, c)
		s := b.Slice(1, 3)
		s.SetBit(1, c-1, true)
		if !b.Bit(2, c-1) || mat.Sum(b) != 1 {
			t.Errorf("width %d: a bit set in the slice gave\n%v", c, mat.Formatted(b))
		}
		b.SetBit(1, 0, true)
		if !s.Bit(0, 0) {
			t.Errorf("width %d: a bit set in the matrix is not seen in its slice", c)
		}
	}
}

func TestBitsSliceRange(t *testing.T) {
	s := ones(6, 65).Slice(2, 4)
	wantPanic(t, "Bit above", func() { s.Bit(-1, 0) }, "-1")
	wantPanic(t, "Bit below", func() { s.Bit(2, 0) }, "2×65")
	wantPanic(t, "At below", func() { s.At(2, 0) }, "2×65")
	wantPanic(t, "SetBit below", func() { s.SetBit(2, 0, true) }, "2×65")
	wantPanic(t, "Slice below", func() { s.Slice(0, 3) }, "3", "2×65")
	wantPanic(t, "Gather below", func() { s.Gather(nil, []int{0, 2}) }, "2×65")
}

func TestBitsGather(t *testing.T) {
	rows := []int{4, 0, 4, 2}
	for _, c := range widths {
		b := randomBits(5, c, 0.5, 4)
		want := mat.NewDense(len(rows), c, nil)
		for k, r := range rows {
			for j := range c {
				want.Set(k, j, b.At(r, j))
			}
		}
		got := b.Gather(nil, rows)
		if !mat.Equal(got, want) {
			t.Errorf("width %d: Gather(nil, %v) =\n%v\nwant\n%v", c, rows, mat.Formatted(got), mat.Formatted(want))
		}

		dst := ones(len(rows), c)
		if got := b.Gather(dst, rows); got != dst || !mat.Equal(dst, want) {
			t.Errorf("width %d: Gather(dst, %v) =\n%v\nwant\n%v", c, rows, mat.Formatted(dst), mat.Formatted(want))
		}

		dst.SetBit(0, 0, !dst.Bit(0, 0))
		if b.At(4, 0) != want.At(0, 0) {
			t.Errorf("width %d: the gathered rows share memory with their source", c)
		}
	}
}

func TestBitsGatherIntoSlice(t *testing.T) {
	all := ones(5, 70)
	rbm.NewBits(1, 70).Gather(all.Slice(1, 3), []int{0, 0})
	for i, want := range []float64{70, 0, 0, 70, 70} {
		if got := mat.Sum(all.Slice(i, i+1)); got != want {
			t.Errorf("row %d holds %v ones, want %v", i, got, want)
		}
	}
}

func TestBitsOf(t *testing.T) {
	for _, c := range widths {
		want := mat.DenseCopyOf(randomBits(9, c, 0.5, 5))
		for _, a := range append(representations(want), namedMatrix{"Bits", randomBits(9, c, 0.5, 5)}) {
			got, err := rbm.BitsOf(a.Matrix)
			if err != nil || !mat.Equal(got, want) {
				t.Errorf("width %d, %s: BitsOf differs, err = %v", c, a.name, err)
			}
		}
	}
}

func TestBitsOfCopies(t *testing.T) {
	a := rbm.NewBits(2, 65)
	b, err := rbm.BitsOf(a)
	if err != nil {
		t.Fatal(err)
	}
	a.SetBit(1, 64, true)
	if b.Bit(1, 64) {
		t.Error("BitsOf(b) shares memory with b")
	}
}

func TestBitsOfNegativeZero(t *testing.T) {
	b, err := rbm.BitsOf(mat.NewDense(1, 2, []float64{math.Copysign(0, -1), 1}))
	if err != nil || b.Bit(0, 0) || !b.Bit(0, 1) {
		t.Errorf("BitsOf(-0, 1) = %v, %v", b, err)
	}
}

func TestBitsOfNamesTheFirstBadEntry(t *testing.T) {
	for _, bad := range []float64{0.25, -1, 2, math.Nextafter(1, 2), math.Nextafter(1, 0), 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)} {
		d := mat.NewDense(20, 40, nil)
		d.Set(17, 31, bad)
		d.Set(17, 38, 9)
		d.Set(18, 3, 9)
		for _, a := range representations(d) {
			b, err := rbm.BitsOf(a.Matrix)
			if b != nil {
				t.Errorf("%s with %v: BitsOf returned a matrix beside its error", a.name, bad)
			}
			checkError(t, fmt.Sprintf("%s with %v", a.name, bad), err, "17", "31", fmt.Sprint(bad))
		}
	}
}

func TestMaskedBitsOf(t *testing.T) {
	for _, c := range widths {
		want, mask := randomBits(9, c, 0.5, 5), randomBits(9, c, 0.6, 6)
		a := mat.DenseCopyOf(want)
		for i := range 9 {
			for j := range c {
				if !mask.Bit(i, j) {
					a.Set(i, j, math.NaN())
					want.SetBit(i, j, false)
				}
			}
		}
		for _, a := range representations(a) {
			v, observed, err := rbm.MaskedBitsOf(a.Matrix)
			if err != nil || !mat.Equal(v, want) || !mat.Equal(observed, mask) {
				t.Errorf("width %d, %s: MaskedBitsOf differs, err = %v", c, a.name, err)
			}
		}
		for _, bad := range []float64{0.5, -1, 2, math.Inf(1)} {
			a.Set(7, c-1, bad)
			a.Set(8, 0, 9)
			v, observed, err := rbm.MaskedBitsOf(a)
			if v != nil || observed != nil {
				t.Error("MaskedBitsOf returned a matrix beside its error")
			}
			checkError(t, fmt.Sprint(bad), err, fmt.Sprintf("row 7, column %d is %v, want 0, 1 or NaN", c-1, bad))
		}
	}
	_, _, err := rbm.MaskedBitsOf(&mat.Dense{})
	checkError(t, "nothing", err, "0×0")
}

func TestBinarize(t *testing.T) {
	for _, threshold := range []float64{0, 0.5, -1, 127, math.Inf(-1)} {
		above, below := math.Nextafter(threshold, math.Inf(1)), math.Nextafter(threshold, math.Inf(-1))
		for _, c := range widths {
			a := mat.NewDense(4, c, nil)
			want := mat.NewDense(4, c, nil)
			for i := range 4 {
				for j := range c {
					k := (i + j*j) % 5
					a.Set(i, j, []float64{threshold, above, below, math.Inf(1), math.Inf(-1)}[k])
					want.Set(i, j, []float64{0, 1, 0, 1, 0}[k])
				}
			}
			for _, a := range representations(a) {
				got, err := rbm.Binarize(a.Matrix, threshold)
				if err != nil || !mat.Equal(got, want) {
					t.Errorf("width %d, %s, threshold %v: Binarize differs, err = %v", c, a.name, threshold, err)
				}
			}
		}
	}
}

func TestBinarizeBits(t *testing.T) {
	b := randomBits(3, 65, 0.5, 6)
	for _, tt := range []struct {
		threshold float64
		want      mat.Matrix
	}{
		{-0.5, ones(3, 65)}, {0, b}, {0.5, b}, {1, rbm.NewBits(3, 65)},
	} {
		for _, a := range []namedMatrix{{"Bits", b}, {"T", mat.DenseCopyOf(b.T()).T()}} {
			got, err := rbm.Binarize(a.Matrix, tt.threshold)
			if err != nil || !mat.Equal(got, tt.want) {
				t.Errorf("%s: Binarize(b, %v) =\n%v, %v", a.name, tt.threshold, mat.Formatted(got), err)
			}
		}
	}
}

func TestBinarizeNaN(t *testing.T) {
	d := mat.NewDense(20, 40, nil)
	d.Set(17, 31, math.NaN())
	d.Set(18, 3, math.NaN())
	for _, a := range representations(d) {
		b, err := rbm.Binarize(a.Matrix, 0.5)
		if b != nil {
			t.Errorf("%s: Binarize returned a matrix beside its error", a.name)
		}
		checkError(t, a.name, err, "17", "31", "NaN")
	}
}

func TestConversionOfNothing(t *testing.T) {
	_, err := rbm.BitsOf(&mat.Dense{})
	checkError(t, "BitsOf", err, "0×0")
	_, err = rbm.Binarize(&mat.Dense{}, 0.5)
	checkError(t, "Binarize", err, "0×0")
}

func TestBinarizeThresholdNaN(t *testing.T) {
	_, err := rbm.Binarize(ones(1, 1), math.NaN())
	checkError(t, "Binarize", err, "NaN")
}

func checkError(t *testing.T, name string, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	for _, s := range append(want, "rbm: ") {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: error %q lacks %q", name, err, s)
		}
	}
}

// The last word of a row holds bits that are no units. Whatever made the matrix, they stay zero,
// or they would count as units in every product.
func TestBitsPaddingIsNoUnit(t *testing.T) {
	const nv, nh = 65, 3
	all := mat.NewDense(4, nv, nil)
	all.Apply(func(_, _ int, _ float64) float64 { return 1 }, all)
	set := ones(4, nv)
	of, _ := rbm.BitsOf(all)
	above, _ := rbm.Binarize(all, 0)
	aboveBits, _ := rbm.Binarize(set, -1)

	on := rbm.New(nv, nh)
	for i := range nv {
		on.B.SetVec(i, 1e6)
	}
	c := rbm.NewChains(newSource(1))
	c.StartRandom(on, 4)
	c.Gibbs(on, 1)

	m := randomModel(nv, nh, 1, 2)
	want := m.FreeEnergy(nil, all)
	for _, tt := range []struct {
		name string
		bits *rbm.Bits
	}{
		{"SetBit", set},
		{"BitsOf", of},
		{"Binarize", above},
		{"Binarize of Bits", aboveBits},
		{"Gather", set.Gather(nil, []int{3, 2, 1, 0})},
		{"Slice", ones(6, nv).Slice(1, 5)},
		{"Gibbs", c.Visible()},
	} {
		if got := mat.Sum(tt.bits); got != 4*nv {
			t.Errorf("%s: sum = %v, want %v", tt.name, got, 4*nv)
		}
		checkSame(t, tt.name+": FreeEnergy", m.FreeEnergy(nil, tt.bits), want)
	}
}

func TestBitsMisuse(t *testing.T) {
	b := rbm.NewBits(4, 65)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"NewBits(0, 3)", func() { rbm.NewBits(0, 3) }, []string{"0×3"}},
		{"NewBits(3, 0)", func() { rbm.NewBits(3, 0) }, []string{"3×0"}},
		{"NewBits(-1, 3)", func() { rbm.NewBits(-1, 3) }, []string{"-1×3"}},
		{"NewBits(3, -64)", func() { rbm.NewBits(3, -64) }, []string{"3×-64"}},
		{"NewBits overflow", func() { rbm.NewBits(math.MaxInt, 65) }, []string{fmt.Sprint(math.MaxInt), "65"}},
		{"NewBits largest", func() { rbm.NewBits(math.MaxInt, math.MaxInt) }, []string{fmt.Sprint(math.MaxInt)}},
		{"Bit row", func() { b.Bit(4, 0) }, []string{"4,", "4×65"}},
		{"Bit column", func() { b.Bit(0, 65) }, []string{"65", "4×65"}},
		{"Bit padding", func() { b.Bit(0, 100) }, []string{"100", "4×65"}},
		{"Bit negative", func() { b.Bit(0, -1) }, []string{"-1", "4×65"}},
		{"At padding", func() { b.At(0, 100) }, []string{"100", "4×65"}},
		{"SetBit row", func() { b.SetBit(-7, 0, true) }, []string{"-7", "4×65"}},
		{"SetBit padding", func() { b.SetBit(0, 65, true) }, []string{"65", "4×65"}},
		{"Slice(2, 1)", func() { b.Slice(2, 1) }, []string{"2", "1", "4×65"}},
		{"Slice(2, 2)", func() { b.Slice(2, 2) }, []string{"2", "4×65"}},
		{"Slice(-1, 2)", func() { b.Slice(-1, 2) }, []string{"-1", "4×65"}},
		{"Slice(0, 5)", func() { b.Slice(0, 5) }, []string{"5", "4×65"}},
		{"Gather high", func() { b.Gather(nil, []int{1, 17}) }, []string{"17", "4×65"}},
		{"Gather negative", func() { b.Gather(nil, []int{1, -17}) }, []string{"-17", "4×65"}},
		{"Gather nothing", func() { b.Gather(nil, nil) }, nil},
		{"Gather rows", func() { b.Gather(rbm.NewBits(3, 65), []int{1, 2}) }, []string{"3×65", "2×65"}},
		{"Gather columns", func() { b.Gather(rbm.NewBits(2, 66), []int{1, 2}) }, []string{"2×66", "2×65"}},
		{"Gather from itself", func() { b.Gather(b.Slice(1, 3), []int{2, 1}) }, []string{"shares memory"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
}

// fuzzDense spells a matrix: its width is c, its entries are the values that data numbers.
func fuzzDense(data []byte, c uint8, values [6]float64) *mat.Dense {
	width := int(c)%140 + 1
	rows := len(data) / width
	if rows == 0 {
		return nil
	}
	d := mat.NewDense(rows, width, nil)
	for i := range rows {
		for j := range width {
			d.Set(i, j, values[data[i*width+j]%6])
		}
	}
	return d
}

func FuzzBitsOf(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 0, 1}, uint8(2))
	f.Add([]byte{0, 1, 1, 0, 0, 3}, uint8(1))
	f.Add(make([]byte, 300), uint8(64))
	f.Add([]byte(strings.Repeat("\x01", 300)), uint8(129))
	f.Fuzz(func(t *testing.T, data []byte, c uint8) {
		d := fuzzDense(data, c, [6]float64{0, 1, 0.5, math.NaN(), -1, math.Inf(1)})
		if d == nil {
			return
		}
		rows, cols := d.Dims()
		b, err := rbm.BitsOf(d)
		for i := range rows {
			for j := range cols {
				x := d.At(i, j)
				if x != 0 && x != 1 {
					checkError(t, fmt.Sprint(mat.Formatted(d)), err, fmt.Sprint(i), fmt.Sprint(j), fmt.Sprint(x))
					return
				}
			}
		}
		if err != nil || !mat.Equal(b, d) {
			t.Errorf("BitsOf of\n%v\nfailed: %v", mat.Formatted(d), err)
		}
	})
}

func FuzzBinarize(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 2, 5}, uint8(2), 0.5)
	f.Add([]byte{0, 1, 2, 4, 2, 5}, uint8(1), 0.0)
	f.Add(make([]byte, 300), uint8(64), -1.0)
	f.Add([]byte(strings.Repeat("\x02", 300)), uint8(129), 0.25)
	f.Fuzz(func(t *testing.T, data []byte, c uint8, threshold float64) {
		if math.IsNaN(threshold) {
			return
		}
		d := fuzzDense(data, c, [6]float64{threshold, threshold - 1, threshold + 1, 0.5, math.NaN(), math.Inf(1)})
		if d == nil {
			return
		}
		rows, cols := d.Dims()
		b, err := rbm.Binarize(d, threshold)
		for i := range rows {
			for j := range cols {
				x := d.At(i, j)
				if math.IsNaN(x) {
					checkError(t, fmt.Sprint(mat.Formatted(d)), err, fmt.Sprint(i), fmt.Sprint(j), "NaN")
					return
				}
				if err == nil && b.Bit(i, j) != (x > threshold) {
					t.Fatalf("Binarize(a, %v)[%d,%d] = %v for %v", threshold, i, j, b.Bit(i, j), x)
				}
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// halved is a Dense whose entries count half, and of which one column is shown.
type halved struct{ *mat.Dense }

func (h halved) Dims() (r, c int)    { r, _ = h.Dense.Dims(); return r, 1 }
func (h halved) At(i, j int) float64 { return h.Dense.At(i, j) / 2 }

// A matrix that embeds another one is what its own methods say.
func TestEmbeddedMatrix(t *testing.T) {
	h := halved{mat.NewDense(2, 70, nil)}
	for j := range 70 {
		h.Set(1, j, 2)
	}
	got, err := rbm.BitsOf(h)
	if err != nil {
		t.Fatal(err)
	}
	want := rbm.NewBits(2, 1)
	want.SetBit(1, 0, true)
	if !mat.Equal(got, want) {
		t.Errorf("BitsOf = %v, want %v", mat.Formatted(got), mat.Formatted(want))
	}
	m := randomModel(1, 3, 1, 1)
	checkSame(t, "FreeEnergy", m.FreeEnergy(nil, h), m.FreeEnergy(nil, want))
}
