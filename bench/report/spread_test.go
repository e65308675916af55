package report

import (
	"slices"
	"testing"
)

func TestSpreadIsTheMedianAndTheOutermost(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    Spread
		text    string
	}{
		{nil, Spread{}, "0"},
		{[]float64{2}, Spread{2, 2, 2}, "2.00"},
		{[]float64{3, 1, 2}, Spread{2, 1, 3}, "2.00 ±50%"},
		{[]float64{4, 1, 2, 3}, Spread{2.5, 1, 4}, "2.50 ±60%"},
		{[]float64{100, 104, 101}, Spread{101, 100, 104}, "101 ± 3%"},
	} {
		if got := SpreadOf(c.figures); got != c.want || got.String() != c.text {
			t.Errorf("SpreadOf(%v) = %v, %q; want %v, %q", c.figures, got, got, c.want, c.text)
		}
	}
}

func TestRatiosAreTakenPairByPair(t *testing.T) {
	a := Result{Samples: []Sample{{CPU: 2}, {CPU: 3}, {P50: 1}, {CPU: 8}, {CPU: 9}}}
	b := Result{Samples: []Sample{{CPU: 1}, {CPU: 2}, {CPU: 4}, {CPU: 0}}}
	if got, want := Ratios(a, b, CPU), []float64{2, 1.5}; !slices.Equal(got, want) {
		t.Errorf("Ratios = %v; want %v", got, want)
	}
}

func TestFiguresHaveThreeDigitsThatMeanSomething(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.00001: "0", 0.0123: "0.0123", 0.1: "0.100", 0.99999: "1.00", 1: "1.00", 9.99: "9.99", 12.34: "12.3",
		99.96: "100", 123.4: "123", 1234: "1234", 9994: "9994", 12_345: "12.3k", 999_400: "999k", 1_234_567: "1.23M", -3: "-3.00",
	} {
		if got := Figure(v); got != want {
			t.Errorf("Figure(%v) = %q; want %q", v, got, want)
		}
	}
}
