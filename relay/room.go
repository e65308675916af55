package relay

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Member is somebody in a room, as a door shows it to the relay. Its methods are called by whoever publishes or deletes and
// must not wait; they may still be called shortly after the member has left.
type Member interface {
	// Began says that a stream has begun and its type is known.
	Began(st *Stream)
	// Deleted says that a stream is gone from the room and its archive.
	Deleted(room, stream string)
}

// Room holds members and streams. It exists while it has any of them.
type Room struct {
	hub  *Hub
	name string

	mu      sync.Mutex
	dead    bool // taken out of the hub: look again
	members map[Member]Identity
	streams map[string]*Stream // in memory: open, or ended and not yet forgotten
	open    int                // of streams
}

// View is what a room holds at one moment.
type View struct {
	Members []Identity
	Streams []*Stream // announced and open, oldest first
}

// use calls f with the room locked, after making the room if there is none.
func (h *Hub) use(name string, f func(*Room) error) error {
	for {
		h.mu.Lock()
		r := h.rooms[name]
		if r == nil {
			r = &Room{hub: h, name: name, members: map[Member]Identity{}, streams: map[string]*Stream{}}
			h.rooms[name] = r
		}
		h.mu.Unlock()
		r.mu.Lock()
		if r.dead {
			r.mu.Unlock()
			continue
		}
		err := f(r)
		r.prune()
		r.mu.Unlock()
		return err
	}
}

// look calls f with the room locked, if there is such a room.
func (h *Hub) look(name string, f func(*Room)) {
	h.mu.Lock()
	r := h.rooms[name]
	h.mu.Unlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
	r.prune()
}

// prune takes an empty room out of the hub. The caller holds r.mu.
func (r *Room) prune() {
	if len(r.members) > 0 || len(r.streams) > 0 || r.dead {
		return
	}
	r.dead = true
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	delete(r.hub.rooms, r.name)
}

// view is what the room shows now. The caller holds r.mu.
func (r *Room) view() View {
	v := View{Members: r.identities()}
	for _, st := range r.streams {
		if st.Announced() && !st.Info().Over() {
			v.Streams = append(v.Streams, st)
		}
	}
	slices.SortFunc(v.Streams, func(a, b *Stream) int { return strings.Compare(a.id, b.id) })
	return v
}

// identities are the members, in the order of their ids. The caller holds r.mu.
func (r *Room) identities() []Identity {
	members := slices.Collect(maps.Values(r.members))
	slices.SortFunc(members, func(a, b Identity) int { return strings.Compare(a.ID, b.ID) })
	return members
}

// announce tells the members that st has begun.
func (r *Room) announce(st *Stream) {
	r.mu.Lock()
	st.mu.Lock()
	st.announced = true
	info := st.info
	st.mu.Unlock()
	members := slices.Collect(maps.Keys(r.members))
	r.mu.Unlock()
	r.hub.tell(EventStream, info)
	for _, m := range members {
		m.Began(st)
	}
}

// Announced reports whether the room was told that the stream has begun: its type is known.
func (st *Stream) Announced() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.announced
}

// ended is told when a stream of the room is over.
func (r *Room) ended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

// take enters a stream in the room.
func (r *Room) take(st *Stream, recovered bool) error {
	over := st.Info().Over()
	if limit := r.hub.roomStreams(); !over && !recovered && r.open >= limit {
		return overLimit(TooMany, int64(limit), "open streams in a room")
	}
	r.streams[st.id] = st
	if !over {
		r.open++
	}
	return nil
}

// drop takes a stream out of the room.
func (r *Room) drop(st *Stream) {
	if r.streams[st.id] == nil {
		return
	}
	delete(r.streams, st.id)
	if !st.Info().Over() {
		r.open--
	}
}
