package sio

import (
	"sync"
	"time"
)

// replies is when a client's acks are sent: at once, or if its next event waits already when that has been handled, too, so that
// they go out together. They are on the connection's queue all the while, and never wait longer than burstTime.
type replies struct {
	socket *Socket // set once

	mu   sync.Mutex
	due  bool        // guarded by mu
	late *time.Timer // guarded by mu: calls send; nil before the first
}

func newReplies(s *Socket) *replies { return &replies{socket: s} }

// wake sends the acks that are on the queue, now or later.
func (r *replies) wake() {
	if !r.socket.pressed() {
		r.socket.conn.session.Wake()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.due:
		return
	case r.late == nil:
		r.late = time.AfterFunc(burstTime, r.send)
	default:
		r.late.Reset(burstTime)
	}
	r.due = true
}

// settle is called when a handler has returned.
func (r *replies) settle() {
	if !r.socket.pressed() {
		r.send()
	}
}

// send sends the acks that wait.
func (r *replies) send() {
	r.mu.Lock()
	due := r.due
	r.due = false
	if due {
		r.late.Stop()
	}
	r.mu.Unlock()
	if due {
		r.socket.conn.session.Wake()
	}
}
