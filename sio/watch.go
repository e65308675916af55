package sio

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Watcher is told what happens in a server, in all its namespaces: for tools that show it, as package admin does. Nothing it does
// changes what happens, and it is never told before it has. A field may be nil.
//
// Whoever does something calls it, with locks held that keep the order: what it is told of one socket is in the order in which
// it happened, save that events, upgrades and data may overtake the rest. So it must not wait, and of this package it may only call
// what returns what never changes, such as Socket.ID, Socket.Handshake and Prepared.Args.
type Watcher struct {
	Connected    func(s *Socket)                // has joined its namespace; it is in the room of its own id, and no other
	Disconnected func(s *Socket, reason string) // in the words of Node's server; it has left its rooms
	Joined       func(s *Socket, room string)
	Left         func(s *Socket, room string)
	RoomCreated  func(ns *Namespace, room string) // somebody is about to be the first in it
	RoomDeleted  func(ns *Namespace, room string) // the last has left it

	// Received is told of an event when its text has come, whether there is a handler for it or not. Its attachments have not
	// come, so that Args has placeholders for them.
	Received func(s *Socket, event string, args Args)
	// Sent is told of an event that was put on the queue of s: once for every recipient.
	Sent func(s *Socket, p *Prepared)

	Upgraded func(s *Socket) // its connection has moved to another transport, which is told for each of its sockets
	DataSet  func(s *Socket) // by Socket.SetData
}

// Watch has w told what happens from now on, until stop is called; a call that is under way then may still end later. It costs
// nothing when nobody watches.
func (srv *Server) Watch(w Watcher) (stop func()) {
	added := w.complete()
	srv.watchers.add(added)
	return func() { srv.watchers.remove(added) }
}

// complete returns a copy of w in which no field is nil.
func (w Watcher) complete() *Watcher {
	for _, f := range []*func(*Socket){&w.Connected, &w.Upgraded, &w.DataSet} {
		if *f == nil {
			*f = func(*Socket) {}
		}
	}
	for _, f := range []*func(*Socket, string){&w.Disconnected, &w.Joined, &w.Left} {
		if *f == nil {
			*f = func(*Socket, string) {}
		}
	}
	for _, f := range []*func(*Namespace, string){&w.RoomCreated, &w.RoomDeleted} {
		if *f == nil {
			*f = func(*Namespace, string) {}
		}
	}
	if w.Received == nil {
		w.Received = func(*Socket, string, Args) {}
	}
	if w.Sent == nil {
		w.Sent = func(*Socket, *Prepared) {}
	}
	return &w
}

// watchers are read often and changed rarely: reading takes no lock.
type watchers struct {
	mu  sync.Mutex
	now atomic.Pointer[[]*Watcher] // replaced with mu held
}

func (ws *watchers) all() []*Watcher {
	if now := ws.now.Load(); now != nil {
		return *now
	}
	return nil
}

func (ws *watchers) add(w *Watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	changed := append(slices.Clone(ws.all()), w)
	ws.now.Store(&changed)
}

func (ws *watchers) remove(w *Watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	changed := slices.DeleteFunc(slices.Clone(ws.all()), func(have *Watcher) bool { return have == w })
	ws.now.Store(&changed)
}

// watchers returns who is to be told what happens to s.
func (s *Socket) watchers() []*Watcher { return s.ns.server.watchers.all() }
