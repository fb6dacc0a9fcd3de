package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"testing"
)

// sources are files of a package, in which m.go uses all others.
var sources = map[string]string{
	"m.go": `package p

type m struct{ x int }

func (m) do() { function(); _ = variable; _ = constant; var _ named; var _ i; _ = generic[int]{}.list; local() }
`,
	"function.go": `package p

func function() { _ = m{} } // a type
`,
	"method.go": `package p

var variable = 1

func init() { value.do() }
`,
	"field.go": `package p

const constant = 1

var _ = value.x
`,
	"embed.go": `package p

type named struct{ m }
`,
	"value.go": `package p

var value m

type i interface{ do() }

var _ i = value
`,
	"generic.go": `package p

type generic[T any] struct{ list []T }

var _ = generic[m]{}
`,
	"local.go": `package p

func local() {
	type m struct{ x int }
	do := m{x: 1}
	_ = do.x
}
`,
}

func findSources(t *testing.T) arrows {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(fset, name, sources[name], parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	found, err := find(fset, "p", files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMutual(t *testing.T) {
	var got []string
	found := findSources(t)
	for _, p := range found.mutual() {
		got = append(got, p.String())
	}
	want := []string{
		"embed.go <-> m.go",
		"field.go <-> m.go",
		"function.go <-> m.go",
		"generic.go <-> m.go",
		"m.go <-> method.go",
		"m.go <-> value.go",
	}
	if !slices.Equal(got, want) {
		t.Errorf("mutual pairs are %q, want %q", got, want)
	}
	for _, tt := range []struct{ from, to, want string }{
		{"m.go", "generic.go", "generic, list"},
		{"method.go", "m.go", "do"},
		{"field.go", "m.go", "x"},
		{"m.go", "local.go", "local"},
		{"local.go", "m.go", ""},
	} {
		if got := found.names(tt.from, tt.to); got != tt.want {
			t.Errorf("%s uses %q of %s, want %q", tt.from, got, tt.to, tt.want)
		}
	}
}

func TestFindFailsOnTypeErrors(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "a.go", "package p\n\nvar x = y\n", parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := find(fset, "p", []*ast.File{f}, nil); err == nil {
		t.Error("a package with a type error gives no error")
	}
}

func TestJudge(t *testing.T) {
	mutual := []pair{{"a.go", "b.go"}, {"a.go", "c.go"}}
	for _, tt := range []struct {
		name      string
		justified map[string]string
		faults    int
	}{
		{"none justified", nil, 2},
		{"one justified", map[string]string{"a.go <-> b.go": "A reason."}, 1},
		{"both justified", map[string]string{"a.go <-> b.go": "A reason.", "a.go <-> c.go": "Another one."}, 0},
		{"without a reason", map[string]string{"a.go <-> b.go": "A reason.", "a.go <-> c.go": " "}, 1},
		{"in the wrong order", map[string]string{"a.go <-> b.go": "A reason.", "c.go <-> a.go": "Another one."}, 2},
		{"no longer mutual", map[string]string{"a.go <-> b.go": "1", "a.go <-> c.go": "2", "b.go <-> c.go": "3"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if faults := judge(mutual, tt.justified); len(faults) != tt.faults {
				t.Errorf("faults are %q, want %d", faults, tt.faults)
			}
		})
	}
}
