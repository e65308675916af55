package relay

import "sync"

const (
	// roundBytes is how much may come in during a round before the publisher has to wait for its end.
	roundBytes = 512 << 10
	// fewReaders are woken by the publisher itself.
	fewReaders = 2
)

// round is how the many readers of a stream are woken: by a goroutine of its own, on which those write that take something without
// waiting, while the publisher goes on. What comes in meanwhile goes out together in the next round: a busy stream costs each
// reader a write a round, however small its pieces are, and one that is not busy waits for nothing.
type round struct {
	mu      sync.Mutex
	ended   sync.Cond // uses mu
	running bool      // guarded by mu, as is all below
	again   bool      // there is more by now
	held    bool      // more has come, and is not cut into chunks yet
	bytes   int       // of the chunks that were appended since it began
}

// hold reports whether a round is running, after which what has come will be cut into chunks.
func (r *round) hold() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = r.held || r.running
	return r.running
}

// end says what is to be done after a round.
func (r *round) end() (again, held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	again, held = r.again, r.held
	r.running, r.again, r.held, r.bytes = false, false, false, 0
	r.ended.Broadcast()
	return again, held
}

// wakeReaders lets the readers know of n bytes more. It waits only when far too much has come in since a round began.
func (st *Stream) wakeReaders(n int) {
	readers := st.reading()
	r := &st.round
	r.mu.Lock()
	for r.bytes += n; r.running && r.bytes > roundBytes; {
		r.ended.Wait()
	}
	many := len(readers) > fewReaders
	if r.running {
		r.again = true
	} else if many {
		r.running, r.bytes = st.hub.spawn(st.goRound), n
	}
	running := r.running
	r.mu.Unlock()
	if !running {
		wake(readers)
	}
}

// goRound wakes the readers, and sees to what has come in meanwhile.
func (st *Stream) goRound() {
	wake(st.reading())
	again, held := st.round.end()
	if held {
		st.in.release()
	}
	if again {
		st.wakeReaders(0)
	}
}

func (st *Stream) reading() []*Reader {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.readers
}

func wake(readers []*Reader) {
	for _, r := range readers {
		r.wake()
	}
}
