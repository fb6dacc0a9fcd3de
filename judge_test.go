package rbm

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	estimate := func(logZ, stdErr, ess float64) Estimate { return Estimate{LogZ: logZ, StdErr: stdErr, ESS: ess} }
	for _, tt := range []struct {
		ais, reverse Estimate
		reason       string // "" if believable
		low, high    float64
	}{
		{estimate(10, 0.1, 50), estimate(10.2, 0.1, 50), "", -15.4, -14.8},
		{estimate(10, 0.3, 10), estimate(9.9, 0.1, 10), "", -15.6, -14.4},
		{estimate(10, 0, 50), estimate(10.09, 0, 50), "", -15.09, -15},
		{estimate(10, 0.1, 9.9), estimate(10, 0.1, 50), "of AIS are 9.9", -15.2, -14.8},
		{estimate(10, 0.1, 50), estimate(10, 0.1, 9.9), "of reverse AIS are 9.9", -15.2, -14.8},
		{estimate(10, 0.1, 50), estimate(10.5, 0.1, 50), "0.50 nats apart, want at most 0.42", -15.7, -14.8},
		{estimate(10, 0.1, 50), estimate(9.5, 0.1, 50), "-0.50 nats apart, want at most 0.42", -15.2, -14.3},
		{estimate(10, 0, 50), estimate(10.11, 0, 50), "0.11 nats apart, want at most 0.10", -15.11, -15},
	} {
		l := LogLikelihood{AIS: tt.ais, Reverse: tt.reverse}
		l.judge(5)
		near := func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }
		if !near(l.LogZ, (tt.ais.LogZ+tt.reverse.LogZ)/2) || !near(l.Mean, -5-l.LogZ) || !near(l.Gap, tt.reverse.LogZ-tt.ais.LogZ) {
			t.Errorf("%+v and %+v: log Z %v, mean %v, gap %v", tt.ais, tt.reverse, l.LogZ, l.Mean, l.Gap)
		}
		if !near(l.Low, tt.low) || !near(l.High, tt.high) {
			t.Errorf("%+v and %+v: interval [%v, %v], want [%v, %v]", tt.ais, tt.reverse, l.Low, l.High, tt.low, tt.high)
		}
		if l.Believable != (tt.reason == "") || l.Believable != (l.Reason == "") || !strings.Contains(l.Reason, tt.reason) {
			t.Errorf("%+v and %+v: believable %v for reason %q, want %q", tt.ais, tt.reverse, l.Believable, l.Reason, tt.reason)
		}
	}
}
