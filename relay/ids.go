package relay

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids makes the ids of streams: ULIDs that nobody can guess, and that sort in the order in which they are made.
type ids struct {
	mu   sync.Mutex
	last ulid.ULID // guarded by mu
}

// next returns the id of a stream that begins now. The first in a millisecond has 80 random bits, one that comes after it in the
// same exceeds it by 64 random bits.
func (n *ids) next(now time.Time) (ulid.ULID, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ms := max(ulid.Timestamp(now), n.last.Time()) // the clock may have been set back
	id, err := ulid.New(ms, rand.Reader)
	if err != nil {
		return id, err
	}
	if ms == n.last.Time() && !exceed(&id, n.last) {
		id.SetTime(ms + 1) // later than ever, and random as it is
	}
	n.last = id
	return id, nil
}

// exceed makes id as much more than last as its last 64 bits say. It reports false, and leaves id, where that is too much.
func exceed(id *ulid.ULID, last ulid.ULID) bool {
	by := max(binary.BigEndian.Uint64(id[8:]), 1)
	low, carry := bits.Add64(binary.BigEndian.Uint64(last[8:]), by, 0)
	high := uint64(binary.BigEndian.Uint16(last[6:])) + carry
	if high > math.MaxUint16 {
		return false
	}
	binary.BigEndian.PutUint16(id[6:], uint16(high))
	binary.BigEndian.PutUint64(id[8:], low)
	return true
}
