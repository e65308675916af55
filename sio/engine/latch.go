package engine

import (
	"sync"
	"sync/atomic"
)

// latch is closed once. Its channel is made when somebody waits for it: mostly nobody does, and a channel takes 96 bytes.
type latch struct {
	closed atomic.Bool // set with mu held

	mu sync.Mutex
	c  chan struct{} // guarded by mu
}

func (l *latch) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed.Store(true)
	if l.c != nil {
		close(l.c)
	}
}

// done returns a channel that is closed when l is.
func (l *latch) done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.c == nil {
		l.c = make(chan struct{})
		if l.closed.Load() {
			close(l.c)
		}
	}
	return l.c
}
