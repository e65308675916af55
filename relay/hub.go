package relay

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/relay/spool"
)

// Hub holds the rooms. Set its fields, then call Start before anything else, and Close at the end.
type Hub struct {
	Dir     string  // where the spool is; "": a temporary folder, removed by Close
	Archive Archive // where ended streams go; nil: they are forgotten after the resume window
	Limits  Limits
	Logger  *slog.Logger // nil: slog.Default()

	// Tell is told what becomes of streams, once at least: after a crash it may be again. It is called by who publishes and archives, and
	// is not to wait for long. nil: nobody is told.
	Tell func(event Event, info Info)

	// Authorize decides about every join, publish, subscribe, list and delete; nil allows all. An *Error it returns is
	// shown to the one who asked.
	Authorize func(ctx context.Context, r Request) error
	// Identify makes an Identity of a token; "" is none. nil: everybody is a stranger. It is for the doors to call.
	Identify func(ctx context.Context, token string) (Identity, error)

	spool *spool.Spool
	temp  string
	held  atomic.Int64 // bytes in all rings

	blocks sync.Pool // of *block, of blockBytes
	ids    ids
	depot  depot
	syncs  chan struct{} // a place for each Writer.Sync at work: what comes while others wait for one is synced together
	gaps   gapCounter
	budget budget
	cache  cache

	mu      sync.Mutex // taken last: a room's mu may be held
	rooms   map[string]*Room
	streams map[string]*Stream
	keys    map[string]*Stream // by hashed key, room and subject

	finished map[string]finished // by the same; uploads that only the store has
	uploads  finishedUploads     // those, for the next run; its mu comes first

	life   sync.Mutex
	closed bool           // guarded by life
	sweeps *time.Timer    // guarded by life; calls sweep
	wg     sync.WaitGroup // added to under life, while not closed
}

// Stats are counters since Start, and what is held now.
type Stats struct {
	Rooms, Streams int
	HeldBytes      int64 // in memory, of all streams
	Gaps           Gaps  // of readers of live streams, since Start
}

// Start opens the spool and takes up what was left there: ended streams go on to the archive, files with a key wait for
// their publishers, the rest ends.
func (h *Hub) Start() error {
	h.rooms, h.streams = map[string]*Room{}, map[string]*Stream{}
	h.syncs = make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	h.keys, h.finished = map[string]*Stream{}, map[string]finished{}
	dir := h.Dir
	if dir == "" {
		temp, err := os.MkdirTemp("", "sluice-spool-")
		if err != nil {
			return err
		}
		h.temp, dir = temp, temp
	}
	var err error
	if h.spool, err = spool.Open(dir, h.log()); err != nil {
		return err
	}
	if err := h.openFinished(dir); err != nil {
		return err
	}
	if err := h.spool.Recover(h.recover); err != nil {
		return err
	}
	h.sweepLater()
	return nil
}

// Close stops what the hub began and closes the spool. Open streams are left as they are, to be taken up by the next Start.
// The doors are to be closed before.
func (h *Hub) Close() error {
	h.life.Lock()
	h.closed = true
	if h.sweeps != nil {
		h.sweeps.Stop()
	}
	h.life.Unlock()
	h.mu.Lock()
	streams := slices.Collect(maps.Values(h.streams))
	h.mu.Unlock()
	for _, st := range streams {
		st.stopTimer()
	}
	h.wg.Wait()
	for _, st := range streams {
		st.in.rest()
	}
	err := errors.Join(h.uploads.close(), h.spool.Close())
	if h.temp != "" {
		err = errors.Join(err, os.RemoveAll(h.temp))
	}
	return err
}

// Stats tells what the hub holds.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Rooms: len(h.rooms), Streams: len(h.streams), HeldBytes: h.held.Load(), Gaps: h.gaps.counted()}
}

// Event is what has become of a stream.
type Event string

const (
	EventStream   Event = "stream"   // it has begun, and its type is known
	EventEnd      Event = "end"      // no byte follows; its state says how it ended
	EventArchived Event = "archived" // the store has it
)

func (h *Hub) tell(event Event, info Info) {
	if h.Tell != nil {
		h.Tell(event, info)
	}
}

// Log is where the hub and its doors log.
func (h *Hub) Log() *slog.Logger { return h.log() }

func (h *Hub) log() *slog.Logger {
	if h.Logger != nil {
		return h.Logger
	}
	return slog.Default()
}

// enter reports whether the caller may work, and has Close wait until leave.
func (h *Hub) enter() bool {
	h.life.Lock()
	defer h.life.Unlock()
	if !h.closed {
		h.wg.Add(1)
	}
	return !h.closed
}

// run calls f unless the hub is closed; Close waits for it.
func (h *Hub) run(f func()) {
	if h.enter() {
		defer h.wg.Done()
		f()
	}
}

// spawn is run in a goroutine. It reports whether f will be run: it is not once the hub is closed.
func (h *Hub) spawn(f func()) bool {
	if !h.enter() {
		return false
	}
	go func() {
		defer h.wg.Done()
		f()
	}()
	return true
}

// Join enters m in a room and returns what the room holds; streams that begin from now on m is told of.
func (h *Hub) Join(ctx context.Context, room string, who Identity, m Member) (View, error) {
	if err := checkName("room", room, false); err != nil {
		return View{}, err
	}
	if err := h.authorize(ctx, Request{Action: Join, Room: room, Identity: who}); err != nil {
		return View{}, err
	}
	var view View
	err := h.use(room, func(r *Room) error {
		if _, here := r.members[m]; !here && len(r.members) >= h.roomMembers() {
			return overLimit(TooMany, int64(h.roomMembers()), "members in a room")
		}
		r.members[m] = who
		view = r.view()
		return nil
	})
	return view, err
}

// Leave takes m out of a room; it is told of no stream after that.
func (h *Hub) Leave(room string, m Member) {
	h.look(room, func(r *Room) { delete(r.members, m) })
}

// Members returns who is in a room, in the order of their ids. It asks nobody: it is for the doors.
func (h *Hub) Members(room string) []Identity {
	var members []Identity
	h.look(room, func(r *Room) { members = r.identities() })
	return members
}

// Look returns what a room holds. A room that nobody uses is empty.
func (h *Hub) Look(ctx context.Context, room string, who Identity) (View, error) {
	if err := checkName("room", room, false); err != nil {
		return View{}, err
	}
	if err := h.authorize(ctx, Request{Action: List, Room: room, Identity: who}); err != nil {
		return View{}, err
	}
	var view View
	h.look(room, func(r *Room) { view = r.view() })
	return view, nil
}

// Stream returns a stream for who may read it, whether it is in memory or archived. NotFound if there is none.
func (h *Hub) Stream(ctx context.Context, id string, who Identity) (*Stream, error) {
	st, err := h.find(ctx, id)
	if err != nil {
		return nil, err
	}
	info := st.Info()
	err = h.authorize(ctx, Request{Action: Subscribe, Room: info.Room, Stream: &info, Identity: who, Own: st.PublishedBy(who)})
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Has reports whether a stream of that id is in memory.
func (h *Hub) Has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams[id] != nil
}

func (h *Hub) find(ctx context.Context, id string) (*Stream, error) {
	h.mu.Lock()
	st := h.streams[id]
	h.mu.Unlock()
	if st != nil {
		return st, nil
	}
	if h.Archive != nil && validID(id) {
		info, err := h.Archive.Find(ctx, id)
		if err == nil {
			return h.archived(info), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			h.log().Error("archive", "stream", id, "err", err)
			return nil, Errorf(Unavailable, "the archive does not answer")
		}
	}
	return nil, Errorf(NotFound, "no such stream")
}

// archived makes a stream of what the store alone holds. It is in no room and nobody is told of it.
func (h *Hub) archived(info Info) *Stream {
	st := &Stream{id: info.ID, kind: info.Kind, hub: h, room: &Room{hub: h, name: info.Room}, keep: true, info: info, announced: true}
	st.log = h.cache.get(info.ID)
	if info.Size != nil {
		st.end = *info.Size
	}
	st.in.start(st, st.end, st.end)
	st.in.over = true
	return st
}

// List returns the streams of a room, newest first: open, ended and archived ones, older than before if that is not "".
func (h *Hub) List(ctx context.Context, room, before string, limit int, who Identity) ([]Info, error) {
	if err := checkName("room", room, false); err != nil {
		return nil, err
	}
	if err := h.authorize(ctx, Request{Action: List, Room: room, Identity: who}); err != nil {
		return nil, err
	}
	var infos []Info
	h.look(room, func(r *Room) {
		for _, st := range r.streams {
			info := st.Info()
			if (before == "" || st.id < before) && st.Announced() && (!info.Over() || info.Whole()) {
				infos = append(infos, info)
			}
		}
	})
	if h.Archive != nil {
		kept, err := h.Archive.List(ctx, room, before, limit)
		if err != nil {
			h.log().Error("archive", "room", room, "err", err)
			return nil, Errorf(Unavailable, "the archive does not answer")
		}
		infos = append(infos, kept...) // what is in memory is newer and wins: the sort is stable
	}
	slices.SortStableFunc(infos, func(a, b Info) int { return strings.Compare(b.ID, a.ID) })
	infos = slices.CompactFunc(infos, func(a, b Info) bool { return a.ID == b.ID })
	return infos[:min(len(infos), limit)], nil
}

// Delete removes a stream, its content and its manifest; its readers see the end.
func (h *Hub) Delete(ctx context.Context, id string, who Identity) error {
	st, err := h.find(ctx, id)
	if err != nil {
		return err
	}
	info := st.Info()
	err = h.authorize(ctx, Request{Action: Delete, Room: info.Room, Stream: &info, Identity: who, Own: st.PublishedBy(who)})
	if err != nil {
		return err
	}
	st.deleted()
	if h.Archive != nil {
		if err := h.Archive.Delete(ctx, info); err != nil {
			h.log().Error("archive delete", "stream", id, "err", err)
			return Errorf(Unavailable, "the archive does not answer")
		}
	}
	h.uncacheOne(id)
	h.sayDeleted(info.Room, id)
	return nil
}

// Expired forgets a stream that the archive has deleted because of its age.
func (h *Hub) Expired(room, id string) {
	h.mu.Lock()
	st := h.streams[id]
	h.mu.Unlock()
	if st != nil {
		st.deleted()
	}
	h.disremember(id)
	h.uncacheOne(id)
	h.sayDeleted(room, id)
}

func (h *Hub) sayDeleted(room, id string) {
	var members []Member
	h.look(room, func(r *Room) { members = slices.Collect(maps.Keys(r.members)) })
	for _, m := range members {
		m.Deleted(room, id)
	}
}
