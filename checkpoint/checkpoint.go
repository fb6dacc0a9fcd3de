// Package checkpoint keeps the state of a training in a file, so that it goes on
// after an interruption as if there had been none, bit for bit:
//
//	parts := []checkpoint.State{m, sampler, sgd, centering}
//	err := checkpoint.Load("rbm.checkpoint", parts...)
//	if errors.Is(err, fs.ErrNotExist) {
//		err = nil // the first start
//	}
//	…
//	for … {
//		centering.Gradient(&g, m, batch, sampler)
//		sgd.Step(m, &g)
//		if … {
//			err = checkpoint.Save("rbm.checkpoint", parts...)
//		}
//	}
//
// Parts are the models, optimisers and samplers of package rbm, or a Trainer, which
// has all of its own in it; and whatever else has AppendBinary and UnmarshalBinary:
// say, how many steps were made, which a program with a loop of its own needs for
// the order of its minibatches.
//
// A checkpoint has a version and a checksum. One that was cut off, has changed on
// the way or holds other parts gives an error. It is not protected against someone
// who changes it on purpose, but then too it gives at worst wrong numbers.
package checkpoint

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/atomicfile"
	"github.com/gorbm/rbm/internal/wire"
)

// A State is a part of a checkpoint. UnmarshalBinary must change nothing if it
// returns an error.
type State interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// kind is that of a frame of internal/wire whose payload is the number of parts,
// an int, and each part as bytes.
const kind = "checkpoint"

// Write writes the parts to w. It panics if one is nil.
func Write(w io.Writer, parts ...State) error {
	b, err := encode(parts)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Read sets the parts to what [Write] wrote, in the same order. It reads no further
// than the end of the checkpoint, and waits for all of it before it changes a part.
// Where r is at its end, the error wraps io.EOF.
//
// After an error no part has changed, with one exception: if there are several
// parts of types that are not in package rbm, or Trainers with a Sampler of such a
// type, and a later one of these fails, the earlier ones have changed. Read panics
// if a part is nil.
func Read(r io.Reader, parts ...State) error {
	data, err := wire.ReadFrame(r)
	if err == nil {
		err = decode(data, parts)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Save writes the parts to the file of this path, in place of an older one. It is
// atomic: whenever the program or the machine stops, or an error is returned, the
// file is the older or the new one as a whole. Once Save has returned nil it is the
// new one for good, as far as the disk keeps its promises. Save panics if a part is nil.
//
// Save writes to a temporary file in the same directory, named like path with
// .tmp- and 16 hexadecimal digits appended, which takes the place of the older
// file when it is complete. A Save that was killed leaves its temporary file
// behind; a later one removes such files but for the latest two, so that up to
// three programs may save to the same path at the same time: the last one wins.
// The new file has mode 0644 before umask. A symbolic link is replaced, not
// followed.
func Save(path string, parts ...State) error {
	b, err := encode(parts)
	if err == nil {
		err = atomicfile.Replace(path, b)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Load sets the parts to what [Save] wrote, as [Read] does. Where there is no file
// the error wraps fs.ErrNotExist.
func Load(path string, parts ...State) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer f.Close()
	data, err := wire.ReadFrame(f)
	if err == nil {
		var more [1]byte
		if n, _ := io.ReadFull(f, more[:]); n != 0 {
			err = errors.New("bytes follow the checkpoint")
		}
	} else if err == io.EOF {
		err = errors.New("file is empty")
	}
	if err == nil {
		err = decode(data, parts)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return nil
}

func encode(parts []State) ([]byte, error) {
	check(parts)
	return wire.AppendFrame(nil, kind, func(b []byte) ([]byte, error) {
		b = wire.AppendInt(b, len(parts))
		for i, part := range parts {
			var err error
			if b, err = wire.AppendBytes(b, part.AppendBinary); err != nil {
				return nil, partError(i, parts, err)
			}
		}
		return b, nil
	})
}

func check(parts []State) {
	for i, part := range parts {
		if part == nil {
			panic(fmt.Sprintf("checkpoint: part %d is nil", i))
		}
	}
}

func partError(i int, parts []State, err error) error {
	return fmt.Errorf("part %d of %d, a %T: %w", i, len(parts), parts[i], err)
}

func decode(data []byte, parts []State) error {
	check(parts)
	d := wire.Open(kind, data)
	if n := d.Int("number of parts", 0); n != len(parts) {
		d.Failf("data has %d parts, want %d", n, len(parts))
	}
	saved := make([][]byte, len(parts))
	for i := range parts {
		saved[i] = d.Bytes("a part")
	}
	if err := d.Close(); err != nil {
		return err
	}
	// First what changes nothing, then what may fail, then what cannot.
	for i, part := range parts {
		if trial := zero(part); trial != nil {
			if err := trial.UnmarshalBinary(saved[i]); err != nil {
				return partError(i, parts, err)
			}
		}
	}
	for _, ours := range []bool{false, true} {
		for i, part := range parts {
			if (zero(part) != nil) != ours {
				continue
			}
			if err := part.UnmarshalBinary(saved[i]); err != nil {
				return partError(i, parts, err)
			}
		}
	}
	return nil
}

// zero returns a zero value that takes the same data as s does, or nil if there is
// no way to know.
func zero(s State) State {
	switch s := s.(type) {
	case *rbm.RBM:
		return new(rbm.RBM)
	case *rbm.SGD:
		return new(rbm.SGD)
	case *rbm.Centering:
		return new(rbm.Centering)
	case *rbm.Chains:
		return new(rbm.Chains)
	case *rbm.CD:
		return new(rbm.CD)
	case *rbm.PCD:
		return new(rbm.PCD)
	case *rbm.PT:
		return new(rbm.PT)
	case *rbm.PTT:
		return new(rbm.PTT)
	case *rbm.Trainer:
		trial := *s // with what it knows of its rows
		trial.Model, trial.Sampler, trial.Centering = rbm.New(s.Model.Dims()), nil, nil
		switch sampler := s.Sampler.(type) {
		case *rbm.Exact:
			trial.Sampler = new(rbm.Exact)
		case State:
			trial.Sampler, _ = zero(sampler).(rbm.Sampler)
		}
		if trial.Sampler != nil {
			return &trial
		}
	}
	return nil
}
