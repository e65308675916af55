package relay

import (
	"context"
	"errors"
	"time"

	"sluice/relay/spool"
)

// notStored logs why the spool did not do what it was to do, and returns what the publisher is told.
func (st *Stream) notStored(what string, err error) error {
	st.hub.log().Error("spool "+what, "stream", st.id, "err", err)
	if errors.Is(err, spool.ErrFull) {
		return noRoom(0, "the server has no room to store it, try again later")
	}
	return Errorf(Unavailable, "the server cannot store this stream")
}

// whyOver is the error for who writes to a stream that is over.
func (st *Stream) whyOver() error {
	info := st.Info()
	if info.State == Open {
		return Errorf(Gone, "the stream is being ended")
	}
	return Errorf(Gone, "the stream is over: %s", info.State)
}

// fail ends an open stream as failed. The caller holds in.mu.
func (st *Stream) fail(why error) {
	if st.in.over {
		return
	}
	st.in.close()
	st.hub.log().Info("stream failed", "room", st.room.name, "stream", st.ID(), "err", why)
	st.hub.spawn(func() { st.discard(Failed) })
}

// failOpen ends a stream as failed whose intake is closed already.
func (st *Stream) failOpen(why error) {
	st.hub.log().Error("stream failed", "room", st.room.name, "stream", st.ID(), "err", why)
	st.discard(Failed)
}

// discard ends the stream as state and removes what the spool has of it.
func (st *Stream) discard(state State) {
	st.setOver(state, nil)
	if st.keeps() {
		st.hub.Archive.Keep(st) // and gives it up
	}
	st.dropRing()
	st.dropLog()
	st.settle()
}

// deleted ends the stream whatever its state, for everybody.
func (st *Stream) deleted() {
	in := &st.in
	in.mu.Lock()
	in.close()
	in.mu.Unlock()
	st.stopTimer()
	st.setOver(Cancelled, nil)
	st.dropRing()
	st.dropLog()
	st.hub.drop(st)
	st.hub.disremember(st.id)
}

// dropLog removes the stream from the spool. It waits for the disk.
func (st *Stream) dropLog() {
	if log := st.takeLog(); log != nil {
		st.removeLog(log)
	}
}

// takeLog leaves the stream without what the spool has of it, which is to be removed; nil if that was done already.
func (st *Stream) takeLog() *spool.Log {
	st.mu.Lock()
	defer st.mu.Unlock()
	log := st.log
	st.log = nil
	return log
}

func (st *Stream) removeLog(log *spool.Log) {
	st.hub.cache.remove(st.id)
	if err := log.Remove(); err != nil {
		st.hub.log().Warn("spool remove", "stream", st.id, "err", err)
	}
}

// settle does what follows an end: archiving, or to be forgotten.
func (st *Stream) settle() {
	st.mu.Lock()
	state, final, idle := st.info.State, st.final(), len(st.readers) == 0
	st.mu.Unlock()
	if idle {
		st.dropRing()
	}
	st.stopTimer()
	switch {
	case !final:
		st.hub.Archive.Keep(st)
	case state == Ended:
		st.expire()
	default:
		st.letGo()
	}
}

// finishAbandoned ends a live stream whose publisher did not come back.
func (st *Stream) finishAbandoned() {
	if w := st.adopt(); w != nil {
		if _, err := w.Finish(context.Background(), ""); err != nil {
			st.hub.log().Warn("end of an abandoned stream", "stream", st.ID(), "err", err)
		}
	}
}

// failAbandoned ends a file whose publisher did not come back within the resume window.
func (st *Stream) failAbandoned() {
	if w := st.adopt(); w != nil {
		w.Fail(Errorf(Gone, "its publisher did not come back"))
	}
}

// adopt returns a Writer of a stream that nobody writes now; nil if somebody does or it is over.
func (st *Stream) adopt() *Writer {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over || in.writer != nil {
		return nil
	}
	return in.hand()
}

// takeOver returns a new Writer, for who publishes again, in place of whoever wrote before; nil when the stream is over.
func (st *Stream) takeOver(spec Spec) *Writer {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.over {
		return nil
	}
	st.stopTimer()
	st.askedBy(spec)
	st.mu.Lock()
	st.info.From, st.touched = spec.Who.ID, time.Now()
	st.mu.Unlock()
	in.last, in.lost = in.hand(), nil
	return in.last
}

// hand makes a new Writer the one that may write.
func (in *intake) hand() *Writer {
	in.block, in.memory = append([]byte(nil), in.block...), nil // the earlier writer may still be reading into what lies behind
	in.writer = &Writer{st: in.st, log: in.st.log}
	return in.writer
}
