package relay

import (
	"bytes"
	"os"
	"runtime"
	"testing"
	"time"
	"weak"
)

// liveWebM is a live recording, and where its clusters begin.
func liveWebM(t *testing.T) (content []byte, clusters []int) {
	t.Helper()
	content, err := os.ReadFile("testdata/live.webm")
	if err != nil {
		t.Fatal(err)
	}
	for at, id := 0, []byte{0x1f, 0x43, 0xb6, 0x75}; ; at++ {
		i := bytes.Index(content[at:], id)
		if i < 0 {
			return content, clusters
		}
		at += i
		clusters = append(clusters, at)
	}
}

// arrive has a reader of what is new come, and read what there is.
func arrive(t *testing.T, st *Stream) *Reader {
	t.Helper()
	r := st.NewReader(FromLive, func() {})
	for {
		switch _, err := r.Next(ctx, true); err {
		case nil:
		case ErrLater:
			return r
		default:
			t.Fatal(err)
		}
	}
}

func TestAPublisherIsAskedForAKeyChunkWhenOneIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content, clusters := liveWebM(t)
		asked := 0
		w := publish(t, h, Spec{Kind: Live, Key: "k", Keyframe: func(*Stream) { asked++ }})
		expect := func(times int, what string) {
			t.Helper()
			if asked != times {
				t.Errorf("%s: asked %d times; want %d", what, asked, times)
			}
		}
		write(t, w, content[:clusters[0]]) // the init segment alone
		time.Sleep(2 * sniffDelay)
		defer arrive(t, w.Stream()).Close()
		expect(1, "one came")
		defer arrive(t, w.Stream()).Close()
		expect(1, "another came at the same time")
		time.Sleep(keyframeInterval)
		defer arrive(t, w.Stream()).Close()
		expect(2, "one came later")

		again := publish(t, h, Spec{Kind: Live, Key: "k", Keyframe: func(*Stream) { asked += 100 }})
		time.Sleep(keyframeInterval)
		defer arrive(t, w.Stream()).Close()
		expect(102, "another publishes")
		if _, err := again.Write(content[clusters[0]:]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(keyframeInterval)
		defer arrive(t, w.Stream()).Close()
		expect(102, "there are key chunks")
		finish(t, again)
	})
}

func TestAPublisherIsAskedForAKeyChunkByWhoIsBehindAndCannotJump(t *testing.T) {
	content, clusters := liveWebM(t)
	asked := 0
	h := start(t, &Hub{Limits: Limits{BehindBytes: 4 << 10}})
	w := publish(t, h, Spec{Kind: Live, Keyframe: func(*Stream) { asked++ }})
	write(t, w, content[:5000])
	r := arrive(t, w.Stream())
	defer r.Close()
	write(t, w, content[5000:clusters[1]])
	if item, err := r.Next(ctx, false); err != nil || item.Chunk == nil || asked != 1 {
		t.Errorf("Next = %+v, %v, asked %d times; want what follows, and to be asked", item, err, asked)
	}
	finish(t, w)
}

func TestAPublisherIsAskedForAKeyChunkWhenTheNewestIsNotInMemory(t *testing.T) {
	content, clusters := liveWebM(t)
	asked := 0
	h := start(t, &Hub{Limits: Limits{RingBytes: 1}})
	w := publish(t, h, Spec{Kind: Live, Keyframe: func(*Stream) { asked++ }})
	write(t, w, content[:clusters[1]])
	if err := w.st.in.store(); err != nil {
		t.Fatal(err)
	}
	if len(w.st.marks) == 0 || w.st.ring.start(w.st.end) <= w.st.liveStart() {
		t.Fatalf("memory begins at %d, the newest of key chunks %v is there", w.st.ring.start(w.st.end), w.st.marks)
	}
	defer arrive(t, w.st).Close()
	if asked != 1 {
		t.Errorf("asked %d times; want once", asked)
	}
	finish(t, w)
}

func TestWhoSubscribesAndLeavesDoesNotKeepOthersFromAKeyChunk(t *testing.T) {
	inBubble(t, func(t *testing.T, h *Hub) {
		content, clusters := liveWebM(t)
		asked := 0
		w := publish(t, h, Spec{Kind: Live, Keyframe: func(*Stream) { asked++ }})
		write(t, w, content[:clusters[0]])
		time.Sleep(2 * sniffDelay)
		for i := range 3 {
			passing := w.st.NewReader(FromLive, func() {})
			passing.Offset()
			passing.Close()
			arrive(t, w.st).Close()
			if asked != i+1 {
				t.Errorf("asked %d times; want %d", asked, i+1)
			}
			time.Sleep(keyframeInterval)
		}
		finish(t, w)
	})
}

func TestAStreamDoesNotHoldAPublisherThatIsGone(t *testing.T) {
	for what, leave := range map[string]func(*Writer){
		"finish":  func(w *Writer) { finish(t, w) },
		"abandon": (*Writer).Abandon,
		"none":    func(*Writer) {},
	} {
		for _, kind := range []Kind{File, Live} {
			h := start(t, &Hub{})
			asked := new([1 << 10]int)
			gone := weak.Make(asked)
			w := publish(t, h, Spec{Kind: kind, Key: "k", Keyframe: counter(asked)})
			leave(w)
			runtime.GC()
			held := gone.Value() != nil
			if want := what == "none" && kind == Live; held != want {
				t.Errorf("%s, %s: its publisher is held: %v; want %v", kind, what, held, want)
			}
			runtime.KeepAlive(w)
			w.Cancel()
		}
	}
}

// counter returns what counts the askings for a key chunk, and holds asked.
func counter(asked *[1 << 10]int) func(*Stream) { return func(*Stream) { asked[0]++ } }
