package admin

import (
	"log/slog"
	"sync"
	"time"

	"sluice/sio"
)

// UI is what serves the page.
type UI struct {
	io      *sio.Server
	options Options
	ns      *sio.Namespace
	begun   time.Time

	door     door
	sessions sessions

	mu     sync.Mutex
	closed bool                  // guarded by mu
	admins map[*sio.Socket]*page // guarded by mu
	feed   *feed                 // guarded by mu: runs while there are admins; nil else
}

// page is one open page.
type page struct {
	socket *sio.Socket
	behind bool // owned by the feed: it knows not all of what happened
}

// Instrument serves the page in a namespace of io, which must not have been used for anything else.
func Instrument(io *sio.Server, o Options) *UI {
	ui := &UI{io: io, options: o.withDefaults(), begun: time.Now(), admins: make(map[*sio.Socket]*page)}
	ui.door.init()
	ui.sessions.lasting = ui.options.SessionTime
	ui.ns = io.Of(ui.options.Namespace)
	ui.ns.Use(ui.admit)
	ui.ns.OnConnect(ui.welcome)
	ui.ns.OnDisconnect(func(s *sio.Socket, _ string) { ui.remove(s) })
	if !ui.options.ReadOnly {
		ui.obey()
	}
	return ui
}

// Close disconnects all pages, lets in no more, and waits until nothing of the UI runs but handlers.
func (ui *UI) Close() {
	ui.mu.Lock()
	ui.closed = true
	f := ui.feed
	ui.feed = nil
	ui.mu.Unlock()
	if f != nil {
		f.stop()
	}
	ui.ns.Local().DisconnectSockets(false)
}

// log returns a logger that says which page it is about.
func (ui *UI) log(s *sio.Socket) *slog.Logger {
	l := ui.io.Logger
	if l == nil {
		l = slog.Default()
	}
	return l.With("sid", s.ID(), "address", s.Handshake().Address)
}

// welcome tells a page that was let in what it can do.
func (ui *UI) welcome(s *sio.Socket) {
	if entry, ok := s.Data().(entry); ok && entry.byPassword {
		s.Emit("session", ui.sessions.begin())
	}
	s.Emit("config", map[string]any{"supportedFeatures": ui.features()})
	if !ui.add(s) {
		s.Disconnect(false)
	}
}

// features returns what the page offers its user, in its own words.
func (ui *UI) features() (all []string) {
	if !ui.options.ReadOnly {
		all = append(all, "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
	}
	all = append(all, "AGGREGATED_EVENTS")
	if ui.options.Verbose {
		all = append(all, "ALL_EVENTS")
	}
	return all
}

// add lets a page be told what happens. It reports whether there is room for it.
func (ui *UI) add(s *sio.Socket) bool {
	ui.mu.Lock()
	defer ui.mu.Unlock()
	if ui.closed || len(ui.admins) >= maxAdmins {
		return false
	}
	p := &page{socket: s}
	ui.admins[s] = p
	if ui.feed == nil {
		ui.feed = startFeed(ui)
	}
	ui.feed.welcome(p)
	return true
}

// remove is the end of a page; after the last nothing is told any more.
func (ui *UI) remove(s *sio.Socket) {
	ui.mu.Lock()
	p := ui.admins[s]
	delete(ui.admins, s)
	f := ui.feed
	last := len(ui.admins) == 0
	if last {
		ui.feed = nil
	}
	ui.mu.Unlock()
	switch {
	case f == nil || p == nil:
	case last:
		f.stop()
	default:
		f.forget(p)
	}
}
