package relay

import (
	"maps"
	"slices"
	"time"
)

// sweepLater has the idle streams looked for from time to time, until the hub is closed.
func (h *Hub) sweepLater() {
	h.life.Lock()
	defer h.life.Unlock()
	if h.closed {
		return
	}
	h.sweeps = time.AfterFunc(h.idleTime()/4, func() {
		h.run(h.sweep)
		h.sweepLater()
	})
}

// sweep takes streams from publishers that bring nothing.
func (h *Hub) sweep() {
	h.mu.Lock()
	streams := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	for _, st := range streams {
		if st.idle() { // else it may be busy, and not to be waited for
			st.dropIdle()
		}
	}
}

// idle reports whether nothing has come for too long.
func (st *Stream) idle() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return min(time.Since(st.fed), time.Since(st.touched)) >= st.hub.idleTime()
}

// dropIdle takes the stream from who writes it, unless something has just come.
func (st *Stream) dropIdle() {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer == nil || !st.idle() {
		return
	}
	why := Errorf(Gone, "nothing came for %v", st.hub.idleTime())
	if st.key != "" {
		why.Message += ": publish the stream again, with its key"
	}
	in.abandon(why, st.hub.resumeWindow())
}
