package sio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// rooms knows which sockets of a namespace are in which rooms. Every socket is in the room of its own id.
type rooms struct {
	changes atomic.Uint64 // goes up when one of the maps changes

	mu      sync.RWMutex
	sockets map[string]*Socket // guarded by mu, by id
	members map[string]members // guarded by mu, by room
}

// members are those of one room.
type members = few[*Socket, struct{}]

func (r *rooms) init() {
	r.sockets = make(map[string]*Socket)
	r.members = make(map[string]members)
}

// add lets s take part, unless it has been removed already.
func (r *rooms) add(s *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.gone {
		return
	}
	s.present = true
	r.changes.Add(1)
	r.sockets[s.id] = s
	r.join(s, s.id)
	for _, w := range s.watchers() {
		w.Connected(s)
	}
}

// remove takes s out of all its rooms for good. s keeps the list of them.
func (r *rooms) remove(s *Socket, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	had := s.present
	s.gone, s.present = true, false
	r.changes.Add(1)
	delete(r.sockets, s.id)
	for _, room := range s.rooms {
		r.drop(s, room)
	}
	if !had {
		return
	}
	for _, w := range s.watchers() {
		w.Disconnected(s, reason)
	}
}

func (r *rooms) joinAll(s *Socket, rooms []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.present {
		return
	}
	for _, room := range rooms {
		r.join(s, room)
	}
}

func (r *rooms) join(s *Socket, room string) {
	members := r.members[room]
	if members.has(s) {
		return
	}
	if members.len() == 0 {
		for _, w := range s.watchers() {
			w.RoomCreated(s.ns, room)
		}
	}
	members.put(s, struct{}{})
	r.members[room] = members
	r.changes.Add(1)
	s.rooms = append(s.rooms, room)
	s.noteJoin(room)
	for _, w := range s.watchers() {
		w.Joined(s, room)
	}
}

// noteJoin notes which events of a room are not for s, having come before it. Of rooms that s takes up that is known already.
// Called with rooms.mu held.
func (s *Socket) noteJoin(room string) {
	if s.pid == "" {
		return
	}
	if s.joined == nil {
		s.joined = make(map[string]uint64)
	}
	if _, ok := s.joined[room]; !ok {
		s.joined[room] = s.ns.log.given.Load()
	}
}

func (r *rooms) leaveAll(s *Socket, rooms []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.present {
		return
	}
	for _, room := range rooms {
		if room == s.id {
			continue // that room stands for the socket
		}
		r.drop(s, room)
		delete(s.joined, room)
		s.rooms = slices.DeleteFunc(s.rooms, func(have string) bool { return have == room })
	}
}

func (r *rooms) drop(s *Socket, room string) {
	members := r.members[room]
	if !members.has(s) {
		return
	}
	members.remove(s)
	r.members[room] = members
	r.changes.Add(1)
	for _, w := range s.watchers() {
		w.Left(s, room)
	}
	if members.len() > 0 {
		return
	}
	delete(r.members, room)
	for _, w := range s.watchers() {
		w.RoomDeleted(s.ns, room)
	}
}

func (r *rooms) of(s *Socket) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(s.rooms)
}

// history returns, of a socket that has ended, the rooms it was in and since when.
func (r *rooms) history(s *Socket) ([]string, map[string]uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return s.rooms, s.joined
}

func (r *rooms) socket(id string) *Socket {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sockets[id]
}

// find returns the sockets of this node that are meant, each once.
func (r *rooms) find(sel Selection) []*Socket {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var space [4]members
	except := r.groups(space[:0], sel.Except)
	if len(sel.Rooms) == 0 {
		found := make([]*Socket, 0, len(r.sockets))
		for _, s := range r.sockets {
			if !inAny(s, except) {
				found = append(found, s)
			}
		}
		return found
	}
	var more [4]members
	groups := r.groups(more[:0], sel.Rooms)
	var found []*Socket
	for i, group := range groups {
		found = slices.Grow(found, group.len())
		for s := range group.all() {
			if !inAny(s, except) && !inAny(s, groups[:i]) {
				found = append(found, s)
			}
		}
	}
	return found
}

// groups appends the members of those rooms that have any.
func (r *rooms) groups(dst []members, rooms []string) []members {
	for _, room := range rooms {
		if members, ok := r.members[room]; ok {
			dst = append(dst, members)
		}
	}
	return dst
}

func inAny(s *Socket, groups []members) bool {
	for _, group := range groups {
		if group.has(s) {
			return true
		}
	}
	return false
}
