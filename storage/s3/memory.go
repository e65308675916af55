package s3

import "sync"

// memory is the buffers of full parts. They are no part of the heap, which the garbage collector lets grow to twice what is
// in use, and go back to the system as soon as no part is in memory.
type memory struct {
	size int // of a full part

	mu   sync.Mutex
	used int      // parts in memory; guarded by mu, as is all below
	free [][]byte // of size bytes
}

// enter counts a part in.
func (m *memory) enter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used++
}

// leave counts a part out.
func (m *memory) leave() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used--; m.used > 0 {
		return nil
	}
	free := m.free
	m.free = nil
	for _, b := range free {
		if err := unmapBytes(b); err != nil {
			return err
		}
	}
	return nil
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
