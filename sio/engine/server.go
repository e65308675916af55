package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The defaults of Node's server.
const (
	defaultPingInterval     = 25 * time.Second
	defaultPingTimeout      = 20 * time.Second
	defaultUpgradeTimeout   = 10 * time.Second
	defaultHandshakeTimeout = 10 * time.Second
	defaultMaxPayloadBytes  = 1_000_000
	defaultThreshold        = 1024
)

// Server speaks Engine.IO 4, and 3 on request. Its zero value works with the defaults of Node's server, but admits nobody until
// Accept is set. The fields must not change after the first request.
type Server struct {
	PingInterval     time.Duration // between pings; 0 means 25 s
	PingTimeout      time.Duration // for the answer to a ping; 0 means 20 s
	UpgradeTimeout   time.Duration // for each step of an upgrade; 0 means 10 s
	HandshakeTimeout time.Duration // for writing a handshake's reply; 0 means 10 s

	// MaxPayloadBytes is announced to the client; it bounds a text message, what a POST may hold beside streamed binary
	// messages, and what Receive may leave unread of one. 0 means 1,000,000.
	MaxPayloadBytes int

	// AllowEIO3 admits clients of Engine.IO 3, too: of Socket.IO 2. A request that does not say its version is then one of them.
	AllowEIO3 bool

	// Transports are those that may be used: "polling", "websocket", "webtransport". nil means all; for the last, something has
	// to call ServeStream.
	Transports []string
	// NoUpgrades keeps a session on the transport it began on.
	NoUpgrades bool

	// Cookie is set, with the session's id as its value, by the reply to a handshake over polling, for the sake of a balancer.
	// Without a Name it is "io", without a Path it has "/", without SameSite it is Lax; with no more than a Name it is HttpOnly,
	// too. nil means none.
	Cookie *http.Cookie

	// Deflate, if not nil, compresses messages over WebSocket. It costs the clients time, too: they compress a whole message
	// before its first byte leaves.
	Deflate *Deflate
	// HTTPCompression is the same for polling replies; its zero value compresses, as in Node's server.
	HTTPCompression HTTPCompression

	// A request that a web page of another origin makes is refused with 403, over every transport, unless CORS names that
	// origin or CheckOrigin says yes. The latter lets a page send no cookies; nil says no.
	CORS        CORS
	CheckOrigin func(*http.Request) bool

	// Accept admits a session. It is called on the handshake before the reply is written; the Receiver it returns gets the
	// session's messages. A *HandshakeError refuses with its status and JSON body; any other error with 403 and code 4.
	Accept func(s *Session, r *http.Request) (Receiver, error)

	Logger *slog.Logger // nil means slog.Default()

	counters counters
	parking  parking
	lull     time.Duration // how long nothing must come for a reader to rest; 0 means defaultLull
	doors    atomic.Int32  // that WebTransport comes in through

	mu       sync.Mutex
	sessions map[string]*Session // guarded by mu
	late     map[string]*late    // guarded by mu; sessions that ended, by id
	arriving map[net.Conn]bool   // guarded by mu; streams whose first packet has not come
	tasks    int                 // guarded by mu; requests and goroutines under way
	closing  bool                // guarded by mu
	idle     chan struct{}       // guarded by mu; closed when closing and tasks is 0; nil before Shutdown
}

// late is the answer for one GET that comes after its session's end.
type late struct {
	reply  pollReply
	expire *time.Timer
}

// ServeHTTP serves every request of Engine.IO, whatever its path.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !srv.enter() {
		srv.refuse(w, errShuttingDown)
		return
	}
	defer srv.leave()
	if refusal := checkHeader(r); refusal != nil {
		srv.refuse(w, refusal)
		return
	}
	switch {
	case !srv.AllowOrigin(w.Header(), r):
		srv.refuse(w, errForbidden)
	case srv.isPreflight(r):
		srv.servePreflight(w, r)
	default:
		srv.route(w, r)
	}
}

// route finds the session of a request, or opens one.
func (srv *Server) route(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	transport := query.Get("transport")
	if !srv.has(transport) {
		srv.refuse(w, errUnknownTransport)
		return
	}
	sid := query.Get("sid")
	if sid == "" {
		srv.serveHandshake(w, r, query)
		return
	}
	s := srv.session(sid)
	switch {
	case s == nil && r.Method == http.MethodGet && transport == transportPolling && srv.serveLate(w, r, sid):
	case s == nil:
		srv.refuse(w, errUnknownSession)
	case srv.protocol(query) != s.protocol:
		srv.refuse(w, errBadRequest)
	case transport == transportWebSocket && srv.NoUpgrades:
		srv.refuse(w, errBadRequest)
	case transport == transportWebSocket:
		if refusal := checkWebSocket(r); refusal != nil {
			srv.refuse(w, refusal)
			return
		}
		s.serveUpgrade(w, r)
	case r.Method == http.MethodGet:
		s.serveGet(w, r)
	case r.Method == http.MethodPost:
		s.servePost(w, r)
	default:
		srv.refuse(w, errBadMethod)
	}
}

// has reports whether a request may ask for a transport.
func (srv *Server) has(transport string) bool {
	return (transport == transportPolling || transport == transportWebSocket) && srv.allows(transport)
}

// allows reports whether a transport may be used.
func (srv *Server) allows(transport string) bool {
	return srv.Transports == nil || slices.Contains(srv.Transports, transport)
}

// upgrades returns the transports that a session on polling may move to.
func (srv *Server) upgrades(protocol int) (names []string) {
	if srv.NoUpgrades {
		return nil
	}
	if srv.allows(transportWebSocket) {
		names = append(names, transportWebSocket)
	}
	if protocol == 4 && srv.allows(transportWebTransport) && srv.doors.Load() > 0 {
		names = append(names, transportWebTransport)
	}
	return names
}

// protocol returns the version of Engine.IO that a query asks for; 0 if it is not spoken here.
func (srv *Server) protocol(query url.Values) int {
	switch version := query.Get("EIO"); {
	case version == "4":
		return 4
	case srv.AllowEIO3 && (version == "3" || version == ""):
		return 3
	}
	return 0
}

// refuse answers with an error, as Node's server words it.
func (srv *Server) refuse(w http.ResponseWriter, refusal *HandshakeError) {
	srv.counters.refused(refusal.Message)
	status := refusal.Status
	switch status {
	case 0:
		status = http.StatusForbidden
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, POST")
	case http.StatusUpgradeRequired:
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Sec-WebSocket-Version", "13")
	}
	body, _ := json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{refusal.Code, refusal.Message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// Shutdown refuses new sessions, closes all with ErrServerShutdown, and waits until everything the server began has ended or
// ctx has.
func (srv *Server) Shutdown(ctx context.Context) error {
	sessions, idle := srv.close()
	for _, s := range sessions {
		s.Close(ErrServerShutdown)
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close makes the server refuse, and returns the sessions it has and what is closed when nothing is under way any more.
func (srv *Server) close() ([]*Session, <-chan struct{}) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if !srv.closing {
		srv.closing, srv.idle = true, make(chan struct{})
		if srv.tasks == 0 {
			close(srv.idle)
		}
	}
	for conn := range srv.arriving {
		conn.SetReadDeadline(longAgo)
	}
	for sid, l := range srv.late {
		l.expire.Stop()
		delete(srv.late, sid)
	}
	return slices.Collect(maps.Values(srv.sessions)), srv.idle
}

// enter notes that a request is being served, unless the server is shutting down.
func (srv *Server) enter() bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return false
	}
	srv.tasks++
	return true
}

// leave notes that a request or goroutine has ended.
func (srv *Server) leave() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.done()
}

// done notes that a task has ended. Its caller holds mu.
func (srv *Server) done() {
	if srv.tasks--; srv.tasks == 0 && srv.closing {
		close(srv.idle)
	}
}

// spawn runs f in a goroutine that Shutdown waits for. Its caller is one, or belongs to a session, which is.
func (srv *Server) spawn(f func()) {
	srv.mu.Lock()
	srv.tasks++
	srv.mu.Unlock()
	go func() {
		defer srv.leave()
		f()
	}()
}

// remember makes s known, unless the server is shutting down. A known session is a task until it is forgotten.
func (srv *Server) remember(s *Session) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return false
	}
	if srv.sessions == nil {
		srv.sessions = make(map[string]*Session)
	}
	srv.sessions[s.id] = s
	s.opened = true
	srv.tasks++
	srv.counters.opened.Add(1)
	return true
}

// forget makes a session that has ended unknown.
func (srv *Server) forget(s *Session) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.sessions[s.id] == s {
		delete(srv.sessions, s.id)
		srv.done()
	}
}

// session returns the session of an id, nil if there is none. One whose time is up ends here if its timer is late: clients look
// at exactly that moment.
func (srv *Server) session(sid string) *Session {
	srv.mu.Lock()
	s := srv.sessions[sid]
	srv.mu.Unlock()
	if s != nil && s.beat.isOver() {
		s.expire()
		return nil
	}
	return s
}

// linger makes one GET of a session that has ended be answered with reply, if it comes soon.
func (srv *Server) linger(sid string, reply pollReply, soon time.Duration) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return
	}
	if srv.late == nil {
		srv.late = make(map[string]*late)
	}
	srv.late[sid] = &late{reply, time.AfterFunc(soon, func() { srv.takeLate(sid) })}
}

// takeLate returns what linger left, nil if there is nothing, and takes it away.
func (srv *Server) takeLate(sid string) *late {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	l := srv.late[sid]
	if l != nil {
		l.expire.Stop()
	}
	delete(srv.late, sid)
	return l
}

// serveLate answers a GET of a session that has just ended. It returns false if there is none.
func (srv *Server) serveLate(w http.ResponseWriter, r *http.Request, sid string) bool {
	l := srv.takeLate(sid)
	if l == nil {
		return false
	}
	srv.writePayload(w, r, l.reply)
	return true
}

func (srv *Server) log() *slog.Logger {
	if srv.Logger != nil {
		return srv.Logger
	}
	return slog.Default()
}

func (srv *Server) pingInterval() time.Duration { return cmp.Or(srv.PingInterval, defaultPingInterval) }
func (srv *Server) lullTime() time.Duration     { return cmp.Or(srv.lull, defaultLull) }
func (srv *Server) pingTimeout() time.Duration  { return cmp.Or(srv.PingTimeout, defaultPingTimeout) }
func (srv *Server) upgradeTimeout() time.Duration {
	return cmp.Or(srv.UpgradeTimeout, defaultUpgradeTimeout)
}

// maxPayloadBytes is far enough from the largest number for what is compared with it to be a little more.
func (srv *Server) maxPayloadBytes() int {
	return min(cmp.Or(srv.MaxPayloadBytes, defaultMaxPayloadBytes), math.MaxInt/2)
}

func (srv *Server) handshakeTimeout() time.Duration {
	return cmp.Or(srv.HandshakeTimeout, defaultHandshakeTimeout)
}
