package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Spread is the median of figures, the least and the greatest.
type Spread struct{ Median, Least, Most float64 }

// SpreadOf returns the spread of figures; of none it is zero.
func SpreadOf(figures []float64) Spread {
	if len(figures) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{median, sorted[0], sorted[len(sorted)-1]}
}

// Figures returns what was measured of m, one figure a sample.
func (r Result) Figures(m Metric) (figures []float64) {
	for _, s := range r.Samples {
		if v, ok := s[m]; ok {
			figures = append(figures, v)
		}
	}
	return figures
}

// Ratios returns by how much a differs from b, pair by pair.
func Ratios(a, b Result, m Metric) (ratios []float64) {
	for i := range min(len(a.Samples), len(b.Samples)) {
		x, ok := a.Samples[i][m]
		y, too := b.Samples[i][m]
		if ok && too && y != 0 {
			ratios = append(ratios, x/y)
		}
	}
	return ratios
}

// Apart reports whether no figure of one lies between those of the other.
func (s Spread) Apart(other Spread) bool { return s.Most < other.Least || other.Most < s.Least }

// String is the median, and by how many percent of it the farthest figure is off.
func (s Spread) String() string {
	if s.Least == s.Most || s.Median == 0 {
		return Figure(s.Median)
	}
	return fmt.Sprintf("%s ±%2.0f%%", Figure(s.Median), s.off())
}

// off is by how many percent of the median the farthest figure is off.
func (s Spread) off() float64 {
	return 100 * max(s.Most-s.Median, s.Median-s.Least) / math.Abs(s.Median)
}

// Figure writes v with three digits that mean something: 0.0123, 12.3, 1234, 12.3k.
func Figure(v float64) string {
	switch size := math.Abs(v); {
	case size >= 999_500:
		return Figure(v/1e6) + "M"
	case size >= 9_995:
		return Figure(v/1e3) + "k"
	case size >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case size >= 0.09995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case size >= 0.00005:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	return "0"
}
