package rbm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The first Go code of the README is the body of Example, whose output is tested.
func TestReadmeIsTheExample(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, opened := strings.Cut(string(text), "```go\n")
	code, _, closed := strings.Cut(rest, "```\n")
	if !opened || !closed {
		t.Fatal("README.md has no block of Go code")
	}
	got, want := strings.Split(code, "\n"), exampleLines(t)
	for k := range max(len(got), len(want)) {
		if k >= len(got) || k >= len(want) || got[k] != want[k] {
			t.Fatalf("README.md has, in its first code\n%s\nwant, from line %d on,\n%s", code, k+1, strings.Join(want[min(k, len(want)):], "\n"))
		}
	}
}

// exampleLines returns the lines of the body of Example, up to its output.
func exampleLines(t *testing.T) []string {
	t.Helper()
	const name = "example_test.go"
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "Example" {
			continue
		}
		body := string(src[files.Position(f.Body.Lbrace).Offset+len("{\n") : files.Position(f.Body.Rbrace).Offset])
		body, _, ok = strings.Cut(body, "\t// Output:")
		if !ok {
			t.Fatalf("Example of %s has no output", name)
		}
		return strings.Split(strings.TrimPrefix(strings.ReplaceAll("\n"+body, "\n\t", "\n"), "\n"), "\n")
	}
	t.Fatalf("%s has no Example", name)
	return nil
}
