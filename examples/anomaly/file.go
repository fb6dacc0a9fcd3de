package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// A PNG file begins with a signature of 8 bytes and an IHDR chunk of 25.
const pngStart = 8 + 25

// mark is a PNG text chunk behind these that tells the pictures of this program from
// anyone else's files: length, type and text, checksum.
var mark = func() []byte {
	const text = "tEXtSoftware\x00github.com/gorbm/rbm/examples/anomaly"
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)-len("tEXt")))
	return binary.BigEndian.AppendUint32(append(chunk, text...), crc32.ChecksumIEEE([]byte(text)))
}()

// checkOut returns an error unless a picture may be written to name: its folder
// exists, and either nothing has that name or a picture of this program.
func checkOut(name string) error {
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return err
	}
	switch info, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", name)
	}
	old, err := os.ReadFile(name)
	if err == nil && (len(old) < pngStart || !bytes.HasPrefix(old[pngStart:], mark)) {
		err = fmt.Errorf("%s exists and is not a picture of this program: not overwritten", name)
	}
	return err
}

// save writes a PNG file to name, with the mark. It replaces a picture of this program
// and nothing else.
func save(name string, png []byte) error {
	if err := checkOut(name); err != nil {
		return err
	}
	return os.WriteFile(name, bytes.Join([][]byte{png[:pngStart], mark, png[pngStart:]}, nil), 0o666)
}
