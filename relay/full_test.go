package relay

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatTheSpoolHasNoRoomForIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		const limit = 1 << 20
		h.Limits.SpoolBytes = limit + 3 // a byte is set aside for each of unknown size
		size := func(n int64) *int64 { return &n }
		_, err := h.Publish(ctx, Spec{Room: "studio", Size: size(limit + 4)})
		wantCode(t, err, TooLarge)
		content := random(limit)
		first := publish(t, h, Spec{Size: size(limit / 2)})
		write(t, first, content[:limit/2])
		finish(t, first)
		_, err = h.Publish(ctx, Spec{Room: "studio", Size: size(limit/2 + 4)})
		wantCode(t, err, Unavailable)

		live := publish(t, h, Spec{Kind: Live})
		plain, keyed := publish(t, h, Spec{}), publish(t, h, Spec{Key: "k"})
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
		if _, err := h.Publish(ctx, Spec{Room: "studio", Key: "k"}); AsError(err).Code != Unavailable {
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
		again := publish(t, h, Spec{Key: "k"})
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
	})
}

// limited is a hub whose spool has room for limit bytes.
func limited(t *testing.T, limit int64, f func(t *testing.T, h *Hub)) {
	inBubble(t, func(t *testing.T, h *Hub) {
		h.Limits.SpoolBytes = limit
		f(t, h)
	})
}

func TestWhatAFileAnnouncesIsSetAsideForIt(t *testing.T) {
	const limit = 1 << 20
	limited(t, limit, func(t *testing.T, h *Hub) {
		size := int64(limit * 3 / 4)
		content := random(int(size))
		first := publish(t, h, Spec{Key: "first", Size: &size})
		_, err := h.Publish(ctx, Spec{Room: "studio", Size: &size})
		wantCode(t, err, Unavailable)
		unknown := publish(t, h, Spec{})
		_, err = unknown.ReadFrom(bytes.NewReader(random(limit / 2)))
		wantCode(t, err, Unavailable)
		synctest.Wait()
		write(t, first, content[:size/2])
		first.Abandon()
		other := publish(t, h, Spec{}) // does not come into what an upload that waits was promised
		write(t, other, random(limit/8))
		_, err = other.ReadFrom(bytes.NewReader(random(limit / 4)))
		wantCode(t, err, Unavailable)
		again := publish(t, h, Spec{Key: "first", Size: &size})
		write(t, again, content[again.Offset():])
		finish(t, again)
		synctest.Wait()

		for _, end := range []func(w *Writer){
			func(w *Writer) { w.Cancel() },
			func(w *Writer) { w.Fail(Errorf(Gone, "given up")) },
			func(w *Writer) { w.Abandon() }, // without a key
			func(w *Writer) { w.Finish(ctx, "") },
			func(w *Writer) { h.Delete(ctx, w.Stream().ID(), Identity{}) },
		} {
			w := publish(t, h, Spec{Size: new(int64(limit / 4))})
			end(w)
			synctest.Wait()
		}
		if h.budget.promised != 0 {
			t.Errorf("%d bytes are set aside for nobody", h.budget.promised)
		}
	})
}

// Uploads of unknown size, which have taken all the room together and ask again and again, do not wait for each other for ever.
func TestUploadsThatWaitForRoomDoNotKeepItForEver(t *testing.T) {
	const limit = 1 << 20
	limited(t, limit, func(t *testing.T, h *Hub) {
		stuck := []string{"a", "b"}
		for _, key := range stuck {
			w := publish(t, h, Spec{Key: key})
			write(t, w, random(limit/3))
		}
		for _, key := range stuck {
			w := publish(t, h, Spec{Key: key})
			_, err := w.ReadFrom(bytes.NewReader(random(limit * 2 / 3)))
			wantCode(t, err, Unavailable)
		}
		began := time.Now()
		for len(h.streams) > 0 {
			for _, key := range stuck {
				spec := Spec{Room: "studio", Key: key}
				if h.upload(spec.hashedKey()) == nil {
					continue
				}
				w, err := h.Publish(ctx, spec)
				if err == nil { // there was room for what it had brought
					_, err = w.ReadFrom(bytes.NewReader(random(limit)))
				}
				wantCode(t, err, Unavailable)
			}
			if time.Since(began) > 2*h.resumeWindow() {
				t.Fatalf("after %v they wait still", time.Since(began))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		w := publish(t, h, Spec{Key: "a"})
		write(t, w, random(limit))
		finish(t, w)
	})
}

func TestAnUploadThatIsLargerThanTheSpoolFails(t *testing.T) {
	const limit = 1 << 20
	limited(t, limit, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{Key: "k"})
		_, err := w.ReadFrom(bytes.NewReader(random(2 * limit)))
		wantCode(t, err, TooLarge)
		synctest.Wait()
		if state := w.Stream().Info().State; state != Failed {
			t.Errorf("it is %s; want failed", state)
		}
		if size := h.spool.Size(); size != 0 {
			t.Errorf("%d bytes of it are left in the spool", size)
		}
	})
}

// With neither room in the spool nor in memory a file does not wait.
func TestWhatWaitsForRoomDoesNotTakeTheMemory(t *testing.T) {
	const limit = 1 << 20
	limited(t, limit, func(t *testing.T, h *Hub) {
		h.Limits.MemoryBytes = limit / 4
		full := publish(t, h, Spec{})
		write(t, full, random(limit*3/4))
		for i := range 8 {
			w := publish(t, h, Spec{Key: string(rune('a' + i))})
			w.ReadFrom(bytes.NewReader(random(limit / 2)))
		}
		synctest.Wait()
		if held := h.held.Load(); held > limit {
			t.Errorf("%d bytes are held in memory; want %d and what is read now", held, h.Limits.MemoryBytes)
		}
		full.Cancel()
	})
}

// Only for want of room does a file wait: what the spool has failed once it will not store later either.
func TestAFileThatCannotBeStoredFails(t *testing.T) {
	for name, meet := range map[string]func(w *Writer) error{
		"append": func(w *Writer) error {
			_, err := w.ReadFrom(bytes.NewReader(random(600_000)))
			return err
		},
		"sync": func(w *Writer) error {
			_, err := w.Sync()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				w := publish(t, h, Spec{Key: "k"})
				write(t, w, random(1000))
				if name == "sync" {
					w.st.in.spool()
				}
				if err := w.log.Close(); err != nil {
					t.Fatal(err)
				}
				wantCode(t, meet(w), Unavailable)
				synctest.Wait()
				if state := w.Stream().Info().State; state != Failed {
					t.Errorf("it is %s; want failed", state)
				}
			})
		})
	}
}
