package sio_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/sio"
)

// journal is a Watcher that writes down what it is told, with the names that ids have in it.
type journal struct {
	mu    sync.Mutex
	lines []string          // guarded by mu
	names map[string]string // guarded by mu: of ids
	grown chan struct{}     // holds one: something was written since
}

func newJournal() *journal {
	return &journal{names: make(map[string]string), grown: make(chan struct{}, 1)}
}

func (d *journal) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	for id, name := range d.names {
		line = strings.ReplaceAll(line, id, name)
	}
	d.lines = append(d.lines, line)
	select {
	case d.grown <- struct{}{}:
	default:
	}
}

// name gives the next socket that joins a room of its own a name.
func (d *journal) name(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[id] == "" {
		d.names[id] = fmt.Sprintf("s%d", len(d.names)+1)
	}
}

func (d *journal) watcher() sio.Watcher {
	return sio.Watcher{
		Connected:    func(s *sio.Socket) { d.write("%s connected to %s", s.ID(), s.Namespace().Name()) },
		Disconnected: func(s *sio.Socket, reason string) { d.write("%s disconnected: %s", s.ID(), reason) },
		Joined:       func(s *sio.Socket, room string) { d.write("%s joined %s", s.ID(), room) },
		Left:         func(s *sio.Socket, room string) { d.write("%s left %s", s.ID(), room) },
		RoomCreated:  func(_ *sio.Namespace, room string) { d.write("room %s", room) },
		RoomDeleted:  func(_ *sio.Namespace, room string) { d.write("no room %s", room) },
		Received: func(s *sio.Socket, event string, args sio.Args) {
			d.write("%s sent %s %s", s.ID(), event, args.Raw(0))
		},
		Sent: func(s *sio.Socket, p *sio.Prepared) {
			args, err := p.Args()
			d.write("%s got %s %s %v", s.ID(), p.Name(), args.Raw(0), err)
		},
		Upgraded: func(s *sio.Socket) { d.write("%s is on %s", s.ID(), s.Transport()) },
		DataSet:  func(s *sio.Socket) { d.write("%s has %v", s.ID(), s.Data()) },
	}
}

// wait returns the lines as soon as there are that many.
func (d *journal) wait(t *testing.T, many int) []string {
	t.Helper()
	for {
		d.mu.Lock()
		lines := slices.Clone(d.lines)
		d.mu.Unlock()
		if len(lines) >= many {
			return lines
		}
		receive(t, d.grown)
	}
}

// expect waits until there are as many lines as in want, and compares them.
func (d *journal) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := d.wait(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// watched is a server with a journal, which names sockets in the order of their coming.
func watched(t *testing.T) (io *sio.Server, d *journal, url string) {
	t.Helper()
	io, d = &sio.Server{}, newJournal()
	w := d.watcher()
	created := w.RoomCreated
	w.RoomCreated = func(ns *sio.Namespace, room string) {
		if room != "lobby" {
			d.name(room) // that of a socket
		}
		created(ns, room)
	}
	io.Watch(w)
	return io, d, serve(t, io)
}

func TestWhoWatchesIsToldOfRooms(t *testing.T) {
	io, d, url := watched(t)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		s.Join("lobby", "lobby")
		s.Leave("lobby", "nowhere", s.ID())
		s.Join("lobby")
	})
	p := join(t, url, "/")
	before := []string{
		"room s1", "s1 joined s1", "s1 connected to /",
		"room lobby", "s1 joined lobby", "s1 left lobby", "no room lobby", "room lobby", "s1 joined lobby",
	}
	d.expect(t, before...)
	p.send("1")
	d.expect(t, append(before, "s1 left s1", "no room s1", "s1 left lobby", "no room lobby",
		"s1 disconnected: client namespace disconnect")...)
}

func TestWhoWatchesIsToldOfEventsBothWays(t *testing.T) {
	io, d, url := watched(t)
	io.Of("/").On("ask", func(e *sio.Event) { io.Of("/").Emit("answer", []byte("bytes")) })
	p, q := join(t, url, "/"), join(t, url, "/")
	joined := []string{
		"room s1", "s1 joined s1", "s1 connected to /", "room s2", "s2 joined s2", "s2 connected to /",
	}
	d.expect(t, joined...)
	p.send(`51-["nobody heeds this",{"_placeholder":true,"num":0}]`)
	p.sendBinary("x")
	heard := append(joined, `s1 sent nobody heeds this {"_placeholder":true,"num":0}`)
	d.expect(t, heard...)
	p.send(`2["ask",1]`)
	q.expect(`51-["answer",{"_placeholder":true,"num":0}]`, "b:bytes")
	p.expect(`51-["answer",{"_placeholder":true,"num":0}]`, "b:bytes")
	got := d.wait(t, len(heard)+3)
	slices.Sort(got[len(heard):]) // who of them is sent it first, nobody knows
	want := append(heard, `s1 got answer {"_placeholder":true,"num":0} <nil>`, `s1 sent ask 1`, `s2 got answer {"_placeholder":true,"num":0} <nil>`)
	if !slices.Equal(got, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhoWatchesIsToldOfUpgradesAndData(t *testing.T) {
	io, d, url := watched(t)
	io.Of("/").On("name", func(e *sio.Event) { e.Socket.SetData("Ada") })
	sock := dialUpgrade(t, startPolling(t, url), func() {})
	d.expect(t, "room s1", "s1 joined s1", "s1 connected to /", "s1 is on websocket")
	sock.send(`2["name"]`)
	d.expect(t, "room s1", "s1 joined s1", "s1 connected to /", "s1 is on websocket", "s1 sent name ", "s1 has Ada")
}

func TestWhoWatchesSeesAClientComeBackToItsRooms(t *testing.T) {
	io, joined := recovering(sio.Recovery{})
	url := serve(t, io)
	p := comeIn(dial(t, url), "/", "")
	p.expectEvents(`2["hello"]`)
	receive(t, joined)
	p.loseConnection(io)
	d := newJournal()
	d.name(p.ID)
	io.Watch(d.watcher())
	comeIn(dial(t, url), "/", p.claim())
	receive(t, joined)
	d.expect(t, "room s1", "s1 joined s1", "s1 connected to /", "room red", "s1 joined red")
}

func TestWhoHasStoppedWatchingIsNotTold(t *testing.T) {
	io := &sio.Server{}
	first, second := newJournal(), newJournal()
	stop := io.Watch(first.watcher())
	io.Watch(second.watcher())
	stop()
	join(t, serve(t, io), "/")
	second.wait(t, 3)
	first.expect(t)
}

func TestAWatcherNeedsNotHeedEverything(t *testing.T) {
	io := &sio.Server{}
	io.Watch(sio.Watcher{})
	io.Of("/").On("x", func(e *sio.Event) {
		e.Socket.SetData(1)
		e.Socket.Join("room")
		e.Socket.Leave("room")
		e.Socket.Emit("y")
	})
	p := join(t, serve(t, io), "/")
	p.send(`2["x"]`)
	p.expect(`2["y"]`)
}

func TestNamespacesAreListed(t *testing.T) {
	io := &sio.Server{}
	io.Of("/b")
	io.Of("/a")
	join(t, serve(t, io), "/a")
	var names []string
	for _, ns := range io.Namespaces() {
		names = append(names, ns.Name())
	}
	if want := []string{"/a", "/b"}; !slices.Equal(names, want) {
		t.Errorf("got %q; want %q", names, want)
	}
}

func TestSocketsOfOneConnectionShareItsID(t *testing.T) {
	io := &sio.Server{}
	ids := make(chan string, 3)
	for _, name := range []string{"/", "/a"} {
		io.Of(name).OnConnect(func(s *sio.Socket) { ids <- s.ConnID() })
	}
	url := serve(t, io)
	p := join(t, url, "/")
	p.send("0/a,")
	one, two := receive(t, ids), receive(t, ids)
	join(t, url, "/")
	if other := receive(t, ids); one != two || other == one || len(one) < 20 {
		t.Errorf("ids %q, %q, and %q of another connection", one, two, other)
	}
}

func TestAWatcherThatPanicsHarmsNobody(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	io.Of("/").On("room", func(e *sio.Event) {
		e.Socket.Join("r")
		e.Socket.SetData(1)
		e.Socket.Leave("r")
		e.Ack()
		e.Socket.Emit("told")
	})
	fail := func() { panic("as it was told") }
	io.Watch(sio.Watcher{
		Connected: func(*sio.Socket) { fail() }, Disconnected: func(*sio.Socket, string) { fail() },
		Joined: func(*sio.Socket, string) { fail() }, Left: func(*sio.Socket, string) { fail() },
		RoomCreated: func(*sio.Namespace, string) { fail() }, RoomDeleted: func(*sio.Namespace, string) { fail() },
		Received: func(*sio.Socket, string, sio.Args) { fail() }, Sent: func(*sio.Socket, *sio.Prepared) { fail() },
		DataSet: func(*sio.Socket) { fail() },
	})
	ended := make(chan string, 1)
	io.Of("/").OnDisconnect(func(_ *sio.Socket, reason string) { ended <- reason })
	p := join(t, serve(t, io), "/")
	p.send(`20["room"]`)
	p.expect(`30[]`, `2["told"]`)
	p.send("1")
	if reason := <-ended; reason != "client namespace disconnect" {
		t.Errorf("ended by %q", reason)
	}
	if got := io.Stats().Panics; got < 9 {
		t.Errorf("%d panics were counted; want one of each", got)
	}
}
