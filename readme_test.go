package rbm_test

import (
	"os"
	"strings"
	"testing"
)

// The first Go code of the README is the example of the package, as a program, and its
// output is tested.
func TestReadmeIsTheExample(t *testing.T) {
	example, err := os.ReadFile("example_program_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, opened := strings.Cut(string(text), "```go\n")
	code, _, closed := strings.Cut(rest, "```\n")
	if !opened || !closed {
		t.Fatal("README.md has no block of Go code")
	}
	if !strings.Contains(code, "\t// Output:\n\t// ") {
		t.Fatal("the program of README.md has no output")
	}
	program := strings.NewReplacer("package rbm_test\n", "package main\n", "func Example() {", "func main() {").Replace(string(example))
	got, want := strings.Split(code, "\n"), strings.Split(program, "\n")
	for k := range max(len(got), len(want)) {
		if k >= len(got) || k >= len(want) || got[k] != want[k] {
			t.Fatalf("README.md has, in its first code\n%s\nwant, from line %d on,\n%s", code, k+1, strings.Join(want[min(k, len(want)):], "\n"))
		}
	}
}
