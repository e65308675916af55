package relay

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

	"sluice/relay/spool"
)

const (
	// FromLive is the position of a reader that wants what is new: a file from its first byte, a live stream from its newest key
	// chunk.
	FromLive int64 = -1
	// FromBirth is that of a reader who was there when the stream began: its first byte, unless a live stream is too far ahead by
	// the time that it reads.
	FromBirth int64 = -2
)

// Item is the next thing a reader gets: a chunk or a gap.
type Item struct {
	Chunk *Chunk
	Gap   *Gap
}

// Reader is a cursor on a stream. It holds no bytes: it finds them in memory, in the spool or in the store. Its methods are
// for one caller at a time.
type Reader struct {
	st   *Stream
	wake func()

	placed bool
	atHead bool  // it has been where the newest bytes of a stream were that is open: from then on it may be made to jump
	next   int64 // the offset it wants
	due    bool  // a gap was given: what it leads to follows, however far ahead the newest is by now
	queue  []Item
	ask    func(*Stream) // asks for a key chunk, once mu is free; nil: there is no need

	backlog *backlog // what it reads when it is not in memory; nil: it never was
}

// NewReader returns a reader that begins at offset from, FromLive or FromBirth. wake is called, by whoever appends, when there may be
// more after ErrLater; it must not wait. Close the reader.
func (st *Stream) NewReader(from int64, wake func()) *Reader {
	r := &Reader{st: st, wake: wake, next: max(from, 0), placed: from != FromLive || st.kind == File, atHead: from == FromBirth}
	st.add(r)
	return r
}

// Stream is what r reads.
func (r *Reader) Stream() *Stream { return r.st }

// Offset is the next byte that r wants.
func (r *Reader) Offset() int64 {
	r.st.mu.Lock()
	if !r.placed {
		r.place()
	}
	next := r.next
	r.letGo()
	return next
}

// letGo unlocks the stream, and then has its publisher asked for a key chunk if one is wanted.
func (r *Reader) letGo() {
	ask := r.ask
	r.ask = nil
	r.st.mu.Unlock()
	if ask != nil {
		ask(r.st)
	}
}

// Close takes r off the stream. What Next has returned stays good.
func (r *Reader) Close() {
	r.st.remove(r)
	if r.backlog != nil {
		r.backlog.leave()
	}
}

// Next returns what follows. ErrLater: nothing yet. ErrWait, only when wait is false: it must be fetched from disk or store;
// call again with wait true, where one may wait. io.EOF: all was given. io.ErrUnexpectedEOF: the stream failed, was cancelled
// or deleted; what was left of it is gone. Other errors: it could not be read.
func (r *Reader) Next(ctx context.Context, wait bool) (Item, error) {
	for {
		r.st.mu.Lock()
		item, err := r.look()
		var w want
		if err == ErrWait {
			w = r.want()
		}
		r.letGo()
		if err != ErrWait {
			return item, err
		}
		if r.backlog == nil {
			r.backlog = r.st.hub.backlog(r.st.id)
		}
		c := r.backlog.chunk(w.from)
		if c != nil {
			return r.took(c), nil
		}
		if !wait {
			return Item{}, ErrWait
		}
		c, err = r.backlog.read(ctx, w)
		switch {
		case err == nil:
			return r.took(c), nil
		case w.log != nil && errors.Is(err, fs.ErrNotExist) && r.st.Path() == "":
			// It has just left the spool: for the store, or for good.
		case w.log != nil && ctx.Err() == nil && r.st.passOver(w.log, err):
		case errors.Is(err, spool.ErrDropped):
		default:
			return Item{}, err
		}
	}
}

// look is Next without waiting.
func (r *Reader) look() (Item, error) {
	st := r.st
	switch st.info.State {
	case Cancelled, Failed:
		return Item{}, io.ErrUnexpectedEOF
	case Ended:
		if st.log == nil {
			return Item{}, io.ErrUnexpectedEOF // forgotten, and kept nowhere
		}
	}
	if !r.placed {
		r.place()
	}
	if st.kind == Live && r.atHead && !r.due && len(r.queue) == 0 {
		r.catchUp()
	}
	if len(r.queue) > 0 {
		item := r.queue[0]
		r.queue = r.queue[1:]
		r.due = item.Gap != nil
		if r.due {
			st.gaps.add(*item.Gap)
			st.hub.gaps.add(*item.Gap)
		}
		return item, nil
	}
	if r.next >= st.end {
		r.atHead = true
		if st.info.Whole() {
			return Item{}, io.EOF
		}
		return Item{}, ErrLater
	}
	if c := st.ring.at(r.next); c != nil {
		r.atHead = r.atHead || st.info.State == Open
		c.lend()
		return r.took(c.from(r.next)), nil
	}
	if to := st.where(r.next); to > r.next {
		r.jump(to, Unkept)
		return r.look()
	}
	return Item{}, ErrWait
}

// took moves the cursor over c.
func (r *Reader) took(c *Chunk) Item {
	r.next, r.due = c.End(), false
	return Item{Chunk: c}
}

// place finds where a reader of what is new begins.
func (r *Reader) place() {
	st := r.st
	r.placed, r.atHead = true, true
	to := st.liveStart()
	if at := st.initAt(); at >= 0 && (len(st.marks) == 0 || at > to) {
		to = at // no key chunk has followed it yet
		r.wantKey()
	} else if at >= 0 && to < st.ring.start(st.end) {
		r.wantKey() // the newest is long gone by
	}
	r.next = 0
	r.jump(to, Joined)
}

// catchUp moves a reader of a live stream that is too far behind to the newest place ahead where reading can begin.
func (r *Reader) catchUp() {
	st := r.st
	if !r.behind() {
		return
	}
	to := r.next
	switch {
	case len(st.marks) > 0:
		to = st.marks[len(st.marks)-1]
	case len(st.ring.chunks) > 0:
		to = st.ring.chunks[len(st.ring.chunks)-1].Offset
	}
	if to <= r.next {
		r.wantKey()
		return
	}
	r.jump(to, Behind)
}

// wantKey has the publisher asked for a key chunk, if it has not just been. The stream's mu is held.
func (r *Reader) wantKey() {
	st := r.st
	if now := time.Now(); st.info.State == Open && st.keyframe != nil && now.Sub(st.asked) >= keyframeInterval {
		st.asked, r.ask = now, st.keyframe
	}
}

func (r *Reader) behind() bool {
	st := r.st
	if st.end-r.next > st.hub.behindBytes() {
		return true
	}
	over := st.info.State != Open
	c := st.ring.at(r.next)
	switch {
	case c == nil:
		return !over && r.next < st.end
	case over:
		return st.fed.Sub(c.at) > st.hub.behindTime() // what has ended grows no older
	}
	return time.Since(c.at) > st.hub.behindTime()
}

// jump goes ahead to offset to, with a copy of the init segment if that is jumped over, and a gap.
func (r *Reader) jump(to int64, reason Reason) {
	st := r.st
	if at := st.initAt(); at >= r.next && at < to {
		for _, c := range st.init {
			r.queue = append(r.queue, Item{Chunk: c})
		}
	}
	if to > r.next {
		r.queue = append(r.queue, Item{Gap: &Gap{From: r.next, To: to, Reason: reason}})
		r.next = to
	}
}

// want is what to read next from spool or store: up to the next key point, the ring, or the end of a piece.
func (r *Reader) want() want {
	st := r.st
	end := min(st.ring.start(st.end), pieceEnd(r.next))
	log := st.log
	switch {
	case log == nil:
	case st.info.State == Archived && r.next < log.Start():
		log = nil
	default:
		end = min(end, log.Size()) // what follows may only have been relayed
	}
	if i, _ := slices.BinarySearch(st.marks, r.next+1); i < len(st.marks) {
		end = min(end, st.marks[i])
	}
	return want{place: place{r.next, log}, size: int(max(end-r.next, 0)), key: r.onMark(), info: st.info}
}

// onMark reports whether the cursor stands at a key point.
func (r *Reader) onMark() bool {
	_, found := slices.BinarySearch(r.st.marks, r.next)
	return found
}
