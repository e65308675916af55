package load

import (
	"bytes"
	"compress/flate"
	"hash/maphash"
	"io"
	"sync"
)

// rememberedMessages is how many messages an Inflater remembers.
const rememberedMessages = 128

// Inflater inflates messages, each by itself (RFC 7692 without context takeover, or raw deflate). It remembers what the last
// ones were: clients that inflate a hundred copies of the same bytes would take the processor from the server.
type Inflater struct {
	seed maphash.Seed

	mu    sync.Mutex
	known map[uint64][]byte // guarded by mu
	order []uint64          // guarded by mu; the oldest first
}

// NewInflater returns an Inflater, which connections share.
func NewInflater() *Inflater {
	return &Inflater{seed: maphash.MakeSeed(), known: make(map[uint64][]byte)}
}

// Inflate returns what p was, shared.
func (i *Inflater) Inflate(p []byte) ([]byte, error) {
	sum := maphash.Bytes(i.seed, p)
	if data := i.recall(sum); data != nil {
		return data, nil
	}
	tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff} // section 7.2.2, and the end that deflate needs
	in := flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader(tail)))
	data, err := io.ReadAll(io.LimitReader(in, maxPackedBytes))
	if err != nil {
		return nil, err
	}
	i.remember(sum, data)
	return data, nil
}

func (i *Inflater) recall(sum uint64) []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.known[sum]
}

func (i *Inflater) remember(sum uint64, data []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known[sum] == nil {
		i.order = append(i.order, sum)
	}
	i.known[sum] = data
	if len(i.order) > rememberedMessages {
		delete(i.known, i.order[0])
		i.order = i.order[1:]
	}
}
