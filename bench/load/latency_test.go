package load

import (
	"testing"
	"time"
)

func TestLatencyKeepsThreeFigures(t *testing.T) {
	l := NewLatency()
	for i := range 1000 {
		l.count(time.Duration(i+1) * time.Millisecond)
	}
	for _, c := range []struct {
		percentile float64
		want       time.Duration
	}{{50, 500 * time.Millisecond}, {99, 990 * time.Millisecond}, {99.9, 999 * time.Millisecond}} {
		if got := l.Percentile(c.percentile); got < c.want || got > c.want+c.want/500 {
			t.Errorf("Percentile(%v) = %v; want %v", c.percentile, got, c.want)
		}
	}
}

func TestLatencyCountsWhatIsBeyondItsBounds(t *testing.T) {
	l := NewLatency()
	l.count(-time.Second)
	l.count(time.Hour)
	if got := l.Count(); got != 2 {
		t.Errorf("Count() = %d; want 2", got)
	}
	if got := l.Percentile(100); got < maxLatency {
		t.Errorf("Percentile(100) = %v; want %v", got, maxLatency)
	}
	l.Reset()
	if got := l.Count(); got != 0 {
		t.Errorf("Count() after Reset = %d; want 0", got)
	}
}
