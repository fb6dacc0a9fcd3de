package rbm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

// functions and structs are what the package exports. TestExported fails if one is missing.
var (
	functions = map[string]any{
		"BitsOf": rbm.BitsOf, "Binarize": rbm.Binarize, "MaskedBitsOf": rbm.MaskedBitsOf, "NewBits": rbm.NewBits,
		"New": rbm.New, "NewRandom": rbm.NewRandom, "NewChains": rbm.NewChains, "NewCD": rbm.NewCD, "NewPCD": rbm.NewPCD,
		"NewPT": rbm.NewPT, "NewPTT": rbm.NewPTT, "NewAIS": rbm.NewAIS, "NewTrainer": rbm.NewTrainer,
		"Blocks": rbm.Blocks, "Minibatches": rbm.Minibatches[*rbm.Bits],
		"Constant": rbm.Constant, "Linear": rbm.Linear, "Inverse": rbm.Inverse, "Cosine": rbm.Cosine,
	}
	structs = map[string]func() any{ // pointers to values in use, of 3 visible and 3 hidden units
		"RBM":      func() any { return randomModel(3, 3, 1, 1) },
		"Prepared": func() any { return randomModel(3, 3, 1, 1).Prepare() },
		"Bits":     func() any { return randomBits(3, 3, 0.5, 1) },
		"Gradient": func() any { return gradientOf(rbm.NewCD(1, newSource(1))) },
		"Phases":   func() any { return somePhases() },
		"Chains":   func() any { return used(rbm.NewPCD(2, 1, newSource(1))).Chains },
		"CD":       func() any { return used(rbm.NewCD(1, newSource(1))) },
		"PCD":      func() any { return used(rbm.NewPCD(2, 1, newSource(1))) },
		"PT":       func() any { return used(newPT(1, 1, []float64{0, 0.5, 1}, newSource(1))) },
		"PTT":      func() any { return used(rbm.NewPTT(4, 1, nil, newSource(1))) },
		"Exact":    func() any { return new(rbm.Exact) },
		"SGD":      func() any { return usedSGD() },
		"Centering": func() any {
			return &rbm.Centering{Rate: 0.5, Enhanced: true, V: []float64{0, 0.25, 1}, H: []float64{1, 0.1, 0}}
		},
		"Sparsity": func() any { return &rbm.Sparsity{Target: 0.1, Cost: 2, Rate: 0.5, H: []float64{1, 0.1, 0}} },
		"Frozen": func() any {
			return &rbm.Frozen{W: rbm.NewBits(3, 3), B: []bool{true, false, true}, C: make([]bool, 3)}
		},
		"Classifier": func() any {
			return withLabel(&rbm.Classifier{Model: randomModel(4, 3, 1, 1), Classes: 1, Generative: 1})
		},
		"AIS": func() any { return rbm.NewAIS(2, 2, newSource(1)) },
		"Trainer": func() any {
			return rbm.NewTrainer(randomModel(3, 3, 1, 1), randomBits(3, 3, 0.5, 1), rbm.NewCD(1, newSource(1)), newSource(1))
		},
		"Report":        func() any { return &rbm.Report{Step: 1, SwapRates: []float64{0.5}, Warnings: []string{"w"}} },
		"LogZ":          func() any { return &rbm.LogZ{Mean: 1, LogWeights: []float64{1}} },
		"LadderLogZ":    func() any { return &rbm.LadderLogZ{Mean: 1, SwapRates: []float64{0.5}, Doubt: "r"} },
		"LogLikelihood": func() any { return &rbm.LogLikelihood{Mean: -1, AIS: rbm.LogZ{Mean: 1}, Doubt: "r"} },
		"Group":         func() any { return &rbm.Group{From: 1, To: 3} },
		"Values":        func() any { return &rbm.Values{Matrix: randomReals(3, 3, 1)} },
	}
)

func gradientOf(s rbm.Sampler) *rbm.Gradient {
	g := new(rbm.Gradient)
	randomModel(3, 3, 1, 1).Gradient(g, rbm.NewBits(1, 3), s)
	return g
}

func used[S rbm.Sampler](s S) S {
	gradientOf(s)
	return s
}

func somePhases() *rbm.Phases {
	part := func(seed uint64) rbm.Gradient {
		m := randomModel(3, 3, 1, seed)
		return rbm.Gradient{W: m.W, B: m.B, C: m.C}
	}
	return &rbm.Phases{Data: part(1), Model: part(2), DataWeight: 3, ModelWeight: 4}
}

func usedSGD() *rbm.SGD {
	o := &rbm.SGD{Rate: 0.1, Momentum: 0.5}
	o.Step(rbm.New(3, 3), &somePhases().Data)
	return o
}

func TestExported(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	want := func(name string, tested bool) {
		found++
		if !tested {
			t.Errorf("%s is not among what is tested", name)
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					want(d.Name.Name, functions[d.Name.Name] != nil)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					s, ok := spec.(*ast.TypeSpec)
					if !ok || !s.Name.IsExported() {
						continue
					}
					if _, ok := s.Type.(*ast.StructType); ok {
						want(s.Name.Name, structs[s.Name.Name] != nil)
					}
				}
			}
		}
	}
	if n := len(functions) + len(structs); found != n {
		t.Errorf("%d functions and structs are exported, want the %d that are tested", found, n)
	}
}
