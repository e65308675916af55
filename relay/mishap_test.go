package relay

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// restart closes h and has another hub take up what it left, with what limits it is to have.
func restart(t *testing.T, h *Hub, limits Limits, between func(dir string)) *Hub {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if between != nil {
		between(h.Dir)
	}
	h = &Hub{Dir: h.Dir, Limits: limits}
	if err := h.Start(); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func started(t *testing.T) *Hub {
	t.Helper()
	h := &Hub{Dir: t.TempDir()}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTheLimitsKeepNoServerFromStarting(t *testing.T) {
	h := started(t)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		w := publish(t, h, Spec{Key: key})
		write(t, w, random(1000))
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, w.Stream().ID())
	}
	h = restart(t, h, Limits{RoomStreams: 2, Streams: 2}, nil)
	for i, key := range []string{"a", "b", "c"} {
		if w := publish(t, h, Spec{Key: key}); w.Stream().ID() != ids[i] || w.Offset() != 1000 {
			t.Errorf("upload %s goes on as %s at %d; want %s at 1000", key, w.Stream().ID(), w.Offset(), ids[i])
		}
	}
}

func TestALineThatIsCutOffHidesNoOtherFinishedUpload(t *testing.T) {
	h := started(t)
	until := time.Now().Add(time.Hour)
	put := func(key string, until time.Time) {
		h.writeFinished(finished{Key: key, Info: Info{ID: key}, Until: until})
	}
	put("a", until)
	put("b", until)
	torn, err := json.Marshal(finished{Key: "c", Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.uploads.file.Write(torn[:20]); err != nil { // as on a full disk
		t.Fatal(err)
	}
	h.uploads.torn = true
	put("d", until)
	put("b", time.Time{}) // deleted
	h = restart(t, h, Limits{}, nil)
	var got []string
	for key := range h.finished {
		got = append(got, key)
	}
	if slices.Sort(got); !slices.Equal(got, []string{"a", "d"}) {
		t.Errorf("the next run knows %q; want a and d", got)
	}
}

func TestAnEndWhoseHeaderIsLostIsAnEndAllTheSame(t *testing.T) {
	h := started(t)
	content := random(300_000)
	w := publish(t, h, Spec{Key: "k"})
	write(t, w, content)
	want := finish(t, w)
	id := w.Stream().ID()
	h = restart(t, h, Limits{}, func(dir string) {
		name := filepath.Join(dir, id+".index")
		side, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.LastIndex(side, []byte(`{"info"`))
		if at < 0 || at == bytes.Index(side, []byte(`{"info"`)) {
			t.Fatal("there is no second header")
		}
		copy(side[at:], make([]byte, 100)) // a sector that a power cut kept from the disk
		if err := os.WriteFile(name, side, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	st, err := h.Stream(ctx, id, Identity{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	info := st.Info()
	if info.State != Ended || info.SHA256 != want.SHA256 || *info.Size != *want.Size {
		t.Errorf("it is %s with %s; want %s", info.State, info.SHA256, want.SHA256)
	}
}
