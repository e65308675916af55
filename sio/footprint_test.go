package sio_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"sluice/sio"
)

// footprint is what a server takes of the process.
type footprint struct {
	sessions    int
	sockets     int64
	halfSent    int64
	goroutines  int
	descriptors int
	heap        uint64
}

// footprintOf measures a server that others use, too.
func footprintOf(io *sio.Server) footprint {
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	open, _ := os.ReadDir("/proc/self/fd")
	st := io.Stats()
	return footprint{st.Engine.Sessions(), st.Sockets, st.HalfSent, runtime.NumGoroutine(), len(open), mem.HeapAlloc}
}

// awaitReturn waits until what the server takes is back to what it was, with at most slack bytes of memory more; bystanders may
// be at something.
func (before footprint) awaitReturn(t testing.TB, io *sio.Server, slack uint64, bystanders int) {
	t.Helper()
	few, oneEvent := 2*bystanders, int64(1000*bystanders)
	var now footprint
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		now = footprintOf(io)
		if now.sessions == before.sessions && now.sockets == before.sockets && now.halfSent <= before.halfSent+oneEvent && now.goroutines <= before.goroutines+few &&
			now.descriptors <= before.descriptors+few && now.heap <= before.heap+slack {
			return
		}
	}
	t.Errorf("the server takes %+v; before it was %+v", now, before)
}

// eventually waits for what has no event of its own.
func eventually(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
