package relay

import (
	"bytes"
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
