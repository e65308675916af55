package sio_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/sio"
)

// matching is what OfFunc is given for a regular expression.
func matching(pattern string) func(string, json.RawMessage) bool {
	re := regexp.MustCompile(pattern)
	return func(name string, _ json.RawMessage) bool { return re.MatchString(name) }
}

// enter joins a namespace.
func (p *peer) enter(namespace string) {
	p.t.Helper()
	p.send("0" + namespace + ",")
	if got := p.next(); !strings.HasPrefix(got, "0"+namespace+`,{"sid":"`) {
		p.t.Fatalf("joining %s: %s", namespace, got)
	}
}

func TestAParentsChildrenHaveItsHandlers(t *testing.T) {
	io := &sio.Server{}
	var d diary
	parent := io.OfFunc(matching(`^/room-\d+$`))
	parent.Use(func(s *sio.Socket) error {
		d.write("parent %s", s.Namespace().Name())
		return nil
	})
	io.OnNamespace(func(ns *sio.Namespace) {
		d.write("new %s", ns.Name())
		ns.Use(func(s *sio.Socket) error { d.write("own %s", s.Namespace().Name()); return nil })
		ns.On("name", func(e *sio.Event) { e.Ack("own") })
	})
	parent.On("name", func(e *sio.Event) { e.Ack("parent's") })
	parent.OnConnect(func(s *sio.Socket) { d.write("connected") })
	p := join(t, serve(t, io), "/")
	p.enter("/room-1")
	parent.On("later", func(e *sio.Event) { e.Ack("later") })
	p.send(`2/room-1,1["name"]`, `2/room-1,2["later"]`)
	p.expect(`3/room-1,1["own"]`, `3/room-1,2["later"]`)
	if got := d.read(); got != "new /room-1, parent /room-1, own /room-1, connected" {
		t.Error(got)
	}
	p.send(`0/room-x,`, `0/room-1`+strings.Repeat("0", 300)+`,`)
	p.expect(`4/room-x,{"message":"Invalid namespace"}`)
	if got := p.next(); !strings.HasSuffix(got, `,{"message":"Invalid namespace"}`) {
		t.Errorf("a name without end: %s", got)
	}
}

func TestWhatIsSentToAParentReachesAllChildren(t *testing.T) {
	io := &sio.Server{}
	parent := io.OfFunc(matching(`^/room-`))
	joined := make(chan bool, 2)
	parent.OnConnect(func(s *sio.Socket) {
		s.Join("red")
		joined <- true
	})
	io.OfFunc(matching(`^/other`))
	p := join(t, serve(t, io), "/")
	for _, name := range []string{"/room-1", "/room-2", "/other"} {
		p.enter(name)
	}
	receive(t, joined)
	receive(t, joined)
	parent.To("red").Emit("news")
	got := []string{p.next(), p.next()}
	if slices.Sort(got); !slices.Equal(got, []string{`2/room-1,["news"]`, `2/room-2,["news"]`}) {
		t.Errorf("got %q", got)
	}
	go func() {
		for range 2 {
			question := p.next()
			p.send("3" + strings.TrimSuffix(question[1:], `["question"]`) + `[]`)
		}
	}()
	if acks, err := parent.EmitWithAck(t.Context(), "question"); err != nil || len(acks) != 2 {
		t.Errorf("acks %v, %v", acks, err)
	}
	sockets, err := parent.FetchSockets(t.Context())
	if err != nil || len(sockets) != 2 || len(parent.Sockets()) != 2 {
		t.Fatalf("FetchSockets = %v, %v", sockets, err)
	}
	if s := parent.Socket(sockets[0].ID); s == nil || parent.Socket("nobody") != nil {
		t.Errorf("Socket = %v", s)
	}
	sockets[0].Leave("red")
	parent.Except("red").DisconnectSockets(false)
	if got := p.next(); !strings.HasPrefix(got, "1/room-") {
		t.Errorf("got %s", got)
	}
	if got := len(parent.Sockets()); got != 1 {
		t.Errorf("%d sockets left; want 1", got)
	}
}

func TestAParentMayLookAtTheAuth(t *testing.T) {
	io := &sio.Server{}
	io.OfFunc(func(name string, auth json.RawMessage) bool { return string(auth) == `{"token":"right"}` })
	p := join(t, serve(t, io), "/")
	p.send(`0/a,{"token":"wrong"}`)
	p.expect(`4/a,{"message":"Invalid namespace"}`)
	p.send(`0/a,{"token":"right"}`)
	if got := p.next(); !strings.HasPrefix(got, `0/a,{"sid"`) {
		t.Errorf("got %s", got)
	}
}

func TestAChildEndsWithItsLastSocket(t *testing.T) {
	c := &cluster{}
	io := &sio.Server{NewAdapter: c.adapter}
	parent := io.OfFunc(matching(`^/room-`))
	begun := make(chan string, 10)
	io.OnNamespace(func(ns *sio.Namespace) { begun <- ns.Name() })
	parent.Use(func(s *sio.Socket) error {
		if s.Namespace().Name() == "/room-closed" {
			return &sio.Error{Message: "no"}
		}
		return nil
	})
	parent.On("sync", func(e *sio.Event) { e.Ack() })
	kept := io.Of("/room-kept")
	url := serve(t, io)
	p, q := join(t, url, "/"), join(t, url, "/")
	p.enter("/room-1")
	p.send(`0/room-closed,`)
	p.expect(`4/room-closed,{"message":"no"}`)
	p.enter("/room-kept")
	q.enter("/room-1")
	for _, want := range []string{"/room-kept", "/room-1", "/room-closed"} {
		if got := receive(t, begun); got != want {
			t.Errorf("new namespace %s; want %s", got, want)
		}
	}
	q.send(`1/room-1,`)
	q.enter("/room-kept") // so it has left
	p.send(`1/room-kept,`, `2/room-1,1["sync"]`)
	p.expect(`3/room-1,1[]`) // it goes on for who is still there
	p.send(`1/room-1,`)
	p.enter("/room-1")
	if got := receive(t, begun); got != "/room-1" || len(begun) > 0 {
		t.Errorf("new namespace %s; want /room-1 again", got)
	}
	if io.Of("/room-kept") != kept {
		t.Error("a namespace that Of made has ended")
	}
	if got := c.names(); !slices.Equal(got, []string{"/", "/room-1", "/room-kept"}) {
		t.Errorf("adapters %q", got)
	}
}

func TestClientsCannotMakeNamespacesWithoutEnd(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			io := &sio.Server{MaxChildNamespaces: 3, KeepChildNamespaces: keep}
			io.OfFunc(matching(`^/room-`))
			p := join(t, serve(t, io), "/")
			for _, name := range []string{"/room-1", "/room-2", "/room-3"} {
				p.enter(name)
			}
			p.send(`0/room-4,`)
			p.expect(`4/room-4,{"message":"Too many namespaces"}`)
			p.send(`1/room-1,`, `0/room-4,`)
			if got := p.next(); strings.HasPrefix(got, `4/room-4,`) != keep {
				t.Errorf("after one was left: %s", got)
			}
			io.Of("/room-2") // is not counted from now on
			if keep {
				p.enter("/room-4")
			}
		})
	}
}

func TestAClientIsInSoManyNamespacesAtATime(t *testing.T) {
	io := &sio.Server{MaxNamespaces: 2}
	io.OfFunc(matching(`^/room-`)).On("sync", func(e *sio.Event) { e.Ack() })
	p := join(t, serve(t, io), "/")
	for i := range 200 { // one after the other as many as it likes
		name := fmt.Sprint("/room-", i)
		p.enter(name)
		p.send(`0/room-more,`)
		p.expect(`4/room-more,{"message":"Too many namespaces"}`)
		p.send("1" + name + ",")
	}
	p.send(`2/room-199,["dropped"]`)
	p.enter("/room-end")
	for i := range 200 { // the server has not kept all their names
		p.send(fmt.Sprintf(`2/room-%d,["forgotten"]`, i))
	}
	p.expectClosed()
}

// admitted reads whether the server has let the client into a namespace.
func (p *peer) admitted(namespace string) bool {
	for {
		text, err := p.tryRead()
		switch {
		case err != nil:
			p.t.Error(err)
			return false
		case strings.HasPrefix(text, "40"+namespace+","):
			return true
		case strings.HasPrefix(text, "44"+namespace+","):
			return false
		}
	}
}

func TestChildrenComeAndGoWithoutHarm(t *testing.T) {
	io := &sio.Server{MaxChildNamespaces: 4}
	parent := io.OfFunc(matching(`^/room-`))
	io.OnNamespace(func(ns *sio.Namespace) { ns.On("sync", func(e *sio.Event) { e.Ack() }) })
	parent.OnConnect(func(s *sio.Socket) { s.Join("red") })
	url := serve(t, io)
	var clients sync.WaitGroup
	for range 4 {
		p := join(t, url, "/")
		clients.Go(func() {
			for i := range 50 {
				room := fmt.Sprint("/room-", i%6)
				p.send("0" + room + ",")
				if !p.admitted(room) {
					continue
				}
				p.send(`2` + room + `,1["sync"]`)
				parent.To("red").Emit("news")
				p.send(`1` + room + `,`)
			}
			p.conn.Close()
		})
	}
	clients.Wait()
	eventually(t, func() bool { return len(io.Namespaces()) == 1 && io.Stats().Sockets == 0 })
	p := join(t, url, "/")
	for i := range 4 { // all four places are free again
		p.enter(fmt.Sprint("/room-", i))
	}
}

func TestTheRootIsNobodysChild(t *testing.T) {
	io := &sio.Server{}
	io.OfFunc(matching(`.`)).Use(func(*sio.Socket) error { return &sio.Error{Message: "no"} })
	p := join(t, serve(t, io), "/")
	p.send(`0/a,`)
	p.expect(`4/a,{"message":"no"}`)
}

func TestAPanicBeforeANamespaceBeginsEndsOneConnection(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	io.OfFunc(func(name string, _ json.RawMessage) bool {
		if name == "/panic" {
			panic("as it was told")
		}
		return true
	})
	io.OnNamespace(func(ns *sio.Namespace) {
		if ns.Name() == "/panic-later" {
			panic("as it was told")
		}
	})
	url := serve(t, io)
	other := join(t, url, "/")
	for _, name := range []string{"/panic", "/panic-later"} {
		p := join(t, url, "/")
		p.send("0" + name + ",")
		p.expectClosed()
	}
	other.enter("/a")
	if got := io.Namespaces(); len(got) != 2 || io.Stats().Panics != 2 {
		t.Errorf("%d namespaces after %d panics; want 2 after 2", len(got), io.Stats().Panics)
	}
}

func TestNamesOfChildrenMayBeOdd(t *testing.T) {
	io := &sio.Server{}
	io.OfFunc(matching(`(?s).`)).On("event", func(e *sio.Event) { e.Ack() })
	p := dial(t, serve(t, io))
	for _, name := range []string{"//", "/ ", "/\x00", "/a\nb", `/"`, "/ü\u2028", "/[", "/{}", "/1", "/__proto__", "/a%2Cb", "/../b"} {
		p.enter(name)
		p.send("2" + name + `,7["event"]`)
		p.expect("3" + name + ",7[]")
	}
}
