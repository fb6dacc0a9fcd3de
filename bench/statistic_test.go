package main

import (
	"slices"
	"testing"
)

func TestSummarize(t *testing.T) {
	for _, tt := range []struct {
		x    []float64
		want summary
	}{
		{[]float64{3}, summary{3, 3, 3}},
		{[]float64{4, 1}, summary{1, 2.5, 4}},
		{[]float64{5, 1, 3}, summary{1, 3, 5}},
		{[]float64{8, 2, 4, 6}, summary{2, 5, 8}},
	} {
		x := slices.Clone(tt.x)
		if got := summarize(x); got != tt.want {
			t.Errorf("summarize(%v) = %v, want %v", tt.x, got, tt.want)
		}
		if !slices.Equal(x, tt.x) {
			t.Errorf("summarize changes %v to %v", tt.x, x)
		}
	}
}

func TestRatios(t *testing.T) {
	for _, tt := range []struct{ x, y, want []float64 }{
		{[]float64{6, 8}, []float64{2, 4}, []float64{3, 2}},
		{[]float64{6, 8, 9}, []float64{2}, []float64{3}},
		{[]float64{6}, nil, []float64{}},
	} {
		if got := ratios(tt.x, tt.y); !slices.Equal(got, tt.want) {
			t.Errorf("ratios(%v, %v) = %v, want %v", tt.x, tt.y, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0.5: "0.5", 12.345: "12.3", 123: "123", 1234: "1,230", 999.6: "1,000", 56789: "56,800", 1234567: "1,230,000"} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %s, want %s", x, got, want)
		}
	}
	for x, want := range map[float64]string{0.123: "0.12", 1.5: "1.50", 12.34: "12.3"} {
		if got := times(x); got != want {
			t.Errorf("times(%v) = %s, want %s", x, got, want)
		}
	}
}
