package main

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
)

func someReports() []rbm.Report {
	return []rbm.Report{
		{
			Epoch: 1, Step: 10, RowsPerSecond: 1e4, Rate: 0.1, PseudoLogLikelihood: -200.5, HeldOutPseudoLogLikelihood: -201,
			FreeEnergyGap: 0.25, WeightRMS: 0.01, HiddenActivity: 0.5, ChainMove: math.NaN(),
			Warnings: []string{"2 of 16 units, the \"first\" is 3"},
		},
		{
			Epoch: 2, Step: 20, RowsPerSecond: 2e4, Rate: 1. / 3, PseudoLogLikelihood: math.Inf(-1), HeldOutPseudoLogLikelihood: math.NaN(),
			FreeEnergyGap: -1e-300, WeightRMS: 2, HiddenActivity: 0.25, ChainMove: 1,
			SwapRates: []float64{0.125, math.NaN(), 1},
			Warnings:  []string{"14 of 16 units, the \"first\" is 0", "fell from -1.5e+02 to -3e+02", "other"},
		},
		{
			Epoch: 3, Step: 30,
			Warnings: []string{"fell from -15 to -3", "other", "another"},
		},
	}
}

func TestHistory(t *testing.T) {
	var h history
	for i, want := range [][]string{
		{"2 of 16 units, the \"first\" is 3"},
		{"fell from -1.5e+02 to -3e+02", "other"},
		{"another"},
	} {
		if got := h.add(someReports()[i]); !slices.Equal(got, want) {
			t.Errorf("report %d has the new warnings %q, want %q", i, got, want)
		}
	}
	table, err := h.AppendBinary([]byte("before"))
	if err != nil || !bytes.HasPrefix(table, []byte("before")) {
		t.Fatalf("AppendBinary gave %q and %v", table, err)
	}
	table = table[len("before"):]
	back := history{{}}
	if err := back.UnmarshalBinary(table); err != nil {
		t.Fatal(err)
	}
	again, _ := back.AppendBinary(nil)
	if len(back) != 3 || !bytes.Equal(table, again) {
		t.Errorf("the history\n%s\nbecame\n%s", table, again)
	}
	for i, want := range someReports() {
		got := back[i]
		same := math.Float64bits(got.Rate) == math.Float64bits(want.Rate) && got.FreeEnergyGap == want.FreeEnergyGap &&
			got.Epoch == want.Epoch && got.Step == want.Step && got.RowsPerSecond == 0 && slices.Equal(got.Warnings, want.Warnings) &&
			slices.EqualFunc(got.SwapRates, want.SwapRates, func(x, y float64) bool { return x == y || x != x && y != y })
		if !same {
			t.Errorf("report %d is %+v, want %+v without its speed", i, got, want)
		}
	}
}

func TestHistoryErrors(t *testing.T) {
	h := history(someReports())
	good, _ := h.AppendBinary(nil)
	for what, test := range map[string]struct{ old, new, want string }{
		"nothing":     {string(good), "", "columns"},
		"other names": {"weight_rms", "norm", "columns"},
		"epoch":       {"\n2,", "\nx,", "line 3: epoch"},
		"step":        {"\n3,30,", "\n3,3.5,", "line 4: step"},
		"number":      {",-200.5,", ",-200.5.5,", "line 2: pseudo_log_likelihood"},
		"swap rate":   {"0.125 ", "0.125x ", "line 3: swap_rates"},
		"fields":      {"\n3,", "\n", "wrong number of fields"},
	} {
		bad := strings.Replace(string(good), test.old, test.new, 1)
		back := history{{Epoch: 7}}
		if err := back.UnmarshalBinary([]byte(bad)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want it to say %q", what, err, test.want)
		}
		if len(back) != 1 || back[0].Epoch != 7 {
			t.Errorf("%s: an error changed the history", what)
		}
	}
}
