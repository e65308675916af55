package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"sluice/sio"
)

// roster is what the pages know of the sockets. It is bounded: a socket that has no room in it is not shown, nor is what happens
// to it.
type roster struct {
	sockets map[*sio.Socket]*known
	bytes   int // of all
	last    int // number given
}

// known is what the pages know of a socket.
type known struct {
	number    int // in the order of coming
	handshake json.RawMessage
	data      json.RawMessage
	rooms     []string
}

// shownSocket is a socket as a page is told of it.
type shownSocket struct {
	ID        string          `json:"id"`
	ClientID  string          `json:"clientId"`
	Transport string          `json:"transport"`
	Namespace string          `json:"nsp"`
	Data      json.RawMessage `json:"data"`
	Handshake json.RawMessage `json:"handshake"`
	Rooms     []string        `json:"rooms"`
}

// newRoster returns the sockets that there are. What is noted meanwhile may be in it or not; applying all of it makes it right,
// since what happened last to a socket and a room is noted last.
func newRoster(io *sio.Server) *roster {
	r := &roster{sockets: make(map[*sio.Socket]*known)}
	for _, ns := range io.Namespaces() {
		for _, s := range ns.Sockets() {
			if !r.add(s) {
				continue
			}
			for _, room := range s.Rooms() {
				r.join(s, room)
			}
		}
	}
	return r
}

// apply makes the roster what it is after something has happened, and reports whether that made a difference to what a page
// knows.
func (r *roster) apply(n note) bool {
	switch n.kind {
	case connected:
		if !r.add(n.socket) {
			return false
		}
		r.join(n.socket, n.socket.ID())
		return true
	case disconnected:
		return r.remove(n.socket)
	case joined:
		return r.join(n.socket, n.text)
	case left:
		return r.leave(n.socket, n.text)
	case dataSet:
		return r.setData(n.socket)
	default:
		return r.sockets[n.socket] != nil
	}
}

func (r *roster) add(s *sio.Socket) bool {
	if r.sockets[s] != nil {
		return false
	}
	k := &known{number: r.last, handshake: shownHandshake(s.Handshake()), data: shownData(s.Data()), rooms: []string{}}
	if !r.spend(len(s.ID()) + len(k.handshake) + len(k.data)) {
		return false
	}
	r.last++
	r.sockets[s] = k
	return true
}

// spend takes room for so many bytes, if there is.
func (r *roster) spend(n int) bool {
	if r.bytes+n > maxRosterBytes {
		return false
	}
	r.bytes += n
	return true
}

func (r *roster) remove(s *sio.Socket) bool {
	k := r.sockets[s]
	if k == nil {
		return false
	}
	r.bytes -= len(s.ID()) + len(k.handshake) + len(k.data)
	for _, room := range k.rooms {
		r.bytes -= len(room)
	}
	delete(r.sockets, s)
	return true
}

func (r *roster) join(s *sio.Socket, room string) bool {
	k := r.sockets[s]
	if k == nil || len(room) > maxNameBytes || len(k.rooms) >= maxShownRooms || slices.Contains(k.rooms, room) {
		return false
	}
	if !r.spend(len(room)) {
		return false
	}
	k.rooms = append(k.rooms, room)
	return true
}

func (r *roster) leave(s *sio.Socket, room string) bool {
	k := r.sockets[s]
	if k == nil {
		return false
	}
	i := slices.Index(k.rooms, room)
	if i < 0 {
		return false
	}
	k.rooms = slices.Delete(k.rooms, i, i+1)
	r.bytes -= len(room)
	return true
}

func (r *roster) setData(s *sio.Socket) bool {
	k := r.sockets[s]
	if k == nil {
		return false
	}
	data := shownData(s.Data())
	if bytes.Equal(data, k.data) || !r.spend(len(data)-len(k.data)) {
		return false
	}
	k.data = data
	return true
}

// show returns a socket that is known.
func (r *roster) show(s *sio.Socket) shownSocket {
	k := r.sockets[s]
	return shownSocket{
		ID: s.ID(), ClientID: shownConn(s), Transport: s.Transport(), Namespace: s.Namespace().Name(),
		Data: k.data, Handshake: k.handshake, Rooms: k.rooms,
	}
}

// all returns all that are known, in the order of their coming.
func (r *roster) all() []shownSocket {
	sockets := slices.SortedFunc(maps.Keys(r.sockets), func(a, b *sio.Socket) int {
		return cmp.Compare(r.sockets[a].number, r.sockets[b].number)
	})
	shown := make([]shownSocket, len(sockets))
	for i, s := range sockets {
		shown[i] = r.show(s)
	}
	return shown
}
