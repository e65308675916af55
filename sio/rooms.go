package sio

import (
	"slices"
	"sync"
)

// rooms knows which sockets of a namespace are in which rooms. Every socket is in the room of its own id.
type rooms struct {
	mu      sync.RWMutex
	sockets map[string]*Socket              // guarded by mu, by id
	members map[string]map[*Socket]struct{} // guarded by mu, by room
}

func newRooms() rooms {
	return rooms{sockets: make(map[string]*Socket), members: make(map[string]map[*Socket]struct{})}
}

// add lets s take part, unless it has been removed already.
func (r *rooms) add(s *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.gone {
		return
	}
	s.present = true
	r.sockets[s.id] = s
	r.join(s, s.id)
}

// remove takes s out of all its rooms for good. s keeps the list of them.
func (r *rooms) remove(s *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.gone, s.present = true, false
	delete(r.sockets, s.id)
	for _, room := range s.rooms {
		r.drop(s, room)
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
	if members == nil {
		members = make(map[*Socket]struct{})
		r.members[room] = members
	}
	if _, ok := members[s]; !ok {
		members[s] = struct{}{}
		s.rooms = append(s.rooms, room)
	}
}

func (r *rooms) leave(s *Socket, room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.present {
		return
	}
	r.drop(s, room)
	s.rooms = slices.DeleteFunc(s.rooms, func(have string) bool { return have == room })
}

func (r *rooms) drop(s *Socket, room string) {
	members := r.members[room]
	delete(members, s)
	if len(members) == 0 {
		delete(r.members, room)
	}
}

func (r *rooms) of(s *Socket) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(s.rooms)
}

func (r *rooms) socket(id string) *Socket {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.sockets[id]
}

// find returns the sockets in any of to (all, if to is empty) and in none of except, each once.
func (r *rooms) find(to, except []string, sender *Socket) []*Socket {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(to) == 0 {
		found := make([]*Socket, 0, len(r.sockets))
		for _, s := range r.sockets {
			if s != sender && !r.inAny(s, except) {
				found = append(found, s)
			}
		}
		return found
	}
	var found []*Socket
	for i, room := range to {
		found = slices.Grow(found, len(r.members[room]))
		for s := range r.members[room] {
			if s != sender && !r.inAny(s, except) && !r.inAny(s, to[:i]) {
				found = append(found, s)
			}
		}
	}
	return found
}

func (r *rooms) inAny(s *Socket, rooms []string) bool {
	for _, room := range rooms {
		if _, ok := r.members[room][s]; ok {
			return true
		}
	}
	return false
}
