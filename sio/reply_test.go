package sio_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sluice/sio"
	"sluice/sio/siotest"
)

// pipelined calls test in a bubble with a client that has sent three events at once, of which the first is being handled and waits for
// go on. Handlers acknowledge first.
func pipelined(t *testing.T, test func(t *testing.T, p *peer, goOn chan struct{})) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		goOn := make(chan struct{})
		io.Of("/").On("n", func(e *sio.Event) {
			e.Ack()
			<-goOn
		})
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		defer p.conn.Close()
		p.send(`0`)
		p.next()
		p.send(`21["n"]`, `22["n"]`, `23["n"]`)
		test(t, p, goOn)
	})
}

func TestAnAckDoesNotWaitForAHandlerThatBlocks(t *testing.T) {
	pipelined(t, func(t *testing.T, p *peer, goOn chan struct{}) {
		defer close(goOn)
		began := time.Now()
		p.expect(`31[]`)
		if waited := time.Since(began); waited > 10*time.Millisecond {
			t.Errorf("the ack came after %v", waited)
		}
	})
}

func TestAcksComeInOrder(t *testing.T) {
	pipelined(t, func(t *testing.T, p *peer, goOn chan struct{}) {
		close(goOn)
		p.expect(`31[]`, `32[]`, `33[]`)
	})
}

func TestEventsAreAcknowledgedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		var waiting []*sio.Event
		io.Of("/").On("wait", func(e *sio.Event) { waiting = append(waiting, e) })
		io.Of("/").On("all", func(e *sio.Event) {
			waiting[1].Ack("alone")
			if err := sio.AckAll(append(waiting, e), "all", 7); err != sio.ErrNoAck {
				t.Errorf("AckAll = %v; want %v, of the event that has its ack", err, sio.ErrNoAck)
			}
			if err := sio.AckAll(nil); err != nil {
				t.Errorf("AckAll of none = %v", err)
			}
			if err := sio.AckAll([]*sio.Event{e}, func() {}); err == nil {
				t.Error("AckAll takes what cannot be encoded")
			}
		})
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		defer p.conn.Close()
		p.send(`0`)
		p.next()
		p.send(`21["wait"]`, `22["wait"]`, `2["wait"]`, `23["all"]`)
		p.expect(`32["alone"]`, `31["all",7]`, `33["all",7]`)
	})
}
