package relay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// keepingHub runs f with a hub that keeps so much of a live stream.
func keepingHub(t *testing.T, size int64, age time.Duration, f func(t *testing.T, h *Hub)) {
	inBubble(t, func(t *testing.T, h *Hub) {
		h.Limits.LiveKeepBytes, h.Limits.LiveKeepTime = size, age
		f(t, h)
	})
}

// pour writes content from the stream's offset up to to, a piece a second.
func pour(t *testing.T, w *Writer, content []byte, to int) {
	t.Helper()
	for at := int(w.Offset()); at < to; {
		n := min(100_000, to-at)
		write(t, w, content[at:at+n])
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		at += n
	}
}

// seen is what a reader gets of a stream from offset from to its end, or as much as there is of an open one.
func seen(t *testing.T, st *Stream, from int64) (got []byte, gaps []Gap, err error) {
	t.Helper()
	f := st.Follow(from)
	defer f.Close()
	at := max(from, 0)
	for {
		item, err := f.Reader.Next(ctx, true)
		if err != nil {
			return got, gaps, err
		}
		if g := item.Gap; g != nil {
			if g.From != at {
				t.Errorf("a gap from %d comes after %d", g.From, at)
			}
			gaps, at = append(gaps, *g), g.To
			continue
		}
		if item.Chunk.Offset != at {
			t.Errorf("a chunk at %d comes after %d", item.Chunk.Offset, at)
		}
		got, at = append(got, item.Chunk.Data...), item.Chunk.End()
	}
}

func TestALiveStreamIsKeptAsLongAsItIsToBe(t *testing.T) {
	for name, c := range map[string]struct {
		size int64
		age  time.Duration
		most int64
	}{
		"by size": {size: 1 << 20, most: 1 << 20},
		"by time": {age: 20 * time.Second, most: 2_000_000 + 100_000},
	} {
		t.Run(name, func(t *testing.T) {
			keepingHub(t, c.size, c.age, func(t *testing.T, h *Hub) {
				h.Limits.RingBytes = minRingBytes
				content := random(10_000_000)
				w := publish(t, h, Spec{Kind: Live})
				for to := 100_000; to <= len(content); to += 100_000 {
					pour(t, w, content, to)
					synctest.Wait()
					if n := h.spool.Size(); n > c.most {
						t.Fatalf("%d bytes are kept of %d; want at most %d", n, to, c.most)
					}
				}
				if n := h.spool.Size(); n < c.most*3/4 {
					t.Errorf("only %d bytes are kept; want about %d", n, c.most)
				}
				got, gaps, err := seen(t, w.Stream(), 0)
				if err != ErrLater || len(gaps) != 1 || gaps[0].From != 0 || gaps[0].Reason != Unkept || int64(len(got)) != h.spool.Size() ||
					!bytes.HasSuffix(content, got) {
					t.Errorf("a reader from the start gets %d bytes after %+v, %v; want the %d that are kept", len(got), gaps, err, h.spool.Size())
				}
				info := finish(t, w)
				if info.SHA256 != hexSum(content) || *info.Size != int64(len(content)) {
					t.Errorf("it ends as %+v; want the hash and size of all that came", info)
				}
				if again, _, err := seen(t, w.Stream(), 0); err != io.EOF || !bytes.Equal(again, got) {
					t.Errorf("after the end a reader gets %d bytes, %v; want the same %d", len(again), err, len(got))
				}
				if _, err := w.Stream().Content(ctx); err == nil {
					t.Error("its content is given out though not all is there")
				}
			})
		})
	}
}

func TestALiveStreamWithoutAFrontIsTakenUpAgain(t *testing.T) {
	dir := t.TempDir()
	content := random(4_000_000)
	var id string
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: dir, Limits: Limits{LiveKeepBytes: 1 << 20}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		w := publish(t, h, Spec{Kind: Live})
		pour(t, w, content, len(content))
		id = w.Stream().ID()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		next := &Hub{Dir: dir}
		if err := next.Start(); err != nil {
			t.Fatal(err)
		}
		defer next.Close()
		st, err := next.Stream(ctx, id, alice)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // nobody comes back to it: it ends
		info := st.Info()
		if info.State != Ended || info.SHA256 != hexSum(content) {
			t.Errorf("it ends as %+v; want the hash of all that came", info)
		}
		got, gaps, err := seen(t, st, 0)
		if err != io.EOF || len(gaps) != 1 || len(got) == 0 || !bytes.HasSuffix(content, got) {
			t.Errorf("a reader gets %d bytes after %+v, %v; want what was kept", len(got), gaps, err)
		}
	})
}

func TestALiveStreamThatIsOnlyRelayedGoesOnWithoutRoom(t *testing.T) {
	limited(t, 1<<20, func(t *testing.T, h *Hub) {
		h.Limits.RingBytes = minRingBytes
		content := random(6_000_000)
		w := publish(t, h, Spec{Kind: Live})
		viewer := w.Stream().Follow(FromBirth)
		defer viewer.Close()
		size := int64(900_000)
		file := publish(t, h, Spec{Size: &size, Key: "k"}) // is promised room, and gets it
		var got []byte
		for at := 0; at < 3_000_000; at += 50_000 {
			pour(t, w, content, at+50_000)
			synctest.Wait()
			if n := h.spool.Size() + h.budget.promised; n > 1<<20 {
				t.Fatalf("%d bytes are stored or promised of %d", n, 1<<20)
			}
			for len(got) < at+50_000 {
				item, err := viewer.Next(ctx)
				if err != nil || item.Chunk == nil {
					t.Fatalf("a viewer gets %+v, %v after %d bytes", item, err, len(got))
				}
				got = append(got, item.Chunk.Data...)
			}
		}
		if !bytes.Equal(got, content[:3_000_000]) {
			t.Error("a viewer who keeps up got something else than was sent")
		}
		write(t, file, random(900_000))
		finish(t, file)
		pour(t, w, content, 4_000_000)
		if err := h.Delete(ctx, file.Stream().ID(), alice); err != nil {
			t.Fatal(err)
		}
		pour(t, w, content, len(content)) // there is room again
		if n := h.spool.Size(); n < 500_000 {
			t.Errorf("%d bytes are kept though there is room for more", n)
		}
		late, gaps, err := seen(t, w.Stream(), 0)
		if err != ErrLater || len(gaps) == 0 || !bytes.HasSuffix(content, late) || len(late) < 500_000 {
			t.Errorf("who comes late gets %d bytes after %+v, %v; want what is kept", len(late), gaps, err)
		}
		if info := finish(t, w); info.SHA256 != hexSum(content) {
			t.Errorf("it ends as %+v; want the hash of all that came", info)
		}
	})
}

func TestALiveStreamThatIsArchivedGoesOnWithoutRoomAndWithoutItsRest(t *testing.T) {
	limited(t, 1<<20, func(t *testing.T, h *Hub) {
		a := &eager{newShelf(), 1 << 40, make(chan asking, 100)}
		h.Archive = a
		h.Limits.RingBytes = minRingBytes
		content := random(3_000_000)
		told := int64(-1)
		w := publish(t, h, Spec{Kind: Live, Unkept: func(_ *Stream, offset int64) {
			if told >= 0 {
				t.Error("its publisher is told twice")
			}
			told = offset
		}})
		pour(t, w, content, len(content))
		if told < 800_000 || told > 1<<20 {
			t.Fatalf("its publisher is told that it is kept up to %d; want about what there is room for", told)
		}
		info := finish(t, w)
		if *info.Size != int64(len(content)) || info.SHA256 != hexSum(content) {
			t.Errorf("it ends as %+v; want what its readers were given", info)
		}
		kept := w.Stream().Kept()
		if *kept.Size != told || kept.SHA256 != hexSum(content[:told]) {
			t.Errorf("what is archived is %+v; want the first %d bytes", kept, told)
		}
		if src, size := w.Stream().Spooled(); size != told {
			t.Errorf("the spool has %d bytes of it, %v; want %d", size, src, told)
		}
		kept.State = Archived
		w.Stream().Archived(kept)
		if got := w.Stream().Info(); *got.Size != told || got.State != Archived {
			t.Errorf("it is archived as %+v", got)
		}
	})
}

// tinyDisk is a file system of its own; the test is over where mounting is not allowed.
func tinyDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("mounting is not allowed: ", err) // make test runs as root in CI
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskRefusesFilesAndLiveStreamsGoOn(t *testing.T) {
	dir := tinyDisk(t, "2m")
	h := start(t, &Hub{Dir: filepath.Join(dir, "spool"), Archive: away{newShelf()}, Limits: Limits{RingBytes: minRingBytes}})
	ballast := filepath.Join(dir, "ballast")
	content := random(1_500_000)
	file := publish(t, h, Spec{Key: "file"})
	write(t, file, content[:300_000])
	if _, err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	recorded := publish(t, h, Spec{Kind: Live}) // it is to be archived
	write(t, recorded, content[:100_000])
	if _, err := recorded.Sync(); err != nil {
		t.Fatal(err)
	}
	live := publish(t, h, Spec{Kind: Live, Relay: true})
	viewer := live.Stream().Follow(FromBirth)
	defer viewer.Close()
	whole := publish(t, h, Spec{Key: "whole"})
	write(t, whole, content[:50_000])
	if _, err := whole.Sync(); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, ballast)

	if _, err := file.ReadFrom(bytes.NewReader(content[300_000:])); AsError(err).Code != Unavailable {
		t.Errorf("a file on a full disk: %v; want unavailable", err)
	}
	if _, err := h.Publish(ctx, Spec{Room: "studio", Size: new(int64(1000)), Who: alice}); err == nil {
		t.Log("the disk has room for a name") // and then the bytes are refused
	}
	var got []byte
	for at := 0; at < len(content); at += 100_000 {
		write(t, live, content[at:at+100_000])
		if _, err := live.Sync(); err != nil {
			t.Fatalf("a live stream on a full disk: %v", err)
		}
		write(t, recorded, content[recorded.Offset():][:50_000])
		if n, err := recorded.Sync(); err != nil || n != recorded.Offset() {
			t.Fatalf("a live stream that is archived, on a full disk: %d, %v", n, err)
		}
		for len(got) < at+100_000 {
			item, err := viewer.Next(ctx)
			if err != nil || item.Chunk == nil {
				t.Fatalf("its viewer gets %+v, %v after %d bytes", item, err, len(got))
			}
			got = append(got, item.Chunk.Data...)
		}
	}
	if !bytes.Equal(got, content) {
		t.Error("the viewer of a live stream got something else than was sent")
	}
	_, endErr := whole.Finish(ctx, "") // its seal may just find room

	if err := os.Remove(ballast); err != nil { // and all goes on
		t.Fatal(err)
	}
	again := publish(t, h, Spec{Key: "file"})
	if again.Offset() < 300_000 {
		t.Fatalf("the file goes on at %d; want what was acknowledged", again.Offset())
	}
	write(t, again, content[again.Offset():1_000_000])
	if info := finish(t, again); info.SHA256 != hexSum(content[:1_000_000]) {
		t.Errorf("the file ends as %+v", info)
	}
	if info, err := whole.Finish(ctx, ""); err != nil || info.SHA256 != hexSum(content[:50_000]) {
		t.Errorf("an end that there was no room for (%v) is now %+v, %v", endErr, info, err)
	}
	if info := finish(t, recorded); info.SHA256 != hexSum(content[:*info.Size]) || *info.Size != 850_000 {
		t.Errorf("the live stream that is archived ends as %+v; want all that was relayed", info)
	}
	kept := recorded.Stream().Kept()
	if n := *kept.Size; n < 100_000 || n >= 850_000 || kept.SHA256 != hexSum(content[:n]) {
		t.Errorf("what is archived of it is %+v; want what was acknowledged before, and perhaps more", kept)
	}
	src, size := recorded.Stream().Spooled()
	got = make([]byte, size)
	if _, err := src.ReadAt(got, 0); err != nil && err != io.EOF || !bytes.Equal(got, content[:*kept.Size]) {
		t.Errorf("the spool has %d bytes of it, %v; want %d", len(got), err, *kept.Size)
	}
	if info := finish(t, live); info.SHA256 != hexSum(content) {
		t.Errorf("the live stream ends as %+v", info)
	}
}

// away is an archive that cannot be reached.
type away struct{ *shelf }

func (away) Keep(*Stream) {}

// fillDisk takes all the room that there is.
func fillDisk(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}
