package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeTree makes a repository of files.
func writeTree(t *testing.T, files map[string]string) *tree {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", "init", "-q")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	read, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// wantFaults compares faults with those wanted: beginnings of lines, of which each has exactly one.
func wantFaults(t *testing.T, got []fault, want ...string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("there is no fault %q", want[i])
		case i >= len(want):
			t.Errorf("there is a fault %q", got[i])
		case !strings.HasPrefix(got[i].String(), want[i]):
			t.Errorf("fault is %q, want %q", got[i], want[i])
		}
	}
}

func TestLinks(t *testing.T) {
	tree := writeTree(t, map[string]string{
		"a.md": "# A page, of *two* `parts`\n" + // 1
			"[there](docs/b.md), [line\n" +
			"break](docs/b.md#b-c) and [itself](#a-page-of-two-parts)\n" +
			"![picture](docs/p.png \"title\") and [a folder](docs)\n" +
			"[gone](docs/c.md)\n" + // 5
			"![case](docs/P.png)\n" +
			"[anchor](docs/b.md#c)\n" +
			"[own](#a)\n" +
			"[http](http://example.com)\n" +
			"`[code](nowhere)` and [parentheses](docs/x_(y).md)\n" + // 10
			"\n```\n[code](nowhere)\n# not-a-heading\n```\n" + // 12 to 15
			"[root](/docs/b.md) [out](../a.md)\n" +
			"[line](docs/f.go#L2) [no line](docs/f.go#L4)\n" +
			"[ref]: docs/gone.md\n" +
			"<img src=\"docs/gone.png\"> <a href=\"docs/b.md#own\">\n" +
			"[block](#not-a-heading) [bad](%zz)\n" +
			"[empty]() <https://example.com/b>, https://example.com/c.\n",
		"docs/b.md":     "## B: C!\n\n## B: C!\n\n### ½ & Größe_x [link](a.md)\n\n<a id=\"own\"></a>\n[second](#b-c-1) [third](#b-c-2)\n[greek](#--größe_x-link)\n",
		"docs/a.md":     "Title\n=====\n\n[t](#title)\n",
		"docs/p.png":    "",
		"docs/x_(y).md": "",
		"docs/f.go":     "package f\n\n//\n",
	})
	web, faults := tree.checkLinks(tree.pages["a.md"])
	wantFaults(t, faults,
		`a.md:5: link "docs/c.md": there is no file or folder docs/c.md`,
		`a.md:6: link "docs/P.png": there is no file or folder docs/P.png`,
		`a.md:7: link "docs/b.md#c": docs/b.md has no heading with this anchor`,
		`a.md:8: link "#a": a.md has no heading`,
		`a.md:9: link "http://example.com": want https`,
		`a.md:16: link "/docs/b.md": want a relative path`,
		`a.md:16: link "../a.md": there is no file or folder ../a.md`,
		`a.md:17: link "docs/f.go#L4": docs/f.go has no line 4`,
		`a.md:18: link "docs/gone.md": there is no`,
		`a.md:19: link "docs/gone.png": there is no`,
		`a.md:20: link "#not-a-heading": a.md has no heading`,
		`a.md:20: link "%zz": parse`,
		`a.md:21: link "": it has no anchor`,
	)
	if want := []link{{21, "https://example.com/b"}, {21, "https://example.com/c"}}; !slices.Equal(web, want) {
		t.Errorf("links to the web are %v, want %v", web, want)
	}
	_, faults = tree.checkLinks(tree.pages["docs/b.md"])
	wantFaults(t, faults, `docs/b.md:8: link "#b-c-2": docs/b.md has no heading`)
	_, faults = tree.checkLinks(tree.pages["docs/a.md"])
	wantFaults(t, faults)
}

func TestWeb(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/gone":
			w.WriteHeader(http.StatusGone)
		case r.URL.Path == "/missing", r.URL.Path == "/get" && r.Method != http.MethodGet:
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	at := func(path string) link { return link{len(path), server.URL + path} }
	closed := httptest.NewTLSServer(nil)
	closed.Close()
	links := map[string][]link{"a.md": {at("/"), at("/get#there"), at("/busy"), {99, closed.URL}, at("/gone"), at("/missing#x")}}
	remarks, faults := checkWeb(context.Background(), server.Client(), links)
	wantFaults(t, faults,
		fmt.Sprintf("a.md:5: link %s/gone: status 410", server.URL),
		fmt.Sprintf("a.md:10: link %s/missing#x: status 404", server.URL),
	)
	if len(remarks) != 2 || !strings.HasPrefix(remarks[0], "a.md:5: link "+server.URL+"/busy: status 503") || !strings.HasPrefix(remarks[1], "a.md:99: link ") {
		t.Errorf("remarks are %q, want those of /busy and of the closed server", remarks)
	}

	remarks, faults = checkWeb(context.Background(), server.Client(), map[string][]link{"a.md": {{1, closed.URL}, {2, closed.URL + "/b"}}})
	wantFaults(t, faults)
	if len(remarks) != 1 || !strings.HasPrefix(remarks[0], "SKIPPED: links to the web") {
		t.Errorf("without a network, remarks are %q, want that links to the web are skipped", remarks)
	}
	if remarks, faults = checkWeb(context.Background(), server.Client(), nil); len(remarks)+len(faults) > 0 {
		t.Errorf("without links to the web, remarks are %q and faults %q", remarks, faults)
	}
}

// parsed reads a block of Go at line 10 of a page.
func parsed(text string) (*goBlock, []fault) {
	return parseGo("docs/page.md", block{"go", code{10, text}})
}

func TestGo(t *testing.T) {
	// What compiles: statements, declarations of both kinds, and files.
	right := []string{
		"l, err := m.LogLikelihood(ctx, heldOut, rbm.NewAIS(100, 2000, src))\n",
		"m.Gradient(&g, data, sampler)\nc.Center(&g)\nsgd.Step(m, &g)\nunused := 1\n",
		"func train(m *rbm.RBM) *mat.Dense { return m.W }\n",
		"import \"math/rand\"\n\nfunc draw() int { return rand.Intn(2) + int(mcmc.Diagnostics{}.ESS) }\n",
		"type own struct{ *Chains }\n\nfunc (o own) Sample(m *RBM, data mat.Matrix) (mat.Matrix, []float64) { return o.Visible(), nil }\n\nvar _ Sampler = own{}\n",
		"// A comment.\npackage main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n",
		"return\n",
	}
	wrong := []struct{ text, want string }{
		{"m.Gradient(&g, data)\n", "docs/page.md:10: not enough arguments in call to m.Gradient"},
		{"m.FitVisibleBias(data)\n\nm.Fit(data)\n", "docs/page.md:12: m.Fit undefined"},
		{"x := rbm.NewCD(1, src)\ny = x\n", "docs/page.md:11: undefined: y"},
		{"err := 1 +\n", "docs/page.md:10: expected operand"},
		{"m := m\nm := m\n", "docs/page.md:11: no new variables"},
		{"Sample(m *RBM) error\n", "docs/page.md:10: expected "},
		{"func f() {\n\tvar x int\n\treturn x\n}\n", "docs/page.md:12: too many return values"},
		{"func f(m *RBM)\n", "docs/page.md:10: missing function body of f"},
		{"func f(m *RBM) { m.fit() }\n", "docs/page.md:10: m.fit undefined"},
		{"type RBM struct{}\n", "docs/page.md:10: "},
		{"package p\n\nimport \"fmt\"\n", "docs/page.md:12: \"fmt\" imported and not used"},
		{"package p\n\nimport _ \"example.com/none\"\n", "docs/page.md:12: could not import example.com/none"},
		{"package p\n\nvar x int = \"\"\n", "docs/page.md:12: cannot use"},
		{"for i := range ctx {\n}\n", "docs/page.md:10: cannot range over ctx"},
	}
	var blocks []*goBlock
	for _, tt := range wrong {
		if g, faults := parsed(tt.text); len(faults) == 0 {
			blocks = append(blocks, g)
		}
	}
	for _, text := range right {
		g, faults := parsed(text)
		wantFaults(t, faults)
		blocks = append(blocks, g)
	}
	c, err := newCompiler("../..", blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range right {
		g, _ := parsed(text)
		wantFaults(t, c.check(g))
	}
	for _, tt := range wrong {
		g, faults := parsed(tt.text)
		if len(faults) == 0 {
			faults = c.check(g)
		}
		if len(faults) == 0 || !strings.HasPrefix(faults[0].String(), tt.want) {
			t.Errorf("faults of %q are %q, want %q", tt.text, faults, tt.want)
		}
	}
}

// program has a flag and a command with a flag.
const program = `package main

import (
	"flag"
	"os"
)

func main() {
	f := flag.NewFlagSet("program", flag.ExitOnError)
	args := os.Args[1:]
	switch {
	case args[0] == "fit":
		f.Int("epochs", 1, "")
		args = args[1:]
	case args[0][0] == '-':
		f.Int("rows", 1, "")
	default:
		os.Exit(1)
	}
	f.Parse(args)
}
`

func TestCommands(t *testing.T) {
	tree := writeTree(t, map[string]string{
		"go.mod":                "module " + module + "\n\ngo 1.24\n",
		"p_test.go":             "package p\n\nfunc TestA() {}\nfunc BenchmarkB() {}\n",
		"slow_test.go":          "//go:build slow\n\npackage p\n\nfunc TestSlow() {}\n",
		"cmd/tool/main.go":      program,
		"examples/x/go.mod":     "module x\n\ngo 1.24\n",
		"examples/x/main.go":    program,
		"examples/x/q/q.go":     "package q\n",
		"examples/x/x_test.go":  "package main\n\nfunc ExampleC() {}\nfunc BenchmarkX() {}\n",
		"examples/x/README.md":  "text\n",
		"examples/beam/main.go": program,
		"docs/page.md":          "text\n",
		".ci/run":               "x\nstep a 'A' 'a'\nstep b 'B' 'b'\n",
	})
	shell := &commands{tree: tree, bin: t.TempDir(), built: map[string]string{}, help: map[string]string{}}
	for _, tt := range []struct{ page, text, want string }{
		{"docs/page.md", "go run -C examples/x . -rows 3 -rows=-2 --rows 4 | tee -q out # -none", ""},
		{"docs/page.md", "go run ./examples/x -help\ngo run examples/NAME -none\ngo run ./cmd/tool fit -epochs 2", ""},
		{"docs/page.md", "go run -C examples/x . \\\n\t-rows 3 \\\n\t-none 2", "docs/page.md:10: go run -C examples/x . -rows 3 -none 2: examples/x has no flag -none"},
		{"docs/page.md", "go run -C examples/x .\n\ngo run -C examples/x . -row 2", "docs/page.md:12: go run -C examples/x . -row 2: examples/x has no flag -row"},
		{"docs/page.md", "X=1 go run ./examples/x fit -rows 2", "docs/page.md:10: go run ./examples/x fit -rows 2: examples/x fit has no flag -rows"},
		{"docs/page.md", "go run ./examples/x nonsense", "docs/page.md:10: go run ./examples/x nonsense: examples/x nonsense -h: exit status 1"},
		{"docs/page.md", "tool -none 1", "docs/page.md:10: tool -none 1: cmd/tool has no flag -none"},
		{"docs/page.md", "tool -rows 1 && other -none", ""},
		{"docs/page.md", "for x in 1 2; do\n\t/usr/bin/time -f '%U s' /tmp/tool -none $x\ndone", "docs/page.md:11: /tmp/tool -none $x: cmd/tool has no flag -none"},
		{"docs/page.md", "if ! time tool -rows 1; then tool -none 2; fi", "docs/page.md:10: tool -none 2: cmd/tool has no flag -none"},
		{"docs/page.md", "bash .ci/run a b STEP -list", ""},
		{"docs/page.md", "bash .ci/run a c", "docs/page.md:10: bash .ci/run a c: there is no step c"},
		{"docs/page.md", "go run ./examples/y", "docs/page.md:10: go run ./examples/y: examples/y has no Go files"},
		{"docs/page.md", "go run examples/x", "docs/page.md:10: go run examples/x: examples/x, without ./, has no Go files"},
		{"docs/page.md", "go run -C examples/z .", "docs/page.md:10: go run -C examples/z .: there is no folder examples/z"},
		{"docs/page.md", "go run -nonsense ./examples/x", "docs/page.md:10: go run -nonsense ./examples/x: go run has no flag -nonsense"},
		{"docs/page.md", "go run", ""}, // a mention
		{"docs/page.md", "go run -C examples/x", "docs/page.md:10: go run -C examples/x: it names no program"},
		{"docs/page.md", "go run ./examples/beam -none; go run ./examples/beam/none", "docs/page.md:10: go run ./examples/beam/none: examples/beam/none has no Go files"},
		{"docs/page.md", "go install " + module + "/cmd/tool@latest", ""},
		{"docs/page.md", "go install " + module + "/cmd/tol@latest", "docs/page.md:10: go install " + module + "/cmd/tol@latest: cmd/tol has no Go files"},
		{"docs/page.md", "cd examples/x\ngo run . -rows 1\ngo run . -row 1", "docs/page.md:12: go run . -row 1: examples/x has no flag -row"},
		{"docs/page.md", "cd examples/y\ngo run .", "docs/page.md:10: cd examples/y: there is no folder examples/y"},
		{"docs/page.md", "go test -run 'A$' -bench '^BenchmarkB$/nv=1|Benchmark(B|D)' -benchtime 1x .", ""},
		{"docs/page.md", "go test -run '^$' -bench 'B|D' .", "docs/page.md:10: go test -run ^$ -bench B|D .: -bench \"B|D\": no function of the package matches \"D\""},
		{"docs/page.md", "go test -run B ./...", "docs/page.md:10: go test -run B ./...: -run \"B\""},
		{"docs/page.md", "go test -run TestSlow", "docs/page.md:10: go test -run TestSlow: -run \"TestSlow\""},
		{"docs/page.md", "go test -tags slow -run TestSlow", ""},
		{"docs/page.md", "go test -bench X ./...", "docs/page.md:10: go test -bench X ./...: -bench \"X\""}, // of another module
		{"examples/x/README.md", "go test -bench X ./...", ""},
		{"examples/x/README.md", "go test -run '(' .", "examples/x/README.md:10: go test -run ( .: -run \"(\": error parsing"},
		{"examples/x/README.md", "go run . -rows 1\ngo test ./q", ""},
		{"examples/x/README.md", "go test ./r", "examples/x/README.md:10: go test ./r: r has no Go files"},
	} {
		got := shell.check(tree.pages[tt.page], code{10, tt.text})
		if tt.want == "" {
			wantFaults(t, got)
		} else {
			wantFaults(t, got, tt.want)
		}
	}
}

func TestSyntaxOfShell(t *testing.T) {
	p := &page{path: "a.md"}
	wantFaults(t, checkSyntax(p, block{"sh", code{5, "echo 'a b'\n./x …\n"}}))
	wantFaults(t, checkSyntax(p, block{"sh", code{5, "echo a\necho 'b\n"}}), "a.md:")
	wantFaults(t, checkSyntax(p, block{"sh", code{5, "echo a\nfi\n"}}), "a.md:6: bash -n: syntax error near unexpected token `fi'")
}

func TestCommandsOf(t *testing.T) {
	got := commandsOf(code{1, "A=1 go run 'a b' \"c # d\" e\\ f # comment\n\nx > out 2>&1; y <in z && w \\\n\t-v=1 | u\n(cd a; b)"})
	want := []command{
		{1, []string{"go", "run", "a b", "c # d", "e f"}},
		{3, []string{"x"}}, {3, []string{"y", "z"}}, {3, []string{"w", "-v=1"}}, {4, []string{"u"}},
		{5, []string{"cd", "a"}}, {5, []string{"b"}},
	}
	if !slices.EqualFunc(got, want, func(a, b command) bool { return a.line == b.line && slices.Equal(a.words, b.words) }) {
		t.Errorf("commands are %q, want %q", got, want)
	}
}

// All of it: a tree with one fault of each kind, which is named by page and line.
func TestCheck(t *testing.T) {
	tree := writeTree(t, map[string]string{
		"a.md":     "[gone](gone.md)\n\n```sh\nfi\n```\n\n```\ngo run .\n```\n\nThis is `go run ./none` and `-bench\nNone`.\n\n~~~go\nfunc {\n",
		"dir/b.md": "[a](../a.md) ``` `code` ```\n",
	})
	_, faults, err := check(tree, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	wantFaults(t, faults,
		`a.md:1: link "gone.md"`, "a.md:4: bash -n", "a.md:7: commands in a block without a language", "a.md:11: go run ./none",
		"a.md:11: go test -bench None ./...", "a.md:14: the block of code has no end", "a.md:15: expected ")
}
