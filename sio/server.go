package sio

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sio/browser"
	"sluice/sio/engine"
)

// Server is a Socket.IO server, an http.Handler. Its zero value serves with the defaults of Node's server. The fields must
// not change after the first request.
type Server struct {
	PingInterval   time.Duration // between pings; 0 means 25 s
	PingTimeout    time.Duration // how long a client may take to answer a ping; 0 means 20 s
	UpgradeTimeout time.Duration // for an upgrade from polling to WebSocket; 0 means 10 s
	ConnectTimeout time.Duration // how long a client may take to join its first namespace; 0 means 45 s

	MaxEventBytes   int // of an event with its attachments, unless they are streamed (OnStream); 0 means 1,000,000
	MaxAttachments  int // of an event a client sends, at most packet.MaxAttachments; 0 means 10
	MaxPendingBytes int // of what a client sent and no handler is done with, at least MaxEventBytes; 0 means 1 MiB

	// MaxHalfSentBytes bounds what is kept, of all clients together, of events whose attachments have not all arrived: who goes
	// over is cut off. It is at least MaxEventBytes; 0 means 64 MiB.
	MaxHalfSentBytes int
	MaxNamespaces    int // that a client may be in at a time, over one connection; 0 means 64

	// What was sent to a client and is not on the wire yet, Sources apart, is bounded in bytes, each packet counting 64 more
	// than it has, and in packets. Over that, Emit returns ErrQueueFull and a broadcast passes the client by; with CloseSlow
	// its connection is closed, too, and the reason is "too slow". Acks may go over the bounds fourfold.
	MaxQueuedBytes   int // 0 means 1 MiB
	MaxQueuedPackets int // 0 means 8192
	CloseSlow        bool

	MaxChildNamespaces  int  // that clients have made to exist, see OfFunc; 0 means 1000
	KeepChildNamespaces bool // they stay when their last socket has left

	// AllowEIO3 admits clients of Socket.IO 2, which speak Engine.IO 3, too.
	AllowEIO3 bool

	// Transports are those that may be used: "polling", "websocket", "webtransport" (see package webtransport). nil means
	// all.
	Transports []string
	NoUpgrades bool // keep a connection on the transport it began on

	// Cookie is set, with the Engine.IO session's id as its value, when a connection is opened over polling. See
	// engine.Server. nil means none.
	Cookie *http.Cookie

	// Deflate, if not nil, compresses messages over WebSocket (permessage-deflate). nil, as in Node's server, means none is.
	Deflate *Deflate
	// HTTPCompression is the same for polling; its zero value compresses, as in Node's server.
	HTTPCompression HTTPCompression

	// A request that a web page of another origin makes is refused, unless CORS names that origin or CheckOrigin says yes.
	// The latter lets a page send no cookies; nil says no.
	CORS        CORS
	CheckOrigin func(*http.Request) bool

	// AllowRequest, if not nil, is asked before a connection is opened. An error refuses with status 403; the text of an
	// *Error is told to the client.
	AllowRequest func(*http.Request) error

	// Recovery, if not nil, lets clients come back after their connection broke. nil, as in Node's server, means they
	// cannot.
	Recovery *Recovery

	// Client holds the client that pages load from beside the endpoint, as in <script src="/socket.io/socket.io.js">: the
	// folder dist of npm's socket.io-client, for one. nil means ours, of package browser. Of its files only those with names
	// that Socket.IO knows are served: socket.io.js, socket.io.esm.js, socket.io.msgpack.js, with .min before .js, and with
	// .map after it. Each is read once, and may have browser.MaxFileBytes.
	Client   fs.FS
	NoClient bool // serve no client

	// NewAdapter makes the Adapter of a namespace. An adapter of several nodes has local, which reaches the sockets of this
	// one, carry out what comes from elsewhere. It must not emit yet. It is to be set before Of is called. nil means local:
	// there is one node.
	NewAdapter func(ns *Namespace, local Adapter) Adapter

	Logger *slog.Logger // nil means slog.Default()

	once     sync.Once
	engine   engine.Server  // set up by once
	client   browser.Client // set up by once
	halfSent atomic.Int64   // bytes of events whose attachments have not all arrived
	counters counters
	created  list[func(*Namespace)]
	watchers watchers
	memory   memory

	mu         sync.Mutex
	namespaces map[string]*Namespace // guarded by mu
	parents    []*Namespace          // guarded by mu
	children   int                   // guarded by mu: of namespaces, those that clients have made to exist
	conns      map[*conn]struct{}    // guarded by mu
	closing    bool                  // guarded by mu
	workers    int                   // guarded by mu: goroutines that run handlers
	idle       chan struct{}         // guarded by mu: closed when workers is 0; nil unless somebody waits
}

// CORS names the other origins whose web pages may connect.
type CORS = engine.CORS

// Deflate says which messages are compressed over WebSocket.
type Deflate = engine.Deflate

// HTTPCompression says which polling replies are compressed.
type HTTPCompression = engine.HTTPCompression

// Of returns the namespace of that name, with or without the slash before it; it begins to exist with the first call. Only
// "/" exists by itself: clients that connect to any other name are refused, unless it matches a parent's (OfFunc).
func (srv *Server) Of(name string) *Namespace {
	if name == "" || name[0] != '/' {
		name = "/" + name
	}
	if strings.ContainsAny(name, ",?") {
		panic("sio: a namespace's name cannot hold a comma or a question mark: " + name)
	}
	if ns := srv.keep(name); ns != nil {
		return ns
	}
	var parent *Namespace
	if name != "/" { // which exists by itself
		parent = srv.parentOf(name, nil)
	}
	srv.mu.Lock()
	ns := srv.namespaces[name] // it may exist by now
	begun := ns == nil
	if begun {
		ns = srv.add(name, parent)
		ns.kept = true
	}
	srv.mu.Unlock()
	if !begun {
		return srv.Of(name) // a client was faster: it is to be kept
	}
	srv.begun(ns)
	return ns
}

// keep returns a namespace that exists and stays from now on, nil if there is none of that name.
func (srv *Server) keep(name string) *Namespace {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	ns := srv.namespaces[name]
	if ns != nil && !ns.kept {
		ns.kept = true
		srv.children--
	}
	return ns
}

// Namespaces returns the namespaces that exist now, by name.
func (srv *Server) Namespaces() []*Namespace {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return slices.SortedFunc(maps.Values(srv.namespaces), func(a, b *Namespace) int { return strings.Compare(a.name, b.name) })
}

// ServeHTTP serves the requests of all transports. Mount it at "/socket.io/", where clients look for it.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	srv.setUp()
	if srv.serveClient(w, r) {
		return
	}
	srv.engine.ServeHTTP(w, r)
}

// Shutdown refuses new connections and closes those there are, when what was emitted has been sent, at most 5 seconds later.
// Then it waits until every handler has returned, and closes the Adapters. Sockets end with the reason "server shutting
// down"; their clients see the connection close, and connect anew. When ctx ends Shutdown does not wait any longer, for
// anything, and returns its error.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.setUp()
	srv.drain(ctx)
	err := srv.engine.Shutdown(ctx)
	select {
	case <-srv.quiet():
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return errors.Join(err, srv.closeNamespaces())
}

// drain lets no new client in, and has every other sent what waits for it. It returns when they have been closed, or ctx
// ends.
func (srv *Server) drain(ctx context.Context) {
	srv.mu.Lock()
	srv.closing = true
	conns := slices.Collect(maps.Keys(srv.conns))
	srv.mu.Unlock()
	for _, c := range conns {
		c.shut()
	}
	for _, c := range conns {
		select {
		case <-c.session.Done():
		case <-ctx.Done():
			return
		}
	}
}

// remember notes a connection, unless the server is shutting down.
func (srv *Server) remember(c *conn) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return false
	}
	if srv.conns == nil {
		srv.conns = make(map[*conn]struct{})
	}
	srv.conns[c] = struct{}{}
	return true
}

// forget is for a connection that has ended.
func (srv *Server) forget(c *conn) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.conns, c)
}

// closeNamespaces says to all namespaces that nothing more will be sent.
func (srv *Server) closeNamespaces() error {
	srv.mu.Lock()
	namespaces := slices.Collect(maps.Values(srv.namespaces))
	srv.mu.Unlock()
	var errs []error
	for _, ns := range namespaces {
		errs = append(errs, ns.close())
	}
	return errors.Join(errs...)
}

func (srv *Server) setUp() {
	srv.once.Do(func() {
		srv.engine.PingInterval = srv.PingInterval
		srv.engine.PingTimeout = srv.PingTimeout
		srv.engine.UpgradeTimeout = srv.UpgradeTimeout
		srv.engine.AllowEIO3 = srv.AllowEIO3
		srv.engine.MaxPayloadBytes = srv.maxEventBytes()
		srv.engine.Transports = srv.Transports
		srv.engine.NoUpgrades = srv.NoUpgrades
		srv.engine.Cookie = srv.Cookie
		srv.engine.HTTPCompression = srv.HTTPCompression
		srv.engine.Deflate = srv.Deflate
		srv.engine.CORS = srv.CORS
		srv.engine.CheckOrigin = srv.CheckOrigin
		srv.engine.Accept = srv.accept
		srv.engine.Logger = srv.Logger
		srv.client.FS = srv.Client
	})
}

// accept is the engine's question about a new session.
func (srv *Server) accept(s *engine.Session, r *http.Request) (engine.Receiver, error) {
	if srv.AllowRequest != nil {
		if err := srv.AllowRequest(r); err != nil {
			return nil, refusal(err)
		}
	}
	c := newConn(srv, s)
	if !srv.remember(c) {
		c.stopTimeout()
		return nil, errShuttingDown
	}
	c.greet()
	return c, nil
}

// errShuttingDown refuses who comes too late.
var errShuttingDown = &engine.HandshakeError{Status: http.StatusServiceUnavailable, Code: 3, Message: "Server is shutting down"}

func refusal(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &engine.HandshakeError{Status: http.StatusForbidden, Code: 4, Message: e.Message}
	}
	return err
}

func (srv *Server) log() *slog.Logger {
	if srv.Logger != nil {
		return srv.Logger
	}
	return slog.Default()
}

// begin counts a goroutine that end will count out, so that Shutdown can wait for it.
func (srv *Server) begin() {
	srv.mu.Lock()
	srv.workers++
	srv.mu.Unlock()
}

func (srv *Server) end() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.workers--; srv.workers == 0 && srv.idle != nil {
		close(srv.idle)
		srv.idle = nil
	}
}

// quiet returns a channel that is closed once no handler runs.
func (srv *Server) quiet() <-chan struct{} {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.idle == nil {
		srv.idle = make(chan struct{})
	}
	idle := srv.idle
	if srv.workers == 0 {
		close(idle)
		srv.idle = nil
	}
	return idle
}
