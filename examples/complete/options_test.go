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
		"-data d -out o -fresh -hidden 1 -epochs 1 -rows 9 -cover left -sweeps 1 -seed 7",
		"-hidden 10000 -epochs 1000000 -sweeps 1000000 -cover top", "-cover bottom -rows 0",
	}
	bad := []string{
		"-out=", "-hidden 0", "-hidden -1", "-hidden 10001", "-hidden x", "-epochs 0", "-epochs 1000001",
		"-rows -1", "-cover all", "-cover Right", "-cover=", "-sweeps 0", "-sweeps 1000001", "-seed -1",
		"-fresh=2", "-unknown", "digits.png",
	}
	clitest.CheckParse(t, func(args []string) error { _, err := parse(args, io.Discard); return err }, good, bad)
}

func TestHelp(t *testing.T) {
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("parse(-help) = %v, want flag.ErrHelp", err)
	}
	for _, want := range []string{
		"-data", "-out", "-fresh", "-hidden", "-epochs", "-rows", "-cover", "-sweeps", "-seed",
		"right, left, top, bottom", "GoMNIST", "once",
	} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help does not mention %q", want)
		}
	}
}
