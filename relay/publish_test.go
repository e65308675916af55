package relay

import (
	"sync"
	"testing"
)

func TestPublishersWithOneKeyAtTheSameTimeHaveOneStream(t *testing.T) {
	h := start(t, &Hub{})
	spec := Spec{Room: "studio", Key: "k", Who: alice}
	for range 300 {
		var writers [3]*Writer
		var errs [3]error
		var work sync.WaitGroup
		for i := range writers {
			work.Go(func() { writers[i], errs[i] = h.Publish(ctx, spec) })
		}
		work.Wait()
		held := map[*Writer]bool{}
		for i, w := range writers {
			if errs[i] != nil {
				wantCode(t, errs[i], Gone) // it has lost the stream already
			} else if w.Holds() && held[w] {
				t.Fatal("two publishers have one Writer")
			} else if w.Holds() {
				held[w] = true
			}
		}
		if len(held) != 1 {
			t.Fatalf("%d publishers may write; want 1", len(held))
		}
		for w := range held {
			if err := w.Cancel(); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.Stats().Streams; n != 0 {
			t.Fatalf("%d streams; want only the one that was cancelled", n+1)
		}
	}
}
