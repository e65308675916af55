package relay

import (
	"container/list"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"sluice/relay/spool"
)

// cache is logs of streams that the store has: the spool keeps them as long as there is room, for who reads them next. The zero value
// works.
type cache struct {
	clearing sync.Mutex   // held while room is made on a full disk
	cleared  atomic.Int64 // logs that went for it

	mu    sync.Mutex               // taken last
	byID  map[string]*list.Element // guarded by mu, as is all below
	order list.List                // of *spool.Log, read last in front
	bytes int64
}

// cachedLogBytes is what a log takes beside its content, about.
const cachedLogBytes = 8 << 10

// get returns the log of a stream; nil if there is none.
func (c *cache) get(id string) *spool.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byID[id]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*spool.Log)
}

// put takes a log in, unless it has it, and returns those that go for it to be no more than limit bytes; fresh says that it had it not.
func (c *cache) put(log *spool.Log, limit int64) (out []*spool.Log, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[log.ID()]; e != nil {
		c.order.MoveToFront(e)
		return nil, false
	}
	if c.byID == nil {
		c.byID = make(map[string]*list.Element)
	}
	c.byID[log.ID()] = c.order.PushFront(log)
	for c.bytes += log.Size(); c.bytes+int64(c.order.Len())*cachedLogBytes > limit && c.order.Len() > 0; {
		out = append(out, c.take(c.order.Back()))
	}
	return out, true
}

// remove takes a log out.
func (c *cache) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[id]; e != nil {
		c.take(e)
	}
}

// empty takes out all.
func (c *cache) empty() (out []*spool.Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		out = append(out, c.take(c.order.Back()))
	}
	return out
}

func (c *cache) take(e *list.Element) *spool.Log {
	log := c.order.Remove(e).(*spool.Log)
	delete(c.byID, log.ID())
	c.bytes -= log.Size()
	return log
}

// size is how many bytes the logs have.
func (c *cache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// cacheable reports whether the log of a stream that is archived as info may stay in the spool.
func (h *Hub) cacheable(log *spool.Log, info Info) bool {
	return h.Limits.CacheBytes > 0 && info.State == Archived && log.Start() == 0 && log.Size() > 0 &&
		log.Size() == *info.Size && log.Size()+cachedLogBytes <= h.Limits.CacheBytes && log.Sealed()
}

// retire has the log of a stream that is over stay as a cache, or go. It waits for the disk.
func (h *Hub) retire(st *Stream, log *spool.Log) {
	info := st.Info()
	if !h.cacheable(log, info) {
		st.removeLog(log)
		return
	}
	out, fresh := h.cache.put(log, h.Limits.CacheBytes)
	if fresh {
		if err := log.Put(st.headerOf(info).text(), true); err != nil { // the next run would find out by asking the store
			h.log().Debug("spool put", "stream", st.id, "err", err)
		}
	}
	h.discard(out)
}

// recoverCached takes up what an earlier run has kept as a cache.
func (h *Hub) recoverCached(log *spool.Log, info Info) {
	out := []*spool.Log{log}
	if h.cacheable(log, info) {
		out, _ = h.cache.put(log, h.Limits.CacheBytes)
	}
	h.discard(out)
}

// roomy does what may find no room on the disk: once more if the cache has made some.
func (h *Hub) roomy(f func() error) error {
	cleared := h.cache.cleared.Load()
	err := f()
	if errors.Is(err, spool.ErrFull) && h.uncache() > cleared {
		err = f()
	}
	return err
}

// uncache makes room on the disk, and returns how many logs have gone for it since the start.
func (h *Hub) uncache() int64 {
	c := &h.cache
	c.clearing.Lock()
	defer c.clearing.Unlock()
	out := c.empty()
	h.discard(out)
	return c.cleared.Add(int64(len(out)))
}

// uncacheOne lets go of the log of a stream that is deleted.
func (h *Hub) uncacheOne(id string) {
	if log := h.cache.get(id); log != nil {
		h.cache.remove(id)
		h.discard([]*spool.Log{log})
	}
}

func (h *Hub) discard(logs []*spool.Log) {
	for _, log := range logs {
		if err := log.Remove(); err != nil {
			h.log().Warn("spool remove", "stream", log.ID(), "err", err)
		}
	}
}

// passOver has a stream that the store has be read from there, as log could not be. It reports false for others.
func (st *Stream) passOver(log *spool.Log, err error) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.info.State != Archived {
		return false
	}
	if st.log == log {
		st.log = nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		st.hub.log().Error("spool: read from the store instead", "stream", st.id, "err", err)
		st.hub.spawn(func() { st.removeLog(log) })
	}
	return true
}
