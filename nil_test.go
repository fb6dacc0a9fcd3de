package rbm_test

import (
	"bytes"
	"context"
	"encoding"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// A callee is a function, or a method with its receiver as the first argument.
type callee struct {
	name     string
	f        reflect.Value
	receiver func() any // nil for a function
}

// callees returns all that the package exports, but for methods of values, whose receiver
// is never nil.
func callees() (all []callee) {
	for name, f := range functions {
		all = append(all, callee{name, reflect.ValueOf(f), nil})
	}
	for name, receiver := range structs {
		t := reflect.TypeOf(receiver())
		for i := range t.NumMethod() {
			m := t.Method(i)
			if _, ok := t.Elem().MethodByName(m.Name); !ok {
				all = append(all, callee{name + "." + m.Name, m.Func, receiver})
			}
		}
	}
	slices.SortFunc(all, func(a, b callee) int { return strings.Compare(a.name, b.name) })
	return all
}

// args returns arguments that are good, for 3 visible and 3 hidden units.
func (c callee) args() (args []reflect.Value) {
	t := c.f.Type()
	n := t.NumIn()
	if t.IsVariadic() {
		n--
	}
	var data []byte
	if c.receiver != nil {
		r := c.receiver()
		if r, ok := r.(encoding.BinaryAppender); ok {
			data, _ = r.AppendBinary(nil)
		}
		args = append(args, reflect.ValueOf(r))
	}
	cd, gradient, bits, floats, whole := rbm.NewCD(1, newSource(1)), new(rbm.Gradient), rbm.NewBits(1, 3), []float64(nil), 1
	switch c.name {
	case "Sparsity.Penalize":
		gradient = gradientOf(cd)
	case "Centering.Center", "SGD.Step":
		gradient = &somePhases().Data
	case "Prepared.LogProbs": // one of the units is the class
		bits = rbm.NewBits(1, 2)
	case "PTT.LogZ":
		whole = 8 // sweeps
	}
	for k := len(args); k < n; k++ {
		for _, x := range []any{
			rbm.New(3, 3), bits, gradient, somePhases(), cd, newSource(1), context.Background(), (*mat.Dense)(nil), (*rbm.AIS)(nil),
			floats, []int{0}, []*rbm.RBM{rbm.New(3, 3)}, []uint64{0}, data, whole, 0.5, true, bytes.NewReader(data), new(bytes.Buffer),
			iter.Seq2[*rbm.Bits, error](func(func(*rbm.Bits, error) bool) {}),
		} {
			if v := reflect.ValueOf(x); v.Type().AssignableTo(t.In(k)) {
				args = append(args, v)
				break
			}
		}
		if len(args) == k {
			panic(fmt.Sprintf("%s: no argument of type %v", c.name, t.In(k)))
		}
		if t.In(k).Kind() == reflect.Int {
			whole++ // [1, 2) is a range
		}
	}
	if c.name == "Classifier.Join" {
		args[1] = reflect.Zero(args[1].Type())
	}
	return args
}

// panicOf returns what f panics with, or nil.
func panicOf(f reflect.Value, args []reflect.Value) (p any) {
	defer func() { p = recover() }()
	f.Call(args)
	return nil
}

// optional are the arguments, by their numbers from 0 for the receiver or of a function,
// that may be nil.
var optional = []string{
	"Bits.Gather 1", "Chains.GibbsGiven 3", "Chains.MeansGiven 1", "Chains.MeansGiven 4", "Chains.StartGiven 3", "Classifier.Join 1",
	"Classifier.LogProbs 1", "Exact.Sample 2", "PCD.Sample 2", "PT.Sample 2", "PTT.Sample 2", "Prepared.HiddenProbs 1", "Prepared.LogProbs 1", "Prepared.UnitProbs 1", "RBM.CompletionsGiven 2",
	"RBM.FittedBias 3", "RBM.HiddenProbs 1", "RBM.LogLikelihood 3", "RBM.LogProbGiven 3", "RBM.MeansGiven 1", "RBM.MeansGiven 3",
	"RBM.UnitProbs 1", "RBM.VisibleProbs 1", "RBM.WeightedLogLikelihood 4",
}

// samplerFunc is a Sampler that is a function.
type samplerFunc func() mat.Matrix

func (f samplerFunc) Sample(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return f(), nil }

// A receiver or an argument that is nil, or an interface that holds a nil pointer, gets a
// message that says so, or is optional: never a runtime error.
func TestNil(t *testing.T) {
	typed := []any{(*rbm.Bits)(nil), (*mat.Dense)(nil), (*mat.VecDense)(nil), (*mat.SymDense)(nil), (*rand.PCG)(nil), (*bytes.Buffer)(nil),
		(*rbm.CD)(nil), (*rbm.PCD)(nil), (*rbm.PT)(nil), (*rbm.PTT)(nil), (*rbm.Exact)(nil), samplerFunc(nil)}
	var may []string
	for _, c := range callees() {
		if p := panicOf(c.f, c.args()); p != nil {
			t.Errorf("%s panics with good arguments: %v", c.name, p)
		}
		for k := range c.args() {
			of := c.f.Type().In(k)
			var nils []reflect.Value
			switch of.Kind() {
			case reflect.Pointer, reflect.Func:
				nils = append(nils, reflect.Zero(of))
			case reflect.Interface:
				nils = append(nils, reflect.Zero(of))
				for _, x := range typed {
					if v := reflect.ValueOf(x); v.Type().AssignableTo(of) {
						nils = append(nils, v)
					}
				}
			}
			id := fmt.Sprintf("%s %d", c.name, k)
			if len(nils) > 0 && slices.Contains(optional, id) {
				may = append(may, id)
			}
			for _, v := range nils {
				args := c.args()
				args[k] = v
				p := panicOf(c.f, args)
				if slices.Contains(optional, id) {
					if p != nil {
						t.Errorf("%s is a nil %v: panic %v, want none", id, v.Type(), p)
					}
				} else if s, ok := p.(string); !ok || !strings.HasPrefix(s, "rbm: ") || !strings.Contains(s, " is nil") && !strings.Contains(s, " are nil") {
					t.Errorf("%s is a nil %v: panic %v, want one that says so", id, v.Type(), p)
				}
			}
		}
	}
	if !slices.Equal(may, optional) {
		t.Errorf("nil may be %q, want %q", may, optional)
	}
}
