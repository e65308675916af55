package relay

import (
	"testing"
)

// eager is an Archive that notes what it is asked to keep.
type eager struct {
	*shelf
	from  int64
	asked chan asking
}

type asking struct {
	state State
	size  int64
}

func (e *eager) KeepFrom() int64 { return e.from }

func (e *eager) Keep(st *Stream) {
	_, size := st.Spooled()
	e.asked <- asking{st.Info().State, size}
}

func TestTheArchiveIsAskedToGoOnWhenThereIsEnough(t *testing.T) {
	const piece = 256 << 10
	archive := &eager{newShelf(), 2 * piece, make(chan asking, 100)}
	h := start(t, &Hub{Archive: archive})
	w := publish(t, h, Spec{Key: "k"})
	st := w.Stream()
	sync := func(want ...asking) {
		t.Helper()
		write(t, w, random(piece))
		if _, err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		for _, want := range want {
			if got := <-archive.asked; got != want {
				t.Errorf("asked when %+v; want %+v", got, want)
			}
		}
		if len(archive.asked) > 0 {
			t.Errorf("asked when %+v, too", <-archive.asked)
		}
	}
	sync()
	sync(asking{Open, 2 * piece})
	sync() // before it says how far it has come
	if st.KeepAt(3 * piece) {
		t.Error("KeepAt says that what has come is still to come")
	}
	if !st.KeepAt(3*piece + 1) {
		t.Error("KeepAt says that what is to come has come")
	}
	sync(asking{Open, 4 * piece})
	finish(t, w)
	if got := <-archive.asked; got.state != Ended {
		t.Errorf("asked when %+v; want the end", got)
	}

	for name, end := range map[State]func(w *Writer){
		Cancelled: func(w *Writer) { w.Cancel() },
		Failed:    func(w *Writer) { w.Fail(Errorf(Gone, "given up")) },
	} {
		w := publish(t, h, Spec{})
		write(t, w, random(piece))
		end(w)
		if got := <-archive.asked; got.state != name {
			t.Errorf("asked when %+v; want %s", got, name)
		}
	}
	relayed := publish(t, h, Spec{Relay: true})
	write(t, relayed, random(3*piece))
	finish(t, relayed)
	if len(archive.asked) > 0 {
		t.Errorf("asked when %+v of what is not to be archived", <-archive.asked)
	}
}
