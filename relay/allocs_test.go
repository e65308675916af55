//go:build !race

package relay

import "testing"

func TestARingAllocatesNothingForEachChunk(t *testing.T) {
	for _, chunks := range []int{32, 8 << 10} {
		r, end := full(chunks)
		limit, c := r.bytes, r.chunks[0]
		n := testing.AllocsPerRun(3*chunks, func() { c, end = turn(r, c, limit, end) }) // it moves now and then
		if n != 0 {
			t.Errorf("of %d chunks: %v times for each that comes; want 0", chunks, n)
		}
	}
}

func TestAReaderAllocatesNothingForAChunkInMemory(t *testing.T) {
	r := inMemory(t, 4<<20)
	if n := testing.AllocsPerRun(100, func() { readOn(t, r) }); n != 0 {
		t.Errorf("%v times; want 0", n)
	}
}

func TestARoundAllocatesNothingForEachReader(t *testing.T) {
	for _, readers := range []int{10, 100} {
		c := newCrowd(t, readers)
		if n := testing.AllocsPerRun(100, c.round); n != 2 { // its goroutine
			t.Errorf("of %d readers: %v times; want 2", readers, n)
		}
	}
}
