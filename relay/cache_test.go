package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// remote is a shelf that counts how often it is read.
type remote struct {
	*shelf
	opened atomic.Int64
}

func (r *remote) Open(ctx context.Context, info Info, offset, length int64) (io.ReadCloser, error) {
	r.opened.Add(1)
	return r.shelf.Open(ctx, info, offset, length)
}

// cached runs f with a hub in dir that keeps limit bytes of what is archived.
func cached(t *testing.T, dir string, archive Archive, limit int64, f func(t *testing.T, h *Hub)) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: dir, Archive: archive, Limits: Limits{CacheBytes: limit, SpoolBytes: 1 << 20}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		f(t, h)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// spooled is how many logs there are in a folder.
func spooled(t *testing.T, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".data") {
			n++
		}
	}
	return n
}

func TestWhatWasArchivedNotLongAgoIsReadFromTheSpool(t *testing.T) {
	dir, archive := t.TempDir(), &remote{shelf: newShelf()}
	content := map[string][]byte{}
	var ids []string
	read := func(t *testing.T, h *Hub, id string) {
		t.Helper()
		st, err := h.Stream(ctx, id, alice)
		if err != nil {
			t.Fatal(err)
		}
		f := st.Follow(0)
		defer f.Close()
		if got := drain(t, f); !bytes.Equal(got, content[id]) {
			t.Errorf("a reader gets %d bytes; want what was archived", len(got))
		}
		c, err := st.Content(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Seek(1, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, content[id][1:]) {
			t.Errorf("its content is %d bytes, %v; want what was archived", len(got), err)
		}
	}
	wantRead := func(t *testing.T, what string, from int64) {
		t.Helper()
		if n := archive.opened.Swap(0); n != from {
			t.Errorf("%s: the store was opened %d times; want %d", what, n, from)
		}
	}
	cached(t, dir, archive, 700_000, func(t *testing.T, h *Hub) {
		for i := range 4 { // of which three find room
			p := random(200_000 + i)
			w := publish(t, h, Spec{})
			write(t, w, p)
			id := finish(t, w).ID
			ids, content[id] = append(ids, id), p
			synctest.Wait()
		}
		if n := spooled(t, dir); n != 3 || h.cache.size() > 700_000 {
			t.Errorf("%d streams with %d bytes are in the spool; want 3", n, h.cache.size())
		}
		for _, id := range ids[1:] {
			read(t, h, id)
		}
		wantRead(t, "what is in the spool", 0)
		read(t, h, ids[0])
		wantRead(t, "what is not", 2)
		read(t, h, ids[1])                                  // and is not the oldest any more
		w := publish(t, h, Spec{Size: new(int64(1 << 20))}) // for which the cache takes no room
		w.Cancel()
		large := publish(t, h, Spec{})
		write(t, large, random(800_000))
		finish(t, large)
		other := publish(t, h, Spec{})
		write(t, other, random(200_000))
		finish(t, other)
		synctest.Wait()
		if h.cache.get(ids[2]) != nil || h.cache.get(ids[1]) == nil || h.cache.get(large.Stream().ID()) != nil {
			t.Error("what was read last went first, or what never fits stays")
		}
	})
	cached(t, dir, archive, 700_000, func(t *testing.T, h *Hub) { // the next run
		if n := len(h.cache.byID); n != 3 || h.Stats().Streams != 0 {
			t.Errorf("%d streams are in the cache, %d in memory; want 3 and 0", n, h.Stats().Streams)
		}
		read(t, h, ids[1])
		wantRead(t, "in the next run", 0)

		spoil(t, filepath.Join(dir, ids[1]+".data"))
		read(t, h, ids[1])
		wantRead(t, "what has gone bad", 2)
		synctest.Wait()
		if h.cache.get(ids[1]) != nil {
			t.Error("what has gone bad stays")
		}
		if err := h.Delete(ctx, ids[1], alice); err != nil {
			t.Fatal(err)
		}
		h.Expired("studio", ids[3])
		if n := spooled(t, dir); n != 1 || len(h.cache.byID) != 1 {
			t.Errorf("%d streams are in the spool, %d in the cache after two were deleted; want 1", n, len(h.cache.byID))
		}
		if h.uncache() == 0 || h.spool.Size() != 0 || h.cache.size() != 0 {
			t.Errorf("%d bytes are left in the spool, %d in the cache, when there must be room", h.spool.Size(), h.cache.size())
		}
	})
	cached(t, dir, archive, 700_000, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		write(t, w, random(100))
		finish(t, w)
	})
	cached(t, dir, archive, 0, func(t *testing.T, h *Hub) {
		finish(t, publish(t, h, Spec{})) // of no bytes
		synctest.Wait()
		if n := spooled(t, dir); n != 0 {
			t.Errorf("%d streams are in the spool of a server that keeps none", n)
		}
	})
}

// spoil flips a bit in the middle of a file.
func spoil(t *testing.T, name string) {
	t.Helper()
	p, err := os.ReadFile(name)
	if err == nil {
		p[len(p)/2] ^= 1
		err = os.WriteFile(name, p, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAReaderGoesOnWhenItsStreamLeavesTheCache(t *testing.T) {
	archive := &remote{shelf: newShelf()}
	cached(t, t.TempDir(), archive, 1<<20, func(t *testing.T, h *Hub) {
		content := random(900_000)
		w := publish(t, h, Spec{})
		write(t, w, content)
		id := finish(t, w).ID
		synctest.Wait()
		st, err := h.Stream(ctx, id, alice)
		if err != nil {
			t.Fatal(err)
		}
		f := st.Follow(0)
		defer f.Close()
		item, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := bytes.Clone(item.Chunk.Data)
		h.uncache()
		for {
			item, err := f.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, item.Chunk.Data...)
		}
		if !bytes.Equal(got, content) || archive.opened.Load() == 0 {
			t.Errorf("it got %d bytes, the store was opened %d times; want all, and the rest from there", len(got), archive.opened.Load())
		}
	})
}
