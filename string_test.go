package rbm_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func TestString(t *testing.T) {
	data := randomBits(40, 70, 0.5, 1)
	groups := rbm.NewChains(newSource(1))
	groups.StartRandom(rbm.New(70, 1), 6)
	inGroups := rbm.New(70, 9)
	inGroups.OneHot = []rbm.Group{{From: 0, To: 2}, {From: 2, To: 5}}
	pcd := rbm.NewPCD(100, 2, newSource(1))
	ptt := rbm.NewPTT(10, 1, []*rbm.RBM{rbm.New(70, 3), rbm.New(70, 4)}, newSource(1))
	trainer := rbm.NewTrainer(rbm.New(70, 9), data, rbm.NewCD(1, newSource(1)), newSource(1))
	trainer.BatchSize, trainer.SGD.Rate = 20, 0.01
	if err := trainer.Step(); err != nil {
		t.Fatal(err)
	}
	var g rbm.Gradient
	rbm.New(70, 9).Gradient(&g, data, pcd)
	nan := math.NaN()
	for _, tt := range []struct {
		x    any
		want string
	}{
		{rbm.New(784, 500), "RBM(nv=784, nh=500)"},
		{*rbm.New(784, 500), "RBM(nv=784, nh=500)"},
		{inGroups, "RBM(nv=70, nh=9, 2 groups)"},
		{inGroups.OneHot[1], "[2, 5)"},
		{rbm.RBM{}, "RBM(W, B or C is nil)"},
		{&rbm.RBM{W: mat.NewDense(2, 3, nil), B: mat.NewVecDense(3, nil), C: mat.NewVecDense(1, nil)}, "RBM(C has length 1, want 2 as W is 2×3)"},
		{inGroups.Prepare(), "Prepared(nv=70, nh=9)"},
		{data, "Bits(40×70)"},
		{*data, "Bits(40×70)"},
		{new(rbm.Bits), "Bits(0×0)"},
		{data.T(), "{Bits(40×70)}"},
		{&g, "Gradient(nv=70, nh=9)"},
		{new(rbm.Gradient), "Gradient(empty)"},
		{&rbm.Gradient{B: mat.NewVecDense(3, nil)}, "Gradient(empty)"},
		{&rbm.Gradient{C: mat.NewVecDense(3, nil)}, "Gradient(empty)"},
		{somePhases(), "Phases(nv=3, nh=3, DataWeight=3, ModelWeight=4)"},
		{new(rbm.Phases), "Phases(empty, DataWeight=0, ModelWeight=0)"},
		{groups, "Chains(6×70)"},
		{rbm.NewChains(newSource(1)), "Chains(not started)"},
		{rbm.NewCD(5, newSource(1)), "CD(K=5)"},
		{rbm.NewPCD(100, 2, newSource(1)), "PCD(K=2, 100 chains)"},
		{*pcd, "PCD(K=2, 100 chains)"},
		{rbm.PCD{K: 1, Chains: groups}, "PCD(K=1, 6 chains)"},
		{&rbm.PCD{}, "PCD(K=0, 0 chains)"},
		{rbm.NewPT(10, 3, 5, newSource(1)), "PT(K=3, 10 chains, 5 temperatures)"},
		{ptt, "PTT(K=1, MinSwapRate=0.25, 10 chains, 2 models)"},
		{used(new(rbm.Exact)), "Exact()"},
		{usedSGD(), "SGD(Rate=0.1, Momentum=0.5)"},
		{rbm.SGD{L2: 1e-4, L1: 0.5, MaxNorm: 3}, "SGD(Rate=0, L2=0.0001, L1=0.5, MaxNorm=3)"},
		{&rbm.Centering{Rate: 0.01, V: make([]float64, 784), H: make([]float64, 500)}, "Centering(Rate=0.01, Enhanced=false, 784+500 offsets)"},
		{&rbm.Sparsity{Target: 0.1, Cost: 0.5}, "Sparsity(Target=0.1, Cost=0.5, Rate=0)"},
		{&rbm.Frozen{W: data, B: []bool{true, false, true}}, fmt.Sprintf("Frozen(%.0f weights, 2+0 biases)", mat.Sum(data))},
		{rbm.NewAIS(100, 2000, newSource(1)), "AIS(Runs=100, 2001 temperatures)"},
		{&rbm.Classifier{Model: rbm.New(794, 500), Classes: 10, Generative: 1}, "&{RBM(nv=794, nh=500) 10 0 1 0}"},
		{rbm.LogZ{Mean: 12.34567, StdErr: 0.0456, ESS: 87.25, LogWeights: make([]float64, 100)}, "LogZ(12.3457 ± 0.046, ESS 87.2 of 100)"},
		{trainer, "Trainer(RBM(nv=70, nh=9), CD(K=1), SGD(Rate=0.01), 40 rows, BatchSize=20, step 1)"},
		{&rbm.Trainer{Sampler: sample{}}, "Trainer(<nil>, rbm_test.sample, SGD(Rate=0), 0 rows, BatchSize=0, step 0)"},
		{&rbm.Trainer{Sampler: (*rbm.PCD)(nil)}, "Trainer(<nil>, *rbm.PCD, SGD(Rate=0), 0 rows, BatchSize=0, step 0)"},
		{rbm.Report{
			Step: 1200, Epoch: 2, PseudoLogLikelihood: -95.234, HeldOutPseudoLogLikelihood: -96.5, FreeEnergyGap: 0.813, WeightRMS: 0.05218,
			LogLikelihood: -101.5, HeldOutLogLikelihood: -102.25, Error: 0.0125, LogProb: -0.0625, IndependentLogLikelihood: -206.1, FreeEnergyShift: 0.0123, HiddenActivity: 0.25, ChainMove: 0.98, SwapRates: []float64{0.5, 0.3, 0.4}, Rate: 0.01, RowsPerSecond: 20512.3, Best: true, Warnings: []string{"one", "two"},
		}, "step 1200, epoch 2: log-likelihood -101.50, held-out -102.25, pseudo-log-likelihood -95.23, held-out -96.50, of independent units -206.10, " +
			"error 0.0125, log p(y|x) -0.0625, the best so far, free-energy gap 0.81, free-energy shift 0.0123, weights 0.0522, activity 0.25, " +
			"chains move 0.98, swap rates from 0.3, rate 0.01, 20512 rows/s; warning: one; warning: two"},
		{rbm.Report{
			PseudoLogLikelihood: nan, HeldOutPseudoLogLikelihood: nan, FreeEnergyGap: nan, WeightRMS: nan, HiddenActivity: nan, ChainMove: nan,
			LogLikelihood: nan, HeldOutLogLikelihood: nan, Error: nan, LogProb: nan, IndependentLogLikelihood: nan, FreeEnergyShift: nan, SwapRates: []float64{nan, nan}, Rate: 0.5, RowsPerSecond: nan, Best: true,
		}, "step 0, epoch 0: the best so far, rate 0.5"},
	} {
		if got := fmt.Sprint(tt.x); got != tt.want {
			t.Errorf("%T prints %s, want %s", tt.x, got, tt.want)
		}
	}
}

// Every figure of a report is in what it prints.
func TestStringOfReport(t *testing.T) {
	typ := reflect.TypeFor[rbm.Report]()
	for i := range typ.NumField() {
		var r, other rbm.Report
		switch f := reflect.ValueOf(&other).Elem().Field(i); f.Kind() {
		case reflect.Int:
			f.SetInt(7)
		case reflect.Float64:
			f.SetFloat(7)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
		if r.String() == other.String() {
			t.Errorf("%s is not in %q", typ.Field(i).Name, other)
		}
	}
}

// No type prints pointers, not even where it is empty or nil.
func TestPrintsNoPointers(t *testing.T) {
	for name, make := range structs {
		x := reflect.TypeOf(make())
		for _, x := range []any{make(), reflect.New(x.Elem()).Interface(), reflect.Zero(x).Interface()} {
			got := fmt.Sprintf("%v %+v", x, x)
			if strings.Contains(got, "0x") || strings.Contains(got, "PANIC") || len(got) > 1000 {
				t.Errorf("%s prints %s", name, got)
			}
		}
	}
}

// Bits are a matrix for gonum, in what it prints too.
func TestFormattedBits(t *testing.T) {
	b := rbm.NewBits(2, 3)
	b.SetBit(0, 1, true)
	b.SetBit(1, 2, true)
	if got, want := fmt.Sprintf("%v", mat.Formatted(b)), "⎡0  1  0⎤\n⎣0  0  1⎦"; got != want {
		t.Errorf("Formatted prints\n%s\nwant\n%s", got, want)
	}
}
