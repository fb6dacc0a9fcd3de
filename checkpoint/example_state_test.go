package checkpoint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

// steps is how many steps a loop has taken.
type steps uint64

func (s *steps) AppendBinary(b []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(b, uint64(*s)), nil
}

func (s *steps) UnmarshalBinary(b []byte) error {
	if len(b) != 8 {
		return errors.New("a number of steps has 8 bytes")
	}
	*s = steps(binary.LittleEndian.Uint64(b))
	return nil
}

// A State of one's own stands beside the others: here the number of steps, in a checkpoint
// that goes to a writer in place of a file.
func ExampleState() {
	var b bytes.Buffer
	m, done := rbm.NewRandom(6, 4, 0.01, rand.NewPCG(1, 1)), steps(1000)
	if err := checkpoint.Write(&b, m, &done); err != nil {
		fmt.Println(err)
		return
	}

	var (
		readM    rbm.RBM
		readDone steps
	)
	if err := checkpoint.Read(&b, &readM, &readDone); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(&readM, "after", readDone, "steps")
	// Output:
	// RBM(nv=6, nh=4) after 1000 steps
}
