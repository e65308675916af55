package admin

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sio"
)

// note is something that happened to a socket.
type note struct {
	kind   kind
	socket *sio.Socket
	text   string          // a room, or a reason
	event  json.RawMessage // as it is shown
	at     time.Time
}

type kind byte

const (
	connected kind = iota
	disconnected
	joined
	left
	upgraded
	dataSet
	received
	sent
)

// notes are what has happened since somebody looked. Whoever does something writes it down, and must not be held up.
type notes struct {
	wake   chan struct{} // holds one: there are notes
	events atomic.Int32  // how many of the notes are events

	mu   sync.Mutex
	all  []note // guarded by mu
	lost bool   // guarded by mu: there were too many, and all are dropped until somebody begins anew
}

func newNotes() *notes { return &notes{wake: make(chan struct{}, 1)} }

// watcher returns what writes everything down.
func (n *notes) watcher() sio.Watcher {
	return sio.Watcher{
		Connected:    func(s *sio.Socket) { n.add(note{kind: connected, socket: s}) },
		Disconnected: func(s *sio.Socket, reason string) { n.add(note{kind: disconnected, socket: s, text: reason}) },
		Joined:       func(s *sio.Socket, room string) { n.addRoom(note{kind: joined, socket: s, text: room}) },
		Left:         func(s *sio.Socket, room string) { n.addRoom(note{kind: left, socket: s, text: room}) },
		Upgraded:     func(s *sio.Socket) { n.add(note{kind: upgraded, socket: s}) },
		DataSet:      func(s *sio.Socket) { n.add(note{kind: dataSet, socket: s}) },
		Received: func(s *sio.Socket, event string, args sio.Args) {
			if n.takesEvent(s) {
				n.add(note{kind: received, socket: s, event: shownEvent(event, args)})
			}
		},
		Sent: func(s *sio.Socket, p *sio.Prepared) {
			if !n.takesEvent(s) {
				return
			}
			if args, err := p.Args(); err == nil {
				n.add(note{kind: sent, socket: s, event: shownEvent(p.Name(), args)})
			}
		},
	}
}

// takesEvent reports whether an event of s is to be written down, and counts it if so. Those of pages, of whatever UI, would
// beget others without end.
func (n *notes) takesEvent(s *sio.Socket) bool {
	return n.events.Load() < maxEvents && !isPage(s) && n.events.Add(1) <= maxEvents
}

func (n *notes) addRoom(of note) {
	if len(of.text) <= maxNameBytes {
		n.add(of)
	}
}

func (n *notes) add(one note) {
	one.at = time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.lost:
		return
	case len(n.all) >= maxNotes:
		n.all, n.lost = nil, true
		return
	}
	n.all = append(n.all, one)
	n.signal()
}

// signal sees that somebody looks.
func (n *notes) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// take returns the notes, which are forgotten.
func (n *notes) take() []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.all
	n.all = nil
	n.events.Store(0)
	return all
}

// areLost reports whether notes are missing.
func (n *notes) areLost() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

// restart begins anew: from now on nothing is missing.
func (n *notes) restart() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all, n.lost = nil, false
	n.events.Store(0)
}
