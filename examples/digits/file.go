package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
)

// A PNG file begins with a signature of 8 bytes and an IHDR chunk of 25.
const pngStart = 8 + 25

// mark is a text chunk that says which program made a PNG file. It follows the
// IHDR chunk and tells the pictures of this program from anyone else's files.
var mark = textChunk("Software", "github.com/gorbm/rbm/examples/digits")

// textChunk is a PNG tEXt chunk: length, type, text, checksum.
func textChunk(key, value string) []byte {
	body := "tEXt" + key + "\x00" + value
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)-len("tEXt")))
	chunk = append(chunk, body...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE([]byte(body)))
}

// encode returns img as a PNG file that carries the mark.
func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, err
	}
	plain := b.Bytes()
	return bytes.Join([][]byte{plain[:pngStart], mark, plain[pngStart:]}, nil), nil
}

// checkOut returns an error unless a picture may be written to name: its folder
// exists, and either nothing has that name or a picture of this program.
func checkOut(name string) error {
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return err
	}
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if len(file) < pngStart || !bytes.HasPrefix(file[pngStart:], mark) {
		return fmt.Errorf("%s exists and is not a picture of this program: not overwritten", name)
	}
	return nil
}

// save writes img to name. It replaces a picture of this program and nothing else.
func save(name string, img image.Image) error {
	file, err := encode(img)
	if err != nil {
		return err
	}
	if err := checkOut(name); err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(file)
	return errors.Join(err, f.Close())
}
