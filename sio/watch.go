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
// what returns what never changes, such as Socket.ID, Socket.Handshake and Prepared.Args. When it panics, that is logged, and
// ends nothing.
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
	added := srv.contained(w)
	srv.watchers.add(added)
	return func() { srv.watchers.remove(added) }
}

// contained returns a copy of w in which no field is nil, and none panics.
func (srv *Server) contained(w Watcher) *Watcher {
	return &Watcher{
		Connected:    contain1(srv, w.Connected),
		Disconnected: contain2(srv, w.Disconnected),
		Joined:       contain2(srv, w.Joined),
		Left:         contain2(srv, w.Left),
		RoomCreated:  contain2(srv, w.RoomCreated),
		RoomDeleted:  contain2(srv, w.RoomDeleted),
		Received: func(s *Socket, event string, args Args) {
			if w.Received != nil {
				srv.contain("a Watcher", func() { w.Received(s, event, args) })
			}
		},
		Sent:     contain2(srv, w.Sent),
		Upgraded: contain1(srv, w.Upgraded),
		DataSet:  contain1(srv, w.DataSet),
	}
}

func contain1[A any](srv *Server, f func(A)) func(A) {
	if f == nil {
		return func(A) {}
	}
	return func(a A) { srv.contain("a Watcher", func() { f(a) }) }
}

func contain2[A, B any](srv *Server, f func(A, B)) func(A, B) {
	if f == nil {
		return func(A, B) {}
	}
	return func(a A, b B) { srv.contain("a Watcher", func() { f(a, b) }) }
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
