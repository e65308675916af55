package spool

import "sync"

// group lets concurrent callers share one expensive run: those who call while a run is going on wait for the
// next one, together. The zero value works.
type group struct {
	mu      sync.Mutex
	running *batch // guarded by mu; whose run began last
	next    *batch // guarded by mu; who waits for the run that has not begun
}

type batch struct {
	done chan struct{}
	err  error // set before done is closed
}

// do returns what a run of fn returned that began after do was called.
func (g *group) do(fn func() error) error {
	g.mu.Lock()
	if b := g.next; b != nil {
		g.mu.Unlock()
		<-b.done
		return b.err
	}
	b := &batch{done: make(chan struct{})}
	before := g.running
	g.next = b
	g.mu.Unlock()

	if before != nil {
		<-before.done
	}
	g.mu.Lock()
	g.running, g.next = b, nil // from here on it is too late for this run
	g.mu.Unlock()
	b.err = fn()
	close(b.done)
	return b.err
}
