package s3

import (
	"testing"
	"testing/synctest"
	"time"
)

// full returns a part that holds as much as it can.
func full(t *testing.T, ps *parts, size int64) *part {
	t.Helper()
	p, err := ps.get(t.Context(), size)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.fill(random(int(size))); n != int(size) || err != nil {
		t.Fatalf("fill() = %d, %v; want %d", n, err, size)
	}
	return p
}

func TestMemoryOfAPartIsUsedForTheNextOne(t *testing.T) {
	ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 20 * mib})
	other := full(t, ps, 5*mib)
	defer other.release()
	first := full(t, ps, 5*mib)
	at := &first.memory[0]
	first.release()
	second := full(t, ps, 5*mib)
	defer second.release()
	if &second.memory[0] != at {
		t.Error("a part has new memory, though some is free")
	}
}

func TestMemoryGoesBackToTheSystemSoonAfterTheLastPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := newParts(Options{PartBytes: 5 * mib, MemoryBytes: 30 * mib})
		free := func() int {
			ps.memory.mu.Lock()
			defer ps.memory.mu.Unlock()
			return len(ps.memory.free)
		}
		var held []*part
		for _, size := range []int64{5 * mib, 5 * mib, 3 * mib, 7 * mib, 100} { // only full parts are of one size
			held = append(held, full(t, ps, size))
		}
		for _, p := range held[1:] {
			p.release()
		}
		time.Sleep(2 * idleTime)
		if n := free(); n != 1 {
			t.Errorf("%d buffers are free; want that of the full part alone", n)
		}
		held[0].release()
		time.Sleep(idleTime / 2)
		full(t, ps, 5*mib).release() // the next part puts it off
		time.Sleep(idleTime * 3 / 4)
		if n := free(); n != 2 {
			t.Errorf("%d buffers are held for the next part; want 2", n)
		}
		time.Sleep(idleTime)
		if n := free(); n != 0 {
			t.Errorf("%d buffers are held for nobody", n)
		}
	})
}
