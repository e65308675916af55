package relay

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
)

func TestWhatTheSpoolHasNoRoomForIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		const limit = 1 << 20
		h.Limits.SpoolBytes = limit
		size := func(n int64) *int64 { return &n }
		_, err := h.Publish(ctx, Spec{Room: "studio", Size: size(limit + 1)})
		wantCode(t, err, TooLarge)
		content := random(limit)
		first := publish(t, h, Spec{Size: size(limit / 2)})
		write(t, first, content[:limit/2])
		finish(t, first)
		_, err = h.Publish(ctx, Spec{Room: "studio", Size: size(limit/2 + 1)})
		wantCode(t, err, Unavailable)

		live := publish(t, h, Spec{Kind: Live})
		plain, keyed := publish(t, h, Spec{}), publish(t, h, Spec{Key: "k", Size: size(limit / 2)})
		write(t, keyed, content[:100_000])
		reader := keyed.Stream().Follow(0)
		defer reader.Close()
		_, err = plain.ReadFrom(bytes.NewReader(content))
		wantCode(t, err, Unavailable)
		synctest.Wait()
		if state := plain.Stream().Info().State; state != Failed {
			t.Errorf("a file that nobody can come back to is %s; want failed", state)
		}
		other := publish(t, h, Spec{})
		write(t, other, content[:300_000])
		_, err = keyed.ReadFrom(bytes.NewReader(content[100_000 : limit/2]))
		wantCode(t, err, Unavailable)
		if _, err := keyed.Sync(); AsError(err).Code != Unavailable {
			t.Errorf("Sync = %v; want that there is no room", err)
		}
		if _, err := h.Publish(ctx, Spec{Room: "studio", Key: "k", Size: size(limit / 2)}); AsError(err).Code != Unavailable {
			t.Errorf("publishing again = %v; want that there is no room", err)
		}

		write(t, live, content) // past what there is room for
		finish(t, live)
		if err := h.Delete(ctx, live.Stream().ID(), Identity{}); err != nil {
			t.Fatal(err)
		}
		if err := h.Delete(ctx, first.Stream().ID(), Identity{}); err != nil { // there is room again
			t.Fatal(err)
		}
		finish(t, other)
		again := publish(t, h, Spec{Key: "k", Size: size(limit / 2)})
		if again.Stream() != keyed.Stream() || again.Offset() < 100_000 {
			t.Fatalf("the file with a key did not wait; it goes on at %d", again.Offset())
		}
		if _, err := again.ReadFrom(bytes.NewReader(content[again.Offset() : limit/2])); err != nil {
			t.Fatal(err)
		}
		if info := finish(t, again); info.SHA256 != hexSum(content[:limit/2]) {
			t.Errorf("the hash is %s; want that of what was sent", info.SHA256)
		}
		if got := drain(t, reader); !bytes.Equal(got, content[:limit/2]) {
			t.Errorf("a reader got %d bytes that differ; want what was sent", len(got))
		}
		if _, err := reader.Next(ctx); err != io.EOF {
			t.Errorf("after the end a reader gets %v", err)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready = %v with room for more", err)
		}
		h.Limits.SpoolBytes = h.spool.Size()
		wantCode(t, h.Ready(), Unavailable)
	})
}
