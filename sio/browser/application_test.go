package browser_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
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
}

func startApplication(t *testing.T) *application {
	t.Helper()
	a := &application{seen: map[string]bool{}, banned: map[string]bool{}}
	server := &sio.Server{PingInterval: 300 * time.Millisecond, PingTimeout: time.Second, MaxEventBytes: 100_000,
		CheckOrigin: func(*http.Request) bool { return true }}
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
		w.Header().Set("Access-Control-Allow-Origin", "*")
		a.mu.Lock()
		id := r.URL.Query().Get("sid")
		banned := a.banned[id]
		if id != "" {
			a.seen[id] = true
		}
		a.mu.Unlock()
		if banned {
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
		r.app.mu.Lock()
		r.app.conns = append(r.app.conns, c)
		r.app.mu.Unlock()
	}
	return c, err
}

// scripted is a server that accepts the first namespace, says what ?say= holds, and falls silent.
type scripted struct {
	mu    sync.Mutex
	turns map[string]int // answered, by session; guarded by mu
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		fmt.Fprint(w, "ok")
		return
	}
	query := r.URL.Query()
	id, turn := s.turn(query.Get("sid"))
	switch {
	case turn == 0:
		fmt.Fprintf(w, `0{"sid":%q,"upgrades":[],"pingInterval":150,"pingTimeout":150,"maxPayload":1000}`, id)
	case turn == 1:
		fmt.Fprint(w, `40{"sid":"s"}`)
	case turn == 2 && query.Has("say"):
		fmt.Fprint(w, query.Get("say"))
	default:
		<-r.Context().Done() // until the client gives up
	}
}

// turn counts the requests of a session, a new one without an id.
func (s *scripted) turn(id string) (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turns == nil {
		s.turns = map[string]int{}
	}
	if id == "" {
		id = strconv.Itoa(len(s.turns))
	}
	s.turns[id]++
	return id, s.turns[id] - 1
}
