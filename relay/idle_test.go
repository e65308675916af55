package relay

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPublisherThatBringsNothingLosesItsStream(t *testing.T) {
	const idleTime = 8 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir(), Limits: Limits{IdleTime: idleTime}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		busy := publish(t, h, Spec{Kind: Live})
		live := publish(t, h, Spec{Kind: Live})
		keyed := publish(t, h, Spec{Key: "k"})
		plain := publish(t, h, Spec{})
		idle := []*Writer{live, keyed, plain}
		for _, w := range idle {
			write(t, w, random(5000))
		}
		for range 7 {
			write(t, busy, random(5000))
			time.Sleep(time.Minute)
		}
		for _, w := range idle {
			if !w.Holds() {
				t.Errorf("a stream is lost after 7 of %v", idleTime)
			}
		}
		for range 4 {
			write(t, busy, random(5000))
			time.Sleep(time.Minute)
		}
		for w, advice := range map[*Writer]bool{live: false, keyed: true, plain: false} {
			_, err := w.Write([]byte("late"))
			wantCode(t, err, Gone)
			if !strings.Contains(err.Error(), "nothing came for 8m") || strings.Contains(err.Error(), "with its key") != advice {
				t.Errorf("%s stream, key %q: %v", w.st.kind, w.st.key, err)
			}
		}
		if !busy.Holds() {
			t.Error("a stream is lost though something came")
		}
		if state := live.Stream().Info().State; state != Ended {
			t.Errorf("the live stream is %s; want ended", state)
		}
		if state := plain.Stream().Info().State; state != Failed {
			t.Errorf("the file without a key is %s; want failed", state)
		}
		again := publish(t, h, Spec{Key: "k"})
		if again.Stream() != keyed.Stream() || again.Offset() != 5000 {
			t.Error("the file with a key does not wait for its publisher")
		}
		write(t, again, random(1000))
		finish(t, again)
		finish(t, busy)
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhoPublishesAgainOrIsMadeToWaitIsNotIdle(t *testing.T) {
	const idleTime = 8 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		h := &Hub{Dir: t.TempDir(), Limits: Limits{IdleTime: idleTime}}
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		touched := publish(t, h, Spec{})
		publish(t, h, Spec{Key: "k"})
		before := publish(t, h, Spec{Key: "lost"})
		lost := publish(t, h, Spec{Key: "lost"})
		time.Sleep(idleTime - time.Minute)
		touched.Touch()
		before.Touch() // in vain: it has lost the stream
		again := publish(t, h, Spec{Key: "k"})
		time.Sleep(idleTime - time.Minute)
		if lost.Holds() {
			t.Error("who had lost a stream keeps it for another by being made to wait")
		}
		for _, w := range []*Writer{touched, again} {
			if !w.Holds() {
				t.Errorf("the stream with key %q is lost", w.st.key)
			}
			w.Cancel()
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAPublisherThatComesBackAtTheLastMomentKeepsItsStream(t *testing.T) {
	h := start(t, &Hub{})
	w := publish(t, h, Spec{})
	w.st.touched = time.Time{}
	if !w.st.idle() {
		t.Fatal("a stream is not idle that brought nothing for ages")
	}
	write(t, w, random(100_000)) // before the sweep comes to take it
	w.st.dropIdle()
	if !w.Holds() {
		t.Error("the stream is lost")
	}
	w.Cancel()
}
