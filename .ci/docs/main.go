// Command docs checks the pages of the tree in the current directory, every *.md that git knows:
//
//	go run ./.ci/docs
//
// Links and pictures lead to files that are there, and to headings, by the anchors that GitHub gives them. Addresses of the
// web are asked for, where there is a network; without one, it says that they are skipped.
//
// Each block of Go compiles. A block with a package clause is a file. One with declarations alone is a part of package
// rbm, or, if it names a package of the module, of a package that imports what it needs. Any other block is a part of a
// function, which finds some variables declared: see packages and variables in blocks.go. Variables need not be used.
//
// bash can read each block of sh. There and in code within a line, go run, go test and the programs of cmd name packages
// that are there, flags that the program or the go command has, and patterns that match a test or benchmark.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("docs: ")
	root, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	t, err := readTree(root)
	if err != nil {
		log.Fatal(err)
	}
	remarks, faults, err := check(t, &http.Client{Timeout: 30 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range remarks {
		fmt.Println(r)
	}
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f)
	}
	if len(faults) > 0 {
		log.Fatalf("%d faults", len(faults))
	}
}

// readTree reads the files that git knows, or would add, and the pages among them.
func readTree(root string) (*tree, error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %v", err)
	}
	var files []string
	for _, f := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(path.Join(root, f)); err == nil { // it may be deleted
			files = append(files, f)
		}
	}
	t := newTree(root, files)
	for _, f := range files {
		if path.Ext(f) != ".md" {
			continue
		}
		text, err := t.read(f)
		if err != nil {
			return nil, err
		}
		t.pages[f] = read(f, text)
	}
	if len(t.pages) == 0 {
		return nil, fmt.Errorf("there is no page in %s", root)
	}
	return t, nil
}

// check checks all pages.
func check(t *tree, client *http.Client) (remarks []string, faults []fault, err error) {
	bin, err := os.MkdirTemp("", "docs")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(bin)
	shell := &commands{tree: t, bin: bin, built: map[string]string{}, help: map[string]string{}}
	web := map[string][]link{}
	var blocks []*goBlock
	links, goBlocks, shells := 0, 0, 0
	for _, p := range t.pages {
		faults = append(faults, p.faults...)
		w, f := t.checkLinks(p)
		faults = append(faults, f...)
		web[p.path] = w
		links += len(p.links)
		for _, b := range p.blocks {
			switch language := b.language; {
			case language == "go" || language == "golang":
				g, f := parseGo(p.path, b)
				if faults = append(faults, f...); len(f) == 0 {
					blocks = append(blocks, g)
				}
				goBlocks++
			case language == "sh" || language == "bash" || language == "shell":
				faults = append(faults, checkSyntax(p, b)...)
				faults = append(faults, shell.check(p, b.code)...)
				shells++
			case language == "" && strings.HasPrefix(b.text, "go "):
				faults = append(faults, fault{p.path, b.line - 1, "commands in a block without a language, want sh"})
			}
		}
		for _, c := range p.inline {
			if c, ok := commandLine(c); ok {
				faults = append(faults, shell.check(p, c)...)
				shells++
			}
		}
	}
	if len(blocks) > 0 {
		c, err := newCompiler(t.root, blocks)
		if err != nil {
			return nil, nil, err
		}
		for _, b := range blocks {
			faults = append(faults, c.check(b)...)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, f := checkWeb(ctx, client, web)
	faults = append(faults, f...)
	slices.SortFunc(faults, func(a, b fault) int {
		if a.path != b.path {
			return strings.Compare(a.path, b.path)
		}
		return a.line - b.line
	})
	slices.Sort(r)
	remarks = append(r, fmt.Sprintf("%d pages, %d links, %d blocks of Go, %d of commands", len(t.pages), links, goBlocks, shells))
	return remarks, faults, nil
}

// commandLine returns the command of code within a line. Flags that choose benchmarks or tests are of go test.
func commandLine(c code) (code, bool) {
	first, _, more := strings.Cut(c.text, " ")
	switch {
	case !more:
		return c, false
	case first == "-bench" || first == "-run":
		return code{c.line, "go test " + c.text + " ./..."}, true
	}
	rest := commandsOf(c)
	if len(rest) == 0 || len(rest[0].words) < 2 {
		return c, false
	}
	words := rest[0].words
	return c, words[0] == "go" && slices.Contains([]string{"run", "test", "build", "install", "vet"}, words[1]) || bytes.ContainsRune([]byte(c.text), '-') && words[0] == "rbm" ||
		words[0] == "bash" && words[1] == ".ci/run"
}
