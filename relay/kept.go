package relay

import (
	"crypto/sha256"
	"encoding"
	"errors"
	"sync/atomic"
	"time"

	"sluice/relay/spool"
)

const (
	// keepSteps is in how many steps what a live stream has in the spool goes away as it grows older.
	keepSteps = 8
	// dryPause is how long a live stream is only relayed before it is seen whether there is room in the spool again.
	dryPause = time.Second
)

// keeping is what the spool has of a live stream, and what the store has of any. It is guarded by in.mu, but for what is atomic.
type keeping struct {
	moments []moment
	off     atomic.Bool          // what comes is only relayed
	busy    bool                 // some of it is being given up
	dry     time.Time            // when there was no room for what came; zero: there is. What came since is only relayed
	cut     atomic.Pointer[Info] // what will be archived of a stream that went on without room: no more is stored of it

	sent int64  // the store has what is before, though nobody sees it yet
	mark []byte // with which it goes on from there
}

// moment says when the bytes from an offset on came.
type moment struct {
	offset int64
	at     time.Time
}

// hashed is the state of the SHA-256 of what is before an offset.
type hashed struct {
	At    int64  `json:"at"`
	State []byte `json:"state"`
}

// Sent says that the store has what is before offset, so that the spool needs it no more, and goes on from there with mark; less than
// before if the store has lost some. relay.Archive calls it.
func (st *Stream) Sent(offset int64, mark []byte) {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if cut := in.kept.cut.Load(); cut != nil && offset > *cut.Size {
		return // it was sent what is not to be kept
	}
	in.kept.sent, in.kept.mark = offset, mark
}

// Mark is what Sent was told last, in this run of the server or, where the spool needs it, an earlier one.
func (st *Stream) Mark() []byte {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.kept.mark
}

// Kept describes the stream as it is archived. Of a live stream that went on while the spool had no room that is its beginning.
func (st *Stream) Kept() Info {
	info := st.Info()
	if cut := st.in.kept.cut.Load(); cut != nil && info.Whole() {
		info.Size, info.Offset, info.SHA256 = cut.Size, cut.Offset, cut.SHA256
	}
	return info
}

// put stores p, which comes next. A live stream goes on where there is no room for it.
func (in *intake) put(p []byte) error {
	if in.st.kind != Live {
		return in.append(p)
	}
	k := &in.kept
	if k.cut.Load() != nil || !k.dry.IsZero() && time.Since(k.dry) < dryPause {
		return nil
	}
	err := in.append(p)
	for spared := in.st.log.Start(); errors.Is(err, errNoRoom) && spared < in.sparable(); {
		if spared += (in.sparable() - spared + 1) / 2; in.sparable()-spared < int64(len(p)) {
			spared = in.sparable()
		}
		if err = in.drop(spared); err == nil {
			err = in.append(p)
		}
	}
	switch {
	case err == nil:
		k.dry = time.Time{}
		k.off.Store(false)
		in.trim()
		return nil
	case !errors.Is(err, errNoRoom):
		return err
	case in.st.keeps():
		return in.cutShort()
	case k.dry.IsZero():
		in.st.hub.log().Warn("no room in the spool: a live stream is only relayed", "room", in.st.room.name, "stream", in.st.id)
	}
	k.rest(time.Now())
	return nil
}

// rest has a live stream only relayed for a while.
func (k *keeping) rest(now time.Time) {
	k.dry = now
	k.off.Store(true)
}

// append stores p, for which there is to be room.
func (in *intake) append(p []byte) error {
	if err := in.makeRoom(int64(len(p))); err != nil {
		return err
	}
	log := in.st.log
	if log.Size() < in.spooled { // what came meanwhile was only relayed
		if err := in.drop(in.spooled); err != nil {
			return err
		}
	}
	if err := in.st.hub.roomy(func() error { return log.Append(p, 0) }); err != nil {
		return in.st.notStored("append", err)
	}
	in.takeRoom(int64(len(p)))
	return nil
}

// sparable is up to where the spool may give up what it has of a live stream: all, or what the store has.
func (in *intake) sparable() int64 {
	if in.st.keeps() {
		return in.kept.sent
	}
	return in.spooled
}

// drop gives up what the spool has before an offset. It waits for the disk.
func (in *intake) drop(to int64) error {
	if to <= in.st.log.Start() {
		return nil
	}
	drop := in.st.log.Forsake
	if in.st.keeps() {
		drop = in.st.log.Drop
	}
	header := in.st.keptHeader(in.st.Info())
	in.later = in.hashed()
	if err := in.st.hub.roomy(func() error { return drop(to, header) }); err != nil {
		return in.st.notStored("drop", err)
	}
	in.front = in.later
	return nil
}

// trim gives up what is older, or more, than is to be kept of a live stream; what is to be archived only once the store has it.
func (in *intake) trim() {
	k, st := &in.kept, in.st
	to := min(in.outlived(time.Now()), in.sparable())
	if k.busy || to <= st.log.Start() {
		return
	}
	header, log, front := st.keptHeader(st.Info()), st.log, in.hashed()
	k.busy = st.hub.spawn(func() {
		err := log.Drop(to, header)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.kept.busy = false
		if in.later == nil || in.later.At < front.At {
			in.later = front
		}
		switch {
		case err == nil && (in.front == nil || in.front.At < front.At):
			in.front = front
		case err != nil && !in.over:
			st.hub.log().Warn("spool drop", "stream", st.id, "err", err)
		}
	})
}

// outlived is up to where a live stream is older, or longer, than it is kept: so far at once that it is not asked often.
func (in *intake) outlived(now time.Time) (to int64) {
	k, h := &in.kept, in.st.hub
	size, age := h.liveKeepBytes(), h.liveKeepTime()
	if n := len(k.moments); n == 0 || now.Sub(k.moments[n-1].at) >= age/(8*keepSteps) {
		k.moments = append(k.moments, moment{in.spooled, now})
	}
	if now.Sub(k.moments[0].at) > age {
		for len(k.moments) > 1 && now.Sub(k.moments[1].at) > age-age/keepSteps {
			k.moments = k.moments[1:]
		}
		to = k.moments[0].offset
	}
	if in.received-in.st.log.Start() > size {
		to = max(to, in.received-size+size/keepSteps)
	}
	return to
}

// cutShort has the stream go on without the spool. What is durable is archived in the end; its publisher is told so.
func (in *intake) cutShort() error {
	st := in.st
	if err := st.hub.roomy(st.log.Sync); err != nil && !errors.Is(err, spool.ErrFull) {
		return st.notStored("sync", err)
	}
	info, size := st.Info(), st.log.Durable()
	sum, err := in.sumOf(size)
	if err != nil {
		return err
	}
	info.Size, info.Offset, info.SHA256 = &size, size, sum
	in.kept.cut.Store(&info)
	in.kept.off.Store(true)
	st.hub.log().Error("no room in the spool: the rest of a live stream is only relayed", "room", st.room.name, "stream", st.id, "kept", size)
	st.mu.Lock()
	tell := st.unkept
	st.mu.Unlock()
	if tell != nil {
		tell(st, size)
	}
	return nil
}

// sumOf is the SHA-256 of what the spool has up to size, in hex.
func (in *intake) sumOf(size int64) (string, error) {
	if size == in.spooled {
		return in.sum()
	}
	front := in.front
	if in.later != nil && in.later.At <= size {
		front = in.later
	}
	part := intake{st: in.st, spooled: size, hash: sha256.New(), stale: true, front: front}
	return part.sum()
}

// keptHeader is the header of a stream of which the spool does not have all: with what cannot be made of the rest. The caller holds
// in.mu.
func (st *Stream) keptHeader(info Info) []byte {
	in := &st.in
	h := st.headerOf(info)
	h.Mark, h.Sent = in.kept.mark, in.kept.sent
	h.Hash = in.hashed()
	return h.text()
}

// hashed is the state of the hash.
func (in *intake) hashed() *hashed {
	state, err := in.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // crypto/sha256 has none
	}
	return &hashed{in.spooled, state}
}

// lastHeader is the header of a stream that ends as info says.
func (st *Stream) lastHeader(log *spool.Log, info Info) []byte {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if cut := in.kept.cut.Load(); cut != nil {
		info.Size, info.Offset, info.SHA256 = cut.Size, cut.Offset, cut.SHA256
	}
	if log.Start() > 0 {
		return st.keptHeader(info)
	}
	return st.headerOf(info).text()
}

// rehashed sets the hash to what it was when the spool gave something up, and returns where it goes on.
func (in *intake) rehashed(h *hashed) (int64, error) {
	if h == nil {
		return 0, nil
	}
	return h.At, in.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(h.State)
}

// where tells where a reader goes on that wants what is in no ring: at next, or further on if that is not kept. The stream's mu is held.
func (st *Stream) where(next int64) int64 {
	if st.kind != Live {
		return next
	}
	start, end := int64(0), st.end
	switch {
	case st.info.State == Archived:
		end = *st.info.Size // the store has what the spool does not
	case st.log != nil:
		start, end = st.log.Start(), st.log.Size()
	}
	switch {
	case next >= end:
		return st.keyFrom(st.ring.start(st.end))
	case next < start:
		return st.keyFrom(start)
	}
	return next
}

// keyFrom is the first place at or after offset where reading can begin.
func (st *Stream) keyFrom(offset int64) int64 {
	for _, m := range st.marks {
		if m >= offset {
			return m
		}
	}
	return offset
}

// Start is where what the spool has of the stream begins; 0 once the store has all of it.
func (st *Stream) Start() int64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.log == nil {
		return 0
	}
	return st.log.Start()
}
