package relay

import (
	"maps"
	"sync"
)

// Gap tells a reader that bytes From to To of a stream are not given to it.
type Gap struct {
	From, To int64
	Reason   Reason
}

// Reason is why a reader is not given bytes.
type Reason string

const (
	Joined Reason = "joined" // it came after them, and wants what is new
	Behind Reason = "behind" // it was too far behind
	Unkept Reason = "unkept" // they are not kept, or not any more
)

// Gaps counts the gaps of readers of live streams by reason, and the bytes in them.
type Gaps map[Reason]GapCount

// GapCount is one of Gaps.
type GapCount struct {
	Gaps  int64 `json:"gaps"`
	Bytes int64 `json:"bytes"`
}

// gapCounter counts gaps. The zero value works.
type gapCounter struct {
	mu   sync.Mutex // taken last
	gaps Gaps       // guarded by mu; nil: none
}

func (c *gapCounter) add(g Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gaps == nil {
		c.gaps = Gaps{}
	}
	n := c.gaps[g.Reason]
	c.gaps[g.Reason] = GapCount{n.Gaps + 1, n.Bytes + g.To - g.From}
}

func (c *gapCounter) counted() Gaps {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.gaps)
}

// Gaps counts what the readers of the stream were not given so far; nil: they were given everything.
func (st *Stream) Gaps() Gaps { return st.gaps.counted() }
