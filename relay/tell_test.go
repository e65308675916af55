package relay

import (
	"slices"
	"testing"
)

// told notes what a hub tells.
type told struct {
	event Event
	id    string
	state State
}

func telling(t *testing.T, dir string) (h *Hub, all func() []told) {
	said := make(chan told, 100)
	h = start(t, &Hub{Dir: dir, Tell: func(event Event, info Info) { said <- told{event, info.ID, info.State} }})
	return h, func() (all []told) {
		for len(said) > 0 {
			all = append(all, <-said)
		}
		return all
	}
}

// Whoever was told that a stream has begun is told of its end, though a crash has come between.
func TestWhatACrashHasCutIsToldToHaveEnded(t *testing.T) {
	dir := t.TempDir()
	h, said := telling(t, dir)
	plain, keyed, empty := publish(t, h, Spec{}), publish(t, h, Spec{Key: "k"}), publish(t, h, Spec{})
	whole := publish(t, h, Spec{})
	for _, w := range []*Writer{plain, keyed, whole} {
		write(t, w, random(5000))
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := empty.Sync(); err != nil {
		t.Fatal(err)
	}
	finish(t, whole)
	id := func(w *Writer) string { return w.Stream().ID() }
	want := []told{
		{EventStream, id(plain), Open}, {EventStream, id(keyed), Open}, {EventStream, id(whole), Open}, {EventEnd, id(whole), Ended},
	}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("told %v; want %v", got, want)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}

	_, said = telling(t, dir)
	got := said()
	// Of the empty one the earlier run may have told that it began.
	for _, want := range []told{{EventEnd, id(plain), Failed}, {EventEnd, id(empty), Failed}, {EventStream, id(keyed), Open}, {EventEnd, id(whole), Ended}} {
		if i := slices.Index(got, want); i < 0 {
			t.Errorf("told %v; want %v, too", got, want)
		} else {
			got = slices.Delete(got, i, i+1)
		}
	}
	if len(got) > 0 {
		t.Errorf("told %v, too", got)
	}
}
