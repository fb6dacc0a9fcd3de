package main

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm/examples/internal/cli/clitest"
)

func TestParse(t *testing.T) {
	need := []string{"-input", "a", "-work", "b", "-columns", "3"}
	read := func(args []string) error {
		o, err := parse(flag.NewFlagSet("train", flag.ContinueOnError), slices.Concat(need, args), io.Discard)
		if err == nil {
			err = o.check()
		}
		return err
	}
	good := []string{
		"", "-mode step -rounds 1000 -rate 10", "-constant -local -v", "-timeout 1h30m", "-momentum 0.99 -seed 18446744073709551615",
		"-groups 0:1", "-columns 8 -groups 0:3,5:8", "-groups=",
		"-work gs://bucket/folder -input gs://x/* -columns 1",
	}
	bad := []string{
		"-input=", "-work=", "-work a*", "-work [a", "-columns 0", "-columns 1000001", "-mode steps", "-rounds 0", "-rounds 1000001",
		"-shards 0", "-shards 100001", "-hidden 0", "-hidden 100001", "-batch 0", "-batch 1000001", "-chains 0", "-chains 1000001",
		"-k 0", "-k 10001", "-rate 0", "-rate -1", "-rate NaN", "-rate 11", "-momentum 1", "-momentum -0.1", "-momentum NaN",
		"-attempts 0", "-attempts 1001", "-timeout -1s", "-timeout 999ms", "-timeout 10", "-ais 0", "-ais 1000001", "-groups 0", "-groups 0:x", "-groups 0:4", "-groups 1:1", "-groups 0:2,1:3", "-groups 1:3,0:1", "-groups -1:2", "-groups 0:1,", "-seed -1", "-unknown",
	}
	clitest.CheckParse(t, read, good, bad)

	var help strings.Builder
	if _, err := parse(flag.NewFlagSet("train", flag.ContinueOnError), []string{"-help"}, &help); err != flag.ErrHelp || !strings.HasPrefix(help.String(), about) || !strings.Contains(help.String(), "-shards int\n") {
		t.Errorf("parse of -help = %v, and printed\n%s", err, help.String())
	}
}
