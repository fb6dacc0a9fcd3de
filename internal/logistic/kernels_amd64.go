//go:build amd64 && !purego

package logistic

import (
	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

//go:generate go run -C ../_asm . -kernels logistic -out ../logistic/kernels_amd64.s -stubs ../logistic/stubs_amd64.go -pkg logistic

const lineBytes = spec.LineBytes

func probs(p []float64, in Inputs, scale float64) {
	switch {
	case !cpu.AVX2 || in.N == 0:
		probsGo(p, in, scale)
	case cpu.AVX512:
		probsAVX512(&p[0], in.first(), in.Stride*lineBytes, in.N, scale)
	default:
		probsAVX2(&p[0], in.first(), in.Stride*lineBytes, in.N, scale)
	}
}

func draw(in Inputs, u *[64]uint32) uint64 {
	switch {
	case !cpu.AVX2 || in.N == 0:
		return drawGo(in, u)
	case in.N > 8:
		panic("logistic: more inputs than random numbers")
	case cpu.AVX512:
		return drawAVX512(in.first(), in.Stride*lineBytes, in.N, u)
	default:
		return drawAVX2(in.first(), in.Stride*lineBytes, in.N, u)
	}
}

func drawProbs(p []float64, in Inputs, scale float64, u *[64]uint32) uint64 {
	switch {
	case !cpu.AVX2 || in.N == 0:
		return drawProbsGo(p, in, scale, u)
	case in.N > 8:
		panic("logistic: more inputs than random numbers")
	case cpu.AVX512:
		return drawProbsAVX512(&p[0], in.first(), in.Stride*lineBytes, in.N, scale, u)
	default:
		return drawProbsAVX2(&p[0], in.first(), in.Stride*lineBytes, in.N, scale, u)
	}
}

func softplus(sums *[16]float64, in Inputs) {
	switch {
	case !cpu.AVX2 || in.N == 0:
		softplusGo(sums, in)
	case cpu.AVX512:
		softplusAVX512(sums, in.first(), in.Stride*lineBytes, in.N)
	default:
		softplusAVX2(sums, in.first(), in.Stride*lineBytes, in.N)
	}
}

func exps(x []float64) {
	switch {
	case !cpu.AVX2 || len(x) == 0:
		expsGo(x)
	case cpu.AVX512:
		expsAVX512(&x[0], len(x)/8)
	default:
		expsAVX2(&x[0], len(x)/8)
	}
}

// first returns the first input, once it is certain that the last one exists.
func (in Inputs) first() *float64 {
	_ = in.X[(in.N-1)*in.Stride]
	return &in.X[0][0]
}

// The kernels are not called by way of a variable: u and the rule would be moved to the heap.

func (r *Rule) draw(in FixedInputs, u *[64]uint32) (word, open uint64) {
	switch x, stride := in.first(); {
	case !cpu.AVX2:
		return r.drawFixedGo(in, u)
	case cpu.AVX512:
		return drawFixedAVX512(x, stride, &r.Scale[0], u)
	default:
		return drawFixedAVX2(x, stride, &r.Scale[0], u)
	}
}

func (r *Rule) probs(p FixedInputs, scale float32, in FixedInputs) {
	to, toStride := p.first()
	switch x, stride := in.first(); {
	case !cpu.AVX2:
		r.probsFixedGo(p, scale, in)
	case cpu.AVX512:
		probsFixedAVX512(to, toStride, scale, x, stride, &r.Scale[0])
	default:
		probsFixedAVX2(to, toStride, scale, x, stride, &r.Scale[0])
	}
}

func (r *Rule) drawProbs(p FixedInputs, scale float32, in FixedInputs, u *[64]uint32) (word, open uint64) {
	to, toStride := p.first()
	switch x, stride := in.first(); {
	case !cpu.AVX2:
		return r.drawProbsFixedGo(p, scale, in, u)
	case cpu.AVX512:
		return drawProbsFixedAVX512(to, toStride, scale, x, stride, &r.Scale[0], u)
	default:
		return drawProbsFixedAVX2(to, toStride, scale, x, stride, &r.Scale[0], u)
	}
}

// first returns the first unit and the bytes from line to line, once it is certain that
// the last line exists.
func (in FixedInputs) first() (*int32, int) {
	_ = in.X[3*in.Stride]
	return &in.X[0][0], in.Stride * lineBytes
}
