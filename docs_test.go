package rbm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named finds what pages name of the package, as rbm.Chains or m.Energy; and Trainer.SGD or SGD.L2.
var named = regexp.MustCompile(`\b(?:rbm|m|chains|c|sgd)\.([A-Z]\w*)|\b([A-Z]\w*)\.([A-Z]\w*)`)

// tests finds the names of tests.
var tests = regexp.MustCompile(`\b(?:Test|Example)_?\w+`)

// What the pages name exists.
func TestDocsNameWhatExists(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages of docs are %q, error %v, want some", pages, err)
	}
	pages = append(pages, "README.md", "CONTRIBUTING.md")
	exported, funcs := declared(t)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range codeOf(string(text)) {
			for _, match := range named.FindAllStringSubmatch(code, -1) {
				if match[1] != "" && !exported[match[1]] {
					t.Errorf("%s names %s, which package rbm has not", page, match[0])
				}
				if match[2] != "" && exported[match[2]] && !exported[match[3]] {
					t.Errorf("%s names %s, which package rbm has not", page, match[0])
				}
			}
			for _, name := range tests.FindAllString(code, -1) {
				if !funcs[name] {
					t.Errorf("%s names %s, want a test of this package", page, name)
				}
			}
		}
	}
}

// codeOf returns the code of a page, between backquotes.
func codeOf(text string) (code []string) {
	blocks := strings.Split(text, "```")
	for i, block := range blocks {
		if i%2 == 1 {
			code = append(code, block)
			continue
		}
		for k, inline := range strings.Split(block, "`") {
			if k%2 == 1 {
				code = append(code, inline)
			}
		}
	}
	return code
}

// declared returns the exported names of package rbm, of functions, types, methods and
// fields, and the names of the functions of its tests.
func declared(t *testing.T) (exported, tests map[string]bool) {
	t.Helper()
	exported, tests = map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, path := range files {
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var idents []*ast.Ident
			switch n := n.(type) {
			case *ast.FuncDecl:
				if strings.HasSuffix(path, "_test.go") {
					tests[n.Name.Name] = true
					return false
				}
				idents = append(idents, n.Name)
			case *ast.TypeSpec:
				idents = append(idents, n.Name)
			case *ast.ValueSpec:
				idents = n.Names
			case *ast.Field:
				idents = n.Names
			}
			for _, ident := range idents {
				if ident.IsExported() && !strings.HasSuffix(path, "_test.go") {
					exported[ident.Name] = true
				}
			}
			return true
		})
	}
	return exported, tests
}
