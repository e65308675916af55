package relay

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// inRing returns how many chunks of w's stream are in memory.
func inRing(w *Writer) int {
	st := w.Stream()
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.ring.chunks)
}

func TestALiveStreamKeepsInMemoryWhatItsReadersMayStillWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, &Hub{})
		w := publish(t, h, Spec{Kind: Live})
		prompt := w.Stream().NewReader(0, func() {})
		for i := range 20 {
			write(t, w, random(10<<10))
			for read := prompt.Offset(); read < w.Offset(); read = prompt.Offset() {
				if item, err := prompt.Next(ctx, false); err != nil || item.Chunk == nil {
					t.Fatalf("Next after %d s = %+v, %v; want a chunk from memory", i/2, item, err)
				}
			}
			time.Sleep(defaultBehindTime / 4)
		}
		prompt.Close()
		if n := inRing(w); n < 4 || n > 6 {
			t.Errorf("%d chunks are in memory, of which four are appended within the time that a reader may be behind", n)
		}
		finish(t, w)
	})
}

func TestALiveStreamKeepsInMemoryWhereNewReadersBegin(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		h := start(t, &Hub{})
		w := publish(t, h, Spec{Kind: Live})
		for len(webm) > 0 {
			n := min(4<<10, len(webm))
			write(t, w, webm[:n])
			webm = webm[n:]
			time.Sleep(10 * defaultBehindTime)
		}
		late := w.Stream().NewReader(FromLive, func() {})
		defer late.Close()
		for late.Offset() < w.Stream().Info().Offset {
			if _, err := late.Next(ctx, false); err != nil {
				t.Fatalf("Next at %d = %v; want it from memory", late.Offset(), err)
			}
		}
		if first, mark := w.Stream().ring.start(-1), w.Stream().liveStart(); first > mark || first < mark-blockBytes/2 {
			t.Errorf("memory begins at %d; want the newest key point, %d, and little before it", first, mark)
		}
		finish(t, w)
	})
}

func TestWhatSmallChunksTakeBesideTheirBytesIsBounded(t *testing.T) {
	const limit = 100 * chunkBytes
	h := start(t, &Hub{Limits: Limits{RingBytes: limit}})
	w := publish(t, h, Spec{})
	write(t, w, random(8<<10)) // enough to know the type
	for range 1000 {
		write(t, w, random(10))
	}
	if n := inRing(w); n < 90 || n > 110 {
		t.Errorf("%d chunks of 10 bytes are in memory; want about as many as go into %d with what each takes", n, limit)
	}
	finish(t, w)
}
