package rbm_test

import (
	"math"
	"testing"

	"github.com/gorbm/rbm"
)

// Exact log-likelihoods against a sum over all states, with weights, held-out rows and groups.
func TestReportLogLikelihood(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{7, 4}, {5, 9}} {
		for _, grouped := range []bool{false, true} {
			for _, weighted := range []bool{false, true} {
				for _, withHeld := range []bool{false, true} {
					const n = 30
					m := randomModel(s.nv, s.nh, 1, 1)
					data, held := randomBits(n, s.nv, 0.4, 2), randomBits(n, s.nv, 0.6, 3)
					logZ := naiveLogZ(m)
					if grouped {
						m.OneHot = []rbm.Group{{1, 4}}
						for r := range n {
							for i := 1; i < 4; i++ {
								data.SetBit(r, i, i == 1+r%3)
								held.SetBit(r, i, i == 1+r/2%3)
							}
						}
						var z float64
						for x := range 1 << s.nv {
							if on := x >> 1 & 7; on == 1 || on == 2 || on == 4 {
								v := rbm.NewBits(1, s.nv)
								for i := range s.nv {
									v.SetBit(0, i, x>>i&1 == 1)
								}
								z += math.Exp(-m.FreeEnergy(nil, v)[0])
							}
						}
						logZ = math.Log(z)
					}
					tr, reports := still(m, data, rbm.NewCD(1, newSource(4)))
					w := make([]float64, n)
					for r := range w {
						w[r] = 1. / n
					}
					if weighted {
						tr.Weights = randomWeights(n+1, 5)[1:]
						var sum float64
						for _, x := range tr.Weights {
							sum += x
						}
						for r, x := range tr.Weights {
							w[r] = x / sum
						}
					}
					if withHeld {
						tr.HeldOut = held
					}
					trainFor(t, tr, 1)
					r := (*reports)[0]
					checkNear(t, "LogLikelihood", r.LogLikelihood, -weightedSum(m.FreeEnergy(nil, data), w)-logZ, 1e-11)
					watched := 0
					for _, x := range w {
						if x > 0 {
							watched++
						}
					}
					if withHeld && watched == n {
						checkNear(t, "HeldOutLogLikelihood", r.HeldOutLogLikelihood, -meanOf(m.FreeEnergy(nil, held))-logZ, 1e-11)
					} else if !withHeld && !math.IsNaN(r.HeldOutLogLikelihood) {
						t.Errorf("HeldOutLogLikelihood is %v without HeldOut, want NaN", r.HeldOutLogLikelihood)
					}
				}
			}
		}
	}
}

// Where log Z is not cheap there is no exact figure, and Best goes by the
// pseudo-log-likelihood.
func TestReportBest(t *testing.T) {
	for _, tt := range []struct {
		nv, nh int
		exact  bool
	}{{12, 16, true}, {12, 1 << 10, true}, {12, 1<<10 + 1, false}, {1 << 10, 12, true}, {1<<10 + 1, 12, false}, {40, 40, false}, {70, 64, false}} {
		tr, reports := still(randomModel(tt.nv, tt.nh, 0.1, 1), randomBits(20, tt.nv, 0.4, 2), rbm.NewCD(1, newSource(3)))
		tr.HeldOut = randomBits(20, tt.nv, 0.4, 4)
		trainFor(t, tr, 1)
		r := (*reports)[0]
		if math.IsNaN(r.LogLikelihood) == tt.exact || math.IsNaN(r.HeldOutLogLikelihood) == tt.exact {
			t.Errorf("%v: %v and %v held out, want exact figures: %v", tr.Model, r.LogLikelihood, r.HeldOutLogLikelihood, tt.exact)
		}
	}

	for _, nh := range []int{16, 1 << 11} {
		tr, _ := overfitting(rbm.NewPCD(50, 1, newSource(1)))
		tr.ReportEvery, tr.SGD.Rate = 5, 0.5
		nv, _ := tr.Model.Dims()
		if nh != 16 {
			b := tr.Model.B
			tr.Model = rbm.NewRandom(nv, nh, 0.1, newSource(2))
			tr.Model.B.CopyVec(b)
			tr.SGD.Rate, tr.ReportEvery = 0.01, 100
		}
		reports := collect(tr)
		trainFor(t, tr, 200)
		exact, pseudo, differ := math.Inf(-1), math.Inf(-1), 0
		for k, r := range *reports {
			byExact, byPseudo := r.HeldOutLogLikelihood > exact, r.HeldOutPseudoLogLikelihood > pseudo
			want := byExact
			if nh != 16 {
				want = byPseudo
			}
			if r.Best != want {
				t.Errorf("nh=%d: report %d: Best is %v, want %v", nh, k, r.Best, want)
			}
			if byExact != byPseudo {
				differ++
			}
			exact, pseudo = max(exact, r.HeldOutLogLikelihood), max(pseudo, r.HeldOutPseudoLogLikelihood)
		}
		if nh == 16 && differ == 0 {
			t.Error("the two scores agree at all reports: nothing has been tested")
		}
	}
}
