package relay

import (
	"sync"
	"sync/atomic"
)

// block is memory that a publisher's bytes are read into, and that chunks are slices of. When the ring has let go of its last chunk it
// is used again, unless a reader was ever given one of them: then it is the garbage collector's.
type block struct {
	data  []byte
	users atomic.Int32 // the intake that fills it, and the chunks of it that are in the ring
	lent  bool         // guarded by the stream's mu: somebody may read it for ever
	home  *sync.Pool   // nil: it is not used again
}

// block returns memory of at least size bytes, with one user.
func (h *Hub) block(size int64) *block {
	var b *block
	if size > blockBytes || size <= blockBytes/2 {
		b = &block{data: make([]byte, size)}
	} else if b, _ = h.blocks.Get().(*block); b == nil {
		b = &block{data: make([]byte, blockBytes), home: &h.blocks}
	}
	b.users.Store(1)
	return b
}

// release ends one use. The stream's mu is held, or nobody else knows the block.
func (b *block) release() {
	if b.users.Add(-1) == 0 && b.home != nil && !b.lent {
		b.spoil()
		b.home.Put(b)
	}
}
