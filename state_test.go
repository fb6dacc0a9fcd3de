package rbm_test

import (
	"bytes"
	"context"
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

type state interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

func saved(t testing.TB, x state) []byte {
	t.Helper()
	b, err := x.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A training is what has to go on after a round trip.
type training struct {
	data      *rbm.Bits
	model     *rbm.RBM
	sampler   rbm.Sampler
	sgd       *rbm.SGD
	centering *rbm.Centering // or nil
	g         rbm.Gradient
}

func newTraining(nv, nh int, sampler string, momentum float64, centering *rbm.Centering) *training {
	o := &training{
		data:      randomBits(30, nv, 0.3, 1),
		model:     rbm.NewRandom(nv, nh, 0.5, newSource(2)),
		sgd:       &rbm.SGD{Rate: 0.1, Momentum: momentum, L2: 0.01},
		centering: centering,
	}
	switch sampler {
	case "CD":
		o.sampler = rbm.NewCD(2, newSource(3))
	case "PCD":
		o.sampler = rbm.NewPCD(11, 2, newSource(3))
	case "PT":
		pt := newPT(5, 3, []float64{0, 0.3, 0.7, 1}, newSource(3))
		pt.Base = vec(make([]float64, nv))
		pt.Base.SetVec(nv-1, 0.5)
		o.sampler = pt
	case "PTT":
		ptt := rbm.NewPTT(5, 2, nil, newSource(3))
		ptt.MinSwapRate = 0.99
		o.sampler = ptt
	}
	return o
}

// step makes step number n.
func (o *training) step(n int) {
	batch := o.data.Slice(n%3*10, n%3*10+10)
	if o.centering != nil {
		o.model.Gradient(&o.g, batch, o.sampler)
		o.centering.Center(&o.g)
	} else {
		o.model.Gradient(&o.g, batch, o.sampler)
	}
	o.sgd.Step(o.model, &o.g)
	if pt, ok := o.sampler.(*rbm.PT); ok && n%10 == 9 {
		pt.Adapt()
	}
}

func (o *training) parts() []state {
	p := []state{o.model, o.sampler.(state), o.sgd}
	if o.centering != nil {
		p = append(p, o.centering)
	}
	return p
}

func (o *training) saved(t testing.TB) (b [][]byte) {
	for _, p := range o.parts() {
		b = append(b, saved(t, p))
	}
	return b
}

func forTrainings(f func(t *testing.T, start func(nv, nh int) *training), t *testing.T) {
	for _, sampler := range []string{"CD", "PCD", "PT", "PTT"} {
		for _, momentum := range []float64{0, 0.5} {
			for _, centering := range []*rbm.Centering{nil, {}, {Rate: 0.1, Enhanced: true}} {
				name := fmt.Sprintf("%s/momentum=%v", sampler, momentum)
				if centering != nil {
					name += fmt.Sprintf("/centering=%v", centering.Rate)
				}
				t.Run(name, func(t *testing.T) {
					f(t, func(nv, nh int) *training {
						c := centering
						if c != nil {
							c = &rbm.Centering{Rate: c.Rate, Enhanced: c.Enhanced}
						}
						return newTraining(nv, nh, sampler, momentum, c)
					})
				})
			}
		}
	}
}

// A training that goes on from bytes is the same, bit for bit, as one that never stopped.
func TestStateGoesOn(t *testing.T) {
	t.Parallel()
	const nv, nh = 70, 9
	forTrainings(func(t *testing.T, start func(nv, nh int) *training) {
		for _, before := range []int{0, 1, 7} {
			o := start(nv, nh)
			for n := range before {
				o.step(n)
			}
			at := o.saved(t)

			zero := &training{data: o.data, model: new(rbm.RBM), sgd: new(rbm.SGD)}
			zero.sampler = reflect.New(reflect.TypeOf(o.sampler).Elem()).Interface().(rbm.Sampler)
			if o.centering != nil {
				zero.centering = new(rbm.Centering)
			}
			used := start(5, 67)
			used.sgd.Momentum = 0.9
			for n := range 4 {
				used.step(n)
			}
			used.data, used.g = o.data, rbm.Gradient{}

			for n := range 20 {
				o.step(before + n)
			}
			want := o.saved(t)
			for _, tt := range []struct {
				name string
				*training
			}{{"zero values", zero}, {"used values", used}} {
				for i, p := range tt.parts() {
					data := slices.Clone(at[i])
					if err := p.UnmarshalBinary(data); err != nil {
						t.Fatal(err)
					}
					for i := range data { // it shares no memory
						data[i] ^= 0xff
					}
				}
				for i, b := range tt.saved(t) {
					if !bytes.Equal(b, at[i]) {
						t.Errorf("%s: %T has changed on the way, after %d steps", tt.name, tt.parts()[i], before)
					}
				}
				for n := range 20 {
					tt.step(before + n)
				}
				checkSame(t, tt.name, params(tt.model), params(o.model))
				for i, b := range tt.saved(t) {
					if !bytes.Equal(b, want[i]) {
						t.Errorf("%s: %T differs 20 steps after step %d", tt.name, tt.parts()[i], before)
					}
				}
			}
		}
	}, t)
}

// Chains that others hold are restored where they are.
func TestStateKeepsChains(t *testing.T) {
	m := randomModel(5, 4, 1, 1)
	pcd := rbm.NewPCD(3, 1, newSource(1))
	pcd.Sample(m, nil)
	b, want := saved(t, pcd), mat.DenseCopyOf(pcd.Chains.Visible())
	chains, visible := pcd.Chains, pcd.Chains.Visible()
	for range 5 {
		pcd.Sample(m, nil)
	}
	if err := pcd.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if pcd.Chains != chains || !mat.Equal(visible, want) {
		t.Error("the chains have moved")
	}

	cd := rbm.NewCD(1, newSource(2))
	chains = cd.Chains
	b = saved(t, cd)
	cd.Sample(m, randomBits(2, 5, 0.5, 1))
	if err := cd.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if cd.Chains != chains {
		t.Error("the chains of CD have moved")
	}
	wantPanic(t, "Visible", func() { chains.Visible() }, "not been started")
}

func TestStateOfChains(t *testing.T) {
	for _, nv := range []int{1, 63, 64, 65, 130} {
		m := randomModel(nv, 3, 1, 1)
		m.OneHot = []rbm.Group{{From: 0, To: nv/2 + 1}}
		c := rbm.NewChains(newSource(1))
		c.StartRandom(m, 4)
		c.Gibbs(m, 3)
		var d rbm.Chains
		if err := d.UnmarshalBinary(saved(t, c)); err != nil {
			t.Fatal(err)
		}
		if !mat.Equal(c.Visible(), d.Visible()) {
			t.Errorf("nv=%d: states differ", nv)
		}
		c.Gibbs(m, 2)
		d.Gibbs(m, 2)
		if !mat.Equal(c.Visible(), d.Visible()) {
			t.Errorf("nv=%d: states differ after two sweeps", nv)
		}
	}
}

// Views are written as their values, and every bit of a number counts.
func TestStateOfRBM(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		m.W.Set(nh-1, 0, math.Float64frombits(0xfff8000000001234))
		m.B.SetVec(nv-1, math.Inf(-1))
		m.C.SetVec(0, math.Copysign(0, -1))
		view, around := surrounded(m)
		b := saved(t, view)
		if !bytes.Equal(b, saved(t, m)) {
			t.Error("a view is written in another way")
		}
		got := rbm.New(2, 2)
		if err := got.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		want := params(m)
		for i, x := range params(got) {
			if math.Float64bits(x) != math.Float64bits(want[i]) {
				t.Errorf("%s = %x, want %x", paramName(m, i), math.Float64bits(x), math.Float64bits(want[i]))
			}
		}
		if err := view.UnmarshalBinary(saved(t, rbm.New(nv, nh))); err != nil {
			t.Fatal(err)
		}
		if a := around[0].At(1, 2); math.Float64bits(a) != math.Float64bits(m.W.At(0, 0)) {
			t.Errorf("the memory of a view was written to: %v", a)
		}
	})
}

func TestGob(t *testing.T) {
	type both struct {
		Name  string
		Model *rbm.RBM
		Value rbm.RBM
	}
	m := randomModel(5, 4, 1, 1)
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&both{"x", m, *rbm.New(2, 3)}); err != nil {
		t.Fatal(err)
	}
	var got both
	if err := gob.NewDecoder(&b).Decode(&got); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "model", params(got.Model), params(m))
	checkSame(t, "value", params(&got.Value), params(rbm.New(2, 3)))

	type pointer struct{ Model *rbm.RBM }
	if err := gob.NewEncoder(&b).Encode([]pointer{{m}, {nil}}); err != nil {
		t.Fatal(err)
	}
	var list []pointer
	if err := gob.NewDecoder(&b).Decode(&list); err != nil {
		t.Fatal(err)
	}
	checkSame(t, "model of a list", params(list[0].Model), params(m))
	if list[1].Model != nil {
		t.Error("no model has become one")
	}
}

// WriteTo writes the same bytes as AppendBinary, and ReadFrom takes them however they come.
func TestReadFrom(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		m.B.SetVec(nv-1, math.Float64frombits(0xfff8000000001234))
		view, _ := surrounded(m)
		want := saved(t, m)
		var b bytes.Buffer
		if n, err := view.WriteTo(&b); err != nil || n != int64(len(want)) || !bytes.Equal(b.Bytes(), want) {
			t.Errorf("WriteTo = %d, %v, want the %d bytes of AppendBinary", n, err, len(want))
		}
		for name, r := range map[string]io.Reader{
			"Reader":        bytes.NewReader(want),
			"OneByteReader": iotest.OneByteReader(bytes.NewReader(want)),
			"HalfReader":    iotest.HalfReader(bytes.NewReader(want)),
			"DataErrReader": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			got := rbm.New(2, 2)
			if n, err := got.ReadFrom(r); err != nil || n != int64(len(want)) || !bytes.Equal(saved(t, got), want) {
				t.Errorf("%s: ReadFrom = %d, %v, want %d and the same model", name, n, err, len(want))
			}
		}
	})
	large, got := rbm.NewRandom(300, 200, 1, newSource(1)), new(rbm.RBM)
	var b bytes.Buffer
	n, err := large.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := got.ReadFrom(&b); err != nil || read != n || !bytes.Equal(saved(t, got), saved(t, large)) {
		t.Errorf("ReadFrom = %d, %v, want %d and the same model", read, err, n)
	}
}

// The count is right after an error too, and then the model is as before.
func TestReadFromFails(t *testing.T) {
	m, old := randomModel(3, 2, 1, 1), randomModel(2, 1, 1, 2)
	whole, before := saved(t, m), saved(t, old)
	broken := errors.New("broken")
	check := func(name string, r io.Reader, want int, message string) {
		t.Helper()
		n, err := old.ReadFrom(r)
		checkError(t, name, err, "rbm: RBM: ", message)
		if n != int64(want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: ReadFrom = %d, %v, want %d and not EOF", name, n, err, want)
		}
		if !bytes.Equal(saved(t, old), before) {
			t.Errorf("%s: the model has changed", name)
		}
	}
	for n := range whole {
		check(fmt.Sprintf("first %d bytes", n), bytes.NewReader(whole[:n]), n, "unexpected EOF")
		bad := slices.Clone(whole)
		bad[n] ^= 1
		r := bytes.NewReader(bad)
		_, err := old.ReadFrom(r)
		checkError(t, fmt.Sprintf("byte %d changed", n), err)
		check(fmt.Sprintf("byte %d changed", n), bytes.NewReader(bad), len(whole)-r.Len(), "")
	}
	for n := range len(whole) + 1 {
		r := io.MultiReader(iotest.HalfReader(bytes.NewReader(whole[:n])), iotest.ErrReader(broken))
		check(fmt.Sprintf("broken after %d bytes", n), r, n, "broken")
	}
	check("bytes behind", bytes.NewReader(append(slices.Clone(whole), 0, 0)), len(whole)+1, "bytes follow the model")
	sgd := saved(t, new(rbm.SGD))
	check("SGD", bytes.NewReader(sgd), len(sgd), `data is of kind "SGD"`)
	for n := range len(whole) + 1 {
		if got, err := m.WriteTo(&limited{n, broken}); got != int64(n) || (n < len(whole)) != errors.Is(err, broken) {
			t.Errorf("WriteTo = %d, %v, want %d and the error of the writer", got, err, n)
		}
		if got, err := m.WriteTo(&limited{n, nil}); got != int64(n) || (n < len(whole)) != errors.Is(err, io.ErrShortWrite) {
			t.Errorf("WriteTo = %d, %v, want %d and a short write", got, err, n)
		}
	}
	wantPanic(t, "WriteTo", func() { new(rbm.RBM).WriteTo(io.Discard) }, "W, B or C is nil")
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

// Every exported field comes back, those that are added later too.
func TestStateOfFields(t *testing.T) {
	for _, x := range []state{new(rbm.SGD), new(rbm.Centering), new(rbm.Sparsity), rbm.NewCD(1, newSource(1)),
		rbm.NewPCD(1, 1, newSource(1)), newPT(1, 1, []float64{1}, newSource(1)),
		rbm.NewPTT(1, 1, nil, newSource(1))} {
		v := reflect.ValueOf(x).Elem()
		y := reflect.New(v.Type())
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				switch p := f.Addr().Interface().(type) {
				case *int:
					*p = 10 + i
				case *float64:
					*p = 1 / float64(2+i)
				case *bool:
					*p = true
				case *[]float64:
					if *p = []float64{float64(i), 0.5}; v.Type().Field(i).Name == "Betas" {
						*p = []float64{0.25, 0.5, 1}
					}
				case **mat.VecDense:
					*p = vec([]float64{float64(i), 0.5})
				case *[]rbm.Group:
					*p = []rbm.Group{{From: 0, To: 1}}
				case **rbm.Chains:
				default:
					t.Errorf("%T.%s is of a type that this test does not know", x, v.Type().Field(i).Name)
				}
			}
		}
		if err := y.Interface().(state).UnmarshalBinary(saved(t, x)); err != nil {
			t.Fatal(err)
		}
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && !reflect.DeepEqual(f.Interface(), y.Elem().Field(i).Interface()) {
				t.Errorf("%T.%s = %v, want %v", x, v.Type().Field(i).Name, y.Elem().Field(i), f)
			}
		}
	}
}

// kinds are values with all the state there can be, and another value of each type.
var kinds = func() (kinds []struct {
	name   string
	x, old state
}) {
	make := func(nv, nh int) []state {
		o := newTraining(nv, nh, "PT", 0.5, &rbm.Centering{Rate: 0.5})
		p := newTraining(nv, nh, "PCD", 0, nil)
		q := newTraining(nv, nh, "CD", 0, nil)
		r := newTraining(nv, nh, "PTT", 0, nil)
		for n := range 2 {
			o.step(n)
			p.step(n)
			q.step(n)
			r.step(n)
		}
		phases := new(rbm.Phases)
		o.model.Phases(phases, o.data, nil, rbm.NewPCD(7, 1, newSource(4)))
		o.model.OneHot = []rbm.Group{{From: 0, To: 1}, {From: 1, To: nv}} // at last: no row of theirs has such
		sparsity := &rbm.Sparsity{Target: 0.1, Cost: 0.5}
		var g rbm.Gradient
		rbm.New(nv, nh).Gradient(&g, o.data, q.sampler)
		sparsity.Penalize(&g)
		return []state{o.model, phases, o.sgd, o.centering, sparsity, &rbm.Frozen{W: randomBits(nh, nv, 0.5, 5), C: make([]bool, nh)}, p.sampler.(*rbm.PCD).Chains, q.sampler.(state), p.sampler.(state), o.sampler.(state), r.sampler.(state)}
	}
	x, old := make(3, 2), make(2, 1)
	for i, name := range []string{"RBM", "Phases", "SGD", "Centering", "Sparsity", "Frozen", "Chains", "CD", "PCD", "PT", "PTT"} {
		kinds = append(kinds, struct {
			name   string
			x, old state
		}{name, x[i], old[i]})
	}
	return kinds
}()

// No type of the package is forgotten here.
func TestKinds(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range regexp.MustCompile(`(?m)^func \(\w+ \*(\w+)\) UnmarshalBinary\(`).FindAllSubmatch(source, -1) {
			if !strings.HasSuffix(path, "_test.go") {
				want = append(want, string(f[1]))
			}
		}
	}
	slices.Sort(want)
	got := []string{"Trainer"} // which has tests of its own
	for _, k := range kinds {
		got = append(got, k.name)
	}
	slices.Sort(got)
	var small []string
	for _, x := range smallest() {
		small = append(small, reflect.TypeOf(x).Elem().Name())
	}
	slices.Sort(small)
	if !slices.Equal(got, want) || !slices.Equal(small, want) {
		t.Errorf("tests know %q and %q, the package has %q", got, small, want)
	}
}

func frame(kind string, payload []byte) []byte {
	b, err := wire.AppendFrame(nil, kind, func(b []byte) ([]byte, error) { return append(b, payload...), nil })
	if err != nil {
		panic(err)
	}
	return b
}

// payload returns what a frame holds.
func payload(frame []byte) []byte { return frame[32 : len(frame)-4] }

// checkRefused fails unless x refuses data, with an error that has all of want, and stays as it is.
func checkRefused(t *testing.T, name string, x state, data []byte, want ...string) {
	t.Helper()
	before := saved(t, x)
	err := x.UnmarshalBinary(data)
	checkError(t, name, err, append(want, "rbm: ")...)
	if !bytes.Equal(saved(t, x), before) {
		t.Errorf("%s: the value has changed in spite of the error %v", name, err)
	}
}

func TestDamagedState(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			whole := saved(t, k.x)
			p := payload(whole)
			for n := range whole {
				want := "bytes, want"
				if n < 8 {
					want = "" // not even the magic ones
				}
				checkRefused(t, fmt.Sprintf("first %d bytes", n), k.old, whole[:n], want)
				for _, flip := range []byte{1, 0x80, 0xff} {
					bad := slices.Clone(whole)
					bad[n] ^= flip
					checkRefused(t, fmt.Sprintf("byte %d changed", n), k.old, bad)
				}
			}
			for n := range p {
				checkRefused(t, fmt.Sprintf("payload of %d bytes", n), k.old, frame(k.name, p[:n]), k.name)
			}
			checkRefused(t, "payload too long", k.old, frame(k.name, append(slices.Clone(p), 0)), k.name+": 1 bytes follow")
			checkRefused(t, "bytes behind", k.old, append(slices.Clone(whole), 0),
				fmt.Sprintf("payload has %d bytes, want %d", len(p)+1, len(p)))
			checkRefused(t, "no bytes", k.old, nil)
			for _, other := range kinds {
				if other.name != k.name {
					checkRefused(t, other.name, k.old, saved(t, other.x), fmt.Sprintf("rbm: %s: data is of kind %q", k.name, other.name))
				}
			}
			later := slices.Clone(whole)
			later[8] = 7
			checkRefused(t, "later version", k.old, later, "version 7", "known is only 1")
		})
	}
}

// Any number in the place of any other gives an error or the value that it stands for, and
// takes no memory that the data does not justify.
func TestStateOfWildNumbers(t *testing.T) {
	numbers := []uint64{1 << 29, 1<<61 + 1, 1<<64 - 1, 0, 1, 2, 5, 1 << 20, 1 << 31, 1 << 32, 1 << 40, 1 << 56, 1<<63 - 1, 1 << 63}
	if testing.Short() {
		numbers = numbers[:3]
	}
	for _, k := range kinds {
		p := payload(saved(t, k.x))
		before := saved(t, k.old)
		for at := 0; at+8 <= len(p); at++ {
			for _, x := range numbers {
				wild := slices.Concat(p[:at], wire.AppendUint64(nil, x), p[at+8:])
				checkWild(t, k.name, k.old, frame(k.name, wild), before)
			}
		}
		if err := k.old.UnmarshalBinary(before); err != nil {
			t.Fatal(err)
		}
	}
}

// Another byte in the place of any gives an error, and leaves the value as it was, or the
// value that it stands for.
func TestStateOfOtherBytes(t *testing.T) {
	testBytes(t, func(b byte) []byte {
		return []byte{b ^ 1, b ^ 8, b ^ 32, b ^ 128, ^b, 0, 2, 255, b - 1}
	})
}

// testBytes decodes values with others in the place of each byte, and the checksum of that.
func testBytes(t *testing.T, others func(b byte) []byte) {
	t.Parallel()
	table := crc32.MakeTable(crc32.Castagnoli)
	for _, x := range smallest() {
		before := saved(t, x)
		data := slices.Clone(before)
		bytesOf, sum := data[:len(data)-4], data[len(data)-4:]
		for at, was := range bytesOf {
			for _, b := range others(was) {
				bytesOf[at] = b
				binary.LittleEndian.PutUint32(sum, crc32.Checksum(bytesOf, table))
				if err := x.UnmarshalBinary(data); err == nil && !bytes.Equal(saved(t, x), data) {
					t.Fatalf("%T: byte %d as %d is written as %x", x, at, b, saved(t, x))
				}
			}
			bytesOf[at] = was
			binary.LittleEndian.PutUint32(sum, crc32.Checksum(bytesOf, table))
			if err := x.UnmarshalBinary(data); err != nil || !bytes.Equal(saved(t, x), before) {
				t.Fatalf("%T: after changes of byte %d it is %x, %v", x, at, saved(t, x), err)
			}
		}
	}
}

// useTrainer makes steps, which must not panic, with few sweeps.
func useTrainer(tr *rbm.Trainer) {
	pcd := tr.Sampler.(*rbm.PCD)
	pcd.K, tr.MissingSweeps = min(pcd.K, 2), min(tr.MissingSweeps, 2)
	for range 2 {
		tr.Step()
	}
	tr.Epochs()
}

// A Trainer with any number in the place of any other goes on: there is no panic, and it
// takes no more time or memory than the data justifies.
func TestTrainerOfWildNumbers(t *testing.T) {
	t.Parallel()
	tr := smallest()[len(smallest())-1].(*rbm.Trainer)
	good := saved(t, tr)
	p := payload(good)
	var taken, refused int
	for at := 0; at+8 <= len(p); at++ {
		for _, x := range []uint64{0, 3, 1 << 31, 1 << 62, 1<<63 - 1, 1<<64 - 1} {
			err := tr.UnmarshalBinary(frame("Trainer", slices.Concat(p[:at], wire.AppendUint64(nil, x), p[at+8:])))
			if err != nil {
				refused++
				continue
			}
			taken++
			useTrainer(tr)
			if err := tr.UnmarshalBinary(good); err != nil {
				t.Fatal(err)
			}
		}
	}
	if taken < 100 || refused < 1000 {
		t.Errorf("%d values are taken, %d refused", taken, refused)
	}
	set := func(at int, x uint64) []byte {
		return frame("Trainer", slices.Concat(p[:at], wire.AppendUint64(nil, x), p[at+8:]))
	}
	const sweeps, steps = 2 * 8, 3*8 + 1 + 1 + 5*3*8 + 8
	model := len(payload(saved(t, tr.Model)))
	waited := steps + 8 + 8 + model + len(payload(saved(t, &tr.SGD))) + 1 + len(payload(saved(t, tr.Centering))) + 1 + len(payload(saved(t, tr.Sparsity))) + 1 +
		len(payload(saved(t, tr.Frozen))) + 1 + model + 1 + 2*8
	for _, tt := range []struct {
		at   int
		x    uint64
		want string
	}{
		{sweeps, 1 << 24, ""},
		{sweeps, 1 << 62, "MissingSweeps is 4611686018427387904, want at most 16777216"},
		{steps, math.MaxInt / 2, ""},
		{steps, 1<<63 - 1, fmt.Sprint("steps is 9223372036854775807, want at most ", math.MaxInt/2)},
		{steps, 0, "steps before the last report is 1, want at most 0"},
		{waited, 1, ""},
		{waited, 2, "reports is 2, want at most 1"},
	} {
		if tt.want != "" {
			checkRefused(t, tt.want, tr, set(tt.at, tt.x), "rbm: Trainer: ", tt.want)
		} else if err := tr.UnmarshalBinary(set(tt.at, tt.x)); err != nil {
			t.Errorf("%d at %d: %v", tt.x, tt.at, err)
		}
	}
}

// smallest returns a value of each kind with all the state there can be, in as few bytes as
// there can be.
func smallest() []state {
	m, data := rbm.NewRandom(2, 1, 0.5, newSource(1)), rbm.NewBits(1, 2)
	pcd, pt := rbm.NewPCD(1, 1, newSource(2)), newPT(1, 1, []float64{0, 1}, newSource(3))
	cd, ptt := rbm.NewCD(1, newSource(4)), rbm.NewPTT(1, 1, nil, newSource(5))
	pt.Base = vec(make([]float64, 2))
	sgd, centering, phases := &rbm.SGD{Rate: 0.1, Momentum: 0.5}, new(rbm.Centering), new(rbm.Phases)
	sparsity := &rbm.Sparsity{Target: 0.25, Cost: 1}
	var g rbm.Gradient
	for _, s := range []rbm.Sampler{cd, pcd, pt, ptt} {
		m.Gradient(&g, data, s)
		sparsity.Penalize(&g)
		centering.Center(&g)
		sgd.Step(m, &g)
		m.Phases(phases, data, nil, s)
	}
	tr := rbm.NewTrainer(m, data, pcd, newSource(6))
	tr.HeldOut, tr.Weights, tr.Observed = rbm.NewBits(1, 2), []float64{1}, rbm.NewBits(1, 2)
	tr.SGD.Momentum = 0.5
	tr.Sparsity, tr.Frozen = &rbm.Sparsity{Target: 0.25, Cost: 1}, &rbm.Frozen{W: rbm.NewBits(1, 2), B: make([]bool, 2), C: make([]bool, 1)}
	tr.OnReport = func(rbm.Report) error { return nil }
	if err := tr.Train(context.Background(), 1); err != nil {
		panic(err)
	}
	return []state{m, phases, sgd, centering, sparsity, tr.Frozen, pcd.Chains, cd, pcd, pt, ptt, tr}
}

// checkWild decodes data, and sets x back to before if it was accepted.
func checkWild(t testing.TB, kind string, x state, data, before []byte) {
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	err := x.UnmarshalBinary(data)
	runtime.ReadMemStats(&m1)
	if n := m1.TotalAlloc - m0.TotalAlloc; n > uint64(8*len(data)+16<<10) {
		t.Fatalf("%s: %d bytes of data took %d bytes of memory", kind, len(data), n)
	}
	want := data
	if err != nil {
		want = before
	}
	if !bytes.Equal(saved(t, x), want) {
		t.Fatalf("%s: %x is written as %x, error %v", kind, data, saved(t, x), err)
	}
	if err == nil {
		if err := x.UnmarshalBinary(before); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStateThatClaimsMuch(t *testing.T) {
	var m rbm.RBM
	for _, p := range [][]uint64{{1 << 20, 1 << 20}, {1 << 40, 1}, {1, 1 << 40}, {1 << 62, 1 << 62}, {1<<63 - 1, 1<<63 - 1}, {1 << 32, 1 << 32}} {
		var b []byte
		for _, x := range p {
			b = wire.AppendUint64(b, x)
		}
		data := frame("RBM", append(b, make([]byte, 80)...))
		if err := m.UnmarshalBinary(data); err == nil {
			t.Errorf("%v was accepted", p)
		}
		// An error allocates, but no weights.
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m.UnmarshalBinary(data)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<14 {
			t.Errorf("%v takes %d bytes", p, n)
		}
	}
	for _, size := range []uint64{1 << 30, 1 << 40, 1 << 60, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		claim := slices.Clone(saved(t, rbm.New(1, 1))[:40])
		binary.LittleEndian.PutUint64(claim[24:], size)
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		_, err := m.ReadFrom(bytes.NewReader(claim))
		runtime.ReadMemStats(&m1)
		if n := m1.TotalAlloc - m0.TotalAlloc; err == nil || n > 128<<10 {
			t.Errorf("a claim of %d bytes takes %d bytes, error %v", size, n, err)
		}
	}
	for _, k := range kinds {
		claim := saved(t, k.x)
		claim[24+5] = 1 // 2⁴⁰ more bytes
		checkWild(t, k.name, k.old, claim, saved(t, k.old))
	}
}

func TestImpossibleState(t *testing.T) {
	f := math.Float64bits
	list := func(x ...float64) []uint64 {
		l := []uint64{uint64(len(x))}
		for _, x := range x {
			l = append(l, f(x))
		}
		return l
	}
	pt := func(parts ...[]uint64) []uint64 { return slices.Concat(parts...) }
	head := []uint64{1, 2} // K, chains
	betas := list(0, 1)
	replicas := []uint64{7, 8, 4, 3, 0, 1, 2, 3}   // seed, clock, 4×3
	part := []uint64{3, 1, 0, 0, 0, 0, 0, 0, 0}    // a phase of 3 and 1 units
	small := append(slices.Clone(part), 0)         // RBM of 3 and 1 units
	narrow := []uint64{2, 1, 0, 0, 0, 0, 0, 0}     // RBM of 2 and 1 units
	grouped := append(slices.Clone(part), 1, 0, 2) // RBM of 3 and 1 units with a group
	rates := []uint64{f(0.5), 1, f(0.5)}
	phases := func(words ...uint64) []byte { // after the bool
		b := []byte{1}
		for _, x := range words {
			b = wire.AppendUint64(b, x)
		}
		return b
	}
	tiny := []uint64{1, 1, 0, 0, 0} // RBM of 1 and 1 units
	good := pt(head, list(), betas, replicas, []uint64{0, 1, 1, 0}, []uint64{3}, []uint64{2})
	for _, tt := range []struct {
		kind  string
		words []uint64
		bytes []byte // that follow
		want  string // nothing: it is right
	}{
		{"RBM", []uint64{1, 1, 0, 0, 0, 0}, nil, ""},
		{"RBM", []uint64{1, 1, 0, 0, 0}, nil, "ends too early"},
		{"RBM", grouped, nil, ""},
		{"RBM", pt(part, []uint64{2, 0, 1, 1, 3}), nil, ""},
		{"RBM", pt(part, []uint64{1, 1, 4}), nil, "group is [1, 4), want one of 3 units"},
		{"RBM", pt(part, []uint64{1, 2, 2}), nil, "group is [2, 2), want at least one unit"},
		{"RBM", pt(part, []uint64{1, 2, 1}), nil, "group is [2, 1), want at least one unit"},
		{"RBM", pt(part, []uint64{2, 0, 2, 1, 3}), nil, "group is [1, 3), want it to begin at 2"},
		{"RBM", pt(part, []uint64{1, 1 << 63, 3}), nil, "first unit of a group is 9223372036854775808"},
		{"RBM", pt(part, []uint64{1 << 30, 0, 2}), nil, "payload ends too early"},
		{"RBM", pt(part, []uint64{1 << 63, 0, 2}), nil, "number of groups is 9223372036854775808"},
		{"PTT", pt([]uint64{1, f(0.5), 2, 2}, small, rates, grouped, rates, replicas), nil, "model 1 has the groups [[0, 2)], want []"},
		{"RBM", []uint64{0, 1, 0}, nil, "nv is 0, want at least 1"},
		{"RBM", []uint64{1, 0, 0}, nil, "nh is 0, want at least 1"},
		{"RBM", []uint64{1, 1, 0, 0}, nil, "ends too early"},
		{"Phases", nil, []byte{0}, ""},
		{"Phases", nil, []byte{2}, "sum of something is 2, want 0 or 1"},
		{"Phases", nil, []byte{0, 0}, "1 bytes follow the last value"},
		{"Phases", nil, phases(pt([]uint64{f(2), f(0.5)}, tiny, tiny)...), ""},
		{"Phases", nil, phases(pt([]uint64{f(2), f(math.NaN())}, tiny, tiny)...), ""},
		{"Phases", nil, phases(pt([]uint64{f(2), f(0)}, tiny, tiny)...), "model weight of phases is 0, want a positive finite number"},
		{"Phases", nil, phases(pt([]uint64{f(-1), f(1)}, tiny, tiny)...), "data weight of phases is -1"},
		{"Phases", nil, phases(pt([]uint64{f(math.Inf(1)), f(1)}, tiny, tiny)...), "data weight of phases is +Inf"},
		{"Phases", nil, phases(pt([]uint64{f(1), f(1)}, tiny, part)...), "model phase is 1×3, want 1×1"},
		{"Phases", nil, phases(pt([]uint64{f(1), f(1)}, tiny, []uint64{1, 2, 0, 0, 0, 0, 0})...), "model phase is 2×1, want 1×1"},
		{"Phases", nil, phases(pt([]uint64{f(1), f(1)}, tiny)...), "ends too early"},
		{"SGD", []uint64{0, 0, 0, 0, 0}, []byte{2}, "velocity is 2, want 0 or 1"},
		{"SGD", []uint64{f(math.NaN()), 0, 0, 0, 0}, []byte{0}, "rate of SGD is NaN"},
		{"SGD", []uint64{0, f(1), 0, 0, 0}, []byte{0}, "momentum of SGD is 1, want one in [0, 1)"},
		{"SGD", []uint64{0, 0, 0, f(-1), 0}, []byte{0}, "L1 of SGD is -1"},
		{"Centering", []uint64{f(-0.5)}, []byte("\x00" + strings.Repeat("\x00", 16)), "Rate is -0.5, want one in [0, 1]"},
		{"Centering", []uint64{f(math.NaN())}, []byte("\x00" + strings.Repeat("\x00", 16)), "Rate is NaN"},
		{"Centering", []uint64{f(1)}, []byte("\x02" + strings.Repeat("\x00", 16)), "Enhanced is 2"},
		{"Centering", []uint64{f(1)}, []byte("\x01" + strings.Repeat("\x00", 16)), ""},
		{"Sparsity", []uint64{f(0.1), f(2), f(0.5), 1, f(0.25)}, nil, ""},
		{"Sparsity", []uint64{f(1.5), 0, 0, 0}, nil, "target of sparsity is 1.5, want one in [0, 1]"},
		{"Sparsity", []uint64{f(math.NaN()), 0, 0, 0}, nil, "target of sparsity is NaN, want one in [0, 1]"},
		{"Sparsity", []uint64{0, f(-1), 0, 0}, nil, "cost of sparsity is -1"},
		{"Sparsity", []uint64{0, 0, f(-0.5), 0}, nil, "rate of sparsity is -0.5, want one in [0, 1]"},
		{"Frozen", []uint64{2, 3, 7, 0, 1, 3, 5, 0, 0}, nil, ""},
		{"Frozen", []uint64{0, 0, 0, 0, 1, 2, 1}, nil, ""},
		{"Frozen", []uint64{0, 0, 2, 3, 1, 1, 0, 0}, nil, "marks of biases have 2 rows, want 1"},
		{"Frozen", []uint64{2, 3, 7, 0, 1, 2, 1, 0, 0}, nil, "B of frozen has length 2, want 3"},
		{"Frozen", []uint64{2, 3, 7, 0, 0, 0, 1, 3, 5}, nil, "C of frozen has length 3, want 2"},
		{"Chains", []uint64{1, 2, 0, 0}, nil, ""},
		{"Chains", []uint64{1, 1<<56 - 1, 0, 0}, nil, ""},
		{"Chains", []uint64{1, 1 << 56, 0, 0}, nil, "clock is 72057594037927936, want less than 2⁵⁶"},
		{"Chains", []uint64{1, 2, 0, 3}, nil, "states are 0×3"},
		{"Chains", []uint64{1, 2, 3, 0}, nil, "states are 3×0"},
		{"Chains", []uint64{1, 2, 2, 3, 7, 7}, nil, ""},
		{"Chains", []uint64{1, 2, 2, 3, 7, 8}, nil, "row 1 of the states has a one in column 3, want 3 columns"},
		{"Chains", []uint64{1, 2, 1, 64, 1<<64 - 1}, nil, ""},
		{"Chains", []uint64{1, 2, 1, 65, 0, 1}, nil, ""},
		{"Chains", []uint64{1, 2, 1, 65, 0, 1 << 63}, nil, "column 127, want 65 columns"},
		{"CD", []uint64{1, 2, 3}, nil, ""},
		{"CD", []uint64{0, 2, 3}, nil, "K is 0, want at least 1"},
		{"CD", []uint64{1 << 63, 2, 3}, nil, "K is 9223372036854775808, want at most"},
		{"CD", []uint64{1 << 24, 2, 3}, nil, ""},
		{"CD", []uint64{1<<24 + 1, 2, 3, 0}, nil, "K is 16777217, want at most 16777216"},
		{"PCD", []uint64{1 << 24, 1 << 22, 2, 3, 0, 0}, nil, ""},
		{"PCD", []uint64{1 << 62, 1, 2, 3, 0, 0, 0}, nil, "K is 4611686018427387904, want at most 16777216"},
		{"PCD", []uint64{1, 23_000_000_000, 2, 3, 0, 0, 0}, nil, "number of chains is 23000000000, want at most 4194304"},
		{"PCD", []uint64{1, 1<<22 + 1, 2, 3, 0, 0, 0}, nil, "number of chains is 4194305, want at most 4194304"},
		{"PT", pt([]uint64{1 << 62, 2}, good[2:]), nil, "K is 4611686018427387904, want at most 16777216"},
		{"PT", pt([]uint64{1, 1 << 62}, list(), betas, []uint64{7, 8, 0, 0}), nil, "number of chains is 4611686018427387904, want at most 4194304"},
		{"PT", pt([]uint64{1, 1 << 21}, list(), betas, []uint64{7, 8, 0, 0}), nil, ""},
		{"PT", pt([]uint64{1, 1<<21 + 1}, list(), betas, []uint64{7, 8, 0, 0}), nil, "number of chains is 2097153, want at most 2097152 at 2 temperatures"},
		{"PT", pt(good[:len(good)-2], []uint64{math.MaxInt / 2, 2}), nil, ""},
		{"PT", pt(good[:len(good)-2], []uint64{math.MaxInt/2 + 1, 2}), nil, fmt.Sprintf("exchanges tried of level 0 are %d, want at most %d", math.MaxInt/2+1, math.MaxInt/2)},
		{"PTT", pt([]uint64{1 << 62, f(0), 2, 0}, []uint64{7, 8, 0, 0}), nil, "K is 4611686018427387904, want at most 16777216"},
		{"PTT", pt([]uint64{1, f(0), 1 << 62, 0}, []uint64{7, 8, 0, 0}), nil, "number of chains is 4611686018427387904, want at most 4194304"},
		{"PTT", pt([]uint64{1, f(0), 1 << 22, 0}, []uint64{7, 8, 0, 0}), nil, ""},
		{"PTT", pt([]uint64{1, f(0.5), 2, 1}, small, []uint64{f(0.5), 99, f(0.5)}, replicas), nil, ""},
		{"PTT", pt([]uint64{1, f(0.5), 2, 1}, small, []uint64{f(0.5), 100, f(0.5)}, replicas), nil, "number of exchanges is 100, want at most 99"},
		{"CD", []uint64{1, 2, 1 << 60}, nil, "clock is"},
		{"PCD", []uint64{1, 0, 2, 3, 0, 0}, nil, ""},
		{"PCD", []uint64{0, 1, 2, 3, 0, 0}, nil, "K is 0, want at least 1"},
		{"PCD", []uint64{1, 1, 2, 3, 1, 0}, nil, "states are 1×0"},
		{"PT", good, nil, ""},
		{"PT", pt(head, list(0.5), betas, []uint64{7, 8, 0, 0}), nil, ""},
		{"PT", pt(head, list(0.5, 0, 0), betas, replicas, good[len(good)-6:]), nil, ""},
		{"PT", pt(head, list(), list(0, 0.5, 0.5, 1), []uint64{7, 8, 0, 0}), nil, ""},
		{"PT", pt([]uint64{0, 2}, good[2:]), nil, "K is 0"},
		{"PT", pt([]uint64{1, 0}, good[2:]), nil, "number of chains is 0, want at least 1"},
		{"PT", pt([]uint64{1, 1}, good[2:]), nil, "replicas are 4, want those of 1 chains at 2 temperatures"},
		{"PT", pt([]uint64{1, 3}, good[2:]), nil, "replicas are 4"},
		{"PT", pt(head, list(), betas, []uint64{7, 8, 5, 3, 0, 1, 2, 3, 4}, []uint64{0, 1, 1, 0, 0, 3, 2}), nil, "replicas are 5"},
		{"PT", pt(head, list(), list(0.3, 0.5, 1), replicas, []uint64{0, 1, 2, 0, 0, 0, 0, 0}), nil, "replicas are 4"},
		{"PT", pt(head, list(1, 2), good[3:]), nil, "Base has length 2, want 3"},
		{"PT", pt(head, list(1, 2, math.Inf(1)), good[3:]), nil, "Base[2] is +Inf"},
		{"PT", pt(head, list(math.NaN()), betas, []uint64{7, 8, 0, 0}), nil, "Base[0] is NaN"},
		{"PT", pt(head, list(), list(), []uint64{7, 8, 0, 0}), nil, "betas are [], want"},
		{"PT", pt(head, list(), list(-0.5, 1), []uint64{7, 8, 0, 0}), nil, "betas are [-0.5 1], want"},
		{"PT", pt(head, list(), list(math.NaN(), 1), []uint64{7, 8, 0, 0}), nil, "betas are [NaN 1], want"},
		{"PT", pt(head, list(), list(0, 0.5), []uint64{7, 8, 0, 0}), nil, "betas are [0 0.5], want"},
		{"PT", pt(head, list(), list(0, math.NaN(), 1), []uint64{7, 8, 0, 0}), nil, "betas[0] is 0 and betas[1] is NaN, want them to rise"},
		{"PT", pt(head, list(), list(0, 0.6, 0.5, 1), []uint64{7, 8, 0, 0}), nil, "betas[1] is 0.6 and betas[2] is 0.5"},
		{"PT", pt(good[:len(good)-6], []uint64{0, 1, 1, 1}, []uint64{3, 2}), nil, "rows 2 and 3 of a chain have the same level 1"},
		{"PT", pt(good[:len(good)-6], []uint64{0, 0, 1, 0}, []uint64{3, 2}), nil, "rows 0 and 1 of a chain have the same level 0"},
		{"PT", pt(good[:len(good)-6], []uint64{0, 2, 1, 0}, []uint64{3, 2}), nil, "level of row 1 is 2, want less than 2"},
		{"PT", pt(good[:len(good)-6], []uint64{0, 1 << 63, 1, 0}, []uint64{3, 2}), nil, "a value of levels is too large"},
		{"PT", pt(good[:len(good)-6], []uint64{0, 1, 1, 0}, []uint64{3, 4}), nil, "exchanges done of level 0 are 4, want at most 3"},
		{"PTT", pt([]uint64{1, f(0.5), 2, 1}, small, rates, replicas), nil, ""},
		{"PTT", pt([]uint64{1, f(0.5), 2, 1}, small, []uint64{0, 0, f(math.NaN())}, []uint64{7, 8, 0, 0}), nil, ""},
		{"PTT", pt([]uint64{1, f(0), 2, 0}, []uint64{7, 8, 0, 0}), nil, ""},
		{"PTT", pt([]uint64{0, f(0), 2, 0}, []uint64{7, 8, 0, 0}), nil, "K is 0"},
		{"PTT", pt([]uint64{1, f(1), 2, 0}, []uint64{7, 8, 0, 0}), nil, "MinSwapRate is 1, want one in [0, 1)"},
		{"PTT", pt([]uint64{1, f(math.NaN()), 2, 0}, []uint64{7, 8, 0, 0}), nil, "MinSwapRate is NaN"},
		{"PTT", pt([]uint64{1, f(0), 0, 0}, []uint64{7, 8, 0, 0}), nil, "number of chains is 0, want at least 1"},
		{"PTT", pt([]uint64{1, f(0), 2, 0}, replicas), nil, "replicas are 4×3"},
		{"PTT", pt([]uint64{1, f(0), 1, 1}, small, rates, replicas), nil, "replicas are 4×3, want those of 1 chains of 3 units at 2 models"},
		{"PTT", pt([]uint64{1, f(0), 2, 1}, narrow, rates, replicas), nil, "replicas are 4×3, want those of 2 chains of 2 units"},
		{"PTT", pt([]uint64{1, f(0), 2, 2}, small, rates, narrow, rates, replicas), nil, "model 1 has 2 visible units, want 3"},
		{"PTT", pt([]uint64{1, f(0), 2, 1 << 30}, small, rates, replicas), nil, "payload ends too early"},
	} {
		var p []byte
		for _, x := range tt.words {
			p = wire.AppendUint64(p, x)
		}
		data := frame(tt.kind, append(p, tt.bytes...))
		i := slices.IndexFunc(kinds, func(k struct {
			name   string
			x, old state
		}) bool {
			return k.name == tt.kind
		})
		if tt.want != "" {
			checkRefused(t, tt.want, kinds[i].old, data, "rbm: "+tt.kind+": ", tt.want)
			continue
		}
		checkWild(t, tt.kind, kinds[i].old, data, saved(t, kinds[i].old))
		x := reflect.New(reflect.TypeOf(kinds[i].old).Elem()).Interface().(state)
		if err := x.UnmarshalBinary(data); err != nil {
			t.Errorf("%s %v: %v", tt.kind, tt.words, err)
		}
	}
}

func TestStateOfMisuse(t *testing.T) {
	src := newSource(1)
	base := func(base ...float64) *rbm.PT {
		pt := newPT(1, 1, []float64{1}, src)
		pt.Sample(rbm.New(3, 2), nil)
		pt.Base = new(mat.VecDense)
		if len(base) > 0 {
			pt.Base = vec(base)
		}
		return pt
	}
	for _, tt := range []struct {
		x    state
		want string
	}{
		{(*rbm.RBM)(nil), "model is nil"},
		{new(rbm.RBM), "W, B or C is nil"},
		{&rbm.RBM{W: mat.NewDense(2, 3, nil), B: mat.NewVecDense(2, nil), C: mat.NewVecDense(2, nil)}, "B has length 2, want 3"},
		{&rbm.Centering{Rate: 2}, "rate of centering is 2"},
		{&rbm.Sparsity{Target: 2}, "target of sparsity is 2"},
		{&rbm.CD{K: 0, Chains: rbm.NewChains(src)}, "k is 0, want at least 1"},
		{&rbm.CD{K: 1}, "CD has no Chains"},
		{&rbm.PCD{K: -1, Chains: rbm.NewChains(src)}, "k is -1, want at least 1"},
		{&rbm.PCD{K: 1}, "PCD has no Chains"},
		{&rbm.PT{K: 1}, "PT is empty"},
		{base(1, 2), "base has length 2, want 3"},
		{base([]float64{}...), "base has length 0, want 3"},
		{base(1, 2, math.NaN()), "base[2] is NaN"},
	} {
		wantPanic(t, fmt.Sprintf("%T", tt.x), func() { tt.x.AppendBinary(nil) }, tt.want)
	}
	empty := newPT(1, 1, []float64{1}, src)
	empty.Base = new(mat.VecDense)
	wantPanic(t, "empty base", func() { empty.AppendBinary(nil) }, "base has length 0")
}

// What the constructors refuse the decoders refuse as well, and the other way round.
func TestBoundsOfSamplers(t *testing.T) {
	src := newSource(1)
	for _, tt := range []struct {
		name string
		make func(n, k int) rbm.Sampler
		most int // n
	}{
		{"CD", func(_, k int) rbm.Sampler { return rbm.NewCD(k, src) }, 0},
		{"PCD", func(n, k int) rbm.Sampler { return rbm.NewPCD(n, k, src) }, 1 << 22},
		{"PT", func(n, k int) rbm.Sampler { return newPT(n, k, []float64{0, 0.5, 1}, src) }, (1 << 22) / 3},
		{"PTT", func(n, k int) rbm.Sampler { return rbm.NewPTT(n, k, nil, src) }, 1 << 22},
	} {
		s := tt.make(max(1, tt.most), 1<<24).(state)
		if err := s.UnmarshalBinary(saved(t, s)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		wantPanic(t, tt.name, func() { tt.make(1, 1<<24+1) }, "k is 16777217, want at most 16777216")
		if tt.most > 0 {
			wantPanic(t, tt.name, func() { tt.make(tt.most+1, 1) }, fmt.Sprintf("n is %d, want at most %d", tt.most+1, tt.most))
		}
		reflect.ValueOf(s).Elem().FieldByName("K").SetInt(1<<24 + 1)
		wantPanic(t, tt.name+".Sample", func() { s.(rbm.Sampler).Sample(rbm.New(3, 2), rbm.NewBits(1, 3)) }, "k is 16777217, want at most 16777216")
		wantPanic(t, tt.name+".AppendBinary", func() { s.AppendBinary(nil) }, "k is 16777217, want at most 16777216")
	}
}

// AppendBinary appends.
func TestStateIsAppended(t *testing.T) {
	for _, k := range kinds {
		b, err := k.x.AppendBinary([]byte("before"))
		if err != nil || !bytes.Equal(b, append([]byte("before"), saved(t, k.x)...)) {
			t.Errorf("%s is not appended", k.name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for i, k := range kinds {
		b := saved(f, k.x)
		f.Add(uint8(i), false, b)
		f.Add(uint8(i), true, payload(b))
		b = saved(f, k.old)
		f.Add(uint8(i), true, payload(b))
		for _, x := range smallest() {
			if reflect.TypeOf(x) == reflect.TypeOf(k.x) {
				f.Add(uint8(i), true, payload(saved(f, x)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, framed bool, data []byte) {
		k := kinds[int(i)%len(kinds)]
		if framed {
			data = frame(k.name, data)
		}
		x := reflect.New(reflect.TypeOf(k.old).Elem()).Interface().(state)
		if x.UnmarshalBinary(data) != nil {
			return
		}
		if !bytes.Equal(saved(t, x), data) {
			t.Fatalf("%s: %x is written as %x", k.name, data, saved(t, x))
		}
		use(x, payload(data))
	})
}

func FuzzTrainer(f *testing.F) {
	tr := smallest()[len(smallest())-1].(*rbm.Trainer)
	good := saved(f, tr)
	f.Add(payload(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = frame("Trainer", data)
		err := tr.UnmarshalBinary(data)
		want := data
		if err != nil {
			want = good
		}
		if !bytes.Equal(saved(t, tr), want) {
			t.Fatalf("%x is written as %x, error %v", data, saved(t, tr), err)
		}
		if err == nil {
			useTrainer(tr)
		}
		if err := tr.UnmarshalBinary(good); err != nil {
			t.Fatal(err)
		}
	})
}

// ReadFrom takes what UnmarshalBinary takes.
func FuzzReadFrom(f *testing.F) {
	whole := saved(f, randomModel(3, 2, 1, 1))
	f.Add(false, whole)
	f.Add(false, append(slices.Clone(whole), 0))
	f.Add(false, whole[:40])
	f.Add(true, payload(whole))
	f.Fuzz(func(t *testing.T, framed bool, data []byte) {
		if framed {
			data = frame("RBM", data)
		}
		m, want := rbm.New(2, 1), rbm.New(2, 1)
		r := bytes.NewReader(data)
		n, err := m.ReadFrom(r)
		if int(n) != len(data)-r.Len() {
			t.Fatalf("ReadFrom = %d, want %d", n, len(data)-r.Len())
		}
		if wantErr := want.UnmarshalBinary(data); (err == nil) != (wantErr == nil) {
			t.Fatalf("ReadFrom gives error %v, UnmarshalBinary %v", err, wantErr)
		}
		if !bytes.Equal(saved(t, m), saved(t, want)) {
			t.Fatalf("ReadFrom gives %x, UnmarshalBinary %x", saved(t, m), saved(t, want))
		}
	})
}

// use calls what was decoded, if that does not take long: it must not panic.
func use(x state, p []byte) {
	d := wire.Open("x", frame("x", p))
	switch x := x.(type) {
	case *rbm.RBM:
		nv, _ := x.Dims()
		x.HiddenProbs(nil, rbm.NewBits(1, nv))
	case *rbm.SGD:
		d.Floats(5, 1)
		if !d.Bool("velocity") {
			return
		}
		m := rbm.New(d.Int("nv", 1), d.Int("nh", 1))
		x.Step(m, &rbm.Gradient{W: m.W, B: m.B, C: m.C})
	case *rbm.Centering:
		if n := len(x.V); n == 0 || n == 3 {
			if n := len(x.H); n == 0 || n == 2 {
				var g rbm.Gradient
				rbm.New(3, 2).Gradient(&g, rbm.NewBits(1, 3), &rbm.Exact{})
				x.Center(&g)
			}
		}
	case *rbm.Sparsity:
		if n := len(x.H); n == 0 || n == 2 {
			var g rbm.Gradient
			rbm.New(3, 2).Gradient(&g, rbm.NewBits(1, 3), &rbm.Exact{})
			x.Penalize(&g)
		}
	case *rbm.CD:
		if x.K < 5 {
			x.Sample(rbm.New(3, 2), rbm.NewBits(1, 3))
		}
	case *rbm.PCD:
		d.Int("K", 1)
		d.Int("n", 0)
		if nv := columns(d); nv > 0 && x.K < 5 {
			x.Sample(rbm.New(nv, 2), nil)
		}
	case *rbm.PT:
		d.Int("K", 1)
		d.Int("n", 1)
		d.List("Base")
		d.List("betas")
		if nv := columns(d); nv > 0 && x.K < 5 {
			x.Sample(rbm.New(nv, 2), nil)
			x.Adapt()
			x.Sample(rbm.New(nv, 2), nil)
		}
	}
}

func columns(d *wire.Decoder) int {
	d.Floats(2, 1)
	d.Int("rows", 0)
	return d.Int("columns", 0)
}

// A Trainer takes no penalty and no marks of other sizes.
func TestTrainerOfOtherParts(t *testing.T) {
	tr := smallest()[len(smallest())-1].(*rbm.Trainer)
	good := payload(saved(t, tr))
	for _, tt := range []struct {
		was, with state
		want      string
	}{
		{tr.Sparsity, &rbm.Sparsity{H: make([]float64, 1)}, ""},
		{tr.Sparsity, &rbm.Sparsity{H: make([]float64, 2)}, "H of sparsity has length 2, want 1"},
		{tr.Frozen, &rbm.Frozen{W: rbm.NewBits(1, 2)}, ""},
		{tr.Frozen, &rbm.Frozen{W: rbm.NewBits(2, 3)}, "W of frozen is 2×3, want 1×2"},
		{tr.Frozen, &rbm.Frozen{C: make([]bool, 3)}, "C of frozen has length 3, want 1"},
	} {
		part := payload(saved(t, tt.was))
		if n := bytes.Count(good, part); n != 1 {
			t.Fatalf("%T is there %d times", tt.was, n)
		}
		data := frame("Trainer", bytes.Replace(good, part, payload(saved(t, tt.with)), 1))
		if tt.want != "" {
			checkRefused(t, tt.want, tr, data, "rbm: Trainer: ", tt.want)
		} else if err := smallest()[len(smallest())-1].UnmarshalBinary(data); err != nil {
			t.Errorf("%T of the same size: %v", tt.with, err)
		}
	}
}
