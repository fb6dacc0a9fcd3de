package main

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	sse := processor{arch: "amd64"}
	avx := processor{arch: "amd64", avx: true}
	haswell := processor{arch: "amd64", avx: true, avx2: true}
	zen := processor{arch: "amd64", amd: true, avx: true, avx2: true}
	skylake := processor{arch: "amd64", avx: true, avx2: true, avx512f: true}
	zen4 := processor{arch: "amd64", amd: true, avx: true, avx2: true, avx512f: true}
	arm := processor{arch: "arm64"}
	riscv := processor{arch: "riscv64"}
	openblas := func(core string) blas { return blas{Name: "OpenBLAS 0.3.21", Core: core} }
	const good = ""
	for _, tt := range []struct {
		b        blas
		p        processor
		problem  string // a part of it
		coretype string
	}{
		{openblas("SkylakeX"), skylake, good, ""},
		{openblas("SKYLAKEX"), skylake, good, ""},
		{openblas("Cooperlake"), skylake, good, ""},
		{openblas("SapphireRapids"), skylake, good, ""},
		{openblas("Haswell"), skylake, "slower", "SkylakeX"},
		{openblas("Zen"), skylake, "slower", "SkylakeX"},
		{openblas("Prescott"), skylake, `"Prescott"`, "SkylakeX"},
		{openblas("SkylakeX"), zen4, good, ""},
		{openblas("Zen"), zen4, "slower", "SkylakeX"},
		{openblas("Zen"), zen, good, ""},
		{openblas("Haswell"), zen, good, ""},
		{openblas("Excavator"), zen, good, ""},
		{openblas("Prescott"), zen, "slower", "Zen"},
		{openblas("Barcelona"), zen, "slower", "Zen"},
		{openblas("Sandybridge"), zen, "slower", "Zen"},
		{openblas("Haswell"), haswell, good, ""},
		{openblas("Sandybridge"), haswell, "slower", "Haswell"},
		{openblas("Nehalem"), haswell, "OPENBLAS_CORETYPE=Haswell", "Haswell"},
		{openblas("generic"), haswell, "slower", "Haswell"},
		{openblas("Unknown"), haswell, "does not know", "Haswell"},
		{openblas(""), haswell, "does not know", "Haswell"},
		{openblas("Sandybridge"), avx, good, ""},
		{openblas("Nehalem"), avx, "slower", "Sandybridge"},
		{openblas("Prescott"), sse, good, ""},
		{openblas("neoversen1"), arm, good, ""},
		{openblas("armv8"), arm, "NEOVERSEN1", "NEOVERSEN1"},
		{openblas("RISCV64_GENERIC"), riscv, "OPENBLAS_CORETYPE", ""},
		{openblas("C910V"), riscv, good, ""},
		{openblas(""), riscv, "OPENBLAS_CORETYPE", ""},
		{blas{Name: "MKL"}, zen, good, ""},
		{blas{Name: "Accelerate"}, arm, good, ""},
		{blas{}, zen, "cannot be found out", ""},
		{blas{Name: "blis"}, zen, "cannot be found out", ""},
	} {
		problem, coretype := judge(tt.b, tt.p)
		if (problem == "") != (tt.problem == good) || !strings.Contains(problem, tt.problem) || coretype != tt.coretype {
			t.Errorf("judge(%+v, %+v) = %q, %q, want %q, %q", tt.b, tt.p, problem, coretype, tt.problem, tt.coretype)
		}
	}

	if problem, _ := judgeAll(nil, zen); problem == "" {
		t.Error("no BLAS at all is taken for a good one")
	}
	if problem, coretype := judgeAll([]blas{openblas("Zen"), openblas("Prescott")}, zen); problem == "" || coretype != "Zen" {
		t.Errorf("of two, the second one slow: %q, %q, want a problem and Zen", problem, coretype)
	}
}
