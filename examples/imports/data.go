package main

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gorbm/rbm"
)

const (
	leastFiles   = 20 // that import a package, for it to be an item
	leastImports = 4  // items of a file, for it to be a row
)

// A file is one of Go source, and what it imports.
type file struct {
	path    string
	imports []int // items, in order
}

// A table has the files of a source tree as rows, and the packages that they import as
// items.
type table struct {
	items []string
	files []file
}

// read reads the Go files under root, except those in folders for test data.
func read(root string) (table, error) {
	var paths []string
	var imported [][]string
	uses := map[string]int{}
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		names, err := importsOf(path)
		if err != nil {
			return err
		}
		for _, name := range names {
			uses[name]++
		}
		rel, err := filepath.Rel(root, path)
		paths, imported = append(paths, filepath.ToSlash(rel)), append(imported, names)
		return err
	}
	if err := filepath.WalkDir(root, walk); err != nil {
		return table{}, err
	}
	var t table
	for name, n := range uses {
		if n >= leastFiles {
			t.items = append(t.items, name)
		}
	}
	slices.Sort(t.items)
	for r, names := range imported {
		var items []int
		for _, name := range names {
			if i, ok := slices.BinarySearch(t.items, name); ok {
				items = append(items, i)
			}
		}
		slices.Sort(items)
		if len(items) >= leastImports {
			t.files = append(t.files, file{paths[r], items})
		}
	}
	slices.SortFunc(t.files, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	if len(t.files) < 100 {
		return table{}, fmt.Errorf("%s has %d Go files with %d imports or more, want at least 100", root, len(t.files), leastImports)
	}
	return t, nil
}

// importsOf returns the packages that a file imports, each once.
func importsOf(path string) ([]string, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// split divides the files by their folders: three fifths to train on, a fifth to choose
// settings by, and a fifth for the test. Files of a folder import alike, and stay together.
func (t table) split(seed uint64) (train, valid, test []file) {
	for _, f := range t.files {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", seed, filepath.ToSlash(filepath.Dir(f.path)))
		switch x := h.Sum64(); {
		case x>>32%5 < 3:
			train = append(train, f)
		case x>>32%5 == 3:
			valid = append(valid, f)
		default:
			test = append(test, f)
		}
	}
	return train, valid, test
}

// bits returns the files as rows of bits.
func (t table) bits(files []file) *rbm.Bits {
	b := rbm.NewBits(len(files), len(t.items))
	for r, f := range files {
		for _, i := range f.imports {
			b.SetBit(r, i, true)
		}
	}
	return b
}
