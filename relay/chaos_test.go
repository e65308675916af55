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
)

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
			s.content = s.content[:min(len(s.content), s.rand.IntN(6000))]
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
