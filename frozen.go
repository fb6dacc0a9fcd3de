package rbm

import (
	"fmt"

	"github.com/gorbm/rbm/internal/wire"
)

// Frozen marks parameters that training leaves alone, to the bit. Set it in a [Gradient]
// or a [Trainer]. A nil field marks none. L1, L2 and MaxNorm count the other weights
// only.
type Frozen struct {
	W    *Bits  // nh×nv, a one for each weight that stays
	B, C []bool // nv and nh, true for each bias that stays
}

// check panics unless f fits nv and nh units.
func (f *Frozen) check(nv, nh int) {
	if wrong := f.wrong(nv, nh); wrong != "" {
		panic("rbm: " + wrong)
	}
}

// wrong says which part does not fit nv and nh units, or returns "".
func (f *Frozen) wrong(nv, nh int) string {
	switch {
	case f == nil:
	case f.W != nil && (f.W.rows != nh || f.W.cols != nv):
		return fmt.Sprintf("W of frozen is %d×%d, want %d×%d", f.W.rows, f.W.cols, nh, nv)
	case len(f.B) > 0 && len(f.B) != nv:
		return fmt.Sprintf("B of frozen has length %d, want %d", len(f.B), nv)
	case len(f.C) > 0 && len(f.C) != nh:
		return fmt.Sprintf("C of frozen has length %d, want %d", len(f.C), nh)
	}
	return ""
}

// row returns the marks of row j of W, or nil if there are none.
func (f *Frozen) row(j int) []uint64 {
	if f == nil || f.W == nil {
		return nil
	}
	row := f.W.row(j)
	for _, x := range row {
		if x != 0 {
			return row
		}
	}
	return nil
}

// b reports whether the bias of visible unit i is marked.
func (f *Frozen) b(i int) bool { return f != nil && len(f.B) > 0 && f.B[i] }

// c reports whether the bias of hidden unit j is marked.
func (f *Frozen) c(j int) bool { return f != nil && len(f.C) > 0 && f.C[j] }

var _ marshaler = (*Frozen)(nil)

// AppendBinary appends the marks to b.
func (f *Frozen) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Frozen", f) }

// MarshalBinary is AppendBinary to nil.
func (f *Frozen) MarshalBinary() ([]byte, error) { return f.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (f *Frozen) UnmarshalBinary(data []byte) error {
	checkNil("Frozen", f)
	x, err := decode(data, "Frozen", readFrozen)
	if err == nil {
		*f = x
	}
	return err
}

func (f *Frozen) bytes() int {
	checkNil("Frozen", f)
	w, b, c := f.parts()
	return w.bytes() + b.bytes() + c.bytes()
}

// write appends W, B and C each as rows of bits, of which there are none without marks.
func (f *Frozen) write(to []byte) []byte {
	w, b, c := f.parts()
	return c.write(b.write(w.write(to)))
}

func (f *Frozen) parts() (w, b, c *Bits) {
	w = f.W
	if w == nil {
		w = new(Bits)
	}
	return w, packed(f.B), packed(f.C)
}

// packed returns marks as one row, or no row if there are none.
func packed(marks []bool) *Bits {
	if len(marks) == 0 {
		return new(Bits)
	}
	b := NewBits(1, len(marks))
	for i, x := range marks {
		b.SetBit(0, i, x)
	}
	return b
}

func readFrozen(d *wire.Decoder) (f Frozen) {
	if w := readBits(d); w.rows > 0 {
		f.W = &w
	}
	f.B, f.C = readMarks(d), readMarks(d)
	if f.W != nil && d.OK() {
		f.fits(d, f.W.cols, f.W.rows)
	}
	return f
}

// readMarks reads what packed returned.
func readMarks(d *wire.Decoder) []bool {
	b := readBits(d)
	if b.rows > 1 {
		d.Failf("marks of biases have %d rows, want 1", b.rows)
	}
	if b.rows == 0 || !d.OK() {
		return nil
	}
	marks := make([]bool, b.cols)
	eachOne(b.row(0), func(i int) { marks[i] = true })
	return marks
}

// fits sets an error unless f fits so many units.
func (f *Frozen) fits(d *wire.Decoder, nv, nh int) {
	if wrong := f.wrong(nv, nh); wrong != "" {
		d.Failf("%s", wrong)
	}
}
