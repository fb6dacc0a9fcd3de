// Command arrows keeps the files of a package in layers. It finds the pairs of files of
// the package in the current directory that use each other, prints what each file of a
// pair uses of the other one, and fails if a pair is not justified:
//
//	go run ./.ci/arrows
//
// A file uses another one where it names what the other one declares: a constant,
// variable, function or type of the package, a method, or a field. Test files do not
// count, nor does a file that go build leaves out on this machine.
//
// Embedding counts where a type is embedded, and a promoted method or field where it is
// named. A value that is converted to an interface uses no method.
package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// justified says why the files of a pair may use each other. The names of a pair are in
// alphabetical order, and the reason is a sentence that is printed with the pair:
//
//	"chains.go <-> sweep.go": "A sweep moves the chains, and the chains own its memory.",
//
// A pair that no longer uses each other must be removed.
var justified = map[string]string{
	"trainer.go <-> trainer_report.go":            "A Trainer reports on itself: Train asks for a report, which reads the settings and the state.",
	"trainer.go <-> trainer_classifier.go":        "A Trainer of a Classifier is a Trainer: its steps ask for labels and their gradient, which read the settings.",
	"trainer_classifier.go <-> trainer_report.go": "Its reports ask for errors, over as many rows at a time as a report watches.",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("arrows: ")
	fset := token.NewFileSet()
	path, files, err := parse(fset, ".")
	if err != nil {
		log.Fatal(err)
	}
	found, err := find(fset, path, files, importer.ForCompiler(fset, "source", nil))
	if err != nil {
		log.Fatal(err)
	}
	mutual := found.mutual()
	fmt.Printf("%d files, %d arrows between them, %d pairs that use each other\n", len(files), len(found), len(mutual))
	for _, p := range mutual {
		reason, ok := justified[p.String()]
		if !ok {
			reason = "NOT JUSTIFIED"
		}
		fmt.Printf("\n%s: %s\n", p, reason)
		fmt.Printf("\t%s uses %s\n", p.a, found.names(p.a, p.b))
		fmt.Printf("\t%s uses %s\n", p.b, found.names(p.b, p.a))
	}
	if faults := judge(mutual, justified); len(faults) > 0 {
		fmt.Fprintf(os.Stderr, "\narrows: %s\n", strings.Join(faults, "\narrows: "))
		os.Exit(1)
	}
}

// parse parses the files of the package in a directory that go build compiles on this
// machine. It returns the import path of the package and its files.
func parse(fset *token.FileSet, dir string) (path string, files []*ast.File, err error) {
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		return "", nil, err
	}
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return "", nil, err
		}
		files = append(files, f)
	}
	return p.ImportPath, files, nil
}

// An arrow points from a file to one that it uses.
type arrow struct{ from, to string }

// Arrows are all arrows of a package, each with the names that the first file uses.
type arrows map[arrow]map[string]bool

// find type-checks a package and returns its arrows.
func find(fset *token.FileSet, path string, files []*ast.File, imp types.Importer) (arrows, error) {
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: imp}
	pkg, err := conf.Check(path, fset, files, &info)
	if err != nil {
		return nil, err
	}
	found := make(arrows)
	for id, obj := range info.Uses {
		if obj.Pkg() != pkg {
			continue
		}
		// No other file can use what is local to a function, so its arrows all point
		// from a file to itself.
		a := arrow{fileOf(fset, id.Pos()), fileOf(fset, obj.Pos())}
		if a.from == a.to {
			continue
		}
		if found[a] == nil {
			found[a] = make(map[string]bool)
		}
		found[a][obj.Name()] = true
	}
	return found, nil
}

func fileOf(fset *token.FileSet, pos token.Pos) string { return filepath.Base(fset.File(pos).Name()) }

// A pair is two files, in alphabetical order.
type pair struct{ a, b string }

func (p pair) String() string { return p.a + " <-> " + p.b }

// mutual returns the pairs of files that use each other, sorted.
func (found arrows) mutual() []pair {
	var pairs []pair
	for a := range found {
		if a.from < a.to && found[arrow{a.to, a.from}] != nil {
			pairs = append(pairs, pair{a.from, a.to})
		}
	}
	slices.SortFunc(pairs, func(p, q pair) int { return strings.Compare(p.String(), q.String()) })
	return pairs
}

// names returns the names that one file uses of another one, sorted.
func (found arrows) names(from, to string) string {
	return strings.Join(slices.Sorted(maps.Keys(found[arrow{from, to}])), ", ")
}

// judge returns what is wrong with the pairs that use each other, where some are
// justified, each fault in a line.
func judge(mutual []pair, justified map[string]string) []string {
	var faults []string
	for _, p := range mutual {
		if _, ok := justified[p.String()]; !ok {
			faults = append(faults, fmt.Sprintf("%s use each other", p))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(justified)) {
		switch is := func(p pair) bool { return p.String() == name }; {
		case !slices.ContainsFunc(mutual, is):
			faults = append(faults, fmt.Sprintf("%s are justified, but do not use each other: remove them from the list", name))
		case strings.TrimSpace(justified[name]) == "":
			faults = append(faults, fmt.Sprintf("%s are justified without a reason", name))
		}
	}
	return faults
}
