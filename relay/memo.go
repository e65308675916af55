package relay

import "sync"

// memo remembers what was made of a thing that many read, so that it is made once: an encoding, say. It lives as long as the
// thing.
type memo struct {
	lock   sync.Mutex
	values map[any]any // guarded by lock
}

// Memo returns what build made for key, calling it at most once for all readers.
func (m *memo) Memo(key any, build func() any) any {
	m.lock.Lock()
	defer m.lock.Unlock()
	v, ok := m.values[key]
	if !ok {
		v = build()
		if m.values == nil {
			m.values = make(map[any]any, 1)
		}
		m.values[key] = v
	}
	return v
}
