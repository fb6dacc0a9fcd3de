package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// large is a module that is not built here, as it depends on much: of its programs, only the folders are checked.
const large = "examples/beam"

// withValue are flags of the go command that are followed by a value, and without those that are not.
var (
	withValue = []string{"C", "asmflags", "bench", "benchtime", "blockprofile", "buildmode", "count", "covermode", "coverpkg",
		"coverprofile", "cpu", "cpuprofile", "exec", "fuzz", "fuzzminimizetime", "fuzztime", "gcflags", "ldflags", "list", "memprofile",
		"mod", "modfile", "o", "outputdir", "overlay", "p", "parallel", "pgo", "run", "shuffle", "skip", "tags", "timeout", "trace",
		"vet"}
	without = []string{"a", "asan", "benchmem", "buildvcs", "c", "cover", "failfast", "fix", "fullpath", "json", "msan", "n", "race",
		"short", "trimpath", "v", "work", "x"}
)

// placeholder finds what stands for something else, such as NAME.
var placeholder = regexp.MustCompile(`\b[A-Z]{2,}\b|…|\$`)

// Commands checks the commands of pages. It builds each program of which it needs the flags once.
type commands struct {
	tree  *tree
	bin   string            // a folder for programs
	built map[string]string // programs, by their folders; empty where building failed
	help  map[string]string // what a program and a word print for -h
}

// checkSyntax has bash read a block.
func checkSyntax(p *page, b block) []fault {
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(b.text)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	line, msg := b.line, strings.TrimSpace(string(out))
	if m := regexp.MustCompile(`line ([0-9]+): (.*)`).FindStringSubmatch(msg); m != nil {
		k, _ := strconv.Atoi(m[1])
		line, msg = b.line+k-1, m[2]
	}
	return []fault{{p.path, line, fmt.Sprintf("bash -n: %s (%v)", msg, err)}}
}

// check checks the commands of a block or of a line. They are right in the root, or else in the folder of the page.
func (s *commands) check(p *page, c code) []fault {
	fromRoot, there := s.checkFrom(p, c, ".")
	if len(fromRoot) == 0 {
		return nil
	}
	if fromPage, in := s.checkFrom(p, c, path.Dir(p.path)); len(fromPage) == 0 || in && !there {
		return fromPage
	}
	return fromRoot
}

// checkFrom checks commands in a folder, and reports whether the folders that they name are there.
func (s *commands) checkFrom(p *page, c code, dir string) (faults []fault, there bool) {
	there = true
	for _, cmd := range commandsOf(c) {
		var errs []string
		missing := ""
		if cmd.words = ofProgram(cmd.words); len(cmd.words) == 0 {
			continue
		}
		switch name := cmd.words[0]; {
		case name == "cd" && len(cmd.words) == 2:
			if placeholder.MatchString(cmd.words[1]) {
				return faults, there // nothing is known of what follows
			}
			if dir = path.Join(dir, cmd.words[1]); !s.tree.folders[dir] {
				return append(faults, fault{p.path, cmd.line, fmt.Sprintf("cd %s: there is no folder %s", cmd.words[1], dir)}), false
			}
		case name == "go" && len(cmd.words) > 2:
			errs, missing = s.checkGo(dir, cmd.words[1], cmd.words[2:])
		case name == "bash" && len(cmd.words) > 1 && cmd.words[1] == ".ci/run":
			errs = s.checkSteps(cmd.words[2:])
		case s.tree.folders["cmd/"+path.Base(name)]: // also where it was built, as /tmp/rbm
			errs = s.checkFlags("cmd/"+path.Base(name), cmd.words[1:])
		}
		if missing != "" {
			there = false
			errs = append(errs, missing)
		}
		for _, e := range errs {
			faults = append(faults, fault{p.path, cmd.line, fmt.Sprintf("%s: %s", strings.Join(cmd.words, " "), e)})
		}
	}
	return faults, there
}

// ofProgram returns the words of a command without those before its program: keywords of the shell, and time.
func ofProgram(words []string) []string {
	for len(words) > 0 {
		switch word := words[0]; {
		case slices.Contains([]string{"do", "then", "else", "if", "while", "!", "{", "time"}, word):
			words = words[1:]
		case word == "/usr/bin/time" && len(words) > 2 && words[1] == "-f":
			words = words[3:]
		default:
			return words
		}
	}
	return nil
}

// checkSteps checks the names of steps of CI.
func (s *commands) checkSteps(names []string) (errs []string) {
	script, err := os.ReadFile(filepath.Join(s.tree.root, ".ci", "run"))
	if err != nil {
		return []string{err.Error()}
	}
	for _, name := range names {
		if !strings.Contains(string(script), "\nstep "+name+" ") && !placeholder.MatchString(name) && !strings.HasPrefix(name, "-") {
			errs = append(errs, "there is no step "+name)
		}
	}
	return errs
}

// checkGo checks what follows go VERB, as far as it is run, test, build, install or vet.
func (s *commands) checkGo(dir, verb string, words []string) (errs []string, missing string) {
	if !slices.Contains([]string{"run", "test", "build", "install", "vet"}, verb) {
		return nil, ""
	}
	values := map[string]string{}
	var args []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if !strings.HasPrefix(word, "-") {
			args = append(args, word)
			if verb == "run" {
				break
			}
			continue
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		switch {
		case name == "args" && verb == "test":
			words = nil
		case slices.Contains(withValue, name):
			if !hasValue {
				if len(words) == 0 {
					return append(errs, fmt.Sprintf("flag -%s has no value", name)), ""
				}
				value, words = words[0], words[1:]
			}
			values[name] = value
		case !slices.Contains(without, name):
			errs = append(errs, fmt.Sprintf("go %s has no flag -%s", verb, name))
		}
	}
	if c := values["C"]; c != "" {
		if dir = path.Join(dir, c); !s.tree.folders[dir] && !placeholder.MatchString(c) {
			return errs, "there is no folder " + dir
		}
	}
	if len(args) == 0 {
		if verb == "run" {
			return append(errs, "it names no program"), ""
		}
		args = []string{"."}
	}
	var packages []string
	for _, arg := range args {
		if placeholder.MatchString(path.Join(dir, arg)) {
			return errs, ""
		}
		folders, from := s.packages(dir, arg)
		if from != "" && len(folders) == 0 {
			missing = from + " has no Go files"
		}
		packages = append(packages, folders...)
	}
	if missing != "" || len(packages) == 0 {
		return errs, missing
	}
	switch verb {
	case "run":
		errs = append(errs, s.checkFlags(packages[0], words)...)
	case "test":
		for _, f := range []string{"run", "bench", "fuzz"} {
			errs = append(errs, s.checkPattern(packages, f, values[f], values["tags"])...)
		}
	}
	return errs, missing
}

// packages returns the folders with Go files that an argument of the go command names, and the folder from which it names
// them, which is empty for packages of others.
func (s *commands) packages(dir, arg string) (folders []string, from string) {
	arg, _, _ = strings.Cut(arg, "@")
	if rest, ok := strings.CutPrefix(arg, module); ok && (rest == "" || rest[0] == '/') {
		dir, arg = ".", "."+rest
	} else if first, _, _ := strings.Cut(arg, "/"); first != "." && first != ".." {
		if !strings.Contains(first, ".") {
			return nil, arg + ", without ./," // the go command takes it for a package of the standard library
		}
		return nil, ""
	}
	arg, all := strings.CutSuffix(arg, "...")
	from = path.Join(dir, arg)
	for _, folder := range s.sortedFolders() {
		if folder != from && !(all && (from == "." || strings.HasPrefix(folder, from+"/")) && s.sameModule(from, folder)) {
			continue
		}
		if slices.ContainsFunc(s.filesOf(folder), func(f string) bool { return strings.HasSuffix(f, ".go") }) {
			folders = append(folders, folder)
		}
	}
	return folders, from
}

func (s *commands) sortedFolders() []string {
	var all []string
	for f := range s.tree.folders {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

func (s *commands) filesOf(folder string) (files []string) {
	for f := range s.tree.files {
		if path.Dir(f) == folder {
			files = append(files, f)
		}
	}
	slices.Sort(files)
	return files
}

// sameModule reports whether ./... in a folder includes another one below it.
func (s *commands) sameModule(from, folder string) bool {
	for ; folder != from && folder != "."; folder = path.Dir(folder) {
		if base := path.Base(folder); s.tree.files[folder+"/go.mod"] || base == "testdata" || base[0] == '.' || base[0] == '_' {
			return false
		}
	}
	return true
}

// checkPattern checks that each alternative of a pattern of go test matches a function of a package.
func (s *commands) checkPattern(packages []string, flag, pattern, tags string) (errs []string) {
	if pattern == "" || pattern == "^$" || pattern == "XXX" {
		return nil
	}
	prefixes := map[string][]string{"run": {"Test", "Example", "Fuzz"}, "bench": {"Benchmark"}, "fuzz": {"Fuzz"}}[flag]
	var functions []string
	for _, folder := range packages {
		functions = append(functions, s.functions(folder, prefixes, tags)...)
	}
	for _, alternative := range splitOutside(pattern, '|') {
		first := splitOutside(alternative, '/')[0] // what follows is for subtests
		re, err := regexp.Compile(first)
		if err != nil {
			errs = append(errs, fmt.Sprintf("-%s %q: %v", flag, pattern, err))
		} else if !slices.ContainsFunc(functions, re.MatchString) {
			errs = append(errs, fmt.Sprintf("-%s %q: no function of the package matches %q", flag, pattern, first))
		}
	}
	return errs
}

// splitOutside splits a pattern at each separator outside of parentheses and brackets.
func splitOutside(pattern string, separator rune) (parts []string) {
	depth, start := 0, 0
	for i, r := range pattern {
		switch {
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth--
		case r == separator && depth == 0:
			parts = append(parts, pattern[start:i])
			start = i + 1
		}
	}
	return append(parts, pattern[start:])
}

// functions returns the functions with one of the prefixes, in the tests of a package that are built with the tags.
func (s *commands) functions(folder string, prefixes []string, tags string) (list []string) {
	b := build.Default
	b.BuildTags = strings.Split(tags, ",")
	for _, name := range s.filesOf(folder) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		full := filepath.Join(s.tree.root, filepath.FromSlash(name))
		if ok, err := b.MatchFile(filepath.Dir(full), filepath.Base(full)); err != nil || !ok {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), full, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // go vet says so
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(fn.Name.Name, p) }) {
				list = append(list, fn.Name.Name)
			}
		}
	}
	return list
}

var (
	flagWord = regexp.MustCompile(`^--?([A-Za-z][\w-]*)(?:=.*)?$`)
	verbWord = regexp.MustCompile(`^[a-z]+$`)
)

// checkFlags checks that a program has the flags that it is given: its text of help has them. A first word of letters is
// a command of the program, which has help and flags of its own.
func (s *commands) checkFlags(folder string, words []string) (errs []string) {
	if folder == large || strings.HasPrefix(folder, large+"/") {
		return nil
	}
	verb := ""
	if len(words) > 0 && verbWord.MatchString(words[0]) {
		verb, words = words[0], words[1:]
	}
	var flags []string
	for _, w := range words {
		if m := flagWord.FindStringSubmatch(w); m != nil && m[1] != "h" && m[1] != "help" {
			flags = append(flags, m[1])
		}
	}
	if verb == "" && len(flags) == 0 {
		return nil
	}
	help, err := s.helpOf(folder, verb)
	if err != nil {
		return []string{err.Error()}
	}
	for _, f := range flags {
		if !regexp.MustCompile(`(?m)(?:^|[\s\[(,|])--?` + regexp.QuoteMeta(f) + `(?:$|[^\w-])`).MatchString(help) {
			errs = append(errs, fmt.Sprintf("%s has no flag -%s", strings.TrimSpace(folder+" "+verb), f))
		}
	}
	return errs
}

// helpOf returns what a program prints for -h.
func (s *commands) helpOf(folder, verb string) (string, error) {
	key := folder + " " + verb
	if help, ok := s.help[key]; ok {
		return help, nil
	}
	program, err := s.build(folder)
	if err != nil {
		return "", err
	}
	args := []string{"-h"}
	if verb != "" {
		args = []string{verb, "-h"}
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	text := string(out)
	// A program may end with a status other than 0 after its help. That of an unknown command has no flags.
	if err != nil && !strings.Contains(text, "\n  -") {
		return "", fmt.Errorf("%s %s: %v: %s", folder, strings.Join(args, " "), err, firstLine(text))
	}
	s.help[key] = text
	return text, nil
}

func (s *commands) build(folder string) (string, error) {
	program, ok := s.built[folder]
	if !ok {
		program = filepath.Join(s.bin, strconv.Itoa(len(s.built)))
		cmd := exec.Command("go", "build", "-o", program, ".")
		cmd.Dir = filepath.Join(s.tree.root, filepath.FromSlash(folder))
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.built[folder] = ""
			return "", fmt.Errorf("go build in %s: %v\n%s", folder, err, bytes.TrimSpace(out))
		}
		s.built[folder] = program
	}
	if program == "" {
		return "", fmt.Errorf("%s does not build, see above", folder)
	}
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("%s is no program", folder)
	}
	return program, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
