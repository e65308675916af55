package sio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
)

func TestDisconnectSendsWhatWasEmittedBefore(t *testing.T) {
	for _, closeConn := range []bool{false, true} {
		t.Run(fmt.Sprint(closeConn), func(t *testing.T) {
			io := &sio.Server{}
			reasons := make(chan string, 1)
			io.Of("/").OnConnect(func(s *sio.Socket) {
				s.OnDisconnect(func(reason string) { reasons <- reason })
				s.Emit("last")
				s.Disconnect(closeConn)
				if err := s.Emit("later"); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Emit after Disconnect: %v", err)
				}
			})
			p := join(t, serve(t, io), "/")
			p.expect(`2["last"]`, `1`)
			if got := receive(t, reasons); got != "server namespace disconnect" {
				t.Errorf("reason %q", got)
			}
			if closeConn {
				if before, _ := p.expectClosed(); len(before) > 0 {
					t.Errorf("after DISCONNECT: %q", before)
				}
				return
			}
			p.send(`2["ignored"]`, `0`) // the connection goes on
			if got := p.next(); !strings.HasPrefix(got, `0{"sid"`) {
				t.Errorf("joining again: %s", got)
			}
		})
	}
}

func TestDisconnectReasonsAreNodes(t *testing.T) {
	tests := map[string]struct {
		act  func(io *sio.Server, p *peer)
		want string
	}{
		"the client leaves":          {func(_ *sio.Server, p *peer) { p.send(`1`) }, "client namespace disconnect"},
		"the client vanishes":        {func(_ *sio.Server, p *peer) { p.conn.Close() }, "transport close"},
		"the client sends nonsense":  {func(_ *sio.Server, p *peer) { p.send(`2{}`) }, "forced close"},
		"the client joins twice":     {func(_ *sio.Server, p *peer) { p.send(`0`) }, "forced close"},
		"the client goes astray":     {func(_ *sio.Server, p *peer) { p.send(`2/nowhere,["x"]`) }, "forced close"},
		"the client sends no packet": {func(_ *sio.Server, p *peer) { wsutil.WriteClientText(p.conn, []byte("9")) }, "parse error"},
		"the client sends too much":  {func(_ *sio.Server, p *peer) { p.send(`2["` + strings.Repeat("x", 1_000_000) + `"]`) }, "transport error"},
		"the server shuts down":      {func(io *sio.Server, _ *peer) { io.Shutdown(context.Background()) }, "server shutting down"},
		"the server has it leave":    {func(io *sio.Server, _ *peer) { io.Of("/").Sockets()[0].Disconnect(false) }, "server namespace disconnect"},
		"the server cuts it off":     {func(io *sio.Server, _ *peer) { io.Of("/").Sockets()[0].Disconnect(true) }, "server namespace disconnect"},
		"the client does not answer": {func(*sio.Server, *peer) {}, "ping timeout"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{Logger: quiet()}
			if tt.want == "ping timeout" {
				io.PingInterval, io.PingTimeout = 50*time.Millisecond, 50*time.Millisecond
			}
			reasons := make(chan string, 1)
			io.Of("/").OnConnect(func(s *sio.Socket) {
				s.Join("room")
				s.OnDisconnect(func(reason string) {
					if !slices.Equal(s.Rooms(), []string{s.ID(), "room"}) {
						t.Errorf("in OnDisconnect the rooms are %q", s.Rooms())
					}
					reasons <- reason
				})
			})
			io.Of("/").On("joined", func(e *sio.Event) { e.Ack() })
			p := join(t, serve(t, io), "/")
			p.send(`20["joined"]`)
			p.expect(`30[]`)
			tt.act(io, p)
			if got := receive(t, reasons); got != tt.want {
				t.Errorf("reason %q; want %q", got, tt.want)
			}
		})
	}
}

func TestEventsBeforeTheEndAreHandled(t *testing.T) {
	io := &sio.Server{}
	release := make(chan struct{})
	log := make(chan string, 10)
	io.Of("/").OnConnect(func(s *sio.Socket) { s.OnDisconnect(func(string) { log <- "end" }) })
	io.Of("/").On("wait", func(e *sio.Event) { <-release })
	io.Of("/").On("bye", func(e *sio.Event) { log <- "bye" })
	p := join(t, serve(t, io), "/")
	p.send(`2["wait"]`, `2["bye"]`, `1`)
	close(release)
	if got := receive(t, log) + " " + receive(t, log); got != "bye end" {
		t.Errorf("log %q", got)
	}
}

func TestASocketThatTheServerDisconnectsHasThatReasonHoweverFastTheClientGoes(t *testing.T) {
	io := &sio.Server{}
	joined, reasons := make(chan *sio.Socket), make(chan string)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		s.OnDisconnect(func(reason string) { reasons <- reason })
		joined <- s
	})
	url := serve(t, io)
	for range 200 {
		p := join(t, url, "/")
		s := receive(t, joined)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			p.expect("1")
			p.conn.Close()
		}()
		s.Disconnect(false)
		if got := receive(t, reasons); got != "server namespace disconnect" {
			t.Fatal(got)
		}
		<-gone
	}
}
