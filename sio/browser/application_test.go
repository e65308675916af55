package browser_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/sio"
)

// application is what testdata/server.mjs is, on our server.
type application struct {
	url string

	mu     sync.Mutex
	conns  []net.Conn      // guarded by mu
	seen   map[string]bool // ids of sessions; guarded by mu
	banned map[string]bool // those whose connection was cut; guarded by mu
	tries  map[string]int  // of events that are answered late, by key; guarded by mu
}

// startApplication starts it for pages of an origin, with a certificate for WebTransport.
func startApplication(t *testing.T, origin string, certificate tls.Certificate, recovery *sio.Recovery) *application {
	t.Helper()
	a := &application{seen: map[string]bool{}, banned: map[string]bool{}, tries: map[string]int{}}
	server := &sio.Server{PingInterval: 300 * time.Millisecond, PingTimeout: 3 * time.Second, MaxEventBytes: 100_000,
		CORS: sio.CORS{Origins: []string{origin}, Credentials: true}, Recovery: recovery}
	a.answer(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	srv := httptest.NewUnstartedServer(a.guard(mux))
	srv.Listener = &recorder{l, a}
	srv.Start()
	a.url = srv.URL
	a.openDoor(t, l.Addr(), certificate, server)
	t.Cleanup(func() {
		if err := server.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("shut down: %v", err)
		}
		srv.Close()
	})
	return a
}

func (a *application) answer(server *sio.Server) {
	ns := server.Of("/")
	ns.On("echo", func(e *sio.Event) { e.Ack(arguments(e)...) })
	ns.On("bounce", func(e *sio.Event) { e.Socket.Emit("bounced", arguments(e)...) })
	ns.On("size", func(e *sio.Event) {
		var data []byte
		var text string
		if e.Decode(0, &data) == nil && e.Decode(1, &text) == nil && e.WantsAck() {
			e.Ack(len(data) + len(text))
		}
	})
	ns.On("ask", func(e *sio.Event) {
		if reply, err := e.Socket.EmitWithAck(e.Socket.Context(), "question", arguments(e)...); err == nil {
			e.Socket.Emit("answered", arguments(reply)...)
		}
	})
	ns.On("shout", func(e *sio.Event) { e.Socket.Broadcast().Emit("shouted", arguments(e)...) })
	ns.On("knows", func(e *sio.Event) {
		var id string
		if e.Decode(0, &id) == nil {
			e.Ack(ns.Socket(id) != nil)
		}
	})
	ns.On("flaky", func(e *sio.Event) {
		var key string
		if e.Decode(0, &key) != nil {
			return
		}
		if n := a.tried(key); n >= 3 {
			e.Ack(n)
		}
	})
	ns.On("handshake", func(e *sio.Event) {
		h := e.Socket.Handshake()
		var auth map[string]any
		if err := h.Decode(&auth); err != nil {
			return
		}
		header := h.Request.Header
		e.Ack(map[string]any{"x": h.Query().Get("x"), "auth": auth, "header": header.Get("X-Suite"), "cookie": header.Get("Cookie")})
	})
	ns.On("goodbye", func(e *sio.Event) { e.Socket.Disconnect(false) })
	ns.On("cut", func(*sio.Event) { a.cut() })

	admin := server.Of("/admin")
	admin.Use(func(s *sio.Socket) error {
		var auth struct{ Token string }
		if json.Unmarshal(s.Handshake().Auth, &auth) == nil && auth.Token == "secret" {
			return nil
		}
		return &sio.Error{Message: "not allowed", Data: map[string]string{"why": "token"}}
	})
	admin.On("echo", func(e *sio.Event) { e.Ack(arguments(e)...) })
}

// tried counts how often an event has come.
func (a *application) tried(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tries[key]++
	return a.tries[key]
}

// arguments decodes the arguments of an event or a reply, whatever they are.
func arguments(args interface {
	NumArgs() int
	Decode(i int, v any) error
}) []any {
	values := make([]any, args.NumArgs())
	for i := range values {
		if err := args.Decode(i, &values[i]); err != nil {
			values[i] = err.Error()
		}
	}
	return values
}

// cut does what a broken network does: every connection ends, and no session that there was is heard of again.
func (a *application) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.seen {
		a.banned[id] = true
	}
	for _, c := range a.conns {
		c.Close()
	}
	a.conns = nil
}

// guard lets only sessions through that were not cut. Browsers try again by themselves when a request was cut off.
func (a *application) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		id := r.URL.Query().Get("sid")
		banned := a.banned[id]
		if id != "" {
			a.seen[id] = true
		}
		a.mu.Unlock()
		if banned {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			http.Error(w, "cut", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// recorder remembers what it accepts, so that it can be cut.
type recorder struct {
	net.Listener
	app *application
}

func (r *recorder) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err == nil {
		r.app.remember(c)
	}
	return c, err
}

func (a *application) remember(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = append(a.conns, c)
}

// silence is how long a server that says nothing is listened to. Browsers have six connections to a server, and the stock
// client does not give up one on which it waits.
const silence = time.Second

// scripted is a server that accepts the first namespace, says what ?say= holds, and falls silent until the client says that it
// closes. It offers the upgrades of ?upgrades=, and with ?hasty silence is soon too long. It has only polling; at silent/ it says
// nothing at all, and missing/ is missing.
type scripted struct {
	mu       sync.Mutex
	sessions []*script // guarded by mu; by their ids
}

// script is one session.
type script struct {
	turns  int           // answered; guarded by the server's mu
	closed chan struct{} // when the client has said so
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	switch {
	case path.Base(r.URL.Path) == "silent":
		wait(r, nil)
		return
	case path.Base(r.URL.Path) == "missing":
		http.NotFound(w, r)
		return
	case query.Get("transport") != "polling":
		http.Error(w, "by polling only", http.StatusBadRequest)
		return
	}
	id, session, turn := s.turn(query.Get("sid"), r.Method)
	switch {
	case r.Method == http.MethodPost:
		if body, _ := io.ReadAll(r.Body); string(body) == "1" {
			close(session.closed)
		}
		fmt.Fprint(w, "ok")
	case turn == 0:
		upgrades, _ := json.Marshal(strings.Fields(query.Get("upgrades")))
		interval := 25_000
		if query.Has("hasty") {
			interval = 500
		}
		fmt.Fprintf(w, `0{"sid":%q,"upgrades":%s,"pingInterval":%d,"pingTimeout":%[3]d,"maxPayload":1000}`, id, upgrades, interval)
	case turn == 1:
		fmt.Fprint(w, `40{"sid":"s"}`)
	case turn == 2 && query.Has("say"):
		fmt.Fprint(w, query.Get("say"))
	default:
		wait(r, session.closed)
	}
}

// wait returns when the client has given up, or said so.
func wait(r *http.Request, closed <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-closed:
	case <-time.After(silence):
	}
}

// turn counts the GETs of a session, a new one without an id.
func (s *scripted) turn(id, method string) (string, *script, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(id)
	if err != nil {
		n = len(s.sessions)
		s.sessions = append(s.sessions, &script{closed: make(chan struct{})})
	}
	session := s.sessions[n]
	if method == http.MethodGet {
		session.turns++
	}
	return strconv.Itoa(n), session, session.turns - 1
}
