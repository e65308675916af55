package relay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx   = context.Background()
	alice = Identity{ID: "alice"}
)

func start(t testing.TB, h *Hub) *Hub {
	t.Helper()
	if h.Dir == "" {
		h.Dir = t.TempDir()
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func publish(t testing.TB, h *Hub, spec Spec) *Writer {
	t.Helper()
	if spec.Room == "" {
		spec.Room = "studio"
	}
	if spec.Who.ID == "" {
		spec.Who = alice
	}
	w, err := h.Publish(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t testing.TB, w *Writer, p []byte) {
	t.Helper()
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

func finish(t *testing.T, w *Writer) Info {
	t.Helper()
	info, err := w.Finish(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func random(n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	r.Read(p)
	return p
}

func hexSum(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

// drain reads to the end and puts the chunks together; it fails on gaps and holes.
func drain(t *testing.T, f *Follower) []byte {
	t.Helper()
	var got []byte
	for {
		item, err := f.Next(ctx)
		switch {
		case err == io.EOF:
			return got
		case err != nil:
			t.Fatalf("Next after %d bytes: %v", len(got), err)
		case item.Gap != nil:
			t.Fatalf("gap %+v in a file", *item.Gap)
		case item.Chunk.Offset != int64(len(got)):
			t.Fatalf("chunk at %d after %d bytes", item.Chunk.Offset, len(got))
		}
		got = append(got, item.Chunk.Data...)
	}
}

func wantCode(t *testing.T, err error, code Code) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error = %v; want %s", err, code)
	}
}

func TestReadersGetEveryByteFromMemoryAndSpool(t *testing.T) {
	h := start(t, &Hub{Limits: Limits{RingBytes: 512 << 10}})
	content := random(5<<20 + 77)
	w := publish(t, h, Spec{Name: "film.bin"})
	early := w.Stream().Follow(0)
	defer early.Close()
	got := make(chan []byte, 1)
	go func() { got <- drain(t, early) }()
	if _, err := w.ReadFrom(bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	late := w.Stream().Follow(0) // most of it has left memory
	defer late.Close()
	middle := w.Stream().Follow(1 << 20)
	defer middle.Close()
	info := finish(t, w)
	if info.SHA256 != hexSum(content) || *info.Size != int64(len(content)) || info.State != Ended {
		t.Errorf("info = %+v", info)
	}
	if !bytes.Equal(<-got, content) {
		t.Error("the early reader got other bytes")
	}
	if !bytes.Equal(drain(t, late), content) {
		t.Error("the late reader got other bytes")
	}
	item, err := middle.Next(ctx)
	if err != nil || item.Chunk.Offset != 1<<20 || !bytes.Equal(item.Chunk.Data, content[1<<20:][:len(item.Chunk.Data)]) {
		t.Errorf("reader from the middle: %+v, %v", item, err)
	}
	if held := h.Stats().HeldBytes; held > 512<<10+blockBytes {
		t.Errorf("%d bytes held in memory", held)
	}
}

// pieces is a reader that gives at most so many bytes at a time.
type pieces struct {
	r    io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.size)]) }

func TestChunksAreNeitherLargeNorCrumbsHoweverBytesCome(t *testing.T) {
	h := start(t, &Hub{})
	content := random(5<<20 + 1)
	for _, size := range []int{100, 1448, 16 << 10, 100_000, 1 << 20} {
		for _, hint := range []int64{0, int64(len(content))} {
			w := publish(t, h, Spec{})
			f := w.Stream().Follow(0)
			if _, err := w.ReadSized(pieces{bytes.NewReader(content), size}, hint); err != nil {
				t.Fatalf("pieces of %d, hint %d: %v", size, hint, err)
			}
			finish(t, w)
			var got []byte
			chunks := 0
			for item, err := f.Next(ctx); err != io.EOF; item, err = f.Next(ctx) {
				if err != nil || len(item.Chunk.Data) > blockBytes {
					t.Fatalf("pieces of %d: %v, chunk of %d bytes", size, err, len(item.Chunk.Data))
				}
				got = append(got, item.Chunk.Data...)
				chunks++
			}
			f.Close()
			if !bytes.Equal(got, content) {
				t.Errorf("pieces of %d: other bytes", size)
			}
			t.Logf("pieces of %d, hint %d: %d chunks", size, hint, chunks)
		}
	}
}

func TestAPublishedPieceStaysWhole(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{Kind: Live})
	f := w.Stream().Follow(0)
	defer f.Close()
	for i, size := range []int{20_000, 5_000, 60_000, 20_000, 1, 256 << 10, 20_000} {
		if err := w.Chunk(w.Offset(), bytes.NewReader(random(size)), int64(size)); err != nil {
			t.Fatal(err)
		}
		if item, err := f.Next(ctx); err != nil || len(item.Chunk.Data) != size {
			t.Errorf("piece %d of %d bytes came as one of %d, %v", i, size, len(item.Chunk.Data), err)
		}
	}
	finish(t, w)
}

func TestAppendDoesNotWaitForReaders(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{})
	stuck := w.Stream().NewReader(0, func() {})
	defer stuck.Close()
	write(t, w, random(1<<20))
	if _, err := stuck.Next(ctx, false); err != nil {
		t.Fatal(err)
	}
	finish(t, w)
}

func TestSmallPiecesReachReadersSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir()}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		w := publish(t, h, Spec{})
		f := w.Stream().Follow(0)
		begin := time.Now()
		w.Write([]byte("hello"))
		if item, err := f.Next(ctx); err != nil || string(item.Chunk.Data) != "hello" {
			t.Fatalf("Next = %+v, %v", item, err)
		}
		if d := time.Since(begin); d > sniffDelay {
			t.Errorf("the first bytes came after %v", d)
		}
		begin = time.Now()
		w.Write([]byte("again"))
		if _, err := f.Next(ctx); err != nil || time.Since(begin) > flushDelay {
			t.Errorf("the next bytes came after %v, %v", time.Since(begin), err)
		}
		f.Close()
		finish(t, w)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSizeAndSumMustMatch(t *testing.T) {
	h := start(t, &Hub{})
	size := int64(10)
	short := publish(t, h, Spec{Size: &size})
	write(t, short, []byte("short"))
	_, err := short.Finish(ctx, "")
	wantCode(t, err, Conflict)
	long := publish(t, h, Spec{Size: &size})
	_, err = long.Write([]byte("longer than ten"))
	wantCode(t, err, Conflict)
	wrong := publish(t, h, Spec{})
	write(t, wrong, []byte("x"))
	_, err = wrong.Finish(ctx, hexSum([]byte("y")))
	wantCode(t, err, Conflict)
	if state := wrong.Stream().Info().State; state != Failed && state != Open {
		t.Errorf("state = %s", state)
	}
}

func TestFailedStreamEndsItsReaders(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{})
	f := w.Stream().Follow(0)
	defer f.Close()
	write(t, w, random(8192))
	w.Abandon() // no key: nobody can come back
	for {
		if _, err := f.Next(ctx); err == io.ErrUnexpectedEOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if state := w.Stream().Info().State; state != Failed {
		t.Errorf("state = %s", state)
	}
}

func TestPublishingAgainResumes(t *testing.T) {
	h := start(t, &Hub{})
	content := random(300 << 10)
	spec := Spec{Key: "k", Name: "a.bin"}
	first := publish(t, h, spec)
	write(t, first, content[:100<<10])
	second := publish(t, h, spec)
	if second.Offset() != 100<<10 || second.Stream() != first.Stream() {
		t.Fatalf("resumed at %d", second.Offset())
	}
	_, err := first.Write([]byte("late"))
	wantCode(t, err, Gone)
	_, err = h.Publish(ctx, Spec{Room: "studio", Key: "k", Name: "other", Who: alice})
	wantCode(t, err, Conflict)
	if other := publish(t, h, Spec{Room: "elsewhere", Key: "k", Name: "a.bin"}); other.Stream() == first.Stream() {
		t.Error("a key reaches into another room")
	}
	if err := second.Chunk(50<<10, bytes.NewReader(content[50<<10:]), 0); err != nil {
		t.Fatal(err)
	}
	wantCode(t, second.Chunk(1<<20, bytes.NewReader(nil), 0), Conflict)
	info := finish(t, second)
	if info.SHA256 != hexSum(content) {
		t.Error("the resumed stream has another content")
	}
	if third := publish(t, h, spec); !third.Done() || third.Offset() != int64(len(content)) {
		t.Error("a finished upload is not shown when published again")
	}
}

func TestAnUploadSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	content := random(700 << 10)
	h := &Hub{Dir: dir}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Key: "k", Name: "a.bin"}
	w := publish(t, h, spec)
	write(t, w, content[:500<<10])
	if _, err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	done := publish(t, h, Spec{Name: "done"})
	write(t, done, content)
	ended := finish(t, done)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}

	h = start(t, &Hub{Dir: dir})
	w = publish(t, h, spec)
	if w.Offset() != 500<<10 {
		t.Fatalf("resumed at %d", w.Offset())
	}
	write(t, w, content[500<<10:])
	if info := finish(t, w); info.SHA256 != hexSum(content) {
		t.Error("another hash after a restart")
	}
	st, err := h.Stream(ctx, ended.ID, alice)
	if err != nil {
		t.Fatal(err)
	}
	f := st.Follow(0)
	defer f.Close()
	if !bytes.Equal(drain(t, f), content) {
		t.Error("what was ended has other bytes after a restart")
	}
}

func TestPublisherThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir(), Limits: Limits{ResumeWindow: time.Minute}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		kept := publish(t, h, Spec{Key: "k"})
		write(t, kept, []byte("abc"))
		live := publish(t, h, Spec{Kind: Live})
		write(t, live, []byte("abc"))
		kept.Abandon()
		live.Abandon()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if s := live.Stream().Info().State; s != Ended {
			t.Errorf("live stream 11 s after its publisher went: %s", s)
		}
		if s := kept.Stream().Info().State; s != Open {
			t.Errorf("file with a key 11 s after its publisher went: %s", s)
		}
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if s := kept.Stream().Info().State; s != Failed {
			t.Errorf("file with a key after the resume window: %s", s)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if s := h.Stats(); s.Streams != 0 || s.Rooms != 0 || s.HeldBytes != 0 {
			t.Errorf("left over: %+v", s)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// member is a relay.Member that remembers.
type member struct {
	began   chan *Stream
	deleted chan string
}

func newMember() *member                   { return &member{make(chan *Stream, 10), make(chan string, 10)} }
func (m *member) Began(st *Stream)         { m.began <- st }
func (m *member) Deleted(_, stream string) { m.deleted <- stream }

func TestMembersAreToldOfStreamsOnceTheirTypeIsKnown(t *testing.T) {
	h := start(t, &Hub{})
	m := newMember()
	if _, err := h.Join(ctx, "studio", alice, m); err != nil {
		t.Fatal(err)
	}
	png, err := os.ReadFile("testdata/image.png")
	if err != nil {
		t.Fatal(err)
	}
	w := publish(t, h, Spec{Name: "x.txt"})
	write(t, w, png[:1000])
	select {
	case <-m.began:
		t.Error("announced after 1000 bytes of a large file")
	default:
	}
	write(t, w, png[1000:])
	if st := <-m.began; st.Info().Type != "image/png" {
		t.Errorf("type = %s", st.Info().Type)
	}
	late := newMember()
	view, err := h.Join(ctx, "studio", Identity{ID: "bob"}, late)
	if err != nil || len(view.Streams) != 1 || len(view.Members) != 2 {
		t.Errorf("view = %+v, %v", view, err)
	}
	finish(t, w)
	if err := h.Delete(ctx, w.Stream().ID(), alice); err != nil {
		t.Fatal(err)
	}
	if id := <-late.deleted; id != w.Stream().ID() {
		t.Errorf("deleted %s", id)
	}
	h.Leave("studio", m)
	h.Leave("studio", late)
}

func TestLimitsAreKept(t *testing.T) {
	h := start(t, &Hub{Limits: Limits{RoomMembers: 1, RoomStreams: 1, UploadBytes: 1000}})
	if _, err := h.Join(ctx, "r", alice, newMember()); err != nil {
		t.Fatal(err)
	}
	_, err := h.Join(ctx, "r", alice, newMember())
	wantCode(t, err, TooMany)
	w := publish(t, h, Spec{})
	_, err = h.Publish(ctx, Spec{Room: "studio", Who: alice})
	wantCode(t, err, TooMany)
	_, err = w.Write(random(1001))
	wantCode(t, err, TooLarge)
	big := int64(1001)
	_, err = h.Publish(ctx, Spec{Room: "other", Size: &big})
	wantCode(t, err, TooLarge)
	for _, name := range []string{"a/b", `a\b`, "a\x00b", "a\nb", string(random(300)), "\xff"} {
		if _, err := h.Publish(ctx, Spec{Room: "other", Name: name}); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	_, err = h.Publish(ctx, Spec{})
	wantCode(t, err, BadRequest)
}

func TestLateJoinersOfLiveStreamsBeginAtTheNewestKeyChunk(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, &Hub{})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, webm[:len(webm)*3/4])
	f := w.Stream().Follow(FromLive)
	defer f.Close()
	init, err := f.Next(ctx)
	if err != nil || init.Chunk == nil || !init.Chunk.Init || init.Chunk.Offset != 0 {
		t.Fatalf("first = %+v, %v; want the init segment", init, err)
	}
	gap, err := f.Next(ctx)
	if err != nil || gap.Gap == nil || gap.Gap.From != 0 || gap.Gap.Reason != "joined" {
		t.Fatalf("second = %+v, %v; want a gap", gap, err)
	}
	key, err := f.Next(ctx)
	if err != nil || key.Chunk == nil || !key.Chunk.Key || key.Chunk.Offset != gap.Gap.To {
		t.Fatalf("third = %+v, %v; want a key chunk", key, err)
	}
	if !bytes.HasPrefix(key.Chunk.Data, []byte{0x1f, 0x43, 0xb6, 0x75}) {
		t.Errorf("the key chunk begins with % x, not with a Cluster", key.Chunk.Data[:4])
	}
	if its := w.Stream().Gaps(); !maps.Equal(its, Gaps{Joined: {1, gap.Gap.To}}) {
		t.Errorf("%v are counted", its)
	}
	finish(t, w)
}

func TestReaderJumpsToTheNewestKeyChunkWhenBehind(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, &Hub{Limits: Limits{BehindBytes: 40 << 10}})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, webm[:20<<10])
	slow := w.Stream().NewReader(0, func() {})
	defer slow.Close()
	if _, err := slow.Next(ctx, false); err != nil {
		t.Fatal(err)
	}
	write(t, w, webm[20<<10:140<<10])
	item, err := slow.Next(ctx, false)
	if err != nil || item.Gap == nil || item.Gap.Reason != "behind" {
		t.Fatalf("Next = %+v, %v; want a gap", item, err)
	}
	next, err := slow.Next(ctx, false)
	if err != nil || !next.Chunk.Key || next.Chunk.Offset != item.Gap.To {
		t.Fatalf("after the gap %+v, %v; want a key chunk", next, err)
	}
	want := Gaps{Behind: {1, item.Gap.To - item.Gap.From}}
	if all, its := h.Stats().Gaps, w.Stream().Gaps(); !maps.Equal(all, want) || !maps.Equal(its, want) {
		t.Errorf("%v are counted, %v of the stream; want %v", all, its, want)
	}
	finish(t, w)
}

func TestAGapIsFollowedByWhatItLeadsTo(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, &Hub{Limits: Limits{BehindBytes: 40 << 10}})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, webm[:20<<10])
	slow := w.Stream().NewReader(0, func() {})
	defer slow.Close()
	if _, err := slow.Next(ctx, false); err != nil {
		t.Fatal(err)
	}
	write(t, w, webm[20<<10:80<<10])
	gap, err := slow.Next(ctx, false)
	if err != nil || gap.Gap == nil {
		t.Fatalf("Next = %+v, %v; want a gap", gap, err)
	}
	write(t, w, webm[80<<10:])
	next, err := slow.Next(ctx, false)
	if err != nil || next.Chunk == nil || next.Chunk.Offset != gap.Gap.To {
		t.Fatalf("after the gap to %d %+v, %v; want what is there", gap.Gap.To, next, err)
	}
	finish(t, w)
}

func TestNoMoreIsHeldInMemoryThanTwiceTheLimit(t *testing.T) {
	const limit = 2 << 20
	h := start(t, &Hub{Limits: Limits{MemoryBytes: limit}})
	for range 20 {
		w := publish(t, h, Spec{})
		defer w.Cancel()
		f := w.Stream().Follow(0)
		defer f.Close()
		write(t, w, random(700<<10))
	}
	if held := h.Stats().HeldBytes; held > 2*limit {
		t.Errorf("%d bytes held in memory; the limit is twice %d", held, limit)
	}
}

func TestTheTypeIsToldAsSoonAsEnoughHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir()}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		w := publish(t, h, Spec{})
		w.ReadFrom(bytes.NewReader(random(100)))
		time.Sleep(2 * flushDelay) // from now on it waits for more, or for the time to run out
		w.ReadFrom(bytes.NewReader(random(5000)))
		if !w.Stream().Announced() {
			t.Error("not announced with 5100 bytes")
		}
		finish(t, w)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestContentIsReadFromAnywhereInPiecesOfAnySize(t *testing.T) {
	h := start(t, &Hub{})
	content := random(700_001)
	w := publish(t, h, Spec{})
	write(t, w, content)
	finish(t, w)
	c, err := w.Stream().Content(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, from := range []int64{0, 300_000, 299_999, 10, 700_000, 700_001} {
		for _, size := range []int{1000, 300_000} {
			if _, err := c.Seek(from, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			_, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{c}, make([]byte, size))
			if err != nil || !bytes.Equal(got.Bytes(), content[from:]) {
				t.Errorf("from %d, %d at a time: %d bytes, %v; want %d", from, size, got.Len(), err, len(content)-int(from))
			}
		}
	}
}

func TestWhoWasThereWhenALiveStreamBeganMissesNothing(t *testing.T) {
	h := start(t, &Hub{Limits: Limits{BehindBytes: 100_000}})
	w := publish(t, h, Spec{Kind: Live})
	content := random(5000) // no container, and no key point
	write(t, w, content)
	r := w.Stream().NewReader(FromBirth, func() {})
	defer r.Close()
	item, err := r.Next(ctx, false)
	if err != nil || item.Chunk == nil || !bytes.Equal(item.Chunk.Data, content[:len(item.Chunk.Data)]) {
		t.Errorf("Next = %+v, %v; want the first bytes", item, err)
	}
	late := w.Stream().NewReader(FromBirth, func() {})
	defer late.Close()
	for range 3 {
		write(t, w, random(50_000))
	}
	later := w.Stream().NewReader(FromBirth, func() {})
	defer later.Close()
	if item, err = late.Next(ctx, false); err != nil || item.Gap == nil || item.Gap.Reason != "behind" || item.Gap.From != 0 {
		t.Errorf("Next of one that comes to read too late = %+v, %v; want a gap", item, err)
	}
	finish(t, w)
	if item, err = later.Next(ctx, false); err != nil || item.Gap == nil || item.Gap.Reason != "behind" || item.Gap.From != 0 {
		t.Errorf("Next of one that comes to read after the end = %+v, %v; want a gap", item, err)
	}
	wantAll(t, w.Stream().NewReader(0, func() {}))
}

func TestWhoComesToReadAShortRecordingAfterItsEndMissesNothing(t *testing.T) {
	webm, _ := liveWebM(t)
	h := start(t, &Hub{})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, webm)
	finish(t, w) // nobody reads it: nothing is left in memory
	if n := len(w.st.ring.chunks); n > 0 {
		t.Fatalf("%d chunks are in memory", n)
	}
	wantAll(t, w.Stream().NewReader(FromBirth, func() {}))
}

// wantAll reads to the end with r, and closes it.
func wantAll(t *testing.T, r *Reader) {
	t.Helper()
	defer r.Close()
	for got := int64(0); ; {
		item, err := r.Next(ctx, true)
		if err == io.EOF && got == r.st.end {
			return
		}
		if err != nil || item.Gap != nil || item.Chunk.Offset != got {
			t.Fatalf("Next = %+v, %v; want what is at %d", item, err, got)
		}
		got = item.Chunk.End()
	}
}

func TestAReaderThatKeptUpIsGivenTheEndHoweverLateItTakesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		w := publish(t, h, Spec{Kind: Live})
		r := w.Stream().NewReader(FromBirth, func() {})
		defer r.Close()
		write(t, w, random(5000))
		write(t, w, random(5000))
		finish(t, w)
		time.Sleep(time.Hour / 10)
		for want := int64(5000); want <= 10_000; want += 5000 {
			if item, err := r.Next(ctx, true); err != nil || item.Chunk == nil || item.Chunk.End() != want {
				t.Errorf("Next = %+v, %v; want what ends at %d", item, err, want)
			}
		}
	})
}

func TestAGapCountsOnceItIsGiven(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{Kind: Live})
	write(t, w, random(100_000))
	r := w.Stream().NewReader(FromLive, func() {})
	defer r.Close()
	if at := r.Offset(); at == 0 || w.Stream().Gaps() != nil {
		t.Errorf("placed at %d, %v are counted; want none", at, w.Stream().Gaps())
	}
	if item, err := r.Next(ctx, false); err != nil || !maps.Equal(w.Stream().Gaps(), Gaps{Joined: {1, item.Gap.To}}) {
		t.Errorf("Next = %+v, %v, %v are counted; want the gap", item, err, w.Stream().Gaps())
	}
	finish(t, w)
}
