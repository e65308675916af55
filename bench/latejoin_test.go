package main

import (
	"testing"
	"time"
)

func TestOnlyFirstMessagesCount(t *testing.T) {
	var f firsts
	if got := f.median(time.Now()); got != 0 {
		t.Errorf("median of none = %v; want 0", got)
	}
	began := time.Now()
	f.arrived(1, began)
	for _, after := range []time.Duration{30, 10, 20} {
		f.times = append(f.times, began.Add(after*time.Millisecond))
	}
	if got, want := f.median(began), 20*time.Millisecond; got != want {
		t.Errorf("median = %v; want %v", got, want)
	}
}
