package relay

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// jam is a stream whose rounds last until it is let go: one of its readers is slow to be woken.
type jam struct {
	h     *Hub
	w     *Writer
	gate  chan struct{}
	once  sync.Once
	began chan struct{} // closed when the first round is under way
	all   []*Follower
	crowd []*Reader
}

// newJam begins a stream, of which content has gone to the readers when the round begins.
func newJam(t *testing.T, h *Hub, spec Spec, content []byte) *jam {
	t.Helper()
	j := &jam{h: h, w: publish(t, h, spec), gate: make(chan struct{}), began: make(chan struct{})}
	st := j.w.Stream()
	for range fewReaders {
		j.all = append(j.all, st.Follow(0))
	}
	j.crowd = append(j.crowd, st.NewReader(0, func() {
		if st.Info().Offset == 0 {
			return // it is only announced
		}
		j.once.Do(func() { close(j.began) })
		<-j.gate
	}))
	write(t, j.w, content)
	<-j.began
	return j
}

// letGo ends the round.
func (j *jam) letGo() { close(j.gate) }

// want reads all there is with each reader: content, and then the end.
func (j *jam) want(t *testing.T, content []byte, end error) {
	t.Helper()
	for _, f := range j.all {
		var got []byte
		for {
			item, err := f.Next(ctx)
			if err != nil {
				if err != end {
					t.Errorf("Next after %d bytes: %v; want %v", len(got), err, end)
				}
				break
			}
			got = append(got, item.Chunk.Data...)
		}
		if end == io.EOF && !bytes.Equal(got, content) {
			t.Errorf("a reader got %d bytes; want the %d that were published", len(got), len(content))
		}
	}
	j.close()
}

func (j *jam) close() {
	for _, f := range j.all {
		f.Close()
	}
	for _, r := range j.crowd {
		r.Close()
	}
}

// inBubble runs test with a hub in a bubble, at whose end nothing of it is left.
func inBubble(t *testing.T, test func(t *testing.T, h *Hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir()}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		test(t, h)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPiecesThatComeDuringARoundGoOutTogetherAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content := random(14_000)
		j := newJam(t, h, Spec{}, content[:5000])
		for i := 5000; i < len(content); i += 10 {
			write(t, j.w, content[i:i+10])
		}
		if offset := j.w.Stream().Info().Offset; offset != 5000 {
			t.Errorf("readers may read up to %d during the round; want 5000", offset)
		}
		f := j.all[0]
		if item, err := f.Next(ctx); err != nil || len(item.Chunk.Data) != 5000 {
			t.Fatalf("Next = %+v, %v; want the first piece", item, err)
		}
		j.letGo()
		item, err := f.Next(ctx) // no time passes
		if err != nil || item.Chunk.Offset != 5000 || !bytes.Equal(item.Chunk.Data, content[5000:]) {
			t.Errorf("Next = %+v, %v; want the rest in one chunk", item, err)
		}
		finish(t, j.w)
		j.close()
	})
}

func TestWhatIsAppendedDuringARoundWakesItsReadersOnceMore(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content := random(5000 + blockBytes)
		j := newJam(t, h, Spec{}, content[:5000])
		f := j.all[0]
		if item, err := f.Next(ctx); err != nil || len(item.Chunk.Data) != 5000 {
			t.Fatalf("Next = %+v, %v; want the first piece", item, err)
		}
		got := make(chan Item)
		go func() {
			item, err := f.Next(ctx)
			if err != nil {
				t.Error(err)
			}
			got <- item
		}()
		synctest.Wait()                                      // it was woken in this round, and found nothing
		if _, err := j.w.Write(content[5000:]); err != nil { // a full block is not held back
			t.Fatal(err)
		}
		if offset := j.w.Stream().Info().Offset; offset != int64(len(content)) {
			t.Errorf("readers may read up to %d; want %d", offset, len(content))
		}
		j.letGo()
		if item := <-got; !bytes.Equal(item.Chunk.Data, content[5000:]) {
			t.Error("the reader got other bytes")
		}
		finish(t, j.w)
		j.close()
	})
}

func TestAPublisherWaitsForARoundOnlyWhenFarTooMuchHasCome(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content := random(3 << 20)
		j := newJam(t, h, Spec{}, content[:5000])
		var written atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 5000; i < len(content); {
				end := min(i+64<<10, len(content))
				if _, err := j.w.Write(content[i:end]); err != nil {
					t.Error(err)
					return
				}
				i = end
				written.Store(int64(end))
			}
		}()
		synctest.Wait()
		if n := written.Load(); n < roundBytes/2 || n > roundBytes+2*blockBytes {
			t.Errorf("the publisher waits after %d bytes; want about %d", n, roundBytes)
		}
		j.letGo()
		<-done
		finish(t, j.w)
		j.want(t, content, io.EOF)
	})
}

func TestAStreamMayEndInTheMiddleOfARound(t *testing.T) {
	gone := errors.New("gone")
	for name, end := range map[string]func(t *testing.T, j *jam){
		"finish": func(t *testing.T, j *jam) { finish(t, j.w) },
		"cancel": func(t *testing.T, j *jam) {
			if err := j.w.Cancel(); err != nil {
				t.Error(err)
			}
		},
		"fail":    func(_ *testing.T, j *jam) { j.w.Fail(gone) },
		"abandon": func(_ *testing.T, j *jam) { j.w.Abandon() },
		"delete": func(t *testing.T, j *jam) {
			if err := j.h.Delete(ctx, j.w.Stream().ID(), alice); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				content := random(9000)
				j := newJam(t, h, Spec{}, content[:5000])
				write(t, j.w, content[5000:]) // is held back
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					end(t, j) // its readers are woken by who ends it: that one waits, too
				}()
				synctest.Wait()
				j.letGo()
				<-ended
				want := io.ErrUnexpectedEOF
				if name == "finish" {
					want = io.EOF
				}
				j.want(t, content, want)
			})
		})
	}
}

func TestWhatWasHeldBackDuringARoundOutlivesItsPublisher(t *testing.T) {
	for _, kind := range []Kind{File, Live} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *Hub) {
				content := random(9000)
				j := newJam(t, h, Spec{Kind: kind, Key: "k"}, content[:5000])
				write(t, j.w, content[5000:7000])
				j.w.Abandon()
				w := publish(t, h, Spec{Kind: kind, Key: "k"})
				if w.Offset() != 7000 {
					t.Errorf("the next publisher begins at %d; want 7000", w.Offset())
				}
				write(t, w, content[7000:8000])
				w = publish(t, h, Spec{Kind: kind, Key: "k"}) // in place of one that is there
				write(t, w, content[8000:])
				j.letGo()
				if sum := finish(t, w).SHA256; sum != hexSum(content) {
					t.Error("the stream has other bytes")
				}
				j.want(t, content, io.EOF)
			})
		})
	}
}

func TestClosingAHubWaitsForTheRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		h := &Hub{Dir: dir}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		content := random(9000)
		j := newJam(t, h, Spec{Key: "k"}, content[:5000])
		write(t, j.w, content[5000:]) // is held back
		closed := make(chan error)
		go func() { closed <- h.Close() }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Fatalf("Close = %v before the end of the round", err)
		default:
		}
		j.letGo()
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		j.close()
		h = &Hub{Dir: dir}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		w := publish(t, h, Spec{Key: "k"})
		if n := w.Offset(); n != int64(len(content)) {
			t.Errorf("the spool has %d bytes; want %d", n, len(content))
		}
		if err := w.Cancel(); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadersThatComeAndGoDuringARoundMissNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content := random(9000)
		j := newJam(t, h, Spec{}, content[:5000])
		write(t, j.w, content[5000:6000])
		late := j.w.Stream().Follow(0)
		j.all[0].Close() // few are left
		j.all[0] = late
		got := make(chan []byte)
		go func() { got <- drain(t, late) }()
		synctest.Wait() // it has all that may be read
		j.letGo()
		synctest.Wait()
		write(t, j.w, content[6000:])
		finish(t, j.w)
		if !bytes.Equal(<-got, content) {
			t.Error("a reader that came during a round got other bytes")
		}
		j.all[0] = j.w.Stream().Follow(0)
		j.want(t, content, io.EOF)
	})
}
