package relay

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// errNoRoom marks refusals for want of room in the spool, of which there may be some again later.
var errNoRoom = errors.New("no room in the spool")

// fullInterval is the least time between two lines in the log that say that the spool is full.
const fullInterval = time.Minute

// budget is how much of Limits.SpoolBytes is spoken for. What a file announces is set aside for it when it begins, so that what was
// let in finds room up to its end. Live streams take what they need without asking.
type budget struct {
	mu       sync.Mutex // taken last
	promised int64      // bytes set aside and not stored yet; guarded by mu, as is all below
	said     time.Time  // when the log was last told that there is no room
}

// setAside keeps room for n bytes. The error is an errNoRoom if there is none now, TooLarge if there never is as much.
func (h *Hub) setAside(n int64) error {
	limit := h.Limits.SpoolBytes
	if limit == 0 || n <= 0 {
		return nil
	}
	if err := h.fits(n); err != nil {
		return err
	}
	b := &h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	stored := h.spool.Size() - h.cache.size()
	if stored+b.promised+n <= limit {
		b.promised += n
		return nil
	}
	if now := time.Now(); now.Sub(b.said) >= fullInterval {
		b.said = now
		h.log().Warn("the spool is full: uploads are refused", "stored", stored, "promised", b.promised, "limit", limit)
	}
	return noRoom(limit, "the server can store no more before some of what it has is archived or forgotten, try again later")
}

// giveBack ends the setting aside of n bytes: they are stored, or will not come.
func (h *Hub) giveBack(n int64) {
	if h.Limits.SpoolBytes == 0 {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.budget.promised -= n
}

// fits returns an error if n bytes are more than the spool may ever hold.
func (h *Hub) fits(n int64) error {
	if limit := h.Limits.SpoolBytes; limit > 0 && n > limit {
		return overLimit(TooLarge, limit, "bytes fit in the server's spool")
	}
	return nil
}

func noRoom(limit int64, message string) error {
	return fmt.Errorf("%w: %w", errNoRoom, &Error{Code: Unavailable, Limit: limit, Message: message})
}
