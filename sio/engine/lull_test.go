package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// shortLull is how long nothing comes in tests of what happens then.
const shortLull = time.Millisecond

// eventually waits for what has no event of its own.
func eventually(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// resting reports whether the reader of s rests, wherever.
func resting(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.carrier != nil && s.carrier.lull.timer == nil
}

// rested opens a session on WebSocket and waits until its reader rests.
func (s *site) rested(t *testing.T) (*socket, *echo) {
	t.Helper()
	c, e := s.websocket(t), wait(t, s.sessions)
	eventually(t, func() bool { return resting(e.session) })
	return c, e
}

// exchange sends a message, which comes back.
func (c *socket) exchange(text string) {
	c.t.Helper()
	c.write(ws.NewTextFrame([]byte("4" + text)))
	if got := c.text(); got != "4"+text {
		c.t.Errorf("%q came back as %q", text, got)
	}
}

func TestAMessageAfterALongSilenceArrives(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			c, e := start(t, &Server{lull: shortLull}, secure).rested(t)
			for i := range 3 {
				c.exchange(fmt.Sprint(i, " first"))
				c.exchange(fmt.Sprint(i, " second"))
				eventually(t, func() bool { return resting(e.session) })
			}
			e.send(Outgoing{Data: []byte("news")})
			if got := c.text(); got != "4news" {
				t.Errorf("while its reader rested, the client got %q", got)
			}
		})
	}
}

func TestASessionThatMovedToWebSocketRests(t *testing.T) {
	s := start(t, &Server{lull: shortLull}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	if got := c.text(); got != "3probe" {
		t.Fatal(got)
	}
	c.write(ws.NewTextFrame([]byte("5")))
	eventually(t, func() bool { return resting(e.session) })
	c.exchange("hello")
}

func TestAConnectionInUseIsNotDisturbed(t *testing.T) {
	s := start(t, &Server{lull: shortLull}, false)
	c, e := s.rested(t)
	inside, release := make(chan struct{}), make(chan struct{})
	e.onMessage(func(Message) {
		close(inside)
		<-release
	})
	c.write(ws.NewTextFrame([]byte("4slow")))
	wait(t, inside)
	<-time.After(10 * shortLull)
	if resting(e.session) {
		t.Error("the reader rests while the Receiver is at a message")
	}
	e.onMessage(nil)
	close(release)
	if got := c.text(); got != "4slow" {
		t.Error(got)
	}
	half := ws.MustCompileFrame(ws.MaskFrame(ws.NewBinaryFrame([]byte("abcdef"))))
	c.conn.Write(half[:8])
	<-time.After(10 * shortLull)
	c.conn.Write(half[8:])
	if f := c.read(); string(f.Payload) != "abcdef" {
		t.Errorf("a message with a silence in it came back as %q", f.Payload)
	}
}

// TestAnEndIsTheSameForReadersThatRest ends sessions in all ways: what Closed gets must not depend on whether the reader rests.
func TestAnEndIsTheSameForReadersThatRest(t *testing.T) {
	abort := func(c *socket) {
		if tcp, ok := c.conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.conn.Close()
	}
	for name, end := range map[string]func(c *socket, e *echo, srv *Server){
		"peer closes":   func(c *socket, _ *echo, _ *Server) { c.conn.Close() },
		"peer aborts":   func(c *socket, _ *echo, _ *Server) { abort(c) },
		"close frame":   func(c *socket, _ *echo, _ *Server) { c.write(ws.NewCloseFrame(nil)) },
		"half a header": func(c *socket, _ *echo, _ *Server) { c.conn.Write([]byte{0x81}); c.conn.Close() },
		"fault":         func(c *socket, _ *echo, _ *Server) { c.write(ws.NewTextFrame([]byte("x"))) },
		"server closes": func(_ *socket, e *echo, _ *Server) { e.session.Close(nil) },
		"drain":         func(_ *socket, e *echo, _ *Server) { e.session.Drain(ErrClosed) },
		"shutdown": func(_ *socket, _ *echo, srv *Server) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // what began ends, but is not waited for
			srv.Shutdown(ctx)
		},
		"no pong": func(c *socket, _ *echo, _ *Server) { c.closed() },
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", name, secure), func(t *testing.T) {
				t.Parallel()
				finish := func(lull time.Duration) string {
					srv := &Server{lull: lull}
					if name == "no pong" {
						srv.PingInterval, srv.PingTimeout = 50*time.Millisecond, 50*time.Millisecond
					}
					s := start(t, srv, secure)
					c := s.websocket(t)
					e := wait(t, s.sessions)
					if lull == shortLull {
						eventually(t, func() bool { return resting(e.session) })
					}
					end(c, e, srv)
					c.closed()
					c.conn.Close()
					select {
					case err := <-e.ended:
						return reason(err)
					case <-time.After(partingTime / 2):
						t.Error("it ends late")
						return reason(wait(t, e.ended))
					}
				}
				if got, want := finish(shortLull), finish(time.Hour); got != want {
					t.Errorf("the end is %q; of one whose reader waits it is %q", got, want)
				}
			})
		}
	}
}

func TestConnectionsThatSayNothingHoldNoGoroutine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("they do, elsewhere than on Linux")
	}
	const count = 1000
	s := start(t, &Server{lull: shortLull}, false)
	s.sessions = make(chan *echo, count)
	before := runtime.NumGoroutine()
	clients := make([]*socket, count)
	for i := range clients {
		clients[i] = s.websocket(t)
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 })
	for _, c := range clients {
		c.write(ws.NewTextFrame([]byte("4hello")))
	}
	for _, c := range clients {
		if got := c.text(); got != "4hello" {
			t.Fatal(got)
		}
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 })
	for _, c := range clients {
		c.conn.Close()
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before && s.engine.Stats().Sessions() == 0 })
}

// TestReadersRestAtAnyMoment has messages, ends and Shutdown come as readers begin or cease to rest.
func TestReadersRestAtAnyMoment(t *testing.T) {
	s := start(t, &Server{lull: 200 * time.Microsecond}, false)
	s.sessions = make(chan *echo, 100)
	var clients sync.WaitGroup
	for i := range 40 {
		c, e := s.websocket(t), wait(t, s.sessions)
		clients.Go(func() {
			for n := range 100 {
				if i%2 == 1 && n == 50 {
					e.session.Close(nil)
				}
				if err := c.try(ws.NewTextFrame(fmt.Appendf(nil, "4%d", n))); err != nil {
					break
				}
				f, err := c.frame()
				if err != nil || f.Header.OpCode == ws.OpClose {
					break
				}
				if want := fmt.Sprintf("4%d", n); string(f.Payload) != want {
					t.Errorf("%q came; want %q", f.Payload, want)
				}
				<-time.After(rand.N(800 * time.Microsecond))
			}
			c.conn.Close()
			if err := <-e.ended; i%2 == 1 && !errors.Is(err, ErrClosed) || i%2 == 0 && !errors.Is(err, ErrTransportClose) {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	clients.Wait()
	for range 40 {
		s.websocket(t) // for Shutdown, which follows, to end
	}
}
