package sockets

import (
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"sluice/sio"
)

// gossipShards is how many rooms may be told something at the same time.
const gossipShards = 64

// gossip tells rooms who comes and goes. What comes up while a room is being told goes out together after that: when a thousand
// people leave at once, those who stay are not written to a thousand times. The zero value works.
type gossip struct{ shards [gossipShards]gossipShard }

type gossipShard struct {
	telling sync.Mutex // held while rooms are told; before mu

	mu    sync.Mutex
	heard []memberEvent // guarded by mu; in the order of their coming
}

var gossipSeed = maphash.MakeSeed()

func (g *gossip) shard(room string) *gossipShard {
	return &g.shards[maphash.String(gossipSeed, room)%gossipShards]
}

// tell returns when all in the room but the member itself have been told.
func (g *gossip) tell(ns *sio.Namespace, e memberEvent) error {
	s := g.shard(e.Room)
	s.mu.Lock()
	s.heard = append(s.heard, e)
	s.mu.Unlock()
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	heard := s.heard // with e, unless somebody who had the turn before has told of it
	s.heard = nil
	s.mu.Unlock()
	var errs []error
	for _, of := range byRoom(heard) {
		errs = append(errs, tellRoom(ns, of))
	}
	return errors.Join(errs...)
}

// byRoom sorts events by their rooms; those of a room stay in order.
func byRoom(events []memberEvent) (rooms [][]memberEvent) {
	at := map[string]int{}
	for _, e := range events {
		i, ok := at[e.Room]
		if !ok {
			i = len(rooms)
			at[e.Room], rooms = i, append(rooms, nil)
		}
		rooms[i] = append(rooms[i], e)
	}
	return rooms
}

// tellRoom sends a room what happened in it, and those whom that is about what happened to the others.
func tellRoom(ns *sio.Namespace, events []memberEvent) error {
	room := roomPrefix + events[0].Room
	all := make([]*sio.Prepared, len(events))
	var about []string
	for i, e := range events {
		all[i] = sio.Prepare(evMember, e)
		if !slices.Contains(about, e.ID) {
			about = append(about, e.ID)
		}
	}
	errs := []error{ns.To(room).Except(about...).SendAll(all...)}
	for _, id := range about {
		s := ns.Socket(id)
		if len(about) == 1 || s == nil || !slices.Contains(s.Rooms(), room) {
			continue
		}
		var others []*sio.Prepared
		for i, e := range events {
			if e.ID != id {
				others = append(others, all[i])
			}
		}
		errs = append(errs, ns.To(id).SendAll(others...))
	}
	return errors.Join(errs...)
}
