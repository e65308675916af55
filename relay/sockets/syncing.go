package sockets

import (
	"math"

	"sluice/relay"
	"sluice/sio"
)

// writer is the socket's hold on a stream that it publishes, and the chunks of it that are to be acknowledged.
type writer struct {
	*relay.Writer
	chunks  []chunk // in the order in which they came; guarded by client.mu
	syncing bool    // somebody sees to them; guarded by client.mu
}

// chunk is an event that waits for the stream to be durable up to an offset.
type chunk struct {
	*sio.Event
	end int64
}

// sync acknowledges a chunk once it is durable. It waits while too many wait already: a publisher that ignores its window is
// not read.
func (c *client) sync(e *sio.Event, w *writer) {
	if c.syncing == nil {
		c.syncing = make(chan struct{}, maxSyncing)
	}
	select {
	case c.syncing <- struct{}{}:
	case <-c.socket.Context().Done():
		return
	}
	end := w.Offset()
	c.lock()
	defer c.unlock()
	w.chunks = append(w.chunks, chunk{e, end})
	if !w.syncing {
		w.syncing = true
		c.spawn(func() { c.syncAll(w) })
	}
}

// syncAll acknowledges chunks of w while there are any. Those that come while it waits for the disk share the wait.
func (c *client) syncAll(w *writer) {
	for {
		offset, err := w.Sync()
		if err != nil {
			offset = math.MaxInt64 // nothing will be
		}
		events, more := c.synced(w, offset)
		if err == nil {
			sio.AckAll(events, chunkReply{reply: reply{OK: true}, Offset: offset, Window: c.door.window()})
		} else {
			for _, e := range events {
				fail(e, err)
			}
		}
		for range events {
			<-c.syncing
		}
		if !more {
			return
		}
	}
}

// synced takes the chunks of w that end at offset or before. Unless more are left that ends the syncing.
func (c *client) synced(w *writer, offset int64) (events []*sio.Event, more bool) {
	c.lock()
	defer c.unlock()
	for len(w.chunks) > 0 && w.chunks[0].end <= offset {
		events = append(events, w.chunks[0].Event)
		w.chunks = w.chunks[1:]
	}
	w.syncing = len(w.chunks) > 0
	return events, w.syncing
}
