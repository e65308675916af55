package client

import (
	"context"
	"sync"
)

// inbox holds what was received until the handlers come to it, in order. When it is full the connection is
// not read; only while somebody waits for an acknowledgement is it read on, up to hardFactor times as far,
// since that somebody may be the handler for which all the rest waits.
type inbox struct {
	limit int // bytes

	mu      sync.Mutex
	items   []delivery
	bytes   int
	waiting int           // calls that wait for an acknowledgement
	changed chan struct{} // closed when any of the above has changed; nil while nobody waits for it
	closed  bool
}

const hardFactor = 4

// delivery is a call of a handler, and the bytes it holds.
type delivery struct {
	call func()
	size int
}

// put adds d as soon as there is room.
func (b *inbox) put(ctx context.Context, d delivery) error {
	for {
		changed := b.tryPut(d)
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tryPut adds d, or returns what to wait for.
func (b *inbox) tryPut(d delivery) (changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := b.limit
	if b.waiting > 0 {
		limit *= hardFactor
	}
	if b.bytes > 0 && b.bytes+d.size > limit {
		return b.waitLocked()
	}
	b.add(d)
	return nil
}

// force adds d whether there is room or not.
func (b *inbox) force(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(d)
}

func (b *inbox) add(d delivery) {
	b.items = append(b.items, d)
	b.bytes += d.size
	b.changedLocked()
}

// await notes that n more calls wait for an acknowledgement.
func (b *inbox) await(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += n
	b.changedLocked()
}

// close ends run once it has come to the end of what is there.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.changedLocked()
}

// run makes the calls until close.
func (b *inbox) run() {
	for {
		d, changed, ok := b.take()
		switch {
		case ok:
			d.call()
			b.free(d)
		case changed != nil:
			<-changed
		default:
			return
		}
	}
}

// take takes the next delivery, or says what to wait for, which is nil at the end.
func (b *inbox) take() (d delivery, changed <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) > 0 {
		d = b.items[0]
		b.items[0] = delivery{}
		b.items = b.items[1:]
		return d, nil, true
	}
	if b.closed {
		return d, nil, false
	}
	return d, b.waitLocked(), false
}

// free makes room: what a handler holds counts until it returns.
func (b *inbox) free(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes -= d.size
	b.changedLocked()
}

func (b *inbox) waitLocked() <-chan struct{} {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

func (b *inbox) changedLocked() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}
