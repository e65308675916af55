package relay

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"sluice/relay/spool"
)

// Stream is an append-only log of chunks: one member writes it, everybody else reads it with a cursor.
type Stream struct {
	// Set once.
	id      string
	kind    Kind
	hub     *Hub
	room    *Room
	subject string // of the publisher's token
	key     string // hashed; "": it cannot be resumed
	keep    bool   // to be archived
	in      intake // the publisher's side
	round   round
	gaps    gapCounter
	memo

	mu        sync.Mutex
	info      Info       // guarded by mu, as is all below
	log       *spool.Log // nil once the store alone holds it
	ring      ring
	end       int64     // readers may read up to here
	fed       time.Time // when bytes came last
	touched   time.Time // when its publisher last came, or was made to wait
	init      []*Chunk  // the newest init segment, cut as chunks
	marks     []int64   // where key chunks begin, ascending
	readers   []*Reader // replaced, never changed
	announced bool
	unkept    func(*Stream, int64) // tells its publisher from where on it is not kept; nil: it cannot be told
	keyframe  func(*Stream)        // asks the publisher for a key chunk; nil: it cannot be asked
	asked     time.Time            // when it was asked last
	timer     *time.Timer          // of an abandoned stream, or one that no store has
}

// ID is the stream's ULID.
func (st *Stream) ID() string { return st.id }

// Room is the room that the stream is in.
func (st *Stream) Room() string { return st.room.name }

// Kind says whether it is a file or live.
func (st *Stream) Kind() Kind { return st.kind }

// Info describes the stream as it stands.
func (st *Stream) Info() Info {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.info
}

// Final reports whether nothing more will be told of the stream: no byte, no end, no archiving.
func (st *Stream) Final() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.final()
}

func (st *Stream) final() bool {
	switch st.info.State {
	case Open:
		return false
	case Ended:
		return !st.keeps()
	}
	return true
}

// PublishedBy reports whether who is the stream's publisher: the same connection, or the same subject of a token.
func (st *Stream) PublishedBy(who Identity) bool {
	return Identity{ID: st.Info().From, Subject: st.subject}.is(who)
}

// Keeps reports whether the stream is to be archived.
func (st *Stream) Keeps() bool { return st.keep }

// keeps reports whether it will be.
func (st *Stream) keeps() bool { return st.keep && st.hub.Archive != nil }

// Spooled returns what the spool has of the stream, for who reads as much as there is; nil when it has nothing.
func (st *Stream) Spooled() (content io.ReaderAt, size int64) {
	st.mu.Lock()
	log := st.log
	st.mu.Unlock()
	if log == nil {
		return nil, 0
	}
	if cut := st.in.kept.cut.Load(); cut != nil {
		return log, *cut.Size
	}
	return log, log.Size()
}

// Most is how many bytes the stream may come to.
func (st *Stream) Most() int64 { return st.in.limit }

// KeepAt has Archive.Keep called when the spool has so many bytes of the open stream. It reports false if it has them now.
func (st *Stream) KeepAt(size int64) bool {
	in := &st.in
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.spooled >= size && in.kept.cut.Load() == nil {
		return false
	}
	in.keepAt = size
	return true
}

// Verify checks what the spool holds of the stream by its checksums. fs.ErrNotExist: it holds nothing of it any more.
func (st *Stream) Verify(ctx context.Context) error {
	st.mu.Lock()
	log := st.log
	st.mu.Unlock()
	if log == nil {
		return fs.ErrNotExist
	}
	return log.Verify(ctx)
}

// Path is the content file in the spool, for who may take it over by a link; "" when there is none any more.
func (st *Stream) Path() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.log == nil {
		return ""
	}
	return st.log.Path()
}

// Archived says that the store holds the stream, with info as in its manifest. relay.Archive calls it, once.
func (st *Stream) Archived(info Info) {
	st.mu.Lock()
	if st.info.State != Ended {
		st.mu.Unlock()
		return // deleted meanwhile
	}
	st.info = info
	st.mu.Unlock()
	st.hub.tell(EventArchived, info) // before the spool lets go of it
	st.wakeAll()
	st.letGo()
}

// append adds c to the log and has the readers woken, for none of which it waits.
func (st *Stream) append(c *Chunk) {
	c.at = time.Now()
	st.mu.Lock()
	st.ring.push(c)
	st.end, st.fed = c.End(), c.at
	st.info.Offset = st.end
	if c.Key {
		st.mark(c.Offset)
	}
	st.mu.Unlock()
	st.hub.held.Add(c.held())
	st.wakeReaders(len(c.Data))
}

// mark remembers a key point; past maxMarks every second one of the older half is forgotten.
func (st *Stream) mark(offset int64) {
	if len(st.marks) >= maxMarks {
		kept := st.marks[:0]
		for i, m := range st.marks {
			if i >= len(st.marks)/2 || i%2 == 0 {
				kept = append(kept, m)
			}
		}
		st.marks = kept
	}
	st.marks = append(st.marks, offset)
}

// evict drops from the ring what is already in the spool, up to spooled, and over the limits. Of a live stream it also drops
// what only a reader would want that is made to jump over it.
func (st *Stream) evict(spooled int64) {
	limit := st.hub.ringBytes()
	switch held := st.hub.held.Load(); {
	case held > 2*st.hub.memoryBytes():
		limit = 0 // readers take the spool
	case held > st.hub.memoryBytes():
		limit = minRingBytes
	}
	st.mu.Lock()
	if len(st.readers) == 0 {
		limit = min(limit, minRingBytes) // who comes takes the spool
	}
	start := int64(0)
	if st.kind == Live {
		start = st.liveStart()
	}
	dropped := st.ring.evict(limit, spooled, time.Now().Add(-st.hub.behindTime()), start)
	st.mu.Unlock()
	st.hub.held.Add(-dropped)
}

// crowded reports whether a stream's chunks that are in no file yet, of loose bytes of memory, are to be written so that they
// can be dropped.
func (h *Hub) crowded(loose int64) bool {
	return loose > h.ringBytes()/16 || h.held.Load() > h.memoryBytes()
}

// letBlockGo ends the intake's use of a block; nil is none.
func (st *Stream) letBlockGo(b *block) {
	if b == nil {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	b.release()
}

// liveStart is where a reader of what is new begins. The caller holds mu.
func (st *Stream) liveStart() int64 {
	if len(st.marks) > 0 {
		return st.marks[len(st.marks)-1]
	}
	return st.end
}

// askedBy has the publisher of a live stream asked and told what the spec says; the zero value: nobody is. It is not kept for longer
// than the publisher stays: it may hold all there is of it.
func (st *Stream) askedBy(spec Spec) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.keyframe, st.unkept = nil, nil; st.kind == Live {
		st.keyframe, st.unkept = spec.Keyframe, spec.Unkept
	}
}

// setType makes the type known and announces the stream to its room, and to who reads it already.
func (st *Stream) setType(mediaType string) {
	st.mu.Lock()
	st.info.Type = mediaType
	st.mu.Unlock()
	st.room.announce(st)
	st.wakeAll()
}

// setOver ends the stream as state and wakes the readers; change fills in what else is known now. It reports false, and changes
// nothing, where State says that there is no way from the present one.
func (st *Stream) setOver(state State, change func(*Info)) bool {
	st.mu.Lock()
	open := st.info.State == Open
	if !open && (state != Cancelled || !st.info.Whole()) {
		st.mu.Unlock()
		return false
	}
	st.info.State = state
	st.keyframe, st.unkept = nil, nil
	if change != nil {
		change(&st.info)
	}
	info, announced := st.info, st.announced
	st.mu.Unlock()
	if open {
		st.room.ended()
	}
	if open && announced {
		st.hub.tell(EventEnd, info)
	}
	st.wakeAll()
	return true
}

func (st *Stream) wakeAll() { wake(st.reading()) }

// header is what the spool keeps of a stream beside its bytes.
type header struct {
	Info    Info   `json:"info"`
	Key     string `json:"key,omitempty"`
	Subject string `json:"subject,omitempty"`
	Keep    bool   `json:"keep"`

	// Of a live stream whose front the spool does not have any more:
	Hash *hashed `json:"hash,omitempty"`
	Sent int64   `json:"sent,omitempty"` // the store has what is before
	Mark []byte  `json:"mark,omitempty"`
}

func (st *Stream) headerOf(info Info) header {
	return header{Info: info, Key: st.key, Subject: st.subject, Keep: st.keep}
}

func (h header) text() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // meta was valid JSON when it was taken
	}
	return b
}

// add enters r among the readers.
func (st *Stream) add(r *Reader) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.readers = append(slices.Clip(st.readers), r)
}

// remove takes r out, and lets go of memory that nobody else reads.
func (st *Stream) remove(r *Reader) {
	st.mu.Lock()
	readers := make([]*Reader, 0, len(st.readers))
	for _, o := range st.readers {
		if o != r {
			readers = append(readers, o)
		}
	}
	st.readers = readers
	idle := len(readers) == 0 && st.info.State != Open
	st.mu.Unlock()
	if idle {
		st.dropRing()
		st.letGo()
	}
}

// dropRing empties the ring; later readers take the spool or the store.
func (st *Stream) dropRing() {
	st.mu.Lock()
	held := st.ring.bytes
	st.ring = ring{}
	st.mu.Unlock()
	st.hub.held.Add(-held)
}

// letGo has the hub forget the stream if the store has it, or it came to nothing: as soon as nobody reads it, but no later than
// after the resume window. Who still reads then does so from the store.
func (st *Stream) letGo() {
	st.mu.Lock()
	idle, over := len(st.readers) == 0, st.final() && st.info.State != Ended
	st.mu.Unlock()
	switch {
	case !over:
	case idle:
		st.hub.forget(st)
	default:
		st.after(st.hub.resumeWindow(), func() { st.hub.forget(st) })
	}
}

// expire has the hub forget a stream that no store has, once nobody reads it, after the resume window.
func (st *Stream) expire() {
	st.after(st.hub.resumeWindow(), func() {
		st.mu.Lock()
		busy := len(st.readers) > 0
		st.mu.Unlock()
		if busy {
			st.expire()
			return
		}
		st.hub.forget(st)
	})
}

// after runs f after d, in place of what was to run later before. Nothing runs after the hub is closed.
func (st *Stream) after(d time.Duration, f func()) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.timer != nil {
		st.timer.Stop()
	}
	st.timer = time.AfterFunc(d, func() { st.hub.run(f) })
}

// stopTimer takes back what after has planned.
func (st *Stream) stopTimer() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.timer != nil {
		st.timer.Stop()
	}
}
