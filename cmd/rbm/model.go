package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/atomicfile"
	"github.com/gorbm/rbm/npz"
)

// sidecar is the file beside a model, with .json appended to its name. It has what a model
// itself has not: how to read rows for it, and how it was trained.
type sidecar struct {
	Model    string    `json:"model_sha256"` // of the bytes of the file of the model
	Rows     rowFormat `json:"rows"`
	Training *settings `json:"training,omitempty"`
}

func sidecarOf(path string) string { return path + ".json" }

// checksum is not a CRC, which is the same for all files that end in one of their own.
func checksum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

// The formats of model files.
const (
	binaryModel = "binary"
	npzModel    = "npz"
	jsonModel   = "json"
)

// modelFormat returns the format of a model file to write, by its name.
func modelFormat(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz":
		return npzModel
	case ".json":
		return jsonModel
	default:
		return binaryModel
	}
}

// isModel reports whether a file begins as a model does, and not rows or a checkpoint.
func isModel(head []byte) (format string, ok bool) {
	switch {
	case frameKind(head) != "":
		return binaryModel, frameKind(head) == "RBM"
	case bytes.HasPrefix(head, []byte("PK")):
		return npzModel, true
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")):
		return jsonModel, true
	}
	return "", false
}

// frame is how each file of the library's own formats begins, and each part of one.
const frame = "\x89RBM\r\n\x1a\n"

// frameKind returns what the package says at the beginning of its files that they are, or "".
func frameKind(head []byte) string {
	if !bytes.HasPrefix(head, []byte(frame)) || len(head) < 24 {
		return ""
	}
	return strings.TrimRight(string(head[12:24]), "\x00")
}

// decodeModel returns the model of the bytes of a file.
func decodeModel(b []byte) (*rbm.RBM, error) {
	format, ok := isModel(b)
	if !ok {
		if isCheckpoint(b) {
			return nil, errors.New("this is a checkpoint: rbm train -resume makes a model of it")
		}
		return nil, errors.New("this is no model: neither a file of rbm train, nor .npz, nor JSON")
	}
	m := new(rbm.RBM)
	switch format {
	case npzModel:
		return npz.Read(bytes.NewReader(b), int64(len(b)))
	case jsonModel:
		return m, json.Unmarshal(b, m)
	}
	_, err := m.ReadFrom(bytes.NewReader(b))
	return m, err
}

// encodeModel returns the bytes of a file of the model.
func encodeModel(m *rbm.RBM, format string) ([]byte, error) {
	var b bytes.Buffer
	switch format {
	case npzModel:
		err := npz.Write(&b, m)
		return b.Bytes(), err
	case jsonModel:
		return json.Marshal(m)
	}
	_, err := m.WriteTo(&b)
	return b.Bytes(), err
}

// readModel returns the model of a file, and the sidecar if there is one.
func readModel(path string) (*rbm.RBM, *sidecar, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	m, err := decodeModel(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, trim(err))
	}
	s, err := readSidecar(path, checksum(b))
	return m, s, err
}

// readSidecar returns the sidecar of a model with this checksum, or nil if there is none.
func readSidecar(path, sum string) (*sidecar, error) {
	name := sidecarOf(path)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := decodeSidecar(name, b)
	if err != nil {
		return nil, err
	}
	if s.Model != sum {
		return nil, fmt.Errorf("%s: this describes another model than %s; remove it to use the model without names of columns", name, path)
	}
	return s, nil
}

// decodeSidecar returns what a file of this name holds.
func decodeSidecar(name string, b []byte) (*sidecar, error) {
	s := new(sidecar)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: this does not describe a model: %w", name, err)
	}
	return s, nil
}

// writeModel writes a model and, unless nil, its sidecar.
func writeModel(path string, m *rbm.RBM, s *sidecar) error {
	b, err := encodeModel(m, modelFormat(path))
	if err != nil {
		return fmt.Errorf("%s: %w", path, trim(err))
	}
	if err := atomicfile.Replace(path, b); err != nil {
		return err
	}
	if s == nil {
		return removeOld(sidecarOf(path))
	}
	copied := *s
	copied.Model = checksum(b)
	text, err := json.MarshalIndent(copied, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Replace(sidecarOf(path), append(text, '\n'))
}

// removeOld removes a sidecar that a model had before it was replaced.
func removeOld(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// trim removes the name of the package from an error, which may be nil, and says flags for
// options.
func trim(err error) error {
	if err == nil {
		return nil
	}
	for _, prefix := range []string{"rbm: RBM: ", "rbm: ", "npz: ", "bitfile: bitio: ", "bitio: ", "bitfile: ", "checkpoint: ", "recipe: "} {
		if text, ok := strings.CutPrefix(err.Error(), prefix); ok {
			return trimmed{inFlags.Replace(text), err}
		}
	}
	return err
}

// inFlags replaces the options of package bitio by the flags that set them.
var inFlags = strings.NewReplacer(
	"by Array", "by -array",
	"set Spins to", "give -spins to",
	"as Spins is set", "as -spins is given or was in training",
	"set Threshold to", "give -threshold to",
	"for ID", "for -id (-id \"\" if there is none)",
	"for Skip", "for -skip",
	"both ID and", "both -id and",
	"set ID or Skip", "give -id or -skip",
	"set Format to Pairs", "give -format pairs",
	"set Header if", "give -header yes if",
	"set Header to say", "give -header yes or no to say",
	" Columns; set IgnoreUnknown", " of the model; give -ignore-unknown",
	" Columns; set Header if it is one", " of the model; give -header yes if it is a header",
	": set MaxBytes if it is right", ", which is as much as this command takes",
	"; set Observed to nil to write them as they are in Bits", "; rbm complete fills them",
	"both Threshold and Spins are set", "both -threshold and -spins are given",
	"option Threshold", "-threshold",
	"option Width", "-width",
	"option Comma", "-sep",
	"set IgnoreUnknown", "give -ignore-unknown",
	"set ZeroBased", "give -zero-based",
	"set Width to", "give -width",
	"or Width", "or -width",
	"wants Width", "wants -width",
	"with Skip", "with -skip",
	", which a stream cannot tell: read it with ReadFile", ", for which bits has no place",
)

type trimmed struct {
	text string
	err  error
}

func (t trimmed) Error() string { return t.text }
func (t trimmed) Unwrap() error { return t.err }
