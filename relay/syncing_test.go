package relay

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestSmallPiecesWaitForTheSpool(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		r := w.Stream().NewReader(0, func() {})
		defer r.Close()
		spooled := func() int64 { return w.log.Size() }
		write(t, w, random(5000))
		write(t, w, random(5000))
		if item, err := r.Next(ctx, false); err != nil || item.Chunk.End() != 5000 {
			t.Fatalf("a reader has %+v, %v; want the first piece", item.Chunk, err)
		}
		if n := spooled(); n != 5000 {
			t.Errorf("the spool has %d bytes; want the first piece, which filled its block", n)
		}
		if n, err := w.Sync(); n != 10_000 || err != nil || w.log.Durable() != n {
			t.Errorf("Sync = %d, %v, %d are durable; want all", n, err, w.log.Durable())
		}
		write(t, w, random(5000))
		time.Sleep(flushDelay)
		synctest.Wait()
		if n := spooled(); n != 15_000 {
			t.Errorf("after %v the spool has %d bytes; want all", flushDelay, n)
		}
		write(t, w, random(blockBytes))
		if n := spooled(); n < blockBytes {
			t.Errorf("the spool has %d bytes; want what fills a block at once", n)
		}
		finish(t, w)
	})
}

func TestAFirstPieceIsStoredThoughNothingFollows(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		if err := w.Chunk(0, bytes.NewReader(random(5000)), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(flushDelay)
		synctest.Wait()
		if n := w.log.Size(); n != 5000 {
			t.Errorf("after %v the spool has %d bytes; want all", flushDelay, n)
		}
		finish(t, w)
	})
}

func TestWhatComesWhileASyncWaitsForItsTurnIsSyncedWithIt(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		write(t, w, random(5000))
		for range cap(h.syncs) {
			h.syncs <- struct{}{}
		}
		done := make(chan int64)
		go func() {
			n, err := w.Sync()
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
		synctest.Wait()
		write(t, w, random(6000))
		for range cap(h.syncs) {
			<-h.syncs
		}
		if n := <-done; n != 11_000 {
			t.Errorf("Sync = %d; want what came later, too", n)
		}
		finish(t, w)
	})
}

func TestASyncDoesNotKeepItsTurnFromOthersWhileItsPublisherIsBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		write(t, w, random(5000))
		for range cap(h.syncs) {
			h.syncs <- struct{}{}
		}
		done := make(chan int64)
		go func() {
			n, err := w.Sync()
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
		synctest.Wait()
		write(t, w, random(6000))
		w.Stream().in.mu.Lock() // as a publisher does that waits for the end of a round
		for range cap(h.syncs) {
			<-h.syncs
		}
		if n := <-done; n != 5000 {
			t.Errorf("Sync = %d while the publisher is busy; want what had come before, 5000", n)
		}
		w.Stream().in.mu.Unlock()
		finish(t, w)
	})
}
