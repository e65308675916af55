package sio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/sio"
)

// diary is what happened, in order.
type diary struct {
	mu      sync.Mutex
	entries []string // guarded by mu
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf(format, args...))
}

// read returns what was written since it was read last.
func (d *diary) read() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := strings.Join(d.entries, ", ")
	d.entries = nil
	return all
}

func TestAnEventPassesAnyMiddlewareAndHandlerInThisOrder(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	var d diary
	ns := io.Of("/")
	note := func(who string) func(*sio.Event) { return func(e *sio.Event) { d.write("%s %s", who, e.Name) } }
	check := func(who string) func(*sio.Event) error {
		return func(e *sio.Event) error {
			d.write("%s %s", who, e.Name)
			if e.Name == who {
				return errors.New("no")
			}
			return nil
		}
	}
	ns.OnAny(note("ns any"))
	ns.UseEvent(check("ns"))
	ns.On("a", note("ns handler"))
	ns.On("sync", func(e *sio.Event) { e.Ack() })
	ns.OnConnect(func(s *sio.Socket) {
		s.OnAny(note("any"))
		s.UseEvent(check("own"))
		s.On("b", note("handler"))
	})
	p := join(t, serve(t, io), "/")
	for _, tt := range []struct{ event, want string }{
		{"a", "ns any a, any a, ns a, own a, ns handler a"},
		{"b", "ns any b, any b, ns b, own b, handler b"},
		{"c", "ns any c, any c, ns c, own c"},
		{"ns", "ns any ns, any ns, ns ns"},
		{"own", "ns any own, any own, ns own, own own"},
	} {
		p.send(`2["`+tt.event+`"]`, `20["sync"]`)
		p.expect(`30[]`)
		got, _, _ := strings.Cut(d.read(), ", ns any sync")
		if got != tt.want {
			t.Errorf("%s: %s; want %s", tt.event, got, tt.want)
		}
	}
}

func TestARefusedEventIsNotHandledAndMayBeAcknowledged(t *testing.T) {
	io := &sio.Server{}
	ns := io.Of("/")
	ns.UseEvent(func(e *sio.Event) error {
		if e.NumArgs() == 0 {
			return &sio.Error{Message: "no arguments"}
		}
		return nil
	})
	ns.OnRefused(func(e *sio.Event, err error) { e.Ack(map[string]string{"error": err.Error()}) })
	ns.On("add", func(e *sio.Event) { e.Ack("added") })
	ns.OnStream("up", func(e *sio.Event) { t.Error("a stream that was refused is handled") })
	p := join(t, serve(t, io), "/")
	p.send(`21["add"]`, `22["add",1]`)
	p.expect(`31[{"error":"no arguments"}]`, `32["added"]`)
	ns.UseEvent(func(e *sio.Event) error { return errors.New("not at all") })
	p.send(`51-3["up",{"_placeholder":true,"num":0}]`)
	p.sendBinary("x")
	p.expect(`33[{"error":"not at all"}]`)
}

func TestASocketsOwnHandlersMissNothing(t *testing.T) {
	io := &sio.Server{}
	ns := io.Of("/")
	release := make(chan struct{})
	ns.On("who", func(e *sio.Event) { e.Ack("anybody") })
	ns.OnConnect(func(s *sio.Socket) {
		<-release
		typed := 0 // as one writes it in JavaScript: the state of a client in variables
		s.On("typed", func(e *sio.Event) {
			var data []byte
			e.Decode(0, &data)
			typed += len(data)
			e.Ack(typed)
		})
		s.On("who", func(e *sio.Event) {
			e.Ack("me")
			s.On("who", nil)
		})
	})
	p := join(t, serve(t, io), "/")
	p.send(`51-1["typed",{"_placeholder":true,"num":0}]`)
	p.sendBinary("abc")
	close(release)
	p.expect(`31[3]`)
	p.send(`51-2["typed",{"_placeholder":true,"num":0}]`)
	p.sendBinary("defg")
	p.send(`23["who"]`, `24["who"]`)
	p.expect(`32[7]`, `33["me"]`, `34["anybody"]`)
	if !panics(func() { ns.Sockets()[0].On("disconnect", func(*sio.Event) {}) }) {
		t.Error("a reserved name was accepted")
	}
}

func TestTypedEventsMayBelongToASocket(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").OnConnect(func(s *sio.Socket) {
		ask.Handle(s, func(ctx context.Context, s *sio.Socket, q string) (int, error) { return len(q), nil })
	})
	p := join(t, serve(t, io), "/")
	p.send(`21["ask","four"]`)
	p.expect(`31[4]`)
}

func TestOutgoingEventsAreSeenForEachRecipient(t *testing.T) {
	io := withRooms(&sio.Server{})
	url := serve(t, io)
	a, idA := member(t, url, `["red"]`)
	_, idB := member(t, url, `[]`)
	ns := io.Of("/")
	var d diary
	names := map[string]string{idA: "a", idB: "b"}
	ns.OnAnyOutgoing(func(s *sio.Socket, p *sio.Prepared) {
		args, err := p.Args()
		if err != nil {
			t.Error(err)
		}
		d.write("%s: %s%s", names[s.ID()], p.Name(), args.Raw(0))
	})
	ns.Socket(idA).OnAnyOutgoing(func(p *sio.Prepared) { d.write("own: %s", p.Name()) })
	ns.Socket(idB).Emit("one", 1)
	if got := d.read(); got != "b: one1" {
		t.Error(got)
	}
	ns.To("red").Emit("two", 2)
	if got := d.read(); got != "a: two2, own: two" {
		t.Error(got)
	}
	ns.Except("red").Emit("three", 3)
	if got := d.read(); got != "b: three3" {
		t.Error(got)
	}
	go func() {
		a.expect(`2["two",2]`, `20["four"]`)
		a.send(`30[]`)
	}()
	if _, err := ns.To(idA).EmitWithAck(t.Context(), "four"); err != nil {
		t.Error(err)
	}
	if got := d.read(); got != "a: four, own: four" {
		t.Error(got)
	}
	ns.Socket(idA).Disconnect(false)
	ns.Except(idB).Emit("five")
	if got := d.read(); got != "" {
		t.Errorf("after the end: %s", got)
	}
}

func TestTheEndIsToldToSocketAndNamespace(t *testing.T) {
	io := withRooms(&sio.Server{Logger: quiet()})
	var d diary
	ended := make(chan error)
	io.Of("/").OnDisconnect(func(s *sio.Socket, reason string) {
		d.write("namespace %s %q", reason, s.Rooms()[1:])
		ended <- context.Cause(s.Context())
	})
	io.Of("/").OnConnect(func(s *sio.Socket) {
		s.OnDisconnect(func(reason string) { d.write("socket %s %q", reason, s.Rooms()[1:]) })
	})
	p, _ := member(t, serve(t, io), `["red"]`)
	p.send(`2{`)
	var why *sio.DisconnectError
	if err := receive(t, ended); !errors.As(err, &why) || why.Reason != "forced close" || why.Err == nil || !strings.Contains(err.Error(), "forced close: ") {
		t.Errorf("cause %v", err)
	}
	if got := d.read(); got != `socket forced close ["red"], namespace forced close ["red"]` {
		t.Error(got)
	}
	if got := io.Stats().Disconnects; got["forced close"] != 1 || len(got) != 1 {
		t.Errorf("Disconnects %v", got)
	}
}

func TestHandlersOfAnEventAreSetOnce(t *testing.T) {
	ns := new(sio.Server).Of("/")
	h := func(*sio.Event) {}
	ns.On("a", h)
	for _, name := range []string{"a", "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		if !panics(func() { ns.On(name, h) }) {
			t.Errorf("On accepted %q", name)
		}
		if !slices.Contains([]string{"a"}, name) && ns.Emit(name) == nil {
			t.Errorf("Emit accepted %q", name)
		}
	}
}

func TestMiddlewareSeesWhatHasNoHandler(t *testing.T) {
	refuse := func(*sio.Event) error { return errors.New("no") }
	for name, set := range map[string]func(ns, parent *sio.Namespace){
		"of the namespace": func(ns, parent *sio.Namespace) { ns.UseEvent(refuse) },
		"of the parent":    func(ns, parent *sio.Namespace) { parent.UseEvent(refuse) },
		"of the socket": func(ns, parent *sio.Namespace) {
			ns.OnConnect(func(s *sio.Socket) { s.UseEvent(refuse) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{}
			parent := io.OfFunc(matching(`^/room`))
			ns := io.Of("/room")
			ns.OnRefused(func(e *sio.Event, err error) { e.Ack(err.Error()) })
			set(ns, parent)
			p := join(t, serve(t, io), "/room")
			p.send(`2/room,1["nobody's"]`)
			p.expect(`3/room,1["no"]`)
		})
	}
}

// meddler is a Source that does what an application can.
type meddler struct {
	meddle func()
	left   int
}

func (m *meddler) Next(bool) (*sio.Prepared, bool) {
	if m.left--; m.left < 0 {
		return nil, false
	}
	m.meddle()
	return sio.Prepare("pulled"), true
}

func TestACallbackMayCallAnything(t *testing.T) {
	for name, recovery := range map[string]*sio.Recovery{"kept": {}, "not kept": nil} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{Logger: quiet(), Recovery: recovery}
			ns := io.Of("/")
			var d diary
			meddle := func(from string, s *sio.Socket) {
				d.write("%s", from)
				s.Emit("more")
				ns.To("red").Emit("more")
				s.Join("red")
				s.Leave("red")
				s.SetData(len(s.Rooms()) + len(ns.Sockets()))
				ns.FetchSockets(t.Context())
				io.Of("/" + from).Emit("more")
				io.Stats()
			}
			ns.Use(func(s *sio.Socket) error { meddle("use", s); return nil })
			ns.OnConnect(func(s *sio.Socket) {
				meddle("connect", s)
				s.SetSource(&meddler{func() { meddle("source", s) }, 1})
				s.Wake()
			})
			ns.OnAny(func(e *sio.Event) { meddle("any", e.Socket) })
			ns.On("event", func(e *sio.Event) { e.Ack() })
			ns.UseEvent(func(e *sio.Event) error { meddle("middleware", e.Socket); return nil })
			ns.OnAnyOutgoing(func(s *sio.Socket, p *sio.Prepared) {
				if p.Name() == "pulled" { // else without end
					meddle("outgoing", s)
				}
			})
			ns.OnInvalid(func(s *sio.Socket, _ error) { meddle("invalid", s); s.Disconnect(true) })
			ended := make(chan bool, 1)
			ns.OnDisconnect(func(s *sio.Socket, _ string) { meddle("disconnect", s); s.Disconnect(true); ended <- true })
			p := join(t, serve(t, io), "/")
			p.send(`20["event"]`)
			for p.next() != `30[]` {
			}
			p.send(`2{`)
			p.expectClosed()
			receive(t, ended)
			got := d.read()
			for _, from := range []string{"use", "connect", "source", "outgoing", "any", "middleware", "invalid", "disconnect"} {
				if !strings.Contains(got, from) {
					t.Errorf("%s was not called: %s", from, got)
				}
			}
		})
	}
}
