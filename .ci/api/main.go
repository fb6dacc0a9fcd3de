// Command api compares what the packages of a module export with a listing in the tree, and
// fails if they differ:
//
//	go run ./.ci/api               compare with the newest listing, api/vX.Y.txt
//	go run ./.ci/api -write        write it anew
//	go run ./.ci/api -write v0.2   write that of another version
//
// Each constant, variable, function, type, method and field is a line, as in the folder api
// of Go. Commands and internal packages do not count, nor do examples. Names of parameters
// are in the listing, as they tell two ints from each other. So are the packages whose
// types the API uses.
//
// What is exported must not depend on the build: it is listed for several.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("api: ")
	write := flag.Bool("write", false, "write the listing")
	flag.Parse()
	if flag.NArg() > 1 || flag.NArg() == 1 && !*write {
		log.Fatal("usage: go run ./.ci/api [-write [vX.Y]]")
	}
	lines, err := listAll(".")
	if err != nil {
		log.Fatal(err)
	}
	var path string
	if flag.NArg() == 1 {
		if path = filepath.Join("api", flag.Arg(0)+".txt"); !version.MatchString(flag.Arg(0)) {
			log.Fatalf("version %q, want vX.Y", flag.Arg(0))
		}
	} else if path, err = newest("api"); err != nil {
		log.Fatal(err)
	}
	if *write {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d lines\n", path, len(lines))
		return
	}
	listed, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	if faults := compare(strings.Split(strings.TrimSuffix(string(listed), "\n"), "\n"), lines); len(faults) > 0 {
		fmt.Println(strings.Join(faults, "\n"))
		log.Fatalf(`the packages export something else than %s says.
A line with - is what a user may have relied on: it needs an entry in CHANGELOG.md.
A line with + is new. If all are meant, write the listing anew, or after its release that of the next version:

	go run ./.ci/api -write
	go run ./.ci/api -write vX.Y`, path)
	}
	fmt.Printf("%s: %d lines, as exported\n", path, len(lines))
}

var version = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)

// newest returns the listing of the highest version in a directory.
func newest(dir string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return "", err
	}
	if len(paths) == 0 {
		return "", fmt.Errorf("no listing in %s: go run ./.ci/api -write vX.Y writes one", dir)
	}
	for _, path := range paths {
		if !version.MatchString(versionOf(path)) {
			return "", fmt.Errorf("%s is not the listing of a version, vX.Y.txt", path)
		}
	}
	// Of two numbers without leading zeros the longer one is larger.
	return slices.MaxFunc(paths, func(p, q string) int {
		a, b := version.FindStringSubmatch(versionOf(p)), version.FindStringSubmatch(versionOf(q))
		return cmp.Or(cmp.Compare(len(a[1]), len(b[1])), cmp.Compare(a[1], b[1]), cmp.Compare(len(a[2]), len(b[2])), cmp.Compare(a[2], b[2]))
	}), nil
}

func versionOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".txt") }

// compare returns the lines that are only in one of two sorted listings, with - for the first
// one and + for the second one.
func compare(listed, exported []string) []string {
	var faults []string
	for _, line := range listed {
		if _, ok := slices.BinarySearch(exported, line); !ok {
			faults = append(faults, "- "+line)
		}
	}
	for _, line := range exported {
		if !slices.Contains(listed, line) {
			faults = append(faults, "+ "+line)
		}
	}
	if faults == nil && !slices.Equal(listed, exported) {
		return []string{"the lines are not sorted, or some are there twice"}
	}
	return faults
}

// A build is one of those that must export the same.
type build struct{ goos, goarch, tags string }

func (b build) String() string {
	return strings.TrimSpace(b.goos + "/" + b.goarch + " " + b.tags)
}

// builds are with and without assembly, on 64 and 32 bits.
var builds = []build{{"linux", "amd64", ""}, {"linux", "amd64", "purego"}, {"linux", "arm64", ""}, {"linux", "386", ""}}

// listAll returns the listing of the module in a directory, which is the same for all builds.
func listAll(dir string) ([]string, error) {
	var lines []string
	for i, b := range builds {
		of, err := list(dir, b)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", b, err)
		}
		if i == 0 {
			lines = of
		} else if faults := compare(lines, of); faults != nil {
			return nil, fmt.Errorf("%v exports something else (+) than %v (-):\n%s", b, builds[0], strings.Join(faults, "\n"))
		}
	}
	return lines, nil
}

// list returns the listing of the module in a directory for one build, sorted.
func list(dir string, b build) ([]string, error) {
	// The compiler writes what a package exports, and the types with it.
	c := exec.Command("go", "list", "-export", "-deps", "-tags", b.tags, "-f", "{{.ImportPath}}\t{{.Export}}\t{{and (not .DepOnly) (ne .Name `main`)}}", "./...")
	c.Dir = dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+b.goos, "GOARCH="+b.goarch)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	files := make(map[string]string)
	var public []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("go list printed %q", line)
		}
		files[fields[0]] = fields[1]
		if fields[2] == "true" && !hidden(fields[0]) {
			public = append(public, fields[0])
		}
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, errors.New("go list gave no file for " + path)
		}
		return os.Open(files[path])
	})
	var lines []string
	for _, path := range public {
		pkg, err := imp.Import(path)
		if err != nil {
			return nil, err
		}
		lines = append(lines, exported(pkg)...)
	}
	if len(lines) == 0 {
		return nil, errors.New("no package exports anything")
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// hidden reports whether a package is not for users of the module.
func hidden(path string) bool {
	elements := strings.Split(path, "/")
	return slices.Contains(elements, "internal") || slices.Contains(elements, "examples") || slices.Contains(elements, "cmd")
}
