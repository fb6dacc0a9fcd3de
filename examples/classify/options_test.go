package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
)

func TestParse(t *testing.T) {
	good := []string{
		"",
		"-data d -out o -fresh -hidden 1 -epochs 1 -batch 1 -rate 0.5 -momentum 0 -seed 7 -rows 9 -held 4 -patience 2",
		"-hidden 10000 -epochs 1000000 -rate 10 -batch 10000 -sampler pcd -weight 1000 -sparsity 10",
		"-plain -threshold", "-test=false -held 5", "-kind generative", "-kind discriminative -weight 0", "-kind sparse -sparsity 0",
		"-labeled 5", "-labeled 5 -unlabeled 1000", "-kind discriminative -labeled 5 -unlabeled 1",
	}
	bad := []string{
		"-out=", "-hidden 0", "-hidden -1", "-hidden 10001", "-hidden x", "-epochs 0", "-epochs 1000001",
		"-batch 0", "-batch 10001", "-rate 0", "-rate -1", "-rate NaN", "-rate Inf", "-rate 11",
		"-momentum -0.1", "-momentum 1", "-momentum NaN", "-kind none", "-kind Hybrid", "-kind=",
		"-weight 0", "-weight -1", "-weight 1001", "-weight NaN",
		"-sparsity -1", "-sparsity 11", "-sparsity NaN", "-sampler pt", "-sampler CD",
		"-labeled -1", "-unlabeled -1", "-unlabeled 1001", "-unlabeled NaN", "-unlabeled 1",
		"-rows -1", "-test=false", "-test=x", "-held -1", "-patience -1", "-patience 3", "-seed -1", "-fresh=2", "-unknown", "digits.png",
	}
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err }, good, bad)
	for line, want := range map[string]string{
		"-kind discriminative -weight 1": "-weight is 1, want 0 with -kind discriminative",
		"-kind generative -weight 0":     "-weight is 0, want more with -kind generative",
		"-patience 3 -held 0":            "-patience is 3 and -held is 0",
		"-test=false":                    "-test is false and -held is 0",
		"-unlabeled 0.5 -labeled 0":      "-unlabeled is 0.5 and -labeled is 0",
	} {
		if _, err := parse(strings.Fields(line), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, want it to say %q", line, err, want)
		}
	}
}

// What is not given is by the kind.
func TestKinds(t *testing.T) {
	for _, k := range kinds {
		for flags, change := range map[string]func(k *kind){
			"":                                  func(*kind) {},
			" -hidden 9 -rate 2":                func(k *kind) { k.hidden, k.rate = 9, 2 },
			" -epochs 7":                        func(k *kind) { k.epochs = 7 },
			" -sparsity 0":                      func(k *kind) { k.sparsity = 0 },
			" -sparsity 4 -hidden 1 -rate 0.01": func(k *kind) { k.sparsity, k.hidden, k.rate = 4, 1, 0.01 },
			" -weight 3":                        func(k *kind) { k.weight = 3 },
		} {
			if k.name == "discriminative" && strings.Contains(flags, "-weight") {
				continue
			}
			want := k
			change(&want)
			line := "-kind " + k.name + flags
			o, err := parse(strings.Fields(line), io.Discard)
			if err != nil {
				t.Errorf("parse(%q) = %v", line, err)
			}
			if got := (kind{k.name, k.discriminative, o.weight, o.hidden, o.epochs, o.rate, o.sparsity}); got != want {
				t.Errorf("parse(%q) gave %+v, want %+v", line, got, want)
			}
		}
	}
	if o, err := parse(nil, io.Discard); err != nil || o.kind != "hybrid" {
		t.Errorf("without flags the kind is %q, error %v", o.kind, err)
	}
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{
		"-data", "-out", "-fresh", "-kind", "-hidden", "-epochs", "-batch", "-rate", "-momentum", "-plain", "-threshold", "-weight", "-sparsity", "-sampler",
		"-labeled", "-unlabeled", "-rows", "-held", "-patience", "-test", "-seed", "cd, pcd", "generative (", "sparse (", "GoMNIST", "goes on",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help does not mention %q", want)
		}
	}
}
