package sio_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/internal/lab"
	"sluice/sio"
	"sluice/sio/siotest"
)

// oldServer is stockServer for clients of Socket.IO 2.
func oldServer(t *testing.T) *sio.Server {
	srv := stockServer(t)
	srv.AllowEIO3 = true
	srv.Of("/").Use(func(s *sio.Socket) error {
		if s.Handshake().Query().Has("refuse") {
			return &sio.Error{Message: "not you"}
		}
		return nil
	})
	srv.Of("/").On("id", func(e *sio.Event) { e.Ack(e.Socket.ID()) })
	srv.Of("/admin").On("who am I", func(e *sio.Event) { e.Ack(e.Socket.Handshake().Auth) })
	return srv
}

func TestClientsOfSocketIO2Work(t *testing.T) {
	for name, transports := range map[string]string{"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"} {
		t.Run(name, func(t *testing.T) {
			lab.Node(t, "client2.cjs", "URL="+serve(t, oldServer(t)), "TRANSPORTS="+transports)
		})
	}
}

// dialOld opens a connection of Engine.IO 3, and returns its id, too. Attachments have a byte before them that says what they are.
func dialOld(t testing.TB, url, query string) (*peer, string) {
	t.Helper()
	p := dialRaw(t, url+"/socket.io/?EIO=3&transport=websocket"+query, ws.Dialer{})
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(p.read()[1:]), &open); err != nil {
		t.Fatal(err)
	}
	return p, open.SID
}

func TestAnOldClientIsJoinedUnasked(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), AllowEIO3: true}
	ids := make(chan string, 2)
	for _, name := range []string{"/", "/chat"} {
		srv.Of(name).OnConnect(func(s *sio.Socket) {
			ids <- s.ID() + string(s.Handshake().Auth)
			s.Emit("hi", []byte("b"))
		})
	}
	p, sid := dialOld(t, serve(t, srv), "")
	p.expect(`0`, `51-["hi",{"_placeholder":true,"num":0}]`, "b:\x04b")
	p.send(`0/chat?token=a%2Cb&x=1&x=2,`)
	p.expect(`0/chat,`, `51-/chat,["hi",{"_placeholder":true,"num":0}]`, "b:\x04b")
	for _, want := range []string{sid, "/chat#" + sid + `{"token":"a,b","x":"2"}`} {
		if got := receive(t, ids); got != want {
			t.Errorf("socket %s; want %s", got, want)
		}
	}
}

func TestAnOldClientIsRefusedInItsOwnWay(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), AllowEIO3: true}
	srv.Of("/").Use(func(*sio.Socket) error { return &sio.Error{Message: "no"} })
	srv.Of("/data").Use(func(*sio.Socket) error { return &sio.Error{Message: "no", Data: []int{1}} })
	srv.Of("/binary").Use(func(*sio.Socket) error { return &sio.Error{Message: "no", Data: []byte("b")} })
	p, _ := dialOld(t, serve(t, srv), "")
	p.expect(`4"no"`)
	p.send(`0/data,`)
	p.expect(`4/data,[1]`)
	p.send(`0/binary,`)
	p.expect(`4/binary,"no"`)
	p.send(`0/nowhere,`)
	p.expect(`4/nowhere,{"message":"Invalid namespace"}`)
	p.send(`2["a"]`)
	p.expectClosed()
}

func TestOldClientsAreHeldToTheSameRules(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), AllowEIO3: true}
	srv.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	srv.Of("/other")
	url := serve(t, srv)
	bystander := join(t, url, "/")
	for name, messages := range hostile {
		t.Run(name, func(t *testing.T) {
			p, _ := dialOld(t, url, "")
			p.expect(`0`)
			for _, m := range messages {
				if data, ok := strings.CutPrefix(m, "b:"); ok {
					wsutil.WriteClientBinary(p.conn, []byte("\x04"+data))
				} else {
					p.send(m)
				}
			}
			p.expectClosed()
		})
	}
	bystander.send(`21["a"]`)
	bystander.expect(`31[]`)
}

func TestARefusedOldClientIsCutOff(t *testing.T) {
	srv := &sio.Server{Logger: quiet(), AllowEIO3: true}
	srv.Of("/").Use(func(*sio.Socket) error { return &sio.Error{Message: "no"} })
	inMemory(t, srv, func(t *testing.T, mem *siotest.Server) {
		start := time.Now()
		p := dialRaw(t, mem.URL+"/socket.io/?EIO=3&transport=websocket", ws.Dialer{NetDial: mem.DialContext})
		p.patience = time.Hour
		time.AfterFunc(20*time.Second, func() { wsutil.WriteClientText(p.conn, []byte("2")) })
		p.expectClosed()
		if took := time.Since(start); took < 45*time.Second || took > 50*time.Second {
			t.Errorf("cut off after %v; want 45 s", took)
		}
	})
}
