package rbm_test

import (
	"bytes"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func TestJSON(t *testing.T) {
	m := rbm.New(3, 2)
	m.W.SetRow(0, []float64{0.5, math.Copysign(0, -1), -1})
	m.W.SetRow(1, []float64{2, 1e-9, 1e21})
	m.B.SetVec(1, 0.1)
	got, err := json.Marshal(m)
	if want := `{"W":[[0.5,-0,-1],[2,1e-9,1e+21]],"B":[0,0.1,0],"C":[0,0]}`; err != nil || string(got) != want {
		t.Errorf("%s, error %v, want %s", got, err, want)
	}

	numbers := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 0x1.fffffffffffffp-1023, math.Pi, 1. / 3, 0,
		math.Copysign(0, -1), 0.1, 1e22, 1e23, -1e-7, 123456789.125}
	for _, s := range [][2]int{{1, 1}, {2, 3}, {3, 2}, {1, 8}, {70, 9}} {
		nv, nh := s[0], s[1]
		m := randomModel(nv, nh, 1e3, 1)
		for k, x := range numbers {
			m.W.Set(k%nh, k/nh%nv, x)
			m.B.SetVec(k%nv, -x)
			m.C.SetVec(k%nh, x)
		}
		view := rbm.RBM{ // with strides
			W: mat.NewDense(nh+1, nv+2, nil).Slice(1, nh+1, 1, nv+1).(*mat.Dense),
			B: mat.NewDense(nv, 3, nil).ColView(1).(*mat.VecDense),
			C: mat.NewDense(nh, 2, nil).ColView(1).(*mat.VecDense),
		}
		view.W.Copy(m.W)
		view.B.CopyVec(m.B)
		view.C.CopyVec(m.C)
		type models struct {
			Pointer    *rbm.RBM
			Value      rbm.RBM
			List       []rbm.RBM
			Map        map[string]rbm.RBM
			Nil        *rbm.RBM
			Classifier rbm.Classifier
		}
		all := models{m, view, []rbm.RBM{*m}, map[string]rbm.RBM{"m": view}, nil, rbm.Classifier{Model: m, Classes: 1}}
		for _, x := range []any{all, &all} {
			b, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			back := models{Value: *rbm.New(2, 5)} // another size
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			want := binaryOf(t, m)
			inMap := back.Map["m"]
			for k, got := range []*rbm.RBM{back.Pointer, &back.Value, &back.List[0], &inMap, back.Classifier.Model} {
				if !bytes.Equal(binaryOf(t, got), want) {
					t.Errorf("nv=%d/nh=%d: model %d = %v, want %v", nv, nh, k, params(got), params(m))
				}
			}
			if back.Nil != nil {
				t.Errorf("nil is %v", back.Nil)
			}
		}
	}
}

func binaryOf(t *testing.T, x encoding.BinaryAppender) []byte {
	t.Helper()
	b, err := x.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJSONOfNoModel(t *testing.T) {
	for _, tt := range []struct {
		want   string
		change func(m *rbm.RBM)
	}{
		{"W[1,2] is NaN", func(m *rbm.RBM) { m.W.Set(1, 2, math.NaN()) }},
		{"B[2] is +Inf", func(m *rbm.RBM) { m.B.SetVec(2, math.Inf(1)) }},
		{"C[0] is -Inf", func(m *rbm.RBM) { m.C.SetVec(0, math.Inf(-1)) }},
		{"W, B or C is nil", func(m *rbm.RBM) { *m = rbm.RBM{} }},
		{"B has length 1, want 3 as W is 2×3", func(m *rbm.RBM) { m.B = mat.NewVecDense(1, nil) }},
	} {
		m := randomModel(3, 2, 1, 1)
		tt.change(m)
		for _, x := range []any{m, *m, struct{ M rbm.RBM }{*m}, rbm.Classifier{Model: m}} {
			if b, err := json.Marshal(x); err == nil || !strings.HasSuffix(err.Error(), "rbm: RBM: "+tt.want) {
				t.Errorf("%T: %s, error %v, want %q", x, b, err, tt.want)
			}
		}
	}
}

// texts are models of 3×2 units or what is wrong with them.
var texts = []struct{ data, want string }{
	{`{"W":[[1,2,3],[4,5,6]],"B":[1,2,3],"C":[1,2]}`, ""},
	{" {\n\"C\" : [ 1 , 2 ], \"B\":[1,2,3],\t\"W\":[ [1,2,3], [4,5,6] ] }\n", ""},
	{`null`, ""},

	{`{"W":[[1,2,3],[4,5]],"B":[1,2,3],"C":[1,2]}`, "W[1] has length 2, want 3 as W[0] has"},
	{`{"W":[[1,2],[4,5,6]],"B":[1,2,3],"C":[1,2]}`, "W[1] has length 3, want 2 as W[0] has"},
	{`{"W":[[1,2],[3,4],[5,6]],"B":[1,2,3],"C":[1,2]}`, "W is 3×2, want 2×3 as B has length 3 and C has length 2: W is transposed"},
	{`{"W":[[1,2,3]],"B":[1,2,3],"C":[1,2]}`, "C has length 2, want 1 as W is 1×3"},
	{`{"W":[[1,2,3],[4,5,6]],"B":[1,2],"C":[1,2]}`, "B has length 2, want 3 as W is 2×3"},
	{`{"W":[[],[]],"B":[1,2,3],"C":[1,2]}`, "W[0] is empty"},
	{`{"W":[],"B":[1,2,3],"C":[1,2]}`, "W is empty"},
	{`{"W":[[1]],"B":[],"C":[1]}`, "B is empty"},
	{`{"W":[1,2,3],"B":[1,2,3],"C":[1,2]}`, "W[0] begins with 1, want ["},
	{`{"W":[[[1]]],"B":[1],"C":[1]}`, "W[0][0] is [, want a number"},
	{`{"W":[[1]],"B":1,"C":[1]}`, "B begins with 1, want ["},
	{`{"W":[[1]],"B":null,"C":[1]}`, "B begins with null, want ["},
	{`{"W":null,"B":[1],"C":[1]}`, "W begins with null, want ["},
	{`{"W":{},"B":{},"C":{}}`, "W begins with {, want ["},
	{`{"W":[[1,null]],"B":[1,2],"C":[1]}`, "W[0][1] is null, want a number"},
	{`{"W":[[1]],"B":["NaN"],"C":[1]}`, "B[0] is NaN, want a number"},
	{`{"W":[[1]],"B":["1"],"C":[1]}`, "B[0] is 1, want a number"},
	{`{"W":[[1]],"B":[1],"C":[true]}`, "C[0] is true, want a number"},
	{`{"W":[[1e308,1e309]],"B":[1,2],"C":[1]}`, "W[0][1] is 1e309, want a number that a float64 can hold"},
	{`{"W":[[1]],"B":[-1e999],"C":[1]}`, "B[0] is -1e999, want a number that a float64 can hold"},
	{`{"W":[[1]],"B":[1]}`, `there is no field "C"`},
	{`{"B":[1],"C":[1]}`, `there is no field "W"`},
	{`{"W":[[1]],"C":[1]}`, `there is no field "B"`},
	{`{}`, `there is no field "W"`},
	{`{"W":[[1]],"B":[1],"C":[1],"b":[2]}`, `there is a field "b", want W, B, C and OneHot`},
	{`{"W":[[1]],"B":[1],"C":[1],"W":[[1]]}`, `there are two fields "W"`},
	{`{"W":[[1]],"B":[1],"C":[1],"C":[2]}`, `there are two fields "C"`},
	{`[[1]]`, "model begins with [, want {"},
	{`1`, "model begins with 1, want {"},
	{``, "unexpected EOF"},
	{`{"W":[[1]],"B":[1],"C":[1]`, "unexpected EOF"},
	{`{"W":[[1`, "unexpected EOF"},
	{`{"W"`, "unexpected EOF"},
	{`{"W":[[1]],"B":[1],"C":[1]} {}`, "bytes follow the model"},
	{`{"W":[[1]],"B":[1],"C":[1]}}`, "bytes follow the model"},
	{`{"W":[[1]],"B":[1],"C":[1]}null`, "bytes follow the model"},
	{`{"W":[[1}],"B":[1],"C":[1]}`, "invalid character"},
	{`{"W":[[1 2]],"B":[1],"C":[1]}`, "invalid character"},
	{`{"W":[[NaN]],"B":[1],"C":[1]}`, "invalid character"},
	{`{"W" [[1]],"B":[1],"C":[1]}`, "invalid character"},
	{`{5:[[1]],"B":[1],"C":[1]}`, "invalid character"},
}

func TestUnmarshalJSONErrors(t *testing.T) {
	for _, tt := range texts {
		m := randomModel(3, 2, 1, 1)
		before := *m
		values := params(m)
		err := m.UnmarshalJSON([]byte(tt.data))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.data, err)
			}
			if tt.data != "null" {
				checkSame(t, tt.data, params(m), []float64{1, 2, 3, 4, 5, 6, 1, 2, 3, 1, 2})
				checkSame(t, "before", params(&before), values) // in other memory
				continue
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), "rbm: RBM: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.data, err, tt.want)
		}
		if m.W != before.W || m.B != before.B || m.C != before.C || m.OneHot != nil {
			t.Errorf("%s: the model has other parts", tt.data)
		}
		checkSame(t, tt.data, params(m), values)
		if tt.want != "" {
			if err := json.Unmarshal([]byte(tt.data), m); err == nil {
				t.Errorf("%s: Unmarshal gives no error", tt.data)
			}
		}
	}
}

func FuzzUnmarshalJSON(f *testing.F) {
	for _, tt := range texts {
		f.Add([]byte(tt.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := rbm.New(1, 1)
		if err := m.UnmarshalJSON(data); err != nil {
			return
		}
		if !json.Valid(data) {
			t.Errorf("%q is no JSON, but a model", data)
		}
		var back rbm.RBM
		b, err := json.Marshal(m)
		if err == nil {
			err = json.Unmarshal(b, &back)
		}
		if err != nil || !bytes.Equal(binaryOf(t, &back), binaryOf(t, m)) {
			t.Errorf("%q is a model that gives %s, error %v", data, b, err)
		}
	})
}

// Whatever encoding/json and encoding/gob write of a type of this package they read again,
// and nothing is lost; or they return an error before.
func TestEncodings(t *testing.T) {
	encodings := map[string]struct {
		encode func(x any) ([]byte, error)
		decode func(b []byte, x any) error
	}{
		"JSON": {json.Marshal, json.Unmarshal},
		"gob": {
			func(x any) ([]byte, error) {
				var b bytes.Buffer
				err := gob.NewEncoder(&b).Encode(x)
				return b.Bytes(), err
			},
			func(b []byte, x any) error { return gob.NewDecoder(bytes.NewReader(b)).Decode(x) },
		},
	}
	works := map[string]string{ // by pointer
		"JSON": "Centering Classifier Exact Group LadderLogZ LogLikelihood LogZ RBM Report Sparsity",
		"gob":  "CD Centering Chains Classifier Frozen Gradient Group LadderLogZ LogLikelihood LogZ PCD PT PTT Phases RBM Report SGD Sparsity",
	}
	for encoding, e := range encodings {
		var worked []string
		for name, make := range structs {
			x := make()
			for _, holder := range []any{x, reflect.ValueOf(x).Elem().Interface()} {
				b, err := e.encode(holder)
				if err != nil {
					if use := "rbm: JSON would lose its state: use "; encoding == "JSON" && !strings.Contains(err.Error(), use) {
						t.Errorf("JSON of a %T: error %v, want one with %q", holder, err, use)
					}
					continue
				}
				if holder == x {
					worked = append(worked, name)
				}
				back := reflect.New(reflect.TypeOf(x).Elem()).Interface()
				if err := e.decode(b, back); err != nil {
					t.Errorf("%s of a %T can be written and not read: %v", encoding, holder, err)
				}
				if !same(t, back, x) {
					t.Errorf("%s of a %T loses something: %+v, want %+v", encoding, holder, back, x)
				}
			}
		}
		slices.Sort(worked)
		if got := strings.Join(worked, " "); got != works[encoding] {
			t.Errorf("%s works for %s, want %s", encoding, got, works[encoding])
		}
	}
	for _, x := range []any{new(rbm.Bits), new(rbm.Gradient), new(rbm.Chains), new(rbm.PT), new(rbm.PTT), new(rbm.Trainer), new(rbm.AIS)} {
		if err := json.Unmarshal([]byte(`{"K":3}`), x); err == nil || !strings.Contains(err.Error(), "JSON would lose its state") {
			t.Errorf("JSON into a %T: error %v, want one about its state", x, err)
		}
	}
	for _, x := range []any{new(rbm.CD), new(rbm.PCD)} {
		if err := json.Unmarshal([]byte(`{"K":3,"Chains":{}}`), x); err == nil || !strings.Contains(err.Error(), "JSON would lose its state") {
			t.Errorf("JSON into the Chains of a %T: error %v, want one about its state", x, err)
		}
	}
	if _, err := json.Marshal(new(rbm.Trainer)); err == nil || !strings.Contains(err.Error(), "rbm.Trainer: rbm: JSON would lose its state") {
		t.Errorf("JSON of an empty Trainer: error %v, want one about its state", err)
	}
}

// same reports whether x and y, pointers of one type, have the same values and the same state.
func same(t *testing.T, x, y any) bool {
	switch x := x.(type) {
	case encoding.BinaryAppender:
		return bytes.Equal(binaryOf(t, x), binaryOf(t, y.(encoding.BinaryAppender)))
	case *rbm.Gradient:
		y := y.(*rbm.Gradient)
		return mat.Equal(x.W, y.W) && mat.Equal(x.B, y.B) && mat.Equal(x.C, y.C)
	}
	return reflect.DeepEqual(x, y)
}

// Settings of an SGD have JSON, its momentum has none.
func TestJSONOfSGD(t *testing.T) {
	type program struct{ SGD rbm.SGD }
	x := program{rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 1e-4, L1: 1e-5, MaxNorm: 3}}
	var back program
	b, err := json.Marshal(x)
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || back != x {
		t.Errorf("%s gives %+v, error %v, want %+v", b, back, err, x)
	}
	for _, x := range []any{usedSGD(), *usedSGD(), program{*usedSGD()}} {
		if b, err := json.Marshal(x); err == nil {
			t.Errorf("%T: %s and no error", x, b)
		}
	}
}
