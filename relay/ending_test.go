package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is an Archive in memory.
type shelf struct {
	mu       sync.Mutex
	infos    map[string]Info // guarded by mu, as is all below
	contents map[string][]byte
}

func newShelf() *shelf { return &shelf{infos: map[string]Info{}, contents: map[string][]byte{}} }

func (a *shelf) KeepFrom() int64 { return math.MaxInt64 }

func (a *shelf) Keep(st *Stream) {
	f := st.Follow(0)
	var content []byte
	for {
		item, err := f.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			f.Close()
			return
		}
		content = append(content, item.Chunk.Data...)
	}
	f.Close()
	info := st.Info()
	info.State = Archived
	a.mu.Lock()
	a.infos[st.ID()], a.contents[st.ID()] = info, content
	a.mu.Unlock()
	st.Archived(info)
}

func (a *shelf) Find(_ context.Context, id string) (Info, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if info, ok := a.infos[id]; ok {
		return info, nil
	}
	return Info{}, fs.ErrNotExist
}

func (a *shelf) List(_ context.Context, room, before string, limit int) (infos []Info, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, info := range a.infos {
		if info.Room == room && (before == "" || id < before) && len(infos) < limit {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (a *shelf) Open(_ context.Context, info Info, offset, _ int64) (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	content, ok := a.contents[info.ID]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(content[offset:])), nil
}

func (a *shelf) Delete(_ context.Context, info Info) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.infos, info.ID)
	delete(a.contents, info.ID)
	return nil
}

func TestAStreamMayBeDeletedWhileItIsWritten(t *testing.T) {
	h := start(t, &Hub{})
	for range 200 {
		w := publish(t, h, Spec{})
		write(t, w, random(100))
		var work sync.WaitGroup
		work.Go(func() {
			for {
				if _, err := w.Sync(); err != nil {
					wantCode(t, err, Gone)
					return
				}
			}
		})
		work.Go(func() {
			if err := h.Delete(ctx, w.Stream().ID(), alice); err != nil {
				t.Error(err)
			}
		})
		work.Wait()
	}
}

func TestADeletedStreamStaysDeleted(t *testing.T) {
	h := start(t, &Hub{Archive: newShelf()})
	for range 200 {
		w := publish(t, h, Spec{})
		write(t, w, random(100))
		var work sync.WaitGroup
		var info Info
		var finishErr, deleteErr error
		work.Go(func() { info, finishErr = w.Finish(ctx, "") })
		work.Go(func() { deleteErr = h.Delete(ctx, w.Stream().ID(), alice) })
		work.Wait()
		if deleteErr != nil {
			t.Fatal(deleteErr)
		}
		_, err := h.Stream(ctx, w.Stream().ID(), alice)
		wantCode(t, err, NotFound)
		if finishErr != nil {
			wantCode(t, finishErr, Gone)
		} else if info.State != Ended {
			t.Fatalf("finished as %s", info.State)
		}
		if s := h.Stats(); s.Streams != 0 || s.HeldBytes != 0 {
			t.Fatalf("left over: %+v", s)
		}
	}
}

func TestADeletedUploadIsNotShownAsFinished(t *testing.T) {
	h := start(t, &Hub{Archive: newShelf()})
	spec := Spec{Key: "k", Name: "a.bin"}
	w := publish(t, h, spec)
	write(t, w, []byte("first"))
	id := finish(t, w).ID
	if again := publish(t, h, spec); !again.Done() {
		t.Fatal("an archived upload is not shown when published again")
	}
	if err := h.Delete(ctx, id, alice); err != nil {
		t.Fatal(err)
	}
	again := publish(t, h, spec)
	if again.Done() || again.Stream().ID() == id {
		t.Fatal("a deleted upload is shown as finished")
	}
	finish(t, again)
}

func TestBytesThatCameBeforeTheEndAreDurableAfterIt(t *testing.T) {
	h := start(t, &Hub{Archive: newShelf()})
	w := publish(t, h, Spec{})
	write(t, w, random(1000))
	finish(t, w)
	if offset, err := w.Sync(); offset != 1000 || err != nil {
		t.Errorf("Sync after Finish = %d, %v; want 1000", offset, err)
	}
	failed := publish(t, h, Spec{})
	write(t, failed, random(1000))
	if _, err := failed.Finish(ctx, hexSum(nil)); err == nil {
		t.Fatal("a wrong sum was taken")
	}
	_, err := failed.Sync()
	wantCode(t, err, Gone)
}

func TestReadersOfADeletedStreamSeeItsEnd(t *testing.T) {
	h := start(t, &Hub{Limits: Limits{RingBytes: 1}})
	w := publish(t, h, Spec{})
	write(t, w, random(4<<20))
	finish(t, w)
	for range 50 {
		if err := readThrough(w.Stream(), nil); err != nil {
			t.Fatal(err)
		}
	}
	err := readThrough(w.Stream(), func() {
		if err := h.Delete(ctx, w.Stream().ID(), alice); err != nil {
			t.Error(err)
		}
	})
	if err != io.ErrUnexpectedEOF {
		t.Errorf("reading what was deleted: %v", err)
	}
}

// readThrough reads st to its end, and calls between after the first chunk.
func readThrough(st *Stream, between func()) error {
	f := st.Follow(0)
	defer f.Close()
	for n := 0; ; n++ {
		_, err := f.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 && between != nil {
			between()
		}
	}
}

func TestABusyReaderDoesNotKeepAnArchivedStreamInTheSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir(), Archive: newShelf(), Limits: Limits{ResumeWindow: time.Minute}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		content := random(3 << 20)
		w := publish(t, h, Spec{})
		slow := w.Stream().Follow(0)
		write(t, w, content)
		finish(t, w)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := h.Stats().Streams; n != 0 || w.Stream().Path() != "" {
			t.Errorf("%d streams in memory, file %q", n, w.Stream().Path())
		}
		if !bytes.Equal(drain(t, slow), content) {
			t.Error("the reader got other bytes from the store")
		}
		slow.Close()
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAListShowsAStreamOnceAndAsItIs(t *testing.T) {
	a := newShelf()
	h := start(t, &Hub{Archive: a})
	archived := publish(t, h, Spec{})
	write(t, archived, []byte("x"))
	finish(t, archived)
	open := publish(t, h, Spec{})
	write(t, open, random(5000))
	info := open.Stream().Info()
	info.State = Archived // as if the store had it before this process knows
	a.infos[info.ID] = info
	infos, err := h.List(ctx, "studio", "", 10, alice)
	if err != nil || len(infos) != 2 || infos[0].ID != info.ID || infos[0].State != Open || infos[1].State != Archived {
		t.Errorf("List = %+v, %v", infos, err)
	}
	if err := open.Cancel(); err != nil {
		t.Fatal(err)
	}
}
