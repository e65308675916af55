package sio_test

import (
	"fmt"
	"slices"
	"testing"

	"sluice/sio"
)

// roomServer lets clients join and leave rooms by events, and acknowledges.
func roomServer() *sio.Server { return withRooms(&sio.Server{}) }

func withRooms(io *sio.Server) *sio.Server {
	for _, ns := range []*sio.Namespace{io.Of("/"), io.Of("/other")} {
		ns.On("join", func(e *sio.Event) {
			var rooms []string
			e.Decode(0, &rooms)
			e.Socket.Join(rooms...)
			e.Ack(e.Socket.ID())
		})
		ns.On("leave", func(e *sio.Event) {
			var room string
			e.Decode(0, &room)
			e.Socket.Leave(room)
			e.Ack(e.Socket.Rooms()[1:])
		})
	}
	return io
}

// member joins the rooms and returns the socket's id, too.
func member(t *testing.T, url string, rooms string) (*peer, string) {
	t.Helper()
	p := join(t, url, "/")
	p.send(`20["join",` + rooms + `]`)
	reply := p.next()
	return p, reply[len(`30["`) : len(reply)-len(`"]`)]
}

// expectNothingBut reads want and then an event that everybody gets.
func (p *peer) expectNothingBut(io *sio.Server, want ...string) {
	p.t.Helper()
	p.expect(want...)
	p.expect(`2["fence"]`)
}

func TestEmittingReachesTheAudienceOnce(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, idA := member(t, url, `["red","blue"]`)
	b, idB := member(t, url, `["blue"]`)
	c, _ := member(t, url, `[]`)
	ns := io.Of("/")
	sender := ns.Socket(idA)

	tests := []struct {
		name     string
		audience interface {
			Emit(string, ...any) error
		}
		a, b, c bool
	}{
		{"all", ns, true, true, true},
		{"a room", ns.To("red"), true, false, false},
		{"two rooms", ns.To("red", "blue"), true, true, false},
		{"one by one", ns.To("red").In("blue"), true, true, false},
		{"a socket's own room", ns.In(idB), false, true, false},
		{"no such room", ns.To("green"), false, false, false},
		{"except", ns.Except("red"), false, true, true},
		{"a room, except", ns.To("blue").Except("red"), false, true, false},
		{"broadcast", sender.Broadcast(), false, true, true},
		{"to a room, from a member", sender.To("blue"), false, true, false},
		{"in two rooms, from a member", sender.In("blue", "red"), false, true, false},
		{"broadcast, except", sender.Except("blue"), false, false, true},
	}
	for _, tt := range tests {
		if err := tt.audience.Emit("news", tt.name); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		ns.Emit("fence")
		event := fmt.Sprintf(`2["news",%q]`, tt.name)
		for p, reached := range map[*peer]bool{a: tt.a, b: tt.b, c: tt.c} {
			if reached {
				p.expectNothingBut(io, event)
			} else {
				p.expectNothingBut(io)
			}
		}
	}
}

func TestRoomsAreLeft(t *testing.T) {
	io := roomServer()
	p, id := member(t, serve(t, io), `["red","blue","red"]`)
	s := io.Of("/").Socket(id)
	if got := s.Rooms(); !slices.Equal(got, []string{id, "red", "blue"}) {
		t.Errorf("Rooms = %q", got)
	}
	p.send(`21["leave","red"]`)
	p.expect(`31[["blue"]]`)
	io.Of("/").To("red").Emit("news")
	io.Of("/").Emit("fence")
	p.expectNothingBut(io)
	p.send(`1`, `0`)
	p.next()
	if got := io.Of("/").To("blue").Sockets(); len(got) != 0 {
		t.Errorf("in the room after the end: %v", got)
	}
	s.Join("red")
	if got := io.Of("/").To("red").Sockets(); len(got) != 0 {
		t.Errorf("joined after the end: %v", got)
	}
}

func TestAnAudienceJoinsLeavesAndIsDisconnected(t *testing.T) {
	io := roomServer()
	url := serve(t, io)
	a, idA := member(t, url, `["red"]`)
	_, idB := member(t, url, `["red"]`)
	ns := io.Of("/")
	ns.To("red").SocketsJoin("blue", "green")
	if got := len(ns.To("green").Sockets()); got != 2 {
		t.Errorf("%d in green; want 2", got)
	}
	ns.To(idA).SocketsLeave("green", "red")
	if got := ns.To("green").Sockets(); len(got) != 1 || got[0].ID() != idB {
		t.Errorf("in green: %v", got)
	}
	ns.Except(idB).DisconnectSockets(false)
	a.expect(`1`)
	if got := ns.Sockets(); len(got) != 1 || got[0].ID() != idB {
		t.Errorf("left: %v", got)
	}
}

func TestOneConnectionHoldsManyNamespaces(t *testing.T) {
	io := roomServer()
	p := join(t, serve(t, io), "/")
	p.send(`0/other,`)
	p.next()
	io.Of("/other").Emit("news", []byte("x"))
	io.Of("/").Emit("news")
	p.expect(`51-/other,["news",{"_placeholder":true,"num":0}]`, `b:x`, `2["news"]`)
	p.send(`1/other,`, `2/other,["dropped"]`, `21["join",["x"]]`)
	p.next()
	if got := len(io.Of("/other").Sockets()); got != 0 {
		t.Errorf("%d sockets in /other", got)
	}
}

func TestAPreparedEventServesAnyNamespace(t *testing.T) {
	io := roomServer()
	io.Of("/third")
	p := join(t, serve(t, io), "/")
	p.send(`0/other,`)
	p.next()
	p.send(`0/third,`)
	p.next()
	event := sio.Prepare("news", 1)
	for range 2 {
		io.Of("/").Send(event)
		io.Of("/other").Send(event)
		io.Of("/third").Send(event)
		p.expect(`2["news",1]`, `2/other,["news",1]`, `2/third,["news",1]`)
	}
	if event.Size() != len(`["news",1]`) {
		t.Errorf("Size = %d", event.Size())
	}
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	ns := new(sio.Server).Of("/")
	eleven := make([]any, 11)
	for i := range eleven {
		eleven[i] = []byte{1}
	}
	for name, err := range map[string]error{
		"a reserved name":     ns.Emit("disconnect"),
		"no JSON":             ns.Emit("x", func() {}),
		"eleven attachments":  ns.Emit("x", eleven...),
		"prepared":            ns.To("room").Send(sio.Prepare("x", make(chan int))),
		"a channel in a list": ns.Emit("x", []any{make(chan int)}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := ns.Emit("x", eleven[:10]...); err != nil {
		t.Errorf("ten attachments: %v", err)
	}
}
