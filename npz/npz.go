// Package npz reads and writes models in the .npz format of NumPy:
//
//	m, err := npz.Load("model.npz")
//	err = npz.Save("model.npz", m)
//
// The file is a zip file with an array for each of W (nh×nv), b (nv) and c (nh). Python
// writes one for Load with
//
//	np.savez("model.npz", W=W, b=b, c=c)
//
// and gets what Save wrote with
//
//	f = np.load("model.npz")
//	W, b, c = f["W"], f["b"], f["c"]
//
// Load knows the names of a BernoulliRBM r of scikit-learn too:
//
//	np.savez("model.npz", components_=r.components_,
//	    intercept_visible_=r.intercept_visible_, intercept_hidden_=r.intercept_hidden_)
//
// which takes the arrays of Save in turn:
//
//	r = BernoulliRBM(n_components=len(c))
//	r.components_, r.intercept_visible_, r.intercept_hidden_ = W, b, c
//
// Free energies and probabilities are then the same in all three.
//
// A model with groups of one-hot units has a fourth array, one_hot of int64, with a row
// for each group: its first unit and the one behind its last. Python writes groups of the
// units 0 to 2 and 3 to 7 with
//
//	np.savez("model.npz", W=W, b=b, c=c, one_hot=np.array([[0, 3], [3, 8]]))
//
// It may stand beside the names of scikit-learn too, which knows no groups itself.
package npz

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/atomicfile"
	"github.com/gorbm/rbm/internal/npy"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// The names of the weights, the visible and the hidden biases.
var (
	ours    = []string{"W", "b", "c"}
	sklearn = []string{"components_", "intercept_visible_", "intercept_hidden_"}
)

const oneHot = "one_hot" // the name of the groups

// Read reads a model from a .npz file, the first size bytes of r. It needs either
// the arrays W, b and c or components_, intercept_visible_ and intercept_hidden_,
// of two dimensions, one and one; where other tools have weights of nv×nh, W is their
// transpose, W.T in Python. Parts of both are an error, and so are two arrays
// of one name; arrays of other names are ignored. If there is an array one_hot, of two
// columns and of int64 or int32, its rows are the groups of the model. Other numbers are
// float64 or float32 of either byte order, in C or Fortran order, zipped as np.savez or
// np.savez_compressed does. NaN and infinities are values as any other; every float64
// keeps its bits.
//
// Whatever the bytes are, Read returns a model or an error, and takes no more memory
// than a small multiple of the bytes it reads, those that are compressed counted as
// what they are uncompressed.
func Read(r io.ReaderAt, size int64) (*rbm.RBM, error) {
	m, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	return m, nil
}

func read(r io.ReaderAt, size int64) (*rbm.RBM, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	files := make(map[string]*zip.File)
	var found []string
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, npy.Extension)
		if !ok {
			continue
		}
		if files[name] != nil {
			return nil, fmt.Errorf("there are two arrays %.40q", name)
		}
		files[name] = f
		found = append(found, name)
	}
	names, err := choose(found)
	if err != nil {
		return nil, err
	}

	var arrays [3]*array
	for k, name := range names {
		a, err := open(files[name], name, floats)
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
		defer a.data.Close()
		arrays[k] = a
	}
	// All sizes are compared before much is read.
	w := arrays[0]
	if len(w.shape) != 2 || w.shape[0] == 0 || w.shape[1] == 0 {
		return nil, fmt.Errorf("%s has shape %v, want (nh, nv) with at least 1 of each", w.name, w.shape)
	}
	nh, nv := w.shape[0], w.shape[1]
	if b, c := arrays[1], arrays[2]; nh != nv && isVector(b.shape, nh) && isVector(c.shape, nv) {
		return nil, fmt.Errorf("%s has shape %v, want %v as %s has shape %v and %s has shape %v: %[1]s is transposed, or %[4]s and %[6]s are swapped",
			w.name, w.shape, npy.Shape{nv, nh}, b.name, b.shape, c.name, c.shape)
	}
	for k, want := range []npy.Shape{{nv}, {nh}} {
		if a := arrays[k+1]; !slices.Equal(a.shape, want) {
			return nil, fmt.Errorf("%s has shape %v, want %v as %s has shape %v", a.name, a.shape, want, w.name, w.shape)
		}
	}
	var values [3][]float64
	for k, a := range arrays {
		if values[k], err = a.values(); err != nil {
			return nil, fmt.Errorf("array %s: %w", a.name, err)
		}
	}
	m := &rbm.RBM{W: mat.NewDense(nh, nv, values[0]), B: mat.NewVecDense(nv, values[1]), C: mat.NewVecDense(nh, values[2])}
	if f := files[oneHot]; f != nil {
		if m.OneHot, err = readGroups(f, nv); err != nil {
			return nil, fmt.Errorf("array %s: %w", oneHot, err)
		}
	}
	return m, nil
}

// readGroups reads the groups of nv units.
func readGroups(f *zip.File, nv int) ([]rbm.Group, error) {
	a, err := open(f, oneHot, integers)
	if err != nil {
		return nil, err
	}
	defer a.data.Close()
	if len(a.shape) != 2 || a.shape[1] != 2 {
		return nil, fmt.Errorf("shape is %v, want (number of groups, 2)", a.shape)
	}
	n := a.shape[0]
	if n > nv {
		return nil, fmt.Errorf("shape is %v, want at most %d groups of %[2]d units", a.shape, nv)
	}
	x, err := a.values()
	if err != nil {
		return nil, err
	}
	var groups []rbm.Group
	end := 0.
	for k := range n {
		from, to := x[2*k], x[2*k+1]
		switch {
		case from < end:
			return nil, fmt.Errorf("group %d is [%.0f, %.0f), want it to begin at %.0f at the earliest", k, from, to, end)
		case to <= from:
			return nil, fmt.Errorf("group %d is [%.0f, %.0f), want at least one unit", k, from, to)
		case to > float64(nv):
			return nil, fmt.Errorf("group %d is [%.0f, %.0f), want one of %d units", k, from, to, nv)
		}
		end = to
		groups = append(groups, rbm.Group{From: int(from), To: int(to)})
	}
	return groups, nil
}

// choose returns the names of the arrays to read, out of those that were found.
func choose(found []string) ([]string, error) {
	has := func(name string) bool { return slices.Contains(found, name) }
	all := func(names []string) bool { return has(names[0]) && has(names[1]) && has(names[2]) }
	switch {
	case all(ours) && !slices.ContainsFunc(sklearn, has):
		return ours, nil
	case all(sklearn) && !slices.ContainsFunc(ours, has):
		return sklearn, nil
	}
	const most = 8
	list := "no arrays"
	for i, name := range found {
		switch {
		case i == 0:
			list = fmt.Sprintf("arrays %.40q", name)
		case i < most:
			list += fmt.Sprintf(", %.40q", name)
		case i == most:
			list += fmt.Sprintf(" and %d more", len(found)-most)
		}
	}
	return nil, fmt.Errorf("there are %s, want either %s or %s", list, strings.Join(ours, ", "), strings.Join(sklearn, ", "))
}

// Write writes m to w as arrays W, b and c of float64 and, if it has groups, one_hot of
// int64, in C order and not compressed. The bytes depend on m alone. It panics if the sizes
// of W, B and C do not fit.
func Write(w io.Writer, m *rbm.RBM) error {
	if err := write(w, m); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

func write(w io.Writer, m *rbm.RBM) error {
	nv, nh := m.Dims()
	z := zip.NewWriter(w)
	var b []byte
	create := func(name string, s npy.Shape, k kind) (io.Writer, error) {
		b = npy.AppendHeader(b[:0], s, fmt.Sprintf("<%c8", k))
		return z.CreateHeader(npy.InZip(name, zip.Store))
	}
	for k, a := range []struct {
		shape npy.Shape
		m     mat.Matrix // its rows, one after the other
	}{{npy.Shape{nh, nv}, m.W}, {npy.Shape{nv}, m.B.T()}, {npy.Shape{nh}, m.C.T()}} {
		f, err := create(ours[k], a.shape, floats)
		if err != nil {
			return err
		}
		rows, cols := a.m.Dims()
		for r := range rows {
			for i := range cols {
				b = wire.AppendFloat64(b, a.m.At(r, i))
			}
			if _, err := f.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	if len(m.OneHot) > 0 {
		f, err := create(oneHot, npy.Shape{len(m.OneHot), 2}, integers)
		if err != nil {
			return err
		}
		for _, g := range m.OneHot {
			b = wire.AppendInt(wire.AppendInt(b, g.From), g.To)
		}
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// Save writes m to the file of this path as [Write] does, in place of an older one.
// It is atomic, with temporary files like those of checkpoint.Save. It panics if the
// sizes of W, B and C do not fit.
func Save(path string, m *rbm.RBM) error {
	var b bytes.Buffer
	err := write(&b, m)
	if err == nil {
		err = atomicfile.Replace(path, b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

// Load reads the model of a file as [Read] does. Where there is no file the error
// wraps fs.ErrNotExist.
func Load(path string) (*rbm.RBM, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	m, err := read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("npz: %s: %w", path, err)
	}
	return m, nil
}
