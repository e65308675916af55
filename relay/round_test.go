package relay

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
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

// chaos publishes and reads at random, and knows what all should be.
type chaos struct {
	h       *Hub
	publish sync.WaitGroup
	read    sync.WaitGroup
	bytes   atomic.Int64 // that readers have compared
}

// show is one stream of a chaos.
type show struct {
	chaos   *chaos
	seed    uint64
	rand    *rand.Rand // the publisher's
	content []byte
	spec    Spec
	w       *Writer
}

func TestEveryReaderIsGivenWhatWasPublishedWhateverHappens(t *testing.T) {
	webm, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	shelf := newShelf()
	c := &chaos{h: start(t, &Hub{Archive: &vault{shelf}, Limits: Limits{RingBytes: 300 << 10, MemoryBytes: 6 << 20, BehindBytes: 600 << 10}})}
	for i := range uint64(40) {
		s := &show{chaos: c, seed: i, rand: rand.New(rand.NewPCG(i, 1))}
		s.content = make([]byte, 1+s.rand.IntN(1<<20))
		rand.NewChaCha8([32]byte{byte(i), 1}).Read(s.content)
		s.spec = Spec{Name: strconv.FormatUint(i, 10), Key: "key " + strconv.FormatUint(i, 10)}
		switch i % 4 {
		case 1:
			s.spec.Kind = Live
		case 2:
			s.spec.Kind = Live
			s.content = slices.Concat(webm, webm, webm, webm)
		case 3:
			s.content = s.content[:s.rand.IntN(6000)]
		}
		c.publish.Go(func() { s.run(t) })
	}
	c.publish.Wait()
	c.read.Wait()
	c.h.wg.Wait() // streams that failed are let go of
	if n := c.bytes.Load(); n < 16<<20 {
		t.Errorf("readers compared only %d bytes", n)
	}
	if n := c.h.Stats().HeldBytes; n != 0 {
		t.Errorf("%d bytes are held of streams that nobody reads", n)
	}
	for id, info := range shelf.infos {
		if hexSum(shelf.contents[id]) != info.SHA256 {
			t.Errorf("stream %s is archived with other bytes", info.Name)
		}
	}
}

// vault reads what it keeps as relay/archive does, which lends no chunk.
type vault struct{ *shelf }

func (v *vault) Keep(st *Stream) {
	content, err := st.Content(ctx)
	if err != nil {
		return // deleted
	}
	defer content.Close()
	all, err := io.ReadAll(content)
	if err != nil {
		return
	}
	info := st.Info()
	if info.State != Ended {
		return
	}
	info.State = Archived
	v.mu.Lock()
	v.infos[st.ID()], v.contents[st.ID()] = info, all
	v.mu.Unlock()
	st.Archived(info)
}

// run publishes the stream to one end or another.
func (s *show) run(t *testing.T) {
	s.w = publish(t, s.chaos.h, s.spec)
	var lost sync.WaitGroup // publishers that lost the stream
	defer lost.Wait()
	end := len(s.content)
	cut := s.rand.IntN(4) == 0 // it comes to a bad end
	if cut {
		end = s.rand.IntN(end + 1)
	}
	for at := 0; at < end; {
		if s.rand.IntN(4) == 0 {
			s.reader(t, s.rand.Uint64())
		}
		n := min(s.pieceBytes(), end-at)
		if err := s.piece(s.content[at:at+n], int64(at)); err != nil {
			t.Errorf("stream %d: piece at %d: %v", s.seed, at, err)
			return
		}
		at += n
		if s.rand.IntN(10) == 0 {
			s.takeOver(t, &lost)
		}
	}
	if cut {
		s.cut(t)
		return
	}
	info, err := s.w.Finish(ctx, hexSum(s.content))
	if err != nil || info.SHA256 != hexSum(s.content) {
		t.Errorf("stream %d: Finish = %+v, %v", s.seed, info, err)
	}
	s.reader(t, s.rand.Uint64()) // of what the store has
}

// pieceBytes is 1 B to 300 KiB, mostly little.
func (s *show) pieceBytes() int {
	return 1 + s.rand.IntN([]int{16, 3000, 30_000, 100_000, 300 << 10}[s.rand.IntN(5)])
}

func (s *show) piece(p []byte, at int64) (err error) {
	switch s.rand.IntN(5) {
	case 0:
		_, err = s.w.Write(p)
	case 1:
		_, err = s.w.ReadFrom(&crumbs{p, s.rand.IntN(len(p)) + 1})
	case 2:
		_, err = s.w.ReadSized(bytes.NewReader(p), int64(len(p)))
	case 3:
		if _, err = s.w.Write(p); err == nil {
			_, err = s.w.Sync()
		}
	default:
		from := max(0, at-int64(s.rand.IntN(1000)))
		err = s.w.Chunk(from, bytes.NewReader(s.content[from:at+int64(len(p))]), at+int64(len(p))-from)
	}
	return err
}

// crumbs yields p in pieces.
type crumbs struct {
	p []byte
	n int
}

func (c *crumbs) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), c.n)], c.p)
	if c.p = c.p[n:]; len(c.p) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// takeOver publishes the stream again while its publisher is reading, which goes on to do so.
func (s *show) takeOver(t *testing.T, lost *sync.WaitGroup) {
	old := &late{reading: make(chan struct{}), gate: make(chan struct{})}
	if s.rand.IntN(2) == 0 {
		w := s.w
		lost.Go(func() {
			_, err := w.ReadFrom(old)
			if !errors.As(err, new(*Error)) {
				t.Errorf("stream %d: who lost it: %v", s.seed, err)
			}
		})
		<-old.reading
		defer close(old.gate)
	} else {
		s.w.Abandon()
	}
	at := s.w.Offset()
	s.w = publish(t, s.chaos.h, s.spec)
	if s.w.Offset() != at {
		t.Errorf("stream %d: taken over at %d; want %d", s.seed, s.w.Offset(), at)
	}
}

// late is a publisher's source that fills what it was to read to when it is too late.
type late struct{ reading, gate chan struct{} }

func (l *late) Read(p []byte) (int, error) {
	close(l.reading)
	<-l.gate
	for i := range p {
		p[i] = 0xee
	}
	return len(p), nil
}

// cut ends the stream before its end, while its publisher is reading.
func (s *show) cut(t *testing.T) {
	old := &late{reading: make(chan struct{}), gate: make(chan struct{})}
	var work sync.WaitGroup
	defer work.Wait()
	w := s.w
	work.Go(func() {
		if _, err := w.ReadFrom(old); !errors.As(err, new(*Error)) {
			t.Errorf("stream %d: who wrote it: %v", s.seed, err)
		}
	})
	<-old.reading
	defer close(old.gate)
	switch s.rand.IntN(3) {
	case 0:
		if err := s.w.Cancel(); err != nil {
			t.Errorf("stream %d: Cancel: %v", s.seed, err)
		}
	case 1:
		if err := s.chaos.h.Delete(ctx, s.w.Stream().ID(), alice); err != nil {
			t.Errorf("stream %d: Delete: %v", s.seed, err)
		}
	case 2:
		s.w.Fail(errors.New("cut"))
	}
}

// reader begins to read the stream somewhere; it may leave before the end.
func (s *show) reader(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	st := s.w.Stream()
	from := FromLive
	if r.IntN(3) > 0 {
		from = r.Int64N(st.Info().Offset + 1)
	}
	steps := 1 << 30
	if r.IntN(2) == 0 {
		steps = r.IntN(20)
	}
	s.chaos.read.Go(func() {
		f := st.Follow(from)
		defer f.Close()
		if err := s.follow(f, steps); err != nil {
			t.Errorf("stream %d (%s) from %d: %v", s.seed, st.Kind(), from, err)
		}
	})
}

// follow compares what f gives, as it comes, and once more when it comes to its end.
func (s *show) follow(f *Follower, steps int) error {
	var had []*Chunk
	next := f.Offset()
	if f.Stream().Kind() == Live {
		next = -1 // a gap may come first
	}
	for range steps {
		item, err := f.Next(ctx)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
		if g := item.Gap; g != nil {
			if next >= 0 && g.From != next || g.To <= g.From {
				return errors.New("a gap that does not follow")
			}
			next = g.To
			continue
		}
		c := item.Chunk
		had = append(had, c)
		if c.Init {
			continue
		}
		if next >= 0 && c.Offset != next || len(c.Data) == 0 {
			return errors.New("a chunk at " + strconv.FormatInt(c.Offset, 10) + "; want " + strconv.FormatInt(next, 10))
		}
		next = c.End()
		if err := s.compare(c); err != nil {
			return err
		}
	}
	for _, c := range had {
		if err := s.compare(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *show) compare(c *Chunk) error {
	s.chaos.bytes.Add(int64(len(c.Data)))
	if c.End() > int64(len(s.content)) || !bytes.Equal(c.Data, s.content[c.Offset:c.End()]) {
		return errors.New("other bytes at " + strconv.FormatInt(c.Offset, 10))
	}
	return nil
}
