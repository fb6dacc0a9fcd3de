// Package checkpoint keeps the state of a training in a file, so that it continues after
// an interruption as if there had been none, bit for bit:
//
//	err := checkpoint.Load("rbm.checkpoint", t) // an rbm.Trainer
//	if errors.Is(err, fs.ErrNotExist) {
//		err = nil // the first start
//	}
//	…
//	t.OnReport = func(rbm.Report) error {
//		return checkpoint.Save("rbm.checkpoint", t)
//	}
//
// A program with a loop of its own saves its parts, and loads them in the same order:
//
//	parts := []checkpoint.State{m, sampler, sgd, centering}
//	…
//	err = checkpoint.Save("rbm.checkpoint", parts...)
//
// Parts are the models, optimizers and samplers of package rbm, or a Trainer, which has
// all of its own in it; and whatever else has AppendBinary and UnmarshalBinary: say, the
// number of steps made, which a loop needs for the order of its minibatches.
//
// A checkpoint has a version and a checksum. One that was cut off, has changed on the way
// or holds other parts gives an error. It is not protected against someone who changes it
// on purpose. Then it may give wrong numbers, or settings with which a step takes long
// and much memory, up to the 2²⁴ sweeps and 2²² chains that a Sampler may have; and parts
// that were read but do not fit each other panic where they meet, as all parts of
// different sizes do.
//
// Beside the parts that there are, saving takes the memory of the bytes of all. Loading
// takes the memory of these bytes, of the new parts, and for a while of all new parts but
// the largest once more.
package checkpoint

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"

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

// kind is the kind of a frame of internal/wire whose payload is the number of parts,
// an int, and each part as bytes.
const kind = "checkpoint"

// Write writes the parts to w. It panics if one is nil.
func Write(w io.Writer, parts ...State) error {
	payload, err := encode(parts)
	if err == nil {
		err = wire.WriteFrame(w, kind, payload...)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Read sets the parts to what [Write] wrote, in the same order. It reads no further
// than the end of the checkpoint, and waits for all of it before it changes a part.
// Where r is at its end, the error wraps io.EOF.
//
// After an error no part has changed. A part of a type that is not in package rbm, or a
// Trainer with a Sampler of such a type, is set back to what its AppendBinary returned
// at first. Where AppendBinary fails, as the part is not ready yet, there is no way back:
// of several such parts, those before the one that cannot be read have changed. Read
// panics if a part is nil.
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
// behind; a later one removes such files but for the latest two, and for those that
// are still written to. Several programs may save to the same path at the same time:
// the last one wins. They may be any number where flock can lock the files; elsewhere,
// as on Windows, they may be three, as more could remove a file that is in use.
//
// The new file has the permissions of the older one, or mode 0644 before umask where
// there is none. A symbolic link is replaced, not followed. A directory is an error.
func Save(path string, parts ...State) error {
	payload, err := encode(parts)
	if err == nil {
		err = atomicfile.Write(path, func(f *os.File) error { return wire.WriteFrame(f, kind, payload...) })
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

// encode returns the payload of a frame in pieces, so that no part has to be moved to
// larger memory for the next one.
func encode(parts []State) ([][]byte, error) {
	check(parts)
	payload := [][]byte{wire.AppendInt(nil, len(parts))}
	for i, part := range parts {
		b, err := part.AppendBinary(nil)
		if err != nil {
			return nil, partError(i, parts, err)
		}
		payload = append(payload, wire.AppendInt(nil, len(b)), b)
	}
	return payload, nil
}

func check(parts []State) {
	for i, part := range parts {
		if v := reflect.ValueOf(part); part == nil || v.Kind() == reflect.Pointer && v.IsNil() {
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
	return set(parts, saved)
}

// set sets the parts to what was saved of them, or none.
//
// Those come first that can be set back if a later one fails. Last come those that have
// been tried on a zero value before anything changed, and cannot fail any more. What
// changes in between needs neither: it is a part for which there is no such way, or
// else the largest one, to spare the memory of a trial.
func set(parts []State, saved [][]byte) error {
	before := make([][]byte, len(parts))
	order := make([]int, len(parts))
	for i, part := range parts {
		order[i] = i
		if len(parts) > 1 && zero(part) == nil {
			before[i] = snapshot(part)
		}
	}
	rank := func(i int) int {
		switch {
		case zero(parts[i]) != nil:
			return 2
		case before[i] == nil:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if r := cmp.Compare(rank(i), rank(j)); r != 0 || rank(i) < 2 {
			return r
		}
		return cmp.Compare(len(saved[j]), len(saved[i]))
	})
	first := 0 // of the parts to try
	for first < len(order) && rank(order[first]) < 2 {
		first++
	}
	own := order[first:]
	if first < len(order) && (first == 0 || rank(order[first-1]) == 0) {
		first++
	}
	for _, i := range order[first:] {
		if try(i, parts, saved) != nil {
			return firstError(own, parts, saved)
		}
	}
	for k, i := range order {
		if err := parts[i].UnmarshalBinary(saved[i]); err != nil {
			return errors.Join(partError(i, parts, err), setBack(order[:k], parts, before))
		}
	}
	return nil
}

// try returns the error that there will be when part i is set.
func try(i int, parts []State, saved [][]byte) error {
	if err := zero(parts[i]).UnmarshalBinary(saved[i]); err != nil {
		return partError(i, parts, err)
	}
	return nil
}

// firstError returns the error of the first one of these parts, whose order is any,
// that has one.
func firstError(which []int, parts []State, saved [][]byte) error {
	for i := range parts {
		if slices.Contains(which, i) {
			if err := try(i, parts, saved); err != nil {
				return err
			}
		}
	}
	return nil
}

// setBack sets these parts to what they were before, as far as that is known.
func setBack(which []int, parts []State, before [][]byte) error {
	for _, i := range which {
		if before[i] == nil {
			continue
		}
		if err := parts[i].UnmarshalBinary(before[i]); err != nil {
			return fmt.Errorf("it cannot be set back: %w", partError(i, parts, err))
		}
	}
	return nil
}

// snapshot returns what AppendBinary gives of a part, or nil if the part is not ready
// for that.
func snapshot(part State) (b []byte) {
	defer func() {
		if recover() != nil {
			b = nil
		}
	}()
	b, err := part.AppendBinary([]byte{})
	if err != nil {
		return nil
	}
	return b
}

// zero returns a value that takes the same data as s does, without a change of s, or
// nil if there is no way to make one.
func zero(s State) State {
	if t, ok := s.(*rbm.Trainer); ok {
		return zeroTrainer(t)
	}
	t := reflect.TypeOf(s)
	if t.Kind() != reflect.Pointer || t.Elem().PkgPath() != reflect.TypeFor[rbm.RBM]().PkgPath() {
		return nil
	}
	return reflect.New(t.Elem()).Interface().(State)
}

// zeroTrainer is zero of a Trainer: a copy, with what it knows of its rows, but with a
// model and a sampler of its own.
func zeroTrainer(t *rbm.Trainer) State {
	trial, model := *t, *t.Model
	trial.Model, trial.Centering, trial.Sparsity = &model, nil, nil
	if s, ok := t.Sampler.(State); ok { // any other has no state
		if trial.Sampler, _ = zero(s).(rbm.Sampler); trial.Sampler == nil {
			return nil
		}
	}
	return &trial
}
