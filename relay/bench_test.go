package relay

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// full returns a ring of so many chunks of a KiB, and the offset after them.
func full(chunks int) (*ring, int64) {
	r, end := &ring{}, int64(0)
	for range chunks {
		c := &Chunk{Offset: end, Data: make([]byte, 1<<10)}
		r.push(c)
		end = c.End()
	}
	return r, end
}

// Each iteration is a chunk that comes, is found, and makes the oldest one go.
func BenchmarkRing(b *testing.B) {
	for _, chunks := range []int{32, 8 << 10} {
		b.Run(fmt.Sprint(chunks), func(b *testing.B) {
			r, end := full(chunks)
			limit := r.bytes
			c := r.chunks[0]
			b.ReportAllocs()
			for b.Loop() {
				c, end = turn(r, c, limit, end)
			}
		})
	}
}

// turn pushes c at end, finds it, and returns the oldest chunk, which goes.
func turn(r *ring, c *Chunk, limit, end int64) (oldest *Chunk, newEnd int64) {
	oldest = r.chunks[0]
	c.Offset = end
	r.push(c)
	if r.at(end) != c {
		panic("the newest chunk is not found")
	}
	r.evict(limit, c.End(), time.Time{}, 0)
	return oldest, c.End()
}

// inMemory returns a reader of a stream whose bytes are all in memory.
func inMemory(tb testing.TB, size int) *Reader {
	w := publish(tb, start(tb, &Hub{}), Spec{Name: "film.bin"})
	r := w.Stream().NewReader(0, func() {}) // what nobody reads is not kept there
	tb.Cleanup(r.Close)
	write(tb, w, random(size))
	return r
}

// readOn reads the next chunk, and begins anew where there is none.
func readOn(tb testing.TB, r *Reader) {
	_, err := r.Next(ctx, false)
	switch err {
	case nil:
	case ErrLater:
		r.next = 0
	default:
		tb.Fatal(err)
	}
}

// Each iteration is a chunk that a reader finds in memory.
func BenchmarkReader(b *testing.B) {
	r := inMemory(b, 4<<20)
	b.ReportAllocs()
	for b.Loop() {
		readOn(b, r)
	}
}

// crowd is many readers of a stream.
type crowd struct {
	st    *Stream
	woken sync.WaitGroup
}

func newCrowd(tb testing.TB, readers int) *crowd {
	c := &crowd{st: publish(tb, start(tb, &Hub{}), Spec{Name: "film.bin"}).Stream()}
	for range readers {
		r := c.st.NewReader(0, c.woken.Done)
		tb.Cleanup(r.Close)
	}
	return c
}

// round wakes all readers once.
func (c *crowd) round() {
	c.woken.Add(len(c.st.readers))
	c.st.wakeReaders(0)
	c.woken.Wait()
	r := &c.st.round
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.running {
		r.ended.Wait()
	}
}

// Each iteration wakes a hundred readers.
func BenchmarkRound(b *testing.B) {
	c := newCrowd(b, 100)
	b.ReportAllocs()
	for b.Loop() {
		c.round()
	}
}
