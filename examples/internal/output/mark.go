package output

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// A Program is an example, by its folder among those of the examples: digits, or
// beam/train.
type Program string

const home = "github.com/gorbm/rbm/examples/"

// Mark returns a text that says which program made a file.
func (p Program) Mark() string { return "made by " + home + string(p) }

const (
	headBytes = 512 // of a file, in which a mark is looked for
	letters   = "abcdefghijklmnopqrstuvwxyz/"
)

// Maker returns the program whose mark is in the first bytes of a file, or "".
func Maker(file []byte) Program {
	head := file[:min(len(file), headBytes)]
	_, name, _ := bytes.Cut(head, []byte(Program("").Mark()))
	return Program(name[:len(name)-len(bytes.TrimLeft(name, letters))])
}

// Marked are the names of files with a mark: a program that has a folder to itself has
// one of them there.
var Marked = []string{"checkpoint", "settings"}

// Owner returns the program that a folder belongs to and the file that says so, or "".
func Owner(dir string) (p Program, path string) {
	for _, name := range Marked {
		path := filepath.Join(dir, name)
		if file, err := head(path); err == nil && Maker(file) != "" {
			return Maker(file), path
		}
	}
	return "", ""
}

// head returns the first bytes of a file.
func head(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, headBytes))
}
