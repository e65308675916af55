package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// far is an archive that tells how it is read, and may be slow and fail.
type far struct {
	*shelf
	opened, closed atomic.Int32
	gate           chan struct{} // nil: it is open
	fault          error
}

type farBody struct {
	io.ReadCloser
	far *far
	ctx context.Context
}

func (a *far) Open(ctx context.Context, info Info, offset, length int64) (io.ReadCloser, error) {
	if err := a.fault; err != nil {
		a.fault = nil
		return nil, err
	}
	a.opened.Add(1)
	body, err := a.shelf.Open(ctx, info, offset, length)
	return &farBody{body, a, ctx}, err
}

func (b *farBody) Read(p []byte) (int, error) {
	if b.far.gate != nil {
		select {
		case <-b.far.gate:
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
	}
	return b.ReadCloser.Read(p)
}

func (b *farBody) Close() error {
	b.far.closed.Add(1)
	return b.ReadCloser.Close()
}

// archived starts a hub, and archives content.
func archived(t *testing.T, content []byte, limits Limits) (*Hub, *far, string) {
	t.Helper()
	a := &far{shelf: newShelf()}
	h := start(t, &Hub{Archive: a, Limits: limits})
	w := publish(t, h, Spec{})
	write(t, w, content)
	info := finish(t, w)
	if h.Has(info.ID) {
		t.Fatal("the stream is still in the spool")
	}
	return h, a, info.ID
}

// readers returns so many of a stream, from its beginning.
func readers(t *testing.T, h *Hub, id string, n int) (all []*Reader) {
	t.Helper()
	for range n {
		st, err := h.Stream(ctx, id, alice)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, st.NewReader(0, func() {}))
	}
	return all
}

// rest reads what r has left.
func rest(t *testing.T, r *Reader) (got []byte) {
	t.Helper()
	for {
		item, err := r.Next(ctx, true)
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatalf("Next after %d bytes: %v", len(got), err)
		}
		got = append(got, item.Chunk.Data...)
	}
}

func TestReadersThatAreCloseShareWhatIsRead(t *testing.T) {
	content := random(3<<20 + 5)
	h, a, id := archived(t, content, Limits{})
	all := readers(t, h, id, 5)
	var got []byte
	for len(got) < len(content) {
		first, err := all[0].Next(ctx, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all[1:] {
			if item, err := r.Next(ctx, false); err != nil || item.Chunk != first.Chunk {
				t.Fatalf("another reader at %d gets %+v, %v; want the same chunk, without waiting", first.Chunk.Offset, item, err)
			}
		}
		got = append(got, first.Chunk.Data...)
	}
	if !bytes.Equal(got, content) {
		t.Error("what was read is not what was published")
	}
	for _, r := range all {
		if _, err := r.Next(ctx, true); err != io.EOF {
			t.Errorf("Next at the end = %v; want io.EOF", err)
		}
		r.Close()
	}
	if n := a.opened.Load(); n != 1 {
		t.Errorf("the store was asked %d times; want once for all", n)
	}
}

func TestReadersThatBeganElsewhereComeToShare(t *testing.T) {
	content := random(2 << 20)
	h, _, id := archived(t, content, Limits{})
	all := readers(t, h, id, 2)
	defer all[0].Close()
	defer all[1].Close()
	all[1].next = 1000
	for range 2 {
		if _, err := all[1].Next(ctx, true); err != nil {
			t.Fatal(err)
		}
	}
	if got := rest(t, all[0]); !bytes.Equal(got, content) {
		t.Error("what was read is not what was published")
	}
	if item, err := all[1].Next(ctx, false); err != nil || item.Chunk == nil {
		t.Errorf("Next = %+v, %v; want what the other has just read", item, err)
	}
}

func TestWhatIsKeptForOtherReadersIsBounded(t *testing.T) {
	const limit = 1 << 20
	content := random(8 << 20)
	h, _, id := archived(t, content, Limits{SharedBytes: limit})
	all := readers(t, h, id, 2)
	if _, err := all[1].Next(ctx, true); err != nil { // and stays behind
		t.Fatal(err)
	}
	rest(t, all[0])
	if n := h.depot.bytes; n < limit/2 || n > limit {
		t.Errorf("%d bytes are kept; the limit is %d", n, limit)
	}
	if got := rest(t, all[1]); !bytes.Equal(got, content[len(content)-len(got):]) {
		t.Error("the reader that was behind got other bytes")
	}
	all[0].Close()
	all[1].Close()
	if n := len(h.depot.kept) + len(h.depot.backlogs); n > 0 || h.depot.bytes != 0 {
		t.Errorf("%d things, %d bytes are kept for nobody", n, h.depot.bytes)
	}
}

func TestNothingIsKeptForAReaderThatIsAlone(t *testing.T) {
	h, a, id := archived(t, random(1<<20), Limits{})
	r := readers(t, h, id, 1)[0]
	rest(t, r)
	if h.depot.bytes != 0 {
		t.Errorf("%d bytes are kept for nobody", h.depot.bytes)
	}
	if opened, closed := a.opened.Load(), a.closed.Load(); opened != 1 || closed != 0 {
		t.Errorf("opened %d times, closed %d; want one that is read on", opened, closed)
	}
	r.Close()
	if n := a.closed.Load(); n != 1 {
		t.Errorf("closed %d times; want once, with the reader", n)
	}
}

func TestAReaderThatLeavesNeitherWaitsForTheStoreNorSpoilsItForOthers(t *testing.T) {
	content := random(100 << 10)
	synctest.Test(t, func(t *testing.T) {
		h, a, id := archived(t, content, Limits{})
		a.gate = make(chan struct{})
		all := readers(t, h, id, 2)
		leaving, leave := context.WithCancel(ctx)
		left, got := make(chan error), make(chan []byte)
		go func() {
			_, err := all[0].Next(leaving, true)
			all[0].Close()
			left <- err
		}()
		synctest.Wait() // the first has the store read
		go func() { got <- rest(t, all[1]) }()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("Next = %v; want %v", err, context.Canceled)
		}
		close(a.gate)
		if !bytes.Equal(<-got, content) {
			t.Error("the other reader got other bytes")
		}
		all[1].Close()
	})
}

func TestTheLastReaderThatLeavesEndsTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a, id := archived(t, random(100<<10), Limits{})
		a.gate = make(chan struct{})
		r := readers(t, h, id, 1)[0]
		leaving, leave := context.WithCancel(ctx)
		leave()
		if _, err := r.Next(leaving, true); !errors.Is(err, context.Canceled) {
			t.Errorf("Next = %v; want %v", err, context.Canceled)
		}
		r.Close()
		synctest.Wait()
		if opened, closed := a.opened.Load(), a.closed.Load(); opened != closed {
			t.Errorf("opened %d times, closed %d", opened, closed)
		}
	})
}

func TestAnErrorOfTheStoreIsNotRemembered(t *testing.T) {
	content := random(100 << 10)
	h, a, id := archived(t, content, Limits{})
	a.fault = io.ErrClosedPipe
	r := readers(t, h, id, 1)[0]
	defer r.Close()
	if _, err := r.Next(ctx, true); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Next = %v; want the store's error", err)
	}
	if got := rest(t, r); !bytes.Equal(got, content) {
		t.Error("the bytes read afterwards are others")
	}
}

func TestAReaderOfTheStoreDoesNotShareWhatTheSpoolHasNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := random(100 << 10)
		a := &far{shelf: newShelf()}
		h := &Hub{Dir: t.TempDir(), Archive: a}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		w := publish(t, h, Spec{})
		write(t, w, content)
		id := finish(t, w).ID
		b := h.backlog(id)
		early := &piece{of: b, want: want{place: place{0, w.log}, size: len(content)}, done: make(chan struct{})}
		b.coming[early.want.place] = early // one that read the spool is still at it
		r := readers(t, h, id, 1)[0]
		got := make(chan []byte)
		go func() { got <- rest(t, r) }()
		synctest.Wait()
		go early.run()
		if !bytes.Equal(<-got, content) {
			t.Error("the reader got other bytes")
		}
		<-early.done
		if !errors.Is(early.err, fs.ErrNotExist) {
			t.Errorf("the spool says %v; want that it has the stream no more", early.err)
		}
		r.Close()
		b.leave()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
