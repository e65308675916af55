package relay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// restart closes h and has another hub take up what it left, with what limits it is to have.
func restart(t *testing.T, h *Hub, limits Limits, between func(dir string)) *Hub {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if between != nil {
		between(h.Dir)
	}
	return start(t, &Hub{Dir: h.Dir, Limits: limits})
}

func TestTheLimitsKeepNoServerFromStarting(t *testing.T) {
	h := start(t, &Hub{})
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		w := publish(t, h, Spec{Key: key})
		write(t, w, random(1000))
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, w.Stream().ID())
	}
	h = restart(t, h, Limits{RoomStreams: 2, Streams: 2}, nil)
	for i, key := range []string{"a", "b", "c"} {
		if w := publish(t, h, Spec{Key: key}); w.Stream().ID() != ids[i] || w.Offset() != 1000 {
			t.Errorf("upload %s goes on as %s at %d; want %s at 1000", key, w.Stream().ID(), w.Offset(), ids[i])
		}
	}
}

func TestALineThatIsCutOffHidesNoOtherFinishedUpload(t *testing.T) {
	h := start(t, &Hub{})
	until := time.Now().Add(time.Hour)
	put := func(key string, until time.Time) {
		h.writeFinished(finished{Key: key, Info: Info{ID: key}, Until: until})
	}
	put("a", until)
	put("b", until)
	torn, err := json.Marshal(finished{Key: "c", Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.uploads.file.Write(torn[:20]); err != nil { // as on a full disk
		t.Fatal(err)
	}
	h.uploads.torn = true
	put("d", until)
	put("b", time.Time{}) // deleted
	h = restart(t, h, Limits{}, nil)
	var got []string
	for key := range h.finished {
		got = append(got, key)
	}
	if slices.Sort(got); !slices.Equal(got, []string{"a", "d"}) {
		t.Errorf("the next run knows %q; want a and d", got)
	}
}

func TestAnEndWhoseHeaderIsLostIsAnEndAllTheSame(t *testing.T) {
	h := start(t, &Hub{})
	content := random(300_000)
	w := publish(t, h, Spec{Key: "k"})
	write(t, w, content)
	want := finish(t, w)
	id := w.Stream().ID()
	h = restart(t, h, Limits{}, func(dir string) {
		name := filepath.Join(dir, id+".index")
		side, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.LastIndex(side, []byte(`{"info"`))
		if at < 0 || at == bytes.Index(side, []byte(`{"info"`)) {
			t.Fatal("there is no second header")
		}
		copy(side[at:], make([]byte, 100)) // a sector that a power cut kept from the disk
		if err := os.WriteFile(name, side, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	st, err := h.Stream(ctx, id, Identity{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	info := st.Info()
	if info.State != Ended || info.SHA256 != want.SHA256 || *info.Size != *want.Size {
		t.Errorf("it is %s with %s; want %s", info.State, info.SHA256, want.SHA256)
	}
}

func TestTheCacheIsBoundedInStreamsToo(t *testing.T) {
	dir := t.TempDir()
	cached(t, dir, newShelf(), 10*cachedLogBytes, func(t *testing.T, h *Hub) {
		for i := range 30 {
			w := publish(t, h, Spec{})
			write(t, w, random(i%2)) // of one byte, or none
			finish(t, w)
			synctest.Wait()
		}
		if n := spooled(t, dir); n != 9 {
			t.Errorf("%d streams of a byte are in the spool; want the 9 that there is room for", n)
		}
	})
}

func TestWhatGoesBadUnderAReaderLeavesTheSpool(t *testing.T) {
	dir, archive := t.TempDir(), &remote{shelf: newShelf()}
	cached(t, dir, archive, 1<<20, func(t *testing.T, h *Hub) {
		content := random(900_000)
		w := publish(t, h, Spec{})
		write(t, w, content)
		f := w.Stream().Follow(0) // the stream stays in memory as long as it is read
		defer f.Close()
		id := finish(t, w).ID
		synctest.Wait()
		spoil(t, filepath.Join(dir, id+".data"))
		if got := drain(t, f); !bytes.Equal(got, content) {
			t.Errorf("it gets %d bytes; want those of the store", len(got))
		}
		synctest.Wait()
		if n := spooled(t, dir); n != 0 || h.spool.Size() != 0 {
			t.Errorf("%d logs with %d bytes are left in the spool", n, h.spool.Size())
		}
	})
}

func TestOnAFullDiskTheCacheGivesWay(t *testing.T) {
	dir := tinyDisk(t, "2m")
	cached(t, filepath.Join(dir, "spool"), newShelf(), 1<<20, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{})
		write(t, w, random(900_000))
		finish(t, w)
		synctest.Wait()
		if h.cache.size() == 0 {
			t.Fatal("the cache is empty")
		}
		fillDisk(t, filepath.Join(dir, "ballast"))
		next := publish(t, h, Spec{})
		write(t, next, random(500_000))
		finish(t, next)
		if h.cache.cleared.Load() == 0 {
			t.Error("nothing has left the cache")
		}
	})
}

// The header of a drop may need more room than there is, when the bytes that came need some, too.
func TestALiveStreamIsCutWhereADropFindsNoRoom(t *testing.T) {
	for _, meta := range []int{0, 1000, 2000, 3000} {
		t.Run(strconv.Itoa(meta), func(t *testing.T) {
			dir := tinyDisk(t, "2m")
			h := start(t, &Hub{Dir: filepath.Join(dir, "spool"), Archive: away{newShelf()}, Limits: Limits{RingBytes: minRingBytes}})
			content := random(2_000_000)
			w := publish(t, h, Spec{Kind: Live, Meta: json.RawMessage(strconv.Quote(strings.Repeat("x", meta)))})
			write(t, w, content[:600_000])
			if _, err := w.Sync(); err != nil {
				t.Fatal(err)
			}
			w.Stream().Sent(300_000, []byte("{}"))
			write(t, w, content[600_000:900_000])
			fillDisk(t, filepath.Join(dir, "ballast"))
			for w.Offset() < int64(len(content)) {
				write(t, w, content[w.Offset():][:50_000])
				if _, err := w.Sync(); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
				t.Fatal(err)
			}
			finish(t, w)
			kept := w.Stream().Kept()
			if kept.State != Ended || *kept.Size < 600_000 {
				t.Fatalf("it is %s with %v bytes; want it cut, with what was durable", kept.State, kept.Size)
			}
			if sum := sha256.Sum256(content[:*kept.Size]); kept.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("the SHA-256 of the %d bytes that are kept is another", *kept.Size)
			}
		})
	}
}
