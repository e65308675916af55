package relay

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

// streamOn writes so much more to other streams that memory which was let go of is used again.
func streamOn(t *testing.T, h *Hub) {
	t.Helper()
	for range 2 {
		w := publish(t, h, Spec{})
		write(t, w, bytes.Repeat([]byte("other"), 1<<20/5))
		write(t, w, bytes.Repeat([]byte("bytes"), 1<<20/5))
		if err := w.Cancel(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemoryThatNobodyWasGivenIsUsedAgain(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{})
	blocks := map[*block]bool{}
	content := random(blockBytes)
	for range 64 {
		write(t, w, content)
		blocks[w.Stream().in.memory] = true
	}
	if n := len(blocks); n > 40 { // a pool that is tested for races drops some
		t.Errorf("%d blocks were used for 64; want few", n)
	}
	if err := w.Cancel(); err != nil {
		t.Error(err)
	}
}

func TestWhatAReaderWasGivenStaysAsItIs(t *testing.T) {
	h := start(t, &Hub{})
	content := random(6 << 20)
	w := publish(t, h, Spec{})
	var had []*Chunk
	for at := 0; at < len(content); at += 100_000 { // chunks lie across blocks' ends
		write(t, w, content[at:min(at+100_000, len(content))])
		if at%300_000 != 0 {
			continue
		}
		r := w.Stream().NewReader(int64(at+50_000), func() {}) // in the middle of a chunk
		item, err := r.Next(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		had = append(had, item.Chunk)
		r.Close()
	}
	finish(t, w)
	streamOn(t, h)
	for _, c := range had {
		if !bytes.Equal(c.Data, content[c.Offset:c.End()]) {
			t.Errorf("the chunk at %d has other bytes by now", c.Offset)
		}
	}
}

func TestAnInitSegmentOutlivesTheMemoryThatItCameIn(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, &Hub{})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, webm) // at once, into memory that is used again
	st := w.Stream()
	head := 0
	for _, c := range st.init {
		head += len(c.Data)
	}
	if head == 0 {
		t.Fatal("there is no init segment")
	}
	for range 20 {
		write(t, w, webm[head:])
	}
	streamOn(t, h)
	f := st.Follow(FromLive)
	defer f.Close()
	var got []byte
	for {
		item, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if item.Gap != nil {
			break
		}
		got = append(got, item.Chunk.Data...)
	}
	if !bytes.Equal(got, webm[:head]) {
		t.Errorf("a late reader is given an init segment of %d other bytes", len(got))
	}
	finish(t, w)
}

func TestAPublisherThatReadsOnWritesOverNothing(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, h *Hub, w *Writer){
		"taken over": func(t *testing.T, h *Hub, _ *Writer) {
			content := random(4 << 20)
			w := publish(t, h, Spec{Key: "k"})
			write(t, w, content[w.Offset():])
			if err := w.Cancel(); err != nil {
				t.Error(err)
			}
		},
		"abandoned": func(t *testing.T, h *Hub, w *Writer) {
			w.Abandon()
			w = publish(t, h, Spec{Key: "k"})
			write(t, w, random(4<<20))
			if err := w.Cancel(); err != nil {
				t.Error(err)
			}
		},
		"finished": func(t *testing.T, _ *Hub, w *Writer) { finish(t, w) },
		"cancelled": func(t *testing.T, _ *Hub, w *Writer) {
			if err := w.Cancel(); err != nil {
				t.Error(err)
			}
		},
		"failed": func(_ *testing.T, _ *Hub, w *Writer) { w.Fail(errors.New("cut")) },
		"deleted": func(t *testing.T, h *Hub, w *Writer) {
			if err := h.Delete(ctx, w.Stream().ID(), alice); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t, &Hub{Limits: Limits{MemoryBytes: 1}}) // only the publisher has the memory
			w := publish(t, h, Spec{Key: "k"})
			write(t, w, random(1<<20+1000)) // it reads into memory that is used again
			slow := &late{reading: make(chan struct{}), gate: make(chan struct{})}
			var work sync.WaitGroup
			work.Go(func() {
				if _, err := w.ReadFrom(slow); !errors.As(err, new(*Error)) {
					t.Errorf("ReadFrom = %v; want an *Error", err)
				}
			})
			<-slow.reading
			end(t, h, w)

			content := random(3 << 20) // of somebody else, at the same time
			other := publish(t, h, Spec{})
			f := other.Stream().Follow(0)
			defer f.Close()
			write(t, other, content[:2<<20])
			close(slow.gate)
			write(t, other, content[2<<20:])
			work.Wait()
			if sum := finish(t, other).SHA256; sum != hexSum(content) {
				t.Error("another stream was hashed with other bytes")
			}
			if !bytes.Equal(drain(t, f), content) {
				t.Error("a reader of another stream got other bytes")
			}
		})
	}
}

func TestWhatIsCopiedToTheNextBlockStaysAsItCame(t *testing.T) {
	tone, err := os.ReadFile("../chunker/testdata/tone.mp3")
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat(tone, 1+4*blockBytes/len(tone))
	shelf := newShelf()
	h := start(t, &Hub{Archive: &vault{shelf}, Limits: Limits{MemoryBytes: 1}})
	w := publish(t, h, Spec{Kind: Live})
	// A block ends in the middle of a frame's header, which is not settled until it has come whole.
	first := bytes.LastIndex(content[:blockBytes+30_000], []byte{0xff, 0xfb}) + 2 - blockBytes
	write(t, w, content[:first])
	var r *Reader
	var got []byte
	r = w.Stream().NewReader(int64(first+blockBytes-2), func() { // it is given nothing of the block before
		for {
			item, err := r.Next(ctx, false)
			if err != nil {
				return
			}
			got = append(got, item.Chunk.Data...)
		}
	})
	defer r.Close()
	if _, err := w.ReadSized(bytes.NewReader(content[first:]), int64(len(content)-first)); err != nil {
		t.Fatal(err)
	}
	if info := finish(t, w); info.SHA256 != hexSum(content) || !bytes.Equal(shelf.contents[info.ID], content) {
		t.Error("other bytes were kept")
	}
	if !bytes.Equal(got, content[first+blockBytes-2:]) {
		t.Error("a reader got other bytes")
	}
}

func TestASlowStreamHasSmallBlocks(t *testing.T) {
	for _, c := range []struct {
		every time.Duration
		least int
		most  int
	}{{50 * time.Millisecond, 2 << 10, blockBytes / 4}, {time.Millisecond, blockBytes, blockBytes + 2<<10}} {
		inBubble(t, func(t *testing.T, h *Hub) {
			w := publish(t, h, Spec{Kind: Live})
			for range 1000 {
				write(t, w, random(2<<10))
				time.Sleep(c.every)
			}
			if n := cap(w.Stream().in.block); n < c.least || n > c.most {
				t.Errorf("2 KiB every %v are read into %d bytes; want %d to %d", c.every, n, c.least, c.most)
			}
			finish(t, w)
		})
	}
}
