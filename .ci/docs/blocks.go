package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const module = "github.com/gorbm/rbm"

// packages are those that a block may use without importing them, by their names.
var packages = map[string]string{
	"bufio": "bufio", "context": "context", "errors": "errors", "fmt": "fmt", "fs": "io/fs", "http": "net/http", "io": "io",
	"log": "log", "math": "math", "os": "os", "rand": "math/rand/v2", "slices": "slices", "strings": "strings", "time": "time",
	"mat": "gonum.org/v1/gonum/mat",
	"rbm": module, "bitfile": module + "/bitfile", "bitio": module + "/bitio", "checkpoint": module + "/checkpoint",
	"compare": module + "/compare", "mcmc": module + "/mcmc", "monitor": module + "/monitor", "npz": module + "/npz",
	"recipe": module + "/recipe", "spin": module + "/spin",
}

// variables are those that a block finds declared.
const variables = `
var ctx context.Context
var m *rbm.RBM
var src rand.Source
var rows, data, heldOut, v, observed *rbm.Bits
var chains *rbm.Chains
var t *rbm.Trainer
var g rbm.Gradient
var sgd rbm.SGD
var c rbm.Centering
var sampler rbm.Sampler
var err error
`

// A kind is how a block of Go is to be read.
type kind int

const (
	file         kind = iota // with a package clause
	declarations             // of package rbm itself, if no package of the module is named
	statements               // of a function
)

// A goBlock is a block of Go as a file that can be compiled.
type goBlock struct {
	path string // of the page
	code
	kind     kind
	internal bool // it is in package rbm's own scope
	fset     *token.FileSet
	file     *ast.File
}

// parseGo reads a block: as a file if it has a package clause, or else as declarations if it can be read as such, or else
// as statements.
func parseGo(page string, b block) (*goBlock, []fault) {
	at := fmt.Sprintf("//line %s:%d\n", page, b.line) // so that positions are those of the page
	parse := func(k kind, src string) (*goBlock, error) {
		g := &goBlock{path: page, code: b.code, kind: k, fset: token.NewFileSet()}
		var err error
		g.file, err = parser.ParseFile(g.fset, "", src, parser.SkipObjectResolution) // a name with a folder would be put before that of the page
		return g, err
	}
	g, err := parse(file, at+b.text)
	if err == nil || g.file != nil && g.file.Package.IsValid() && startsWith(b.text, token.PACKAGE) {
		return g, faultsOf(page, b.code, err)
	}
	if g, err := parse(declarations, "package p\n"+at+b.text); err == nil {
		g.internal = !names(g.file, func(name string) bool { return strings.HasPrefix(packages[name], module) })
		return g.importing(func(imports string) (*goBlock, error) {
			return parse(declarations, "package p\n"+imports+at+b.text)
		})
	}
	g, err = parse(statements, "package p\nfunc _() {"+variables+"{\n"+at+b.text+"\n}\n}\n")
	if err != nil {
		return g, faultsOf(page, b.code, err)
	}
	return g.importing(func(imports string) (*goBlock, error) {
		return parse(statements, "package p\n"+imports+"func _() {"+variables+"{\n"+at+b.text+"\n}\n}\n")
	})
}

// importing parses the block again, with the imports that it needs.
func (g *goBlock) importing(parse func(imports string) (*goBlock, error)) (*goBlock, []fault) {
	var imports strings.Builder
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		imported := slices.ContainsFunc(g.file.Imports, func(s *ast.ImportSpec) bool {
			as, _ := strconv.Unquote(s.Path.Value)
			return as == packages[name] || path.Base(as) == name || s.Name != nil && s.Name.Name == name
		})
		if !imported && names(g.file, func(n string) bool { return n == name }) {
			fmt.Fprintf(&imports, "import %s %q\n", name, packages[name])
		}
	}
	again, err := parse(imports.String())
	again.internal = g.internal
	return again, faultsOf(g.path, g.code, err)
}

// names reports whether a file has a selector of a name that f is true of.
func names(file *ast.File, f func(name string) bool) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && f(x.Name) {
				found = true
			}
		}
		return true
	})
	return found
}

// startsWith reports whether Go source starts with a token, after comments.
func startsWith(src string, want token.Token) bool {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(src)), []byte(src), nil, 0)
	_, got, _ := s.Scan()
	return got == want
}

// faultsOf returns the first error of a parser, as the others may be no more than what follows from it. It is within the
// block, although what is missing at its end is missed after it.
func faultsOf(page string, c code, err error) []fault {
	var list scanner.ErrorList
	switch {
	case err == nil:
		return nil
	case errors.As(err, &list):
		last := c.line + max(strings.Count(c.text, "\n"), 1) - 1
		return []fault{{page, min(max(list[0].Pos.Line, c.line), last), list[0].Msg}}
	}
	return []fault{{page, c.line, err.Error()}}
}

// A compiler type-checks blocks of Go, as the compiler does before it makes code of them.
type compiler struct {
	export    map[string]string // files of the types of packages, by their import paths
	internal  []string          // the files of package rbm
	goVersion string            // of the language
}

// newCompiler has the go command compile all that blocks import.
func newCompiler(root string, blocks []*goBlock) (*compiler, error) {
	imports := map[string]bool{}
	for _, p := range packages {
		imports[p] = true
	}
	for _, b := range blocks {
		for _, s := range b.file.Imports {
			if p, err := strconv.Unquote(s.Path.Value); err == nil && p != "unsafe" {
				imports[p] = true
			}
		}
	}
	args := append([]string{"list", "-e", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,Module", "--"}, slices.Sorted(maps.Keys(imports))...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %v\n%s", err, stderr.Bytes())
	}
	c := &compiler{export: map[string]string{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Export, Dir string
			GoFiles                 []string
			Module                  *struct{ GoVersion string }
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Export != "" {
			c.export[p.ImportPath] = p.Export
		}
		if p.ImportPath == module {
			c.goVersion = "go" + p.Module.GoVersion
			for _, name := range p.GoFiles {
				c.internal = append(c.internal, filepath.Join(p.Dir, name))
			}
		}
	}
	if c.goVersion == "" || c.export[module] == "" {
		return nil, fmt.Errorf("go list: package %s does not compile\n%s", module, stderr.Bytes())
	}
	return c, nil
}

// check type-checks a block. Variables that are not used are no fault: a page shows how to get a value.
func (c *compiler) check(b *goBlock) (faults []fault) {
	var elsewhere []fault // what is wrong in package rbm, as with a name that is declared twice
	files := []*ast.File{b.file}
	name := b.file.Name.Name
	if b.internal {
		name = module
		for _, path := range c.internal {
			f, err := parser.ParseFile(b.fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return []fault{{b.path, b.line, err.Error()}}
			}
			files = append(files, f)
		}
		b.file.Name.Name = files[1].Name.Name
	}
	conf := types.Config{
		GoVersion: c.goVersion,
		Importer: importer.ForCompiler(b.fset, "gc", func(path string) (io.ReadCloser, error) {
			if c.export[path] == "" {
				return nil, fmt.Errorf("there is no package %s, or it does not compile", path)
			}
			return os.Open(c.export[path])
		}),
		Error: func(err error) {
			var e types.Error
			if !errors.As(err, &e) {
				faults = append(faults, fault{b.path, b.line, err.Error()})
			} else if at := e.Fset.Position(e.Pos); e.Soft && strings.HasPrefix(e.Msg, "declared and not used") {
				return
			} else if at.Filename != b.path {
				elsewhere = append(elsewhere, fault{b.path, b.line, fmt.Sprintf("%s, at %s", e.Msg, at)})
			} else {
				faults = append(faults, fault{b.path, at.Line, e.Msg})
			}
		},
	}
	conf.Check(name, b.fset, files, nil) // its error is the first of those above
	if len(faults) == 0 && len(elsewhere) > 0 {
		faults = elsewhere[:1]
	}
	for _, d := range b.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body == nil {
			faults = append(faults, fault{b.path, b.fset.Position(f.Pos()).Line, "missing function body of " + f.Name.Name})
		}
	}
	return faults
}
