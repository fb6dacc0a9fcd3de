package main

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/gorbm/rbm"
)

// fan is how many parts are merged at a time, and so how many are in memory.
const fan = 16

// A Part is what a shard makes in a round, or a group of fan parts: Phases in mode
// step, a mean in mode epoch.
type Part struct {
	Index int
	Sum   []byte
}

// groups returns how many groups n parts have.
func groups(n int) int { return (n-1)/fan + 1 }

// gather returns the parts of a group, of n parts in all groups, in the order of
// their numbers. An engine may deliver them in any order, and more than once.
func gather(group, n int, next func(*Part) bool) ([]Part, error) {
	first := group * fan
	parts := make([]Part, min(fan, n-first))
	var p Part
	for next(&p) {
		i := p.Index - first
		switch {
		case i < 0 || i >= len(parts):
			return nil, fmt.Errorf("part %d is in group %d, which has %d to %d", p.Index, group, first, first+len(parts)-1)
		case parts[i].Sum == nil:
			parts[i] = p
		case !bytes.Equal(parts[i].Sum, p.Sum):
			return nil, fmt.Errorf("part %d came twice, and not the same", p.Index)
		}
		p = Part{}
	}
	for i, p := range parts {
		if p.Sum == nil {
			return nil, fmt.Errorf("part %d of %d is missing", first+i, n)
		}
	}
	return parts, nil
}

// merge adds parts in the order in which they are given: in another one the last bits
// might differ.
func merge(mode string, parts []Part) ([]byte, error) {
	if mode == epoch {
		return add[mean](parts)
	}
	return add[rbm.Phases](parts)
}

func add[S any, P interface {
	*S
	Add(*S)
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}](parts []Part) ([]byte, error) {
	sum := new(S)
	for _, p := range parts {
		x := new(S)
		if err := P(x).UnmarshalBinary(p.Sum); err != nil {
			return nil, fmt.Errorf("part %d: %w", p.Index, err)
		}
		P(sum).Add(x)
	}
	return P(sum).AppendBinary(nil)
}

// A mean is that of models, each of which counts as much as it has rows.
type mean struct {
	weight float64
	model  rbm.RBM
}

// Add moves the mean by as much as x weighs:
//
//	θ = θ + (w/Σw)(θₓ - θ)
//
// so that the mean of models that are the same is the same.
func (m *mean) Add(x *mean) {
	if m.weight == 0 {
		*m = mean{x.weight, *x.model.Clone()}
		return
	}
	m.weight += x.weight
	share := x.weight / m.weight
	move := func(to, from []float64) {
		for i := range to {
			to[i] += float64(share * (from[i] - to[i]))
		}
	}
	_, nh := m.model.Dims()
	for j := range nh {
		move(m.model.W.RawRowView(j), x.model.W.RawRowView(j))
	}
	move(m.model.B.RawVector().Data, x.model.B.RawVector().Data)
	move(m.model.C.RawVector().Data, x.model.C.RawVector().Data)
}

// AppendBinary appends the weight, a float64 in little-endian order, and the model.
func (m *mean) AppendBinary(b []byte) ([]byte, error) {
	return m.model.AppendBinary(binary.LittleEndian.AppendUint64(b, math.Float64bits(m.weight)))
}

// UnmarshalBinary sets m to what AppendBinary wrote.
func (m *mean) UnmarshalBinary(data []byte) error {
	if len(data) < 8 {
		return fmt.Errorf("mean has %d bytes, want at least 8", len(data))
	}
	weight := math.Float64frombits(binary.LittleEndian.Uint64(data))
	if !(0 < weight && weight <= math.MaxFloat64) {
		return fmt.Errorf("weight of a mean is %v, want a positive finite number", weight)
	}
	if err := m.model.UnmarshalBinary(data[8:]); err != nil {
		return err
	}
	m.weight = weight
	return nil
}

// encodePart is the coder of a Part.
func encodePart(p Part) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+len(p.Sum)), uint64(p.Index)), p.Sum...)
}

func decodePart(b []byte) (Part, error) {
	index, n := binary.Uvarint(b)
	if n <= 0 || index > math.MaxInt {
		return Part{}, errors.New("part has no index")
	}
	return Part{Index: int(index), Sum: b[n:]}, nil
}
