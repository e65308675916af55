package sio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"sluice/sio"
	"sluice/sio/siotest"
)

// stalled calls test with a socket whose client reads nothing more, in a bubble.
func stalled(t *testing.T, io *sio.Server, test func(t *testing.T, p *peer, s *sio.Socket)) {
	synctest.Test(t, func(t *testing.T) {
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		defer p.conn.Close()
		p.send(`0`)
		p.next()
		s := io.Of("/").Sockets()[0]
		s.Emit("held")
		synctest.Wait() // the transport has it, and is stuck with it
		test(t, p, s)
	})
}

func TestTheQueueIsBoundedInPackets(t *testing.T) {
	io := &sio.Server{MaxQueuedPackets: 3}
	stalled(t, io, func(t *testing.T, p *peer, s *sio.Socket) {
		for i := range 3 {
			if err := s.Emit("n", i); err != nil {
				t.Errorf("event %d: %v", i, err)
			}
		}
		if err := s.Emit("n", 3); !errors.Is(err, sio.ErrQueueFull) {
			t.Errorf("a fourth event: %v; want ErrQueueFull", err)
		}
		if err := io.Of("/").Emit("n", 3); err != nil {
			t.Errorf("a broadcast: %v", err)
		}
		if got := io.Stats().Dropped; got != 2 {
			t.Errorf("%d were dropped; want 2", got)
		}
		p.expect(`2["held"]`, `2["n",0]`, `2["n",1]`, `2["n",2]`)
		if err := s.Emit("n", 4); err != nil {
			t.Error(err)
		}
		p.expect(`2["n",4]`)
	})
}

func TestTheQueueIsBoundedInBytes(t *testing.T) {
	io := &sio.Server{MaxQueuedBytes: 1000}
	stalled(t, io, func(t *testing.T, p *peer, s *sio.Socket) {
		text := strings.Repeat("x", 800)
		if err := s.Emit("n", text); err != nil {
			t.Error(err)
		}
		if err := s.Emit("n", text); !errors.Is(err, sio.ErrQueueFull) {
			t.Errorf("Emit = %v; want ErrQueueFull", err)
		}
		if err := s.Emit("n"); err != nil {
			t.Errorf("what fits: %v", err)
		}
	})
}

func TestAClientThatIsTooSlowIsCutOff(t *testing.T) {
	io := &sio.Server{MaxQueuedPackets: 2, CloseSlow: true}
	io.Of("/").OnConnect(func(s *sio.Socket) {
		s.OnDisconnect(func(reason string) {
			if reason != "too slow" {
				t.Errorf("reason %q; want too slow", reason)
			}
		})
	})
	stalled(t, io, func(t *testing.T, p *peer, s *sio.Socket) {
		for range 10 { // volatile events that are dropped are no reason
			s.Volatile().Emit("volatile")
		}
		for i := range 3 {
			io.Of("/").Emit("n", i)
		}
		<-s.Context().Done()
		var why *sio.DisconnectError
		if err := context.Cause(s.Context()); !errors.As(err, &why) || why.Reason != "too slow" || !errors.Is(err, net.ErrClosed) {
			t.Errorf("cause %v", err)
		}
		if err := s.Emit("n"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Emit = %v; want net.ErrClosed", err)
		}
		if got := io.Stats(); got.Disconnects["too slow"] != 1 || got.Dropped != 1 {
			t.Errorf("Disconnects %v, Dropped %d", got.Disconnects, got.Dropped)
		}
	})
}

func TestAcksMayGoOverTheBoundOfPackets(t *testing.T) {
	io := &sio.Server{MaxQueuedPackets: 1}
	io.Of("/").On("n", func(e *sio.Event) {
		if err := e.Ack(e.Raw(0)); err != nil {
			t.Error(err)
		}
	})
	p := join(t, serve(t, io), "/")
	const asked = 200
	go func() {
		for i := range asked {
			p.send(fmt.Sprintf(`2%d["n",%d]`, i, i))
		}
	}()
	for i := range asked {
		p.expect(fmt.Sprintf(`3%d[%d]`, i, i))
	}
}
