package rbm

import (
	"errors"
	"fmt"
	"io"

	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

var (
	_ marshaler     = (*RBM)(nil)
	_ io.WriterTo   = (*RBM)(nil)
	_ io.ReaderFrom = (*RBM)(nil)
)

// AppendBinary appends the parameters and the groups to b, bit for bit.
func (m *RBM) AppendBinary(b []byte) ([]byte, error) { return encode(b, "RBM", m) }

// MarshalBinary is AppendBinary to nil.
func (m *RBM) MarshalBinary() ([]byte, error) { return m.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (m *RBM) UnmarshalBinary(data []byte) error {
	checkNil("model", m)
	x, err := decode(data, "RBM", readRBM)
	if err == nil {
		*m = x
	}
	return err
}

// WriteTo writes the bytes of AppendBinary to w, in one call.
func (m *RBM) WriteTo(w io.Writer) (int64, error) {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return 0, err
	}
	checkNil("writer", w)
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = fmt.Errorf("rbm: RBM: %w", err)
	}
	return int64(n), err
}

// ReadFrom sets m to what WriteTo wrote, up to the end of r, or leaves it.
func (m *RBM) ReadFrom(r io.Reader) (int64, error) {
	// As an io.ReaderFrom reads to the end, bytes that follow the model are an error.
	checkNil("reader", r)
	c := counter{r: r}
	data, err := wire.ReadFrame(&c)
	if err == nil {
		var more [1]byte
		if n, end := io.ReadFull(&c, more[:]); n > 0 {
			err = errors.New("bytes follow the model")
		} else if end != io.EOF {
			err = end
		}
	} else if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return c.n, fmt.Errorf("rbm: RBM: %w", err)
	}
	return c.n, m.UnmarshalBinary(data)
}

// A counter counts the bytes that are read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Len() int { return int(wire.Available(c.r)) }

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (m *RBM) bytes() int { return m.parameterBytes() + 8*(1+2*len(m.OneHot)) }

func (m *RBM) write(b []byte) []byte {
	b = wire.AppendInt(m.writeParameters(b), len(m.OneHot))
	for _, g := range m.OneHot {
		b = wire.AppendInt(wire.AppendInt(b, g.From), g.To)
	}
	return b
}

func readRBM(d *wire.Decoder) RBM {
	m := readParameters(d)
	for n := d.Int("number of groups", 0); n > 0 && d.OK(); n-- {
		m.OneHot = append(m.OneHot, Group{d.Int("first unit of a group", 0), d.Int("end of a group", 0)})
	}
	if d.OK() {
		if wrong := m.wrong(); wrong != "" {
			d.Failf("%s", wrong)
		}
	}
	return m
}

func (m *RBM) parameterBytes() int {
	nv, nh := m.Dims()
	return 8 * (2 + nv*nh + nv + nh)
}

func (m *RBM) writeParameters(b []byte) []byte {
	nv, nh := m.Dims()
	b = wire.AppendInt(wire.AppendInt(b, nv), nh)
	for j := range nh {
		b = wire.AppendFloats(b, m.W.RawRowView(j))
	}
	for _, x := range []*mat.VecDense{m.B, m.C} {
		for i := range x.Len() {
			b = wire.AppendFloat64(b, x.AtVec(i))
		}
	}
	return b
}

func readParameters(d *wire.Decoder) RBM {
	nv, nh := d.Int("nv", 1), d.Int("nh", 1)
	w, b, c := d.Floats(nh, nv), d.Floats(nv, 1), d.Floats(nh, 1)
	if !d.OK() {
		return RBM{}
	}
	return RBM{W: mat.NewDense(nh, nv, w), B: mat.NewVecDense(nv, b), C: mat.NewVecDense(nh, c)}
}

// fits sets an error unless m, called name, has so many units, or is nil.
func (m *RBM) fits(d *wire.Decoder, name string, nv, nh int) {
	if m == nil {
		return
	}
	if v, h := m.Dims(); v != nv || h != nh {
		d.Failf("%s has %d visible and %d hidden units, want %d and %d", name, v, h, nv, nh)
	}
}
