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
		if w := st.idle(); w != nil {
			w.abandon(Errorf(Gone, "nothing came for %v", h.idleTime()))
		}
	}
}

// idle returns who writes the stream, if nothing has come for too long.
func (st *Stream) idle() *Writer {
	st.mu.Lock()
	fed := st.fed
	st.mu.Unlock()
	if time.Since(fed) < st.hub.idleTime() {
		return nil
	}
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over {
		return nil
	}
	return in.writer
}
