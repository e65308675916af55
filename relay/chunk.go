package relay

import "time"

// Chunk is a piece of a stream. It is shared by everybody who reads it and never written to.
type Chunk struct {
	Offset int64
	Data   []byte
	Key    bool // playback can begin here, given the init segment
	Init   bool // a copy of the init segment, out of turn; Offset is where it stands in the stream

	at    time.Time // when it was appended
	block *block    // that Data lies in, while the chunk is in a ring; nil: in memory of its own
	memo
}

// lend says that somebody has c for good. The stream's mu is held.
func (c *Chunk) lend() {
	if c.block != nil {
		c.block.lent = true
	}
}

// End is the offset of the first byte after the chunk.
func (c *Chunk) End() int64 { return c.Offset + int64(len(c.Data)) }

// from returns the part of c at and after offset, which lies inside of it.
func (c *Chunk) from(offset int64) *Chunk {
	if offset == c.Offset {
		return c
	}
	return &Chunk{Offset: offset, Data: c.Data[offset-c.Offset:], at: c.at}
}

// chunkBytes is about what a chunk takes beside its data, with the packet that is made of it: of small ones, most.
const chunkBytes = 1 << 10

// held is how many bytes of memory the chunk takes.
func (c *Chunk) held() int64 { return int64(len(c.Data)) + chunkBytes }

// ring holds the newest chunks of one stream, contiguous, oldest first.
type ring struct {
	chunks []*Chunk
	bytes  int64 // of memory
}

func (r *ring) push(c *Chunk) {
	if c.block != nil {
		c.block.users.Add(1)
	}
	r.chunks = append(r.chunks, c)
	r.bytes += c.held()
}

// start is the oldest offset held; end if nothing is.
func (r *ring) start(end int64) int64 {
	if len(r.chunks) == 0 {
		return end
	}
	return r.chunks[0].Offset
}

// evict drops the oldest chunks until at most limit bytes are held, and those that were appended before old and end before
// start. It returns how many bytes went. Nothing that ends after keep is dropped.
func (r *ring) evict(limit, keep int64, old time.Time, start int64) (dropped int64) {
	n := 0
	for ; n < len(r.chunks) && r.chunks[n].End() <= keep; n++ {
		c := r.chunks[n]
		if r.bytes <= limit && (c.End() > start || !c.at.Before(old)) {
			break
		}
		r.bytes -= c.held()
		dropped += c.held()
		if c.block != nil {
			c.block.release()
		}
		r.chunks[n] = nil // the backing array must not hold it
	}
	r.chunks = r.chunks[n:]
	return dropped
}

// at returns the chunk that holds offset, nil if the ring does not.
func (r *ring) at(offset int64) *Chunk {
	lo, hi := 0, len(r.chunks)
	for lo < hi {
		if mid := (lo + hi) / 2; r.chunks[mid].End() <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(r.chunks) || r.chunks[lo].Offset > offset {
		return nil
	}
	return r.chunks[lo]
}
