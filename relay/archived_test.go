package relay

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestAnUploadThatOnlyTheStoreHasIsShownWhenPublishedAgain(t *testing.T) {
	h := start(t, &Hub{Archive: newShelf()})
	content := random(300_000)
	size := int64(len(content))
	spec := Spec{Key: "k", Name: "a.bin", Size: &size}
	w := publish(t, h, spec)
	write(t, w, content)
	info := finish(t, w)
	if n := h.Stats().Streams; n != 0 {
		t.Fatalf("%d streams in memory", n)
	}
	again := publish(t, h, spec)
	if !again.Done() || again.Offset() != size || again.Stream().ID() != info.ID {
		t.Errorf("published again: done %v, offset %d, stream %s", again.Done(), again.Offset(), again.Stream().ID())
	}
	if done := finish(t, again); done.SHA256 != info.SHA256 {
		t.Errorf("finished again: %+v", done)
	}
	wantCode(t, again.Chunk(size+1, bytes.NewReader(nil), 0), Conflict)
	if err := again.Chunk(0, bytes.NewReader(content), size); err != nil {
		t.Errorf("a chunk that is held already: %v", err)
	}

	st, err := h.Stream(ctx, info.ID, alice)
	if err != nil {
		t.Fatal(err)
	}
	f := st.Follow(0)
	defer f.Close()
	if !bytes.Equal(drain(t, f), content) {
		t.Error("a reader of the store got other bytes")
	}
}

func TestTheNextRunKnowsWhatWasFinished(t *testing.T) {
	dir, archive := t.TempDir(), newShelf()
	content := random(1000)
	specs := []Spec{{Key: "a"}, {Key: "b"}, {Key: "deleted"}}
	ids := map[string]string{}
	for run := range 4 {
		h := &Hub{Dir: dir, Archive: archive}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		for _, spec := range specs {
			w := publish(t, h, spec)
			switch id := w.Stream().ID(); {
			case run == 0:
				ids[spec.Key] = id
				write(t, w, content)
				finish(t, w)
			case spec.Key == "deleted" && run > 1:
				if w.Done() {
					t.Errorf("run %d: what was deleted is shown as finished", run)
				}
				w.Cancel()
			case !w.Done() || id != ids[spec.Key]:
				t.Errorf("run %d: published again, %s is %s, done: %v; want %s", run, spec.Key, id, w.Done(), ids[spec.Key])
			}
		}
		if run == 1 {
			if err := h.Delete(ctx, ids["deleted"], alice); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if run == 2 { // a crash in the middle of a line
			f, err := os.OpenFile(filepath.Join(dir, finishedFile), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(`{"key":"c","info":{"id":`)
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
}
