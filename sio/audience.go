package sio

import "slices"

// Audience is a choice of a namespace's sockets, made when something is sent: a value that can be narrowed, kept and used
// from any goroutine.
//
//	ns.To("lobby").Except("muted").Emit("news", text)
//	s.To("lobby").Emit("typing") // to all in the lobby but s itself
type Audience struct {
	ns     *Namespace
	sender *Socket // left out; nil for nobody
	to     []string
	except []string
}

// To selects, beside those selected by an earlier To, the sockets that are in one of rooms. Every socket is in the room of its
// own id.
func (a Audience) To(rooms ...string) Audience {
	a.to = append(slices.Clip(a.to), rooms...)
	return a
}

// In is another name of To.
func (a Audience) In(rooms ...string) Audience { return a.To(rooms...) }

// Except leaves out the sockets that are in one of rooms.
func (a Audience) Except(rooms ...string) Audience {
	a.except = append(slices.Clip(a.except), rooms...)
	return a
}

// Emit sends an event to all of the audience; it is encoded once. The error says that it cannot be encoded. Who has a full
// queue does not get it, which Stats.Dropped counts. Bytes among args must not be changed afterwards.
func (a Audience) Emit(event string, args ...any) error { return a.Send(Prepare(event, args...)) }

// Send is Emit of an event that is encoded already.
func (a Audience) Send(p *Prepared) error {
	if p.err != nil {
		return p.err
	}
	for _, s := range a.Sockets() {
		s.Send(p) // whoever cannot take it misses it, and is counted
	}
	return nil
}

// Sockets returns the sockets that are the audience now.
func (a Audience) Sockets() []*Socket { return a.ns.rooms.find(a.to, a.except, a.sender) }

// Join lets all of the audience join rooms.
func (a Audience) Join(rooms ...string) {
	for _, s := range a.Sockets() {
		s.Join(rooms...)
	}
}

// Leave lets all of the audience leave rooms.
func (a Audience) Leave(rooms ...string) {
	for _, s := range a.Sockets() {
		for _, room := range rooms {
			s.Leave(room)
		}
	}
}

// Disconnect disconnects all of the audience. See [Socket.Disconnect].
func (a Audience) Disconnect(closeConn bool) {
	for _, s := range a.Sockets() {
		s.Disconnect(closeConn)
	}
}
