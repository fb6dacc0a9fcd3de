package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources is a module.
var sources = map[string]string{
	"go.mod": "module example.com/m\n\ngo 1.24.0\n",
	"m.go": `package m

import "io"

const Limit = 7

const inner = 1

var Err error

type T struct {
	N int
	base
	*Shown
	hidden int
}

type Shown struct{ S string ` + "`json:\"s\"`" + ` }

func (*Shown) Seen() {}

type base struct{ Deep float64 }

func (base) Promoted() {}

func (T) Value()             {}
func (t *T) Do(n, k int) error { return nil }
func (t *T) not()            {}

type I interface {
	io.Reader
	sealed()
}

type List[E any] []E

func (List[E]) First() (e E) { return e }

type Number interface{ ~int | ~float64 }

type Alias = T

func F[N Number](x ...N) (sum N) { return sum }

func private() {}
`,
	"sub/sub.go":            "package sub\n\nimport \"example.com/m\"\n\nfunc Of(t *m.T) {}\n",
	"internal/in/in.go":     "package in\n\nfunc Hidden() {}\n",
	"examples/ex/ex.go":     "package ex\n\nfunc Hidden() {}\n",
	"cmd/program/main.go":   "package main\n\nfunc main() {}\n",
	"cmd/program/lib/l.go":  "package lib\n\nfunc Hidden() {}\n",
	"asm_amd64.go":          "//go:build !purego\n\npackage m\n\nfunc kernel() {}\n",
	"noasm.go":              "//go:build !amd64 || purego\n\npackage m\n\nfunc kernel() {}\n",
	"m_test.go":             "package m\n\nfunc InTest() {}\n",
	"sub/nested/go.mod":     "module example.com/m/sub/nested\n",
	"sub/nested/package.go": "package nested\n\nfunc Hidden() {}\n",
}

// want is the listing of sources.
const want = `pkg example.com/m, const Limit untyped int = 7
pkg example.com/m, func F[N Number](x ...N) (sum N)
pkg example.com/m, method (*T) Do(n int, k int) error
pkg example.com/m, method (List) First() (e E)
pkg example.com/m, method (*Shown) Seen()
pkg example.com/m, method (T) Promoted()
pkg example.com/m, method (T) Value()
pkg example.com/m, type Alias = T
pkg example.com/m, type I interface
pkg example.com/m, type I interface, Read(p []byte) (n int, err error)
pkg example.com/m, type I interface, unexported methods
pkg example.com/m, type List[E any] []E
pkg example.com/m, type Number interface{~int | ~float64}
pkg example.com/m, type Shown struct
pkg example.com/m, type Shown struct, S string "json:\"s\""
pkg example.com/m, type T struct
pkg example.com/m, type T struct, Deep float64
pkg example.com/m, type T struct, N int
pkg example.com/m, type T struct, embedded Shown *Shown
pkg example.com/m, var Err error
pkg example.com/m/sub, func Of(t *m.T)
pkg example.com/m/sub, uses example.com/m`

func wanted() []string {
	lines := strings.Split(want, "\n")
	slices.Sort(lines)
	return lines
}

// module writes sources to a new directory, with a change to one file if there is one.
func module(t *testing.T, name, from, to string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range sources {
		if path == name {
			if strings.Count(text, from) != 1 {
				t.Fatalf("%s has %d times %q, want 1", name, strings.Count(text, from), from)
			}
			text = strings.Replace(text, from, to, 1)
		}
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestListAll(t *testing.T) {
	got, err := listAll(module(t, "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if faults := compare(wanted(), got); faults != nil {
		t.Errorf("the listing differs from what is wanted (-):\n%s", strings.Join(faults, "\n"))
	}
}

// Each change of what is exported is found, and none of what is not.
func TestChanges(t *testing.T) {
	const m = "pkg example.com/m, "
	for name, tt := range map[string]struct {
		file, from, to string
		want           []string
	}{
		"removed method":      {"m.go", "func (t *T) Do(n, k int) error { return nil }\n", "", []string{"- " + m + "method (*T) Do(n int, k int) error"}},
		"changed field":       {"m.go", "N int", "N int32", []string{"- " + m + "type T struct, N int", "+ " + m + "type T struct, N int32"}},
		"added function":      {"m.go", "func private()", "func Public()", []string{"+ " + m + "func Public()"}},
		"arguments swapped":   {"m.go", "Do(n, k int)", "Do(k, n int)", []string{"- " + m + "method (*T) Do(n int, k int) error", "+ " + m + "method (*T) Do(k int, n int) error"}},
		"changed constant":    {"m.go", "Limit = 7", "Limit = 8", []string{"- " + m + "const Limit untyped int = 7", "+ " + m + "const Limit untyped int = 8"}},
		"promoted method":     {"m.go", "Promoted()", "promoted()", []string{"- " + m + "method (T) Promoted()"}},
		"pointer receiver":    {"m.go", "func (T) Value()", "func (*T) Value()", []string{"- " + m + "method (T) Value()", "+ " + m + "method (*T) Value()"}},
		"removed field":       {"m.go", "Deep float64", "deep float64", []string{"- " + m + "type T struct, Deep float64"}},
		"changed tag":         {"m.go", `json:"s"`, `json:"t"`, []string{"- " + m + `type Shown struct, S string "json:\"s\""`, "+ " + m + `type Shown struct, S string "json:\"t\""`}},
		"opened interface":    {"m.go", "\tsealed()\n", "", []string{"- " + m + "type I interface, unexported methods"}},
		"constraint":          {"m.go", "~int | ~float64", "~int", []string{"- " + m + "type Number interface{~int | ~float64}", "+ " + m + "type Number interface{~int}"}},
		"other package":       {"sub/sub.go", "t *m.T", "t *m.I", []string{"- pkg example.com/m/sub, func Of(t *m.T)", "+ pkg example.com/m/sub, func Of(t *m.I)"}},
		"unexported function": {"m.go", "func private()", "func secret()", nil},
		"unexported field":    {"m.go", "hidden int", "hid int", nil},
		"internal package":    {"internal/in/in.go", "Hidden", "Other", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := list(module(t, tt.file, tt.from, tt.to), builds[0])
			if err != nil {
				t.Fatal(err)
			}
			if faults := compare(wanted(), got); !slices.Equal(faults, tt.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(faults, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// What is exported by one build alone is an error that names the build.
func TestBuilds(t *testing.T) {
	for _, tt := range []struct{ file, from, to, want string }{
		{"noasm.go", "func kernel", "func Plain() {}\n\nfunc kernel", "linux/amd64 purego exports something else (+) than linux/amd64 (-):\n+ pkg example.com/m, func Plain()"},
		{"m.go", "Limit = 7", "Limit = 4 << (^uint(0) >> 63)", "linux/386 exports something else (+) than linux/amd64 (-):\n- pkg example.com/m, const Limit untyped int = 8\n+ pkg example.com/m, const Limit untyped int = 4"},
		{"m.go", "func F[", "func F(", "go list"},
	} {
		lines, err := listAll(module(t, tt.file, tt.from, tt.to))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %q: %d lines, error %v, want %q", tt.file, tt.to, len(lines), err, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	a, b, c := "a", "b", "c"
	for _, tt := range []struct{ listed, exported, want []string }{
		{[]string{a, b}, []string{a, b}, nil},
		{[]string{a, b}, []string{b, c}, []string{"- a", "+ c"}},
		{nil, []string{a}, []string{"+ a"}},
		{[]string{b, a}, []string{a, b}, []string{"the lines are not sorted, or some are there twice"}},
		{[]string{a, b, b}, []string{a, b}, []string{"the lines are not sorted, or some are there twice"}},
	} {
		if got := compare(tt.listed, tt.exported); !slices.Equal(got, tt.want) {
			t.Errorf("compare(%v, %v) = %q, want %q", tt.listed, tt.exported, got, tt.want)
		}
	}
}

func TestNewest(t *testing.T) {
	for want, names := range map[string][]string{
		"v0.1.txt":  {"v0.1.txt"},
		"v0.10.txt": {"v0.9.txt", "v0.10.txt", "v0.2.txt"},
		"v1.0.txt":  {"v0.10.txt", "v1.0.txt", "v0.9.txt"},
		"":          {"v0.1.txt", "next.txt"},
		" ":         nil,
	} {
		dir := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := newest(dir)
		if ok := strings.TrimSpace(want) != ""; (err == nil) != ok || ok && filepath.Base(got) != want {
			t.Errorf("newest of %v = %q, error %v, want %q", names, got, err, want)
		}
	}
}
