package client

import (
	"context"
	"sync"
)

// queue holds what is to be sent until the writer pulls it. Control goes first.
type queue struct {
	limit int           // bytes
	ready chan struct{} // holds a token while there may be something to take

	mu      sync.Mutex
	pong    *outgoing // the answer to a ping; the newest wins
	control *outgoing // the answer to a WebSocket ping; the newest wins
	items   []*outgoing
	bytes   int           // of items
	freed   chan struct{} // closed when room was made; nil while nobody waits for it
	ended   error         // nothing is taken in any more
	last    bool          // nothing follows what is there
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1)}
}

// push adds o, or fails with ErrQueueFull. It never waits.
func (q *queue) push(o *outgoing) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pushLocked(o)
}

func (q *queue) pushLocked(o *outgoing) error {
	if q.ended != nil {
		return q.ended
	}
	if q.bytes > 0 && q.bytes+o.size > q.limit {
		return ErrQueueFull
	}
	q.items = append(q.items, o)
	q.bytes += o.size
	q.signal()
	return nil
}

// pushWait adds o as soon as there is room.
func (q *queue) pushWait(ctx context.Context, o *outgoing) error {
	for {
		q.mu.Lock()
		err := q.pushLocked(o)
		if err != ErrQueueFull {
			q.mu.Unlock()
			return err
		}
		if q.freed == nil {
			q.freed = make(chan struct{})
		}
		freed := q.freed
		q.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// setPong has the answer to a ping sent next.
func (q *queue) setPong(o *outgoing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pong = o
	q.signal()
}

// setControl has the answer to a WebSocket ping sent next.
func (q *queue) setControl(o *outgoing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.control = o
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// takeControl takes the answer to a WebSocket ping, nil when none is due.
func (q *queue) takeControl() *outgoing {
	q.mu.Lock()
	defer q.mu.Unlock()
	o := q.control
	q.control = nil
	return o
}

// take takes what is to be sent next, nil when there is nothing, or only something with streams and those
// are to wait, or nothing of up to room bytes. What it returns has begun: close its done.
func (q *queue) take(streams bool, room int) *outgoing {
	q.mu.Lock()
	defer q.mu.Unlock()
	if o := q.pong; o != nil {
		q.pong = nil
		o.begin()
		return o
	}
	for len(q.items) > 0 {
		o := q.items[0]
		if (o.streams && !streams) || o.size > room {
			return nil
		}
		q.dropFirst()
		if o.begin() {
			return o
		}
		close(o.done)
	}
	return nil
}

func (q *queue) dropFirst() {
	q.bytes -= q.items[0].size
	q.items[0] = nil
	q.items = q.items[1:]
	if q.freed != nil {
		close(q.freed)
		q.freed = nil
	}
}

// finish lets what is there be sent and takes in no more; pushing then fails with err.
func (q *queue) finish(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended == nil {
		q.ended = err
	}
	q.last = true
	q.signal()
}

// finished reports whether all was sent after finish.
func (q *queue) finished() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last && len(q.items) == 0
}

// close drops what is there; pushing then fails with err.
func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = err
	q.pong, q.control = nil, nil
	for len(q.items) > 0 {
		close(q.items[0].done)
		q.dropFirst()
	}
	if q.freed != nil {
		close(q.freed)
		q.freed = nil
	}
}
