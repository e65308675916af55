package sio

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	// Attachments of sizes between these are read into memory that is used again, if nobody keeps them.
	leastPooled = 4 << 10
	mostPooled  = 2 << 20

	// poolSteps is how many sizes of pooled memory there are from one to twice as much: none has more than a quarter to spare.
	poolSteps = 4
	poolSizes = 9*poolSteps + 1

	// growth is by how much a buffer grows that turns out too small.
	growth = 4
)

// memory is what attachments are read into.
type memory struct {
	pools [poolSizes]sync.Pool // of *buffer
}

// buffer is memory for an attachment. It is used again when its last user has let it go; one who never does keeps it for good, and
// leaves it to the garbage collector.
type buffer struct {
	data  []byte
	users atomic.Int32
	home  *sync.Pool // nil: it is not used again
}

// get returns a buffer of at least n bytes, which has one user.
func (m *memory) get(n int) *buffer {
	if n < leastPooled || n > mostPooled {
		b := &buffer{data: make([]byte, n)}
		b.users.Store(1)
		return b
	}
	i, size := poolOf(n)
	b, ok := m.pools[i].Get().(*buffer)
	if !ok {
		b = &buffer{data: make([]byte, size), home: &m.pools[i]}
	}
	b.users.Store(1)
	return b
}

// grow returns a larger buffer that begins with what b holds, which it takes; of size bytes in the end, if that is known.
func (m *memory) grow(b *buffer, size int64) *buffer {
	n := max(growth*len(b.data), leastPooled)
	if size >= 0 {
		n = int(min(int64(n), size))
	}
	return m.move(b, n)
}

// fit returns a buffer that begins with the first n bytes of b, which it takes, and has not many more: whoever keeps them keeps it whole.
func (m *memory) fit(b *buffer, n int) *buffer {
	if growth*n >= len(b.data) {
		return b
	}
	return m.move(b, n)
}

func (m *memory) move(b *buffer, n int) *buffer {
	other := m.get(n)
	copy(other.data, b.data)
	b.release()
	return other
}

// poolOf returns which pool has buffers of n bytes, and how large they are.
func poolOf(n int) (i, size int) {
	double := bits.Len(uint((n - 1) / leastPooled)) // n is at most leastPooled doubled so often
	if double == 0 {
		return 0, leastPooled
	}
	half := leastPooled << (double - 1)
	step := half / poolSteps
	steps := (n - half + step - 1) / step
	return (double-1)*poolSteps + steps, half + steps*step
}

func (b *buffer) retain() { b.users.Add(1) }

func (b *buffer) release() {
	if b.users.Add(-1) == 0 && b.home != nil {
		b.spoil()
		b.home.Put(b)
	}
}

// lease is the right to an event's attachments while its handlers run. Who decodes one has it for good.
type lease struct {
	mu      sync.Mutex
	buffers []*buffer // guarded by mu; nil when they were given up or are somebody's
	over    bool      // guarded by mu: they were given up
}

// keep gives the attachments away for good, unless they have been given up.
func (l *lease) keep() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffers = nil
	return !l.over
}

// end gives the attachments up, unless somebody has kept them.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.buffers {
		b.release()
	}
	l.over = l.over || len(l.buffers) > 0
	l.buffers = nil
}

// share makes somebody else a user of the attachments, unless they have been given up. No buffers: they have been kept.
func (l *lease) share() (buffers []*buffer, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.buffers {
		b.retain()
	}
	return l.buffers, !l.over
}

// loan is what a Prepared has of attachments that are only lent to it. It ends with its last user.
type loan struct {
	buffers []*buffer
	users   atomic.Int32
}
