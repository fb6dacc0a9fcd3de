package rbm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// MarshalJSON returns the parameters, exact to the bit, and the groups:
//
//	{"W":[[0.5,-1,0],[2,0.25,1e-9]],"B":[0,0.1,0],"C":[0,0],"OneHot":[[1,3]]}
//
// A NaN or an infinity is an error. Give an embedded RBM a field name.
func (m RBM) MarshalJSON() ([]byte, error) {
	// A struct in which an RBM is embedded has this method too, and so no JSON of its other
	// fields.
	// AppendBinary mostly takes less than half the space, and keeps every value.
	wrong := m.wrong()
	if wrong == "" {
		wrong = m.notFinite()
	}
	if wrong != "" {
		return nil, errors.New("rbm: RBM: " + wrong)
	}
	var x struct {
		W      [][]float64
		B, C   []float64
		OneHot [][2]int `json:",omitempty"`
	}
	for j := range m.C.Len() {
		x.W = append(x.W, m.W.RawRowView(j))
	}
	x.B, x.C = mat.Col(nil, 0, m.B), mat.Col(nil, 0, m.C)
	for _, g := range m.OneHot {
		x.OneHot = append(x.OneHot, [2]int{g.From, g.To})
	}
	return json.Marshal(x)
}

// UnmarshalJSON sets m to what MarshalJSON wrote; an error changes nothing.
func (m *RBM) UnmarshalJSON(data []byte) error {
	// W, B and C must be there once each, and nothing else but OneHot. After null m is as
	// before.
	checkNil("model", m)
	if string(data) == "null" { // by a convention of encoding/json
		return nil
	}
	x, err := readJSON(json.NewDecoder(bytes.NewReader(data)))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("rbm: RBM: %w", err)
	}
	*m = x
	return nil
}

func readJSON(d *json.Decoder) (m RBM, err error) {
	d.UseNumber()
	if err := enterJSON(d, "model", '{'); err != nil {
		return m, err
	}
	parts := make(map[string][][]float64) // B and C being one row
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return m, err
		}
		part, rows := fmt.Sprint(name), make([][]float64, 1)
		switch part {
		case "W", "OneHot":
			rows, err = rowsJSON(d, part)
		case "B", "C":
			rows[0], err = numbersJSON(d, part)
		default:
			err = fmt.Errorf("there is a field %.40q, want W, B, C and OneHot", part)
		}
		if err == nil && parts[part] != nil {
			err = fmt.Errorf("there are two fields %q", part)
		}
		if err != nil {
			return m, err
		}
		parts[part] = rows
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return m, err
	}
	if _, err := d.Token(); err != io.EOF {
		return m, errors.New("bytes follow the model")
	}
	for _, part := range []string{"W", "B", "C"} {
		if parts[part] == nil {
			return m, fmt.Errorf("there is no field %q", part)
		}
	}
	w, b, c := parts["W"], parts["B"][0], parts["C"][0]
	m.W, m.B, m.C = mat.NewDense(len(w), len(w[0]), slices.Concat(w...)), mat.NewVecDense(len(b), b), mat.NewVecDense(len(c), c)
	for k, g := range parts["OneHot"] {
		group := Group{}
		if len(g) == 2 {
			group = Group{int(g[0]), int(g[1])}
		}
		if len(g) != 2 || float64(group.From) != g[0] || float64(group.To) != g[1] {
			return m, fmt.Errorf("OneHot[%d] is %v, want two integers", k, g)
		}
		m.OneHot = append(m.OneHot, group)
	}
	if wrong := m.wrong(); wrong != "" {
		return m, errors.New(wrong)
	}
	return m, nil
}

// rowsJSON reads a list of lists of as many numbers each, called name.
func rowsJSON(d *json.Decoder, name string) (rows [][]float64, err error) {
	if err := enterJSON(d, name, '['); err != nil {
		return nil, err
	}
	for d.More() {
		row, err := numbersJSON(d, fmt.Sprintf("%s[%d]", name, len(rows)))
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 && len(row) != len(rows[0]) {
			return nil, fmt.Errorf("%s[%d] has length %d, want %d as %[1]s[0] has", name, len(rows), len(row), len(rows[0]))
		}
		rows = append(rows, row)
	}
	return rows, leaveJSON(d, name, len(rows))
}

// numbersJSON reads a list of numbers, called name.
func numbersJSON(d *json.Decoder, name string) (x []float64, err error) {
	if err := enterJSON(d, name, '['); err != nil {
		return nil, err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s[%d] is %s, want a number", name, len(x), shownJSON(t))
		}
		v, err := strconv.ParseFloat(n.String(), 64)
		if err != nil {
			return nil, fmt.Errorf("%s[%d] is %.40s, want a number that a float64 can hold", name, len(x), n)
		}
		x = append(x, v)
	}
	return x, leaveJSON(d, name, len(x))
}

// enterJSON reads the opening delimiter of the value called name.
func enterJSON(d *json.Decoder, name string, begin json.Delim) error {
	t, err := d.Token()
	if err == nil && t != begin {
		err = fmt.Errorf("%s begins with %s, want %v", name, shownJSON(t), begin)
	}
	return err
}

// leaveJSON reads the closing delimiter of a list of n elements, called name.
func leaveJSON(d *json.Decoder, name string, n int) error {
	_, err := d.Token()
	if err == nil && n == 0 {
		err = fmt.Errorf("%s is empty", name)
	}
	return err
}

func shownJSON(t json.Token) string {
	if t == nil {
		return "null"
	}
	return fmt.Sprintf("%.40v", t)
}
