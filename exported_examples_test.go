package rbm_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/version"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// shown has the exported types and functions that have no example of their own, with the
// example that shows them, and what is in it: the name itself, or what returns the type.
var shown = map[string]struct{ example, by string }{
	"rbm.New":        {"RBM_HiddenProbs", "rbm.New"},
	"rbm.NewRandom":  {"RBM_Gradient", "rbm.NewRandom"},
	"rbm.NewBits":    {"Bits", "rbm.NewBits"},
	"rbm.NewChains":  {"Chains", "rbm.NewChains"},
	"rbm.CD":         {"PCD", "rbm.NewCD"},
	"rbm.NewCD":      {"PCD", "rbm.NewCD"},
	"rbm.NewPCD":     {"PCD", "rbm.NewPCD"},
	"rbm.NewPT":      {"PT", "rbm.NewPT"},
	"rbm.NewPTT":     {"PTT", "rbm.NewPTT"},
	"rbm.NewAIS":     {"AIS", "rbm.NewAIS"},
	"rbm.NewTrainer": {"Trainer", "rbm.NewTrainer"},
	"rbm.Report":     {"Trainer", "rbm.Report"},
	"rbm.Gradient":   {"SGD", "rbm.Gradient"},
	"rbm.Prepared":   {"RBM_Prepare", ".Prepare"},
	"rbm.LogZ":       {"AIS", ".Run"},
	"rbm.LadderLogZ": {"PTT_LogZ", ".LogZ"},
	"rbm.Constant":   {"Schedule", "rbm.Constant"},
	"rbm.Linear":     {"Schedule", "rbm.Linear"},
	"rbm.Cosine":     {"Schedule", "rbm.Cosine"},
	"rbm.Inverse":    {"Schedule", "rbm.Inverse"},

	"bitfile.Write": {"", "bitfile.Write"},
	"bitfile.Open":  {"", "bitfile.Open"},
	"bitfile.File":  {"", "bitfile.Open"},

	"bitio.Options":   {"", "bitio.Options"},
	"bitio.Format":    {"Read_ratings", "bitio.Pairs"},
	"bitio.Table":     {"ReadFile", "bitio.ReadFile"},
	"bitio.Write":     {"Read_ratings", "bitio.Write"},
	"bitio.WriteFile": {"ReadFile", "bitio.WriteFile"},

	"checkpoint.Save":  {"", "checkpoint.Save"},
	"checkpoint.Load":  {"", "checkpoint.Load"},
	"checkpoint.Write": {"State", "checkpoint.Write"},
	"checkpoint.Read":  {"State", "checkpoint.Read"},

	"npz.Write": {"", "npz.Write"},
	"npz.Read":  {"", "npz.Read"},
	"npz.Load":  {"Save", "npz.Load"},

	"recipe.Split": {"Recipe_Fill", "recipe.Split"},
	"recipe.Best":  {"Recipe_Fill", "recipe.Best"},

	"monitor.All":     {"", "monitor.All"},
	"monitor.CSV":     {"", "monitor.CSV"},
	"monitor.ReadCSV": {"", "monitor.ReadCSV"},
	"monitor.NewBar":  {"", "monitor.NewBar"},
	"monitor.Bar":     {"", "monitor.NewBar"},

	"mcmc.Diagnostics": {"Diagnose", ".SplitRHat"},

	"spin.RBM": {"FromSpins", "spin.RBM"},

	"compare.Adversarial": {"AdversarialAccuracy", ".Accuracy"},
	"compare.MMD":         {"Discrepancy", ".P"},
}

// notShown has those that no example shows, and why none is needed.
var notShown = map[string]string{
	"bitio.Header":          "its zero value is right for most files, and the others are named for what they say",
	"bitio.WriteValuesFile": "it is to WriteValues as WriteFile is to Write",
}

// Every exported type and function of a package for users has an example of its own or is
// shown by another one. All examples have an output, and are whole programs in the
// documentation: what they use is in their file. All but the Example of a package say what they
// show.
func TestExamples(t *testing.T) {
	// Up to Go 1.24, go/doc took the name of package math/rand/v2 for v2.
	knowsVersions := version.Compare(runtime.Version(), "go1.25") >= 0
	listed := 0
	for _, name := range []string{
		"rbm", "bitio", "bitfile", "checkpoint", "npz", "recipe", "monitor", "mcmc", "spin", "compare",
	} {
		dir := name
		if name == "rbm" {
			dir = "."
		}
		examples, exported := readExamples(t, dir)
		own := make(map[string]bool)
		for key, e := range examples {
			own[strings.SplitN(key, "_", 2)[0]] = true
			if e.Doc == "" && key != "" {
				t.Errorf("Example%s of %s does not say what it shows", key, name)
			}
			if e.Output == "" {
				t.Errorf("Example%s of %s has no output", key, name)
			}
			if e.Play == nil && knowsVersions {
				t.Errorf("Example%s of %s is not a whole program: what it uses must be in its file", key, name)
			}
		}
		for _, x := range exported {
			full := name + "." + x
			other, isShown := shown[full]
			_, isNot := notShown[full]
			if isShown || isNot {
				listed++
			}
			switch {
			case own[x]:
				if isShown || isNot {
					t.Errorf("%s has an example of its own, and need not be listed", full)
				}
			case isShown:
				if e := examples[other.example]; e == nil || !mentions(e.Code, other.by) {
					t.Errorf("%s is shown by no Example%s with %s", full, other.example, other.by)
				}
			case !isNot:
				t.Errorf("no example shows %s", full)
			}
		}
	}
	if n := len(shown) + len(notShown); listed != n {
		t.Errorf("%d of the names listed are exported, want all %d", listed, n)
	}
}

// readExamples returns the examples of the package in dir, without "Example" in their names, and
// the names of its exported types and functions.
func readExamples(t *testing.T, dir string) (examples map[string]*doc.Example, exported []string) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var tests []*ast.File
	for _, path := range paths {
		isTest := strings.HasSuffix(path, "_test.go")
		if isTest && !strings.HasPrefix(filepath.Base(path), "example") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if isTest {
			tests = append(tests, file)
			continue
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					exported = append(exported, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						exported = append(exported, s.Name.Name)
					}
				}
			}
		}
	}
	examples = make(map[string]*doc.Example)
	for _, e := range doc.Examples(tests...) {
		examples[e.Name] = e
	}
	return examples, exported
}

// mentions reports whether code has the selector by: package.Name, or .Name of anything.
func mentions(code ast.Node, by string) bool {
	found := false
	ast.Inspect(code, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			x, _ := s.X.(*ast.Ident)
			found = found || "."+s.Sel.Name == by || x != nil && x.Name+"."+s.Sel.Name == by
		}
		return !found
	})
	return found
}
