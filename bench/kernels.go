package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/cpu"
)

// A processor is what the choice of a kernel depends on.
type processor struct {
	arch               string // as GOARCH
	amd                bool
	avx, avx2, avx512f bool // avx2 with FMA, avx512f with BW, DQ and VL
}

func thisProcessor(arch, name string) processor {
	return processor{
		arch:    arch,
		amd:     strings.Contains(name, "AMD"),
		avx:     cpu.X86.HasAVX,
		avx2:    cpu.X86.HasAVX2 && cpu.X86.HasFMA,
		avx512f: cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL,
	}
}

// instructions returns the widest of the processor, and the OpenBLAS kernels to want for it.
func (p processor) instructions() (level int, coretype string) {
	switch {
	case p.avx512f:
		return 3, "SkylakeX" // which OpenBLAS takes on AMD too
	case p.avx2 && p.amd:
		return 2, "Zen"
	case p.avx2:
		return 2, "Haswell"
	case p.avx:
		return 1, "Sandybridge"
	}
	return 0, "Nehalem"
}

// The kernels of OpenBLAS for amd64, by the instructions they use: SSE, AVX, AVX2, AVX-512.
var coreLevels = map[string]int{
	"generic": 0, "prescott": 0, "core2": 0, "penryn": 0, "dunnington": 0, "nehalem": 0, "atom": 0, "nano": 0,
	"athlon": 0, "opteron": 0, "opteron_sse3": 0, "barcelona": 0, "bobcat": 0,
	"sandybridge": 1, "bulldozer": 1, "piledriver": 1, "steamroller": 1,
	"excavator": 2, "haswell": 2, "zen": 2,
	"skylakex": 3, "cooperlake": 3, "sapphirerapids": 3,
}

// A blas is a library that a peer may call.
type blas struct {
	Name    string `json:"name"` // with its version; empty if unknown
	Core    string `json:"core"` // the kernels of an OpenBLAS
	Threads int    `json:"threads"`
}

func (b blas) String() string {
	if b.Core == "" {
		return b.Name
	}
	return fmt.Sprintf("%s, %s kernels", b.Name, b.Core)
}

// judge returns in words why a speed with b is no measure of a peer on p, or "". If a value
// of OPENBLAS_CORETYPE would help, it returns that.
func judge(b blas, p processor) (problem, coretype string) {
	switch {
	case strings.HasPrefix(b.Name, "OpenBLAS"):
	case b.Name == "MKL" || b.Name == "Accelerate":
		return "", ""
	case b.Name == "":
		return "it cannot be found out which BLAS it uses; install one with OpenBLAS, MKL or Accelerate", ""
	default:
		return fmt.Sprintf("its BLAS is %q, the kernels of which cannot be found out; install one with OpenBLAS, MKL or Accelerate", b.Name), ""
	}
	core := strings.ToLower(b.Core)
	switch p.arch {
	case "amd64", "386":
		want, coretype := p.instructions()
		level, known := coreLevels[core]
		if known && level >= want {
			return "", ""
		}
		what := "which are slower than this CPU allows"
		if !known {
			what = "which this program does not know"
		}
		return fmt.Sprintf("its OpenBLAS uses kernels named %q, %s; set OPENBLAS_CORETYPE=%s", b.Core, what, coretype), coretype
	case "arm64":
		if core != "" && core != "unknown" && core != "armv8" && !strings.Contains(core, "generic") {
			return "", ""
		}
		return fmt.Sprintf("its OpenBLAS uses kernels named %q, which are slower than this CPU allows; set OPENBLAS_CORETYPE=NEOVERSEN1", b.Core), "NEOVERSEN1"
	}
	if core == "" || core == "unknown" || strings.Contains(core, "generic") {
		return fmt.Sprintf("its OpenBLAS uses kernels named %q; set OPENBLAS_CORETYPE to the name of this CPU", b.Core), ""
	}
	return "", ""
}

// judgeAll judges each of several: the first problem counts.
func judgeAll(bs []blas, p processor) (problem, coretype string) {
	if len(bs) == 0 {
		return judge(blas{}, p)
	}
	for _, b := range bs {
		if problem, coretype := judge(b, p); problem != "" {
			return problem, coretype
		}
	}
	return "", ""
}
