package archive

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"sluice/internal/lab"
	"sluice/relay"
)

func TestALiveStreamIsArchivedWholeThoughTheSpoolKeepsLittleOfIt(t *testing.T) {
	const keep = part // bytes
	limits := relay.Limits{LiveKeepBytes: keep}
	server, folder := lab.StartS3(t), t.TempDir()
	h, store := growing(t, server, folder)
	h.close()
	h = openWith(t, folder, store, limits)
	content := film(8*part + 7)
	w := h.begin(relay.Spec{Kind: relay.Live})
	st := w.Stream()
	spooled := func() int64 {
		_, size := st.Spooled()
		return size - st.Start()
	}
	step := func(h *house, w *relay.Writer, to int64) {
		h.Helper()
		h.write(w, content[w.Offset():to])
		if to%part == 0 {
			store.wait(t, to)
		}
	}
	for to := int64(part); to <= 5*part; to += part / 2 {
		step(h, w, to)
		if to >= 3*part {
			h.until("the spool has given up what the store has", func(Stats) bool { return spooled() <= keep+part })
		}
	}
	// The store cannot be reached, and nothing of what it lacks is given up.
	server.Kill()
	h.write(w, content[w.Offset():6*part])
	if kept := st.Start(); kept > 5*part {
		t.Errorf("the spool begins at %d though the store has no more than %d bytes", kept, 5*part)
	}
	h.closeNow()
	server.Start()

	h = openWith(t, folder, store, limits) // the next process ends it, as nobody comes back to it
	id := st.ID()
	again, err := h.hub.Stream(t.Context(), id, relay.Identity{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	end := again.Follow(0)
	defer end.Close()
	for !again.Info().Over() {
		if err := end.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	info := h.archived(again)
	if *info.Size != 6*part || info.SHA256 != hexSum(content[:6*part]) {
		t.Errorf("archived as %+v; want the hash of %d bytes", info, 6*part)
	}
	if keys := h.keys(mediaFolder); len(keys) != 1 || !bytes.Equal(h.read(keys[0]), content[:6*part]) {
		t.Errorf("the store has %q; want what came", keys)
	}
	if n := uploads(t, store.Store); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	f := again.Follow(0) // the store has all of it again
	defer f.Close()
	var got []byte
	for {
		item, err := f.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || item.Gap != nil {
			t.Fatalf("a reader of what is archived gets %+v, %v", item.Gap, err)
		}
		got = append(got, item.Chunk.Data...)
	}
	if !bytes.Equal(got, content[:6*part]) {
		t.Errorf("a reader of what is archived gets %d bytes; want all", len(got))
	}
}
