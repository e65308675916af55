package archive

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
)

// noManifests is a store that takes content only, as long as it refuses.
type noManifests struct {
	*counting
	refuse atomic.Bool
}

func (n *noManifests) Create(ctx context.Context, key string, o storage.Options) (storage.Writer, error) {
	if n.refuse.Load() && strings.HasPrefix(key, roomsFolder) {
		return nil, errAway
	}
	return n.counting.Create(ctx, key, o)
}

func TestAKillBetweenContentAndManifestOfWhatTheSpoolHasInPart(t *testing.T) {
	server, folder := lab.StartS3(t), t.TempDir()
	store := &noManifests{counting: &counting{Store: openS3(t, server), sent: make(chan int64, 100)}}
	store.refuse.Store(true)
	limits := relay.Limits{LiveKeepBytes: part}
	h := openWith(t, folder, store, limits)
	content := film(6*part + 7)
	w := h.begin(relay.Spec{Kind: relay.Live})
	for to := int64(part); to <= 6*part; to += part / 2 {
		h.write(w, content[w.Offset():to])
		if to%part == 0 {
			store.wait(t, to)
		}
	}
	h.write(w, content[6*part:])
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h.until("the content is in the store, and no manifest", func(s Stats) bool { return s.Failures > 0 })
	if w.Stream().Start() == 0 {
		t.Fatal("the spool has all of it")
	}
	h.closeNow()
	store.refuse.Store(false)
	h = openWith(t, folder, store, limits)
	h.until("it is archived", func(s Stats) bool { return s.Archived > 0 || s.Failures > 0 })
	if s := h.archive.Stats(); s.Archived != 1 || s.Failures > 0 {
		t.Errorf("after a restart: %+v; want it archived", s)
	}
	if got := h.read(h.keys(mediaFolder)[0]); string(got) != string(content) {
		t.Errorf("%d bytes are in the store; want the %d that came", len(got), len(content))
	}
}

func TestTheSpoolGivesUpNothingOfWhatTheStoreHasLost(t *testing.T) {
	server, folder := lab.StartS3(t), t.TempDir()
	store := &counting{Store: openS3(t, server), sent: make(chan int64, 100)}
	h := openWith(t, folder, store, relay.Limits{LiveKeepBytes: 7 * part})
	content := film(12 * part)
	w := h.begin(relay.Spec{Kind: relay.Live})
	st := w.Stream()
	h.write(w, content[:5*part+1])
	store.wait(t, 5*part)
	h.until("the spool knows", func(Stats) bool { return st.Mark() != nil })
	// A rule of the bucket, say, ends the upload.
	if err := os.RemoveAll(filepath.Join(server.Folder(), ".sgwtmp")); err != nil {
		t.Fatal(err)
	}
	if n := uploads(t, store.Store); n != 0 {
		t.Fatalf("%d uploads are left", n)
	}
	away := make(chan struct{})
	store.before = func(ctx context.Context) error {
		if store.begun.Load() < 2 {
			return nil
		}
		select {
		case <-away:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.write(w, content[w.Offset():6*part+1])
	h.until("it begins anew", func(Stats) bool { return store.begun.Load() >= 2 && st.Mark() == nil })
	h.write(w, content[w.Offset():])
	if n := st.Start(); n > 0 {
		t.Errorf("the spool begins at %d; the store has nothing", n)
	}
	close(away)
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h.until("it is archived", func(s Stats) bool { return s.Archived > 0 })
	if got := h.read(h.keys(mediaFolder)[0]); string(got) != string(content) {
		t.Errorf("%d bytes are in the store; want the %d that came", len(got), len(content))
	}
}

// A write that finds no room leaves a part of itself behind what is kept.
func TestACutLiveStreamIsArchivedInAFolder(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=9m"); err != nil {
		t.Skip("mounting is not allowed: ", err) // make test runs as root in CI
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	h := open(t, folder, openDir(t, folder))
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4<<20+1234), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := make(chan int64, 1)
	w := h.begin(relay.Spec{Kind: relay.Live, Unkept: func(_ *relay.Stream, n int64) { kept <- n }})
	content := film(6 << 20)
	for at := 0; at < len(content); at += 100_001 {
		h.write(w, content[at:min(at+100_001, len(content))])
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	h.until("it is archived", func(s Stats) bool { return s.Archived > 0 || s.Failures > 0 })
	if s := h.archive.Stats(); s.Failures > 0 {
		t.Fatalf("%+v", s)
	}
	if got := h.read(h.keys(mediaFolder)[0]); string(got) != string(content[:<-kept]) {
		t.Errorf("%d bytes are in the store", len(got))
	}
}

func TestTwoDeletionsAtOnce(t *testing.T) {
	h, store := growing(t, lab.StartS3(t), t.TempDir())
	w := h.begin(relay.Spec{})
	content := film(2*part + 1)
	h.write(w, content[:part+1])
	store.wait(t, part)
	busy := make(chan struct{}, 100)
	store.before = func(ctx context.Context) error {
		busy <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	h.write(w, content[part+1:])
	<-busy
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { _ = h.hub.Delete(t.Context(), w.Stream().ID(), relay.Identity{ID: "alice"}) })
	}
	all.Wait()
	w.Cancel()
}

// clinging is a store that does not delete content, as long as it refuses.
type clinging struct {
	storage.Store
	refuse atomic.Bool
}

func (c *clinging) Delete(ctx context.Context, key string) error {
	if c.refuse.Load() && strings.HasPrefix(key, mediaFolder) {
		return errAway
	}
	return c.Store.Delete(ctx, key)
}

func TestWhatWasDeletedInPartGoesWithTheNextSweep(t *testing.T) {
	folder := t.TempDir()
	store := &clinging{Store: openDir(t, folder)}
	h := open(t, folder, store)
	st := h.publish("lobby", "film.webm", film(1000))
	h.archived(st)
	store.refuse.Store(true)
	if err := h.hub.Delete(t.Context(), st.ID(), relay.Identity{ID: "alice"}); err == nil {
		t.Error("Delete = nil; want an error")
	}
	if err := h.archive.clean(t.Context()); err == nil {
		t.Error("the sweep says nothing of what it could not delete")
	}
	store.refuse.Store(false)
	if err := h.archive.clean(t.Context()); err != nil {
		t.Error(err)
	}
	if keys := h.keys(""); len(keys) > 0 {
		t.Errorf("the store has %q", keys)
	}
}
