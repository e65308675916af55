package sio_test

import (
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/sio"
	"sluice/sio/siotest"
)

// Events come as soon as those before are acknowledged: just when the goroutine that handled them is about to end.
func TestNoTwoEventsOfASocketAreHandledAtOnce(t *testing.T) {
	const clients, events = 16, 1000
	io := &sio.Server{}
	srv := siotest.NewServer(io)
	defer srv.Close()
	var atOnce atomic.Int32
	io.Of("/").OnConnect(func(s *sio.Socket) {
		var running atomic.Int32
		s.On("n", func(e *sio.Event) {
			if running.Add(1) > 1 {
				atOnce.Add(1)
			}
			e.Ack() // if asked to
			runtime.Gosched()
			running.Add(-1)
		})
	})
	var all sync.WaitGroup
	for range clients {
		p := dialMemory(t, srv)
		p.send(`0`)
		p.next()
		all.Go(func() {
			for i := range events {
				p.send(`2["n"]`, `2["n"]`, `2`+strconv.Itoa(i)+`["n"]`)
				if _, err := p.tryRead(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := atOnce.Load(); n > 0 {
		t.Errorf("%d of %d events were handled beside another of the same socket", n, 3*clients*events)
	}
}
