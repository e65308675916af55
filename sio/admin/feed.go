package admin

import (
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/sio"
)

// feed tells the pages what happens, on a goroutine of its own that lasts as long as there is a page.
type feed struct {
	ui    *UI
	notes *notes
	quit  chan struct{} // closed by stop
	ended chan struct{} // closed by run

	mu      sync.Mutex
	pages   []*page // guarded by mu; never changed in place
	arrived []*page // guarded by mu: those that know nothing yet

	// Owned by run.
	roster  *roster // nil until the first look, and where the pages are told nothing of sockets
	counts  counts
	unwatch func()
}

func startFeed(ui *UI) *feed {
	f := &feed{ui: ui, notes: newNotes(), quit: make(chan struct{}), ended: make(chan struct{}), unwatch: func() {}}
	f.counts.begin(ui.io.Stats())
	go f.run()
	return f
}

// stop ends the feed, and returns when it has ended.
func (f *feed) stop() {
	close(f.quit)
	<-f.ended
}

// welcome adds a page.
func (f *feed) welcome(p *page) {
	f.mu.Lock()
	f.arrived = append(f.arrived, p)
	f.mu.Unlock()
	f.notes.signal()
}

// forget takes a page away.
func (f *feed) forget(p *page) {
	f.mu.Lock()
	defer f.mu.Unlock()
	is := func(other *page) bool { return other == p }
	f.pages = slices.DeleteFunc(slices.Clone(f.pages), is)
	f.arrived = slices.DeleteFunc(f.arrived, is)
}

func (f *feed) run() {
	defer close(f.ended)
	defer func() { f.unwatch() }()
	stats := time.NewTicker(statsInterval)
	defer stats.Stop()
	for {
		select {
		case <-f.quit:
			return
		case <-stats.C:
			f.tick()
		case <-f.notes.wake:
			f.look()
			if !f.rest() {
				return
			}
		}
	}
}

// rest lets things happen before the next look. It returns false if the feed is to end.
func (f *feed) rest() bool {
	timer := time.NewTimer(feedInterval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.quit:
		return false
	}
}

// look tells the pages what has happened, and new ones what there is.
func (f *feed) look() {
	f.mu.Lock()
	pages := f.pages
	f.mu.Unlock()
	for _, n := range f.notes.take() {
		if f.roster.apply(n) {
			f.report(pages, n)
		}
	}
	arrived := f.admit()
	if len(arrived) == 0 {
		return
	}
	f.tell(arrived, "server_stats", f.ui.stats(f.ui.io.Stats(), nil))
	if !f.ui.options.Verbose {
		return
	}
	if f.roster == nil {
		f.unwatch = f.ui.io.Watch(f.notes.watcher())
		f.reread()
	}
	f.tell(arrived, "all_sockets", f.roster.all())
}

// admit makes those that have arrived pages like all others, and returns them.
func (f *feed) admit() []*page {
	f.mu.Lock()
	defer f.mu.Unlock()
	arrived := f.arrived
	f.arrived = nil
	f.pages = slices.Concat(f.pages, arrived)
	return arrived
}

// reread makes the roster what is true.
func (f *feed) reread() {
	f.notes.restart()
	f.roster = newRoster(f.ui.io)
	for _, n := range f.notes.take() {
		f.roster.apply(n)
	}
}

// tick sends the numbers, and the list of sockets to those that have missed something.
func (f *feed) tick() {
	f.mu.Lock()
	pages := f.pages
	f.mu.Unlock()
	now := f.ui.io.Stats()
	f.tell(pages, "server_stats", f.ui.stats(now, f.counts.since(now, time.Now())))
	if f.roster == nil {
		return
	}
	if f.notes.areLost() {
		f.reread()
		for _, p := range pages {
			p.behind = true
		}
	}
	f.catchUp(pages)
}

// catchUp tells those that are behind what there is.
func (f *feed) catchUp(pages []*page) {
	var late []*page
	for _, p := range pages {
		if p.behind {
			p.behind = false
			late = append(late, p)
		}
	}
	if len(late) > 0 {
		f.tell(late, "all_sockets", f.roster.all())
	}
}

// report tells the pages of a note.
func (f *feed) report(pages []*page, n note) {
	s, at := n.socket, shownTime(n.at)
	id, ns := s.ID(), s.Namespace().Name()
	switch n.kind {
	case connected: // the room of its own id comes first, as with Node's server: joining it twice would confuse the page
		f.tell(pages, "room_joined", ns, id, id, at)
		f.tell(pages, "socket_connected", f.roster.show(s), at)
	case disconnected:
		f.tell(pages, "socket_disconnected", ns, id, n.text, at)
	case joined:
		f.tell(pages, "room_joined", ns, n.text, id, at)
	case left:
		f.tell(pages, "room_left", ns, n.text, id, at)
	case upgraded:
		f.tell(pages, "socket_updated", map[string]any{"id": id, "nsp": ns, "transport": s.Transport()})
	case dataSet:
		f.tell(pages, "socket_updated", map[string]any{"id": id, "nsp": ns, "data": f.roster.sockets[s].data})
	case received:
		f.tell(pages, "event_received", ns, id, n.event, at)
	case sent:
		f.tell(pages, "event_sent", ns, id, n.event, at)
	}
}

// tell sends something to pages that can take it; the others are behind.
func (f *feed) tell(pages []*page, event string, args ...any) {
	var p *sio.Prepared
	for _, page := range pages {
		if page.behind {
			continue
		}
		if p == nil {
			p = sio.Prepare(event, args...)
		}
		if err := page.socket.Send(p); errors.Is(err, sio.ErrQueueFull) {
			page.behind = true
		}
	}
}
