package output

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"strings"
)

// CheckPNGName returns an error unless the value of the flag -out names a PNG file.
func CheckPNGName(out string) error {
	if !strings.EqualFold(filepath.Ext(out), ".png") {
		return fmt.Errorf("-out is %q, want a name that ends with .png", out)
	}
	return nil
}

// CheckPNG returns an error unless p can write a picture to path, as Check does. What
// is there already must be a picture of p, or empty.
func (p Program) CheckPNG(path string) error {
	if err := Check(path); err != nil {
		return err
	}
	file, err := head(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch q := painter(file); {
	case len(file) == 0, q == p:
		return nil
	case q != "":
		return fmt.Errorf("%s is a picture of examples/%s: not overwritten", path, q)
	}
	return fmt.Errorf("%s exists and is not a picture of this program: not overwritten", path)
}

// WritePNG writes a picture, and marks it as one of p. It replaces nothing but what
// CheckPNG lets it.
func (p Program) WritePNG(path string, png []byte) error {
	if err := p.CheckPNG(path); err != nil {
		return err
	}
	return Write(path, bytes.Join([][]byte{png[:pngStart], p.chunk(), png[pngStart:]}, nil))
}

// A PNG file begins with a signature of 8 bytes and an IHDR chunk of 25.
const pngStart = 8 + 25

const software = "tEXtSoftware\x00" + home

// chunk returns a text chunk that names p: its length, type and text, and a checksum.
func (p Program) chunk() []byte {
	text := software + string(p)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(text)-len("tEXt")))
	return binary.BigEndian.AppendUint32(append(b, text...), crc32.ChecksumIEEE([]byte(text)))
}

// painter returns the program that marked a PNG file, or "".
func painter(file []byte) Program {
	if len(file) < pngStart+4 {
		return ""
	}
	length, text := binary.BigEndian.Uint32(file[pngStart:]), file[pngStart+4:]
	n := int64(length) + int64(len("tEXt"))
	if n < int64(len(software)) || n > int64(len(text)) {
		return ""
	}
	p := Program(text[len(software):n])
	if !bytes.HasPrefix(file[pngStart:], p.chunk()) {
		return ""
	}
	return p
}
