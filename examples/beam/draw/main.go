// Draw writes binary rows to files, as data to try the other programs with: samples of
// a restricted Boltzmann machine with random weights, or digits of MNIST.
package main

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitfile"
	"github.com/gorbm/rbm/examples/internal/cli"
	"github.com/gorbm/rbm/examples/internal/output"
)

func main() { cli.Main("draw", parse, run) }

// run writes the files.
func run(o options, w io.Writer) error {
	if owner, path := output.Owner(o.out); owner != "" {
		return fmt.Errorf("-out: %s was made by examples/%s, whose folder this is; want another one", path, owner)
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	var paths []string
	for k := range o.files {
		paths = append(paths, filepath.Join(o.out, fmt.Sprintf("rows-%05d-of-%05d.%s", k, o.files, extensions[o.format])))
	}
	others, err := filepath.Glob(filepath.Join(o.out, "rows-*"))
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	for _, path := range others {
		if !slices.Contains(paths, path) {
			return fmt.Errorf("-out has other rows, %s; want another folder", path)
		}
	}
	s, err := newSource(&o)
	if err != nil {
		return err
	}
	write := writeText
	if o.format == "bits" {
		write = bitfile.Write
	}
	for k, path := range paths {
		n := o.rows*(k+1)/o.files - o.rows*k/o.files
		if err := write(path, s.next(n)); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "%d rows: %s\n", o.rows, filepath.Join(o.out, "rows-*"))
	return nil
}

// writeText writes rows as digits, a line each.
func writeText(path string, blocks iter.Seq2[*rbm.Bits, error]) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for block := range blocks { // from memory, without errors
		n, c := block.Dims()
		line := make([]byte, c+1)
		line[c] = '\n'
		for i := range n {
			for j := range c {
				line[j] = '0'
				if block.Bit(i, j) {
					line[j] = '1'
				}
			}
			w.Write(line)
		}
	}
	err = w.Flush()
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
