package s3

import (
	"sync"
	"time"
)

// idleTime is how long the memory of parts stays when there is none: the next part of a stream may be on its way, and memory that comes
// from the system costs a fault a page.
const idleTime = 2 * time.Second

// memory is the buffers of full parts. They are no part of the heap, which the garbage collector lets grow to twice what is
// in use, and go back to the system soon after the last part.
type memory struct {
	size int // of a full part

	mu   sync.Mutex
	used int      // parts in memory; guarded by mu, as is all below
	free [][]byte // of size bytes
	idle *time.Timer
}

// enter counts a part in.
func (m *memory) enter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used++
	if m.idle != nil {
		m.idle.Stop()
	}
}

// leave counts a part out.
func (m *memory) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used--; m.used > 0 || len(m.free) == 0 {
		return
	}
	if m.idle == nil {
		m.idle = time.AfterFunc(idleTime, m.giveBack)
	} else {
		m.idle.Reset(idleTime)
	}
}

// giveBack gives what nobody uses back to the system.
func (m *memory) giveBack() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used > 0 {
		return // again
	}
	for _, b := range m.free {
		if err := unmapBytes(b); err != nil {
			panic(err) // it was not ours to give back
		}
	}
	m.free = nil
}

// get returns n bytes.
func (m *memory) get(n int) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := len(m.free) - 1; n == m.size && last >= 0 {
		b := m.free[last]
		m.free = m.free[:last]
		return b, nil
	}
	return mapBytes(n)
}

// put takes back what get gave.
func (m *memory) put(b []byte) error {
	if len(b) != m.size {
		return unmapBytes(b)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, b)
	return nil
}
