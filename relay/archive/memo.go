package archive

import (
	"container/list"
	"sync"

	"sluice/relay"
)

// maxMemoBytes bounds the manifests that are remembered, as they are long in the store.
const maxMemoBytes = 16 << 20

// memo remembers the manifests that were read or written last. A manifest never changes, but may be deleted by another
// process: who asks the memo asks the store whether it is still there.
type memo struct {
	mu    sync.Mutex
	byID  map[string]*list.Element // guarded by mu, as is all below
	order *list.List               // of memoEntry, last used first
	bytes int
	limit int
}

type memoEntry struct {
	info  relay.Info
	bytes int
}

func newMemo() *memo {
	return &memo{byID: make(map[string]*list.Element), order: list.New(), limit: maxMemoBytes}
}

func (m *memo) get(id string) (relay.Info, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byID[id]
	if e == nil {
		return relay.Info{}, false
	}
	m.order.MoveToFront(e)
	return e.Value.(memoEntry).info, true
}

func (m *memo) put(info relay.Info, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(info.ID)
	m.byID[info.ID] = m.order.PushFront(memoEntry{info, bytes})
	m.bytes += bytes
	for m.bytes > m.limit {
		m.drop(m.order.Back().Value.(memoEntry).info.ID)
	}
}

func (m *memo) remove(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(id)
}

func (m *memo) drop(id string) {
	if e := m.byID[id]; e != nil {
		m.order.Remove(e)
		delete(m.byID, id)
		m.bytes -= e.Value.(memoEntry).bytes
	}
}
