package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/checkpoint"
)

// saved is the part of a checkpoint: a note of the training, as JSON behind its length in 8
// bytes, and its Trainer. The note can be read without the rows, by which the Trainer is
// checked.
type saved struct {
	note    note
	trainer []byte // what is read
	write   *rbm.Trainer
}

// A note says which training a checkpoint is of, and what it has come to.
type note struct {
	Settings  settings  `json:"settings"`
	Rows      rowFormat `json:"rows"`
	Visible   int       `json:"visible"`
	Step      int       `json:"step"`
	Epoch     int       `json:"epoch"`
	BestEpoch int       `json:"best_epoch"` // 0 if none
	Warned    []string  `json:"warned"`     // kinds of the warnings that were shown
}

var _ checkpoint.State = (*saved)(nil)

func (s *saved) AppendBinary(b []byte) ([]byte, error) {
	text, err := json.Marshal(s.note)
	if err != nil {
		return nil, err
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(text)))
	b = append(b, text...)
	if s.write == nil {
		return append(b, s.trainer...), nil
	}
	return s.write.AppendBinary(b)
}

func (s *saved) UnmarshalBinary(b []byte) error {
	if len(b) < 8 || binary.LittleEndian.Uint64(b) > uint64(len(b)-8) {
		return errors.New("this is not a checkpoint of rbm train")
	}
	text, rest := b[8:8+binary.LittleEndian.Uint64(b)], b[8+binary.LittleEndian.Uint64(b):]
	var n note
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return fmt.Errorf("this is not a checkpoint of rbm train: %w", err)
	}
	s.note, s.trainer = n, bytes.Clone(rest)
	return nil
}

// loadSaved reads a checkpoint.
func loadSaved(path string) (*saved, error) {
	s := new(saved)
	if err := checkpoint.Load(path, s); err != nil {
		return nil, trim(err) // which names the file
	}
	return s, nil
}

// ladder returns the PTT of the training. The last part of a Trainer is its Sampler, in a frame of its own (package wire).
func (s *saved) ladder() (*rbm.PTT, error) {
	if by := s.note.Settings.Sampler; by != "ptt" {
		return nil, fmt.Errorf("this training has no ladder: its sampler is %s, want -sampler ptt", by)
	}
	const checksum = 4 // bytes, at the end of a frame
	start, end := bytes.LastIndex(s.trainer, []byte(frame)), len(s.trainer)-checksum
	if start < 0 || start > end || frameKind(s.trainer[start:]) != "PTT" {
		return nil, errors.New("this training has no ladder")
	}
	ptt := new(rbm.PTT)
	return ptt, trim(ptt.UnmarshalBinary(s.trainer[start:end]))
}

// isCheckpoint reports whether a file begins as a checkpoint does.
func isCheckpoint(head []byte) bool {
	return frameKind(head) == "checkpoint"
}
