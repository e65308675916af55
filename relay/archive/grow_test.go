package archive

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
	"sluice/storage/s3"
)

const part = s3.MinPartBytes

// counting counts what is sent of objects that grow, and lets something happen before.
type counting struct {
	*s3.Store
	begun  atomic.Int64
	sent   chan int64 // the sizes up to which all was sent
	before func(ctx context.Context) error
}

func (c *counting) Grow(ctx context.Context, key string, src io.ReaderAt, mark []byte, o storage.Options) (storage.Growth, error) {
	c.begun.Add(1)
	g, err := c.Store.Grow(ctx, key, src, mark, o)
	return counted{g, c}, err
}

type counted struct {
	storage.Growth
	by *counting
}

func (g counted) Send(ctx context.Context, size int64) error {
	if g.by.before != nil {
		if err := g.by.before(ctx); err != nil {
			g.Leave()
			return err
		}
	}
	err := g.Growth.Send(ctx, size)
	if err == nil {
		g.by.sent <- size / part * part
	}
	return err
}

// growing is a house whose store is sent parts, and a stream that is open.
func growing(t *testing.T, server *lab.S3Server, folder string) (*house, *counting) {
	t.Helper()
	store := &counting{Store: openS3(t, server), sent: make(chan int64, 100)}
	return open(t, folder, store), store
}

func (h *house) begin(spec relay.Spec) *relay.Writer {
	h.Helper()
	spec.Room, spec.Name, spec.Who = "lobby", "film.webm", relay.Identity{ID: "alice"}
	w, err := h.hub.Publish(h.Context(), spec)
	if err != nil {
		h.Fatal(err)
	}
	return w
}

// write writes p and has it stored.
func (h *house) write(w *relay.Writer, p []byte) {
	h.Helper()
	if _, err := w.Write(p); err != nil {
		h.Fatal(err)
	}
	if _, err := w.Sync(); err != nil {
		h.Fatal(err)
	}
}

func (c *counting) wait(t *testing.T, size int64) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case sent := <-c.sent:
			if sent >= size {
				return
			}
		case <-deadline:
			t.Fatalf("%d bytes were not sent", size)
		}
	}
}

func TestAStreamIsSentWhileItGrows(t *testing.T) {
	h, store := growing(t, lab.StartS3(t), t.TempDir())
	content := film(3*part + 7)
	w := h.begin(relay.Spec{})
	h.write(w, content[:part-1])
	if n := store.begun.Load(); n > 0 {
		t.Error("it is begun before there is a part")
	}
	h.write(w, content[part-1:part+1])
	store.wait(t, part)
	h.write(w, content[part+1:2*part])
	store.wait(t, 2*part)
	if keys := h.keys(""); len(keys) > 0 {
		t.Errorf("before the end the store has %q", keys)
	}
	if stats := h.archive.Stats(); stats.Growing+stats.Running != 1 || stats.Waiting != 0 {
		t.Errorf("%+v; want one that grows", stats)
	}
	h.write(w, content[2*part:])
	info, err := w.Finish(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := h.archived(w.Stream()); got.SHA256 != info.SHA256 {
		t.Errorf("archived as %+v; want the hash of %+v", got, info)
	}
	keys := h.keys(mediaFolder)
	if len(keys) != 1 || !bytes.Equal(h.read(keys[0]), content) {
		t.Errorf("the store has %q; want what came", keys)
	}
	if n := store.begun.Load(); n != 1 {
		t.Errorf("begun %d times; want once", n)
	}
}

func TestAWholeNumberOfPartsWaitsForTheEnd(t *testing.T) {
	h, store := growing(t, lab.StartS3(t), t.TempDir())
	content := film(2 * part)
	size := int64(len(content))
	w := h.begin(relay.Spec{Size: &size})
	h.write(w, content)
	store.wait(t, part)
	h.until("there is nothing to do before the end", func(s Stats) bool { return s.Growing == 1 })
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h.archived(w.Stream())
	if keys := h.keys(mediaFolder); len(keys) != 1 || !bytes.Equal(h.read(keys[0]), content) {
		t.Errorf("the store has %q; want what came", keys)
	}
}

func TestTheNextProcessGoesOnWithWhatHasGrown(t *testing.T) {
	server, folder := lab.StartS3(t), t.TempDir()
	h, store := growing(t, server, folder)
	content := film(3*part + 7)
	w := h.begin(relay.Spec{Key: "k"})
	h.write(w, content[:2*part+1])
	store.wait(t, 2*part)
	h.closeNow()
	if n := uploads(t, store.Store); n != 1 {
		t.Fatalf("%d uploads are open; want the one that was begun", n)
	}

	next := open(t, folder, store)
	again := next.begin(relay.Spec{Key: "k"})
	if again.Offset() != 2*part+1 {
		t.Fatalf("it goes on at %d; want %d", again.Offset(), 2*part+1)
	}
	next.write(again, content[2*part+1:])
	if _, err := again.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	next.archived(again.Stream())
	if keys := next.keys(mediaFolder); len(keys) != 1 || !bytes.Equal(next.read(keys[0]), content) {
		t.Errorf("the store has %q; want what came", keys)
	}
	if n := uploads(t, store.Store); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// uploads counts the uploads that the server has.
func uploads(t *testing.T, store *s3.Store) int {
	t.Helper()
	n, err := store.Uploads(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDamageIsFoundBeforeItIsSent(t *testing.T) {
	h, store := growing(t, lab.StartS3(t), t.TempDir())
	w := h.begin(relay.Spec{})
	h.write(w, film(part-1))
	flip(t, w.Stream().Path(), 100)
	h.write(w, film(2))
	h.until("an attempt fails", func(s Stats) bool { return s.Failures > 0 })
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h.close()
	if stats := h.archive.Stats(); stats.Failures != 1 || stats.Waiting != 1 || stats.Archived != 0 {
		t.Errorf("%+v; want one failure, and the stream put aside", stats)
	}
	if keys := h.keys(""); len(keys) > 0 {
		t.Errorf("the store has %q; want nothing of what is damaged", keys)
	}
	if n := len(store.sent); n > 0 {
		t.Error("a part was sent")
	}
}

// until waits until the archive's stats are so.
func (h *house) until(what string, so func(Stats) bool) {
	h.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); !so(h.archive.Stats()); <-again.C {
		if time.Now().After(deadline) {
			h.Fatalf("%s: not so with %+v", what, h.archive.Stats())
		}
	}
}

func TestAStreamGrowsOnWhenTheStoreIsBack(t *testing.T) {
	server := lab.StartS3(t)
	h, store := growing(t, server, t.TempDir())
	content := film(3*part + 7)
	w := h.begin(relay.Spec{})
	h.write(w, content[:part+1])
	store.wait(t, part)
	server.Kill()
	h.write(w, content[part+1:])
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	server.Start()
	h.archived(w.Stream())
	if keys := h.keys(mediaFolder); len(keys) != 1 || !bytes.Equal(h.read(keys[0]), content) {
		t.Errorf("the store has %q; want what came", keys)
	}
	if n := uploads(t, store.Store); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

func TestWhatComesToNothingLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(h *house, w *relay.Writer) error{
		"cancelled": func(_ *house, w *relay.Writer) error { return w.Cancel() },
		"failed": func(_ *house, w *relay.Writer) error {
			w.Fail(relay.Errorf(relay.Conflict, "something else came"))
			return nil
		},
		"deleted": func(h *house, w *relay.Writer) error {
			return h.hub.Delete(h.Context(), w.Stream().ID(), relay.Identity{ID: "alice"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, store := growing(t, lab.StartS3(t), t.TempDir())
			w := h.begin(relay.Spec{})
			h.write(w, film(part+1))
			store.wait(t, part)
			if err := end(h, w); err != nil {
				t.Fatal(err)
			}
			h.until("nothing is to be done", func(s Stats) bool { return s.Growing+s.Running+s.Waiting == 0 })
			h.close()
			if n := uploads(t, store.Store); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
			if keys := h.keys(""); len(keys) > 0 {
				t.Errorf("the store has %q", keys)
			}
		})
	}
}
