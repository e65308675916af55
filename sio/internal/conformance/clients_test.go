package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"sluice/internal/lab"
	"sluice/sio"
)

// application serves what the clients are checked with: sioc for everybody, and more that the checks need.
type application struct {
	url     string
	control string // where to ask for all connections to be cut

	door *door // for WebTransport; nil if there is none

	mu    sync.Mutex
	conns map[net.Conn]struct{} // guarded by mu
}

func startApplication(t *testing.T) *application {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveApplication(t, newOpenSIOC(), l)
}

func serveApplication(t *testing.T, io *sio.Server, l net.Listener) *application {
	t.Helper()
	a := &application{conns: make(map[net.Conn]struct{})}
	recovery := io.Of("/recovery")
	recovery.OnConnect(func(s *sio.Socket) {
		s.Join("watchers")
		if !s.Recovered() {
			s.Emit("first")
		}
		s.OnDisconnect(func(string) { recovery.To("watchers").Emit("missed", 1, []byte{7, 8, 9}) })
	})
	srv := httptest.NewUnstartedServer(io)
	srv.Listener.Close()
	srv.Listener = l
	srv.Config.ConnState = a.track
	srv.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		srv.Close()
	})
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		a.cut()
	}))
	t.Cleanup(control.Close)
	a.url, a.control = srv.URL, control.URL
	return a
}

// track keeps the connections that are open; one that became a WebSocket is not heard of again.
func (a *application) track(c net.Conn, state http.ConnState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if state == http.StateClosed {
		delete(a.conns, c)
	} else {
		a.conns[c] = struct{}{}
	}
}

// cut ends all connections, as a broken network does.
func (a *application) cut() {
	if a.door != nil {
		a.door.cut()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.conns {
		c.Close()
		delete(a.conns, c)
	}
}

// check runs a script against a.
func (a *application) check(t *testing.T, run func(testing.TB, string, ...string) []byte, script, want string, env ...string) {
	t.Helper()
	done := strings.TrimSpace(string(run(t, script, append(env, "URL="+a.url, "CUT="+a.control)...)))
	if done != want {
		t.Errorf("what worked: %s; want %s", done, want)
	}
}

const all = "connect, event, ack, binary, binary ack, reconnect"

// kinds of transports, as clients are told them.
var transports = []string{"polling", "websocket", "polling,websocket"}

// nodeClients are the stock clients in JavaScript.
var nodeClients = []struct{ name, client, parser, want string }{
	{"socket.io-client 4.8.4", "socket.io-client", "", all + ", recovery"},
	{"socket.io-client 4.8.4 with socket.io-msgpack-parser 3.0.2", "socket.io-client", "socket.io-msgpack-parser", all + ", recovery"},
	{"socket.io-client 3.1.3", "socket.io-client-3", "", all},
	{"socket.io-client 2.5.0", "socket.io-client-2", "", all},
}

func TestClientsInNode(t *testing.T) {
	for _, c := range nodeClients {
		for _, over := range transports {
			t.Run(c.name+" over "+over, func(t *testing.T) {
				startApplication(t).checkNode(t, c.client, c.parser, over, c.want)
			})
		}
	}
}

func (a *application) checkNode(t *testing.T, client, parser, over, want string) {
	t.Helper()
	recovers := "no"
	if strings.HasSuffix(want, "recovery") {
		recovers = "yes"
	}
	a.check(t, lab.Node, "clients.mjs", want, "PACKAGE="+client, "PARSER="+parser, "TRANSPORTS="+over, "RECOVERS="+recovers)
}

func TestClientsInPython(t *testing.T) {
	for _, mode := range []string{"sync", "asyncio"} {
		for _, over := range transports {
			t.Run(fmt.Sprintf("python3-socketio, %s, over %s", mode, over), func(t *testing.T) {
				startApplication(t).check(t, lab.Python, "client.py", all, "MODE="+mode, "TRANSPORTS="+over)
			})
		}
	}
}

// What the checks ask for is what Node's server gives.
func TestTheChecksHoldOnNodesServer(t *testing.T) {
	for _, c := range nodeClients {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			if c.parser != "" {
				args = append(args, c.parser)
			}
			srv := lab.StartNode(t, "server.mjs", args...)
			a := &application{url: srv.Line(), control: srv.Line()}
			a.checkNode(t, c.client, c.parser, "polling,websocket", c.want)
		})
	}
}
