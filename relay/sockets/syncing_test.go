package sockets

import (
	"testing"
	"testing/synctest"

	"sluice/relay"
	"sluice/sio"
	stock "sluice/sio/client"
)

func TestAChunkIsAcknowledgedOnceItsLastByteIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, &relay.Hub{}, Limits{})
		ann := p.connect(t)
		c, w := p.publishing(ann)
		w.syncing = true // nobody sees to them
		var chunks []*stock.Pending
		for i := range 3 {
			chunks = append(chunks, ann.start("chunk", object{"stream": w.Stream().ID(), "offset": 1000 * i}, random(1000)))
		}
		synctest.Wait()
		for _, step := range []struct {
			durable int64
			events  int
			more    bool
		}{{0, 0, true}, {999, 0, true}, {1999, 1, true}, {1999, 0, true}, {2000, 1, true}} {
			events, more := c.synced(w, step.durable)
			if len(events) != step.events || more != step.more {
				t.Errorf("%d chunks are acknowledged up to %d, more %v; want %d, %v", len(events), step.durable, more, step.events, step.more)
			}
			sio.AckAll(events, reply{OK: true})
		}
		go c.syncAll(w)
		for _, pending := range chunks {
			if args, err := pending.Wait(t.Context()); err != nil || !ann.read(args).OK {
				t.Errorf("the ack is %v, %v", args, err)
			}
		}
		ann.must("cancel", object{"stream": w.Stream().ID()})
	})
}

func TestWhoIgnoresItsWindowIsNotReadWhileTheDiskIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, &relay.Hub{}, Limits{})
		ann := p.connect(t)
		c, w := p.publishing(ann)
		w.syncing = true // nobody sees to them: the disk takes its time
		const n = 2 * maxSyncing
		var chunks []*stock.Pending
		for i := range n {
			chunks = append(chunks, ann.start("chunk", object{"stream": w.Stream().ID(), "offset": 10 * i}, random(10)))
		}
		synctest.Wait()
		if len(w.chunks) != maxSyncing {
			t.Errorf("%d chunks wait for the disk; want %d", len(w.chunks), maxSyncing)
		}
		go c.syncAll(w)
		for _, pending := range chunks {
			if args, err := pending.Wait(t.Context()); err != nil || !ann.read(args).OK {
				t.Errorf("the ack is %v, %v", args, err)
			}
		}
		if a := ann.must("finish", object{"stream": w.Stream().ID()}); *a.Stream.Size != 10*n {
			t.Errorf("%d bytes came; want %d", *a.Stream.Size, 10*n)
		}
	})
}

// publishing has p publish a stream and returns the server's side of it.
func (p *place) publishing(of *peer) (*client, *writer) {
	st := of.must("publish", object{"room": "studio"}).Stream
	c := p.io.Of("/").Socket(of.ID()).Data().(*client)
	c.lock()
	defer c.unlock()
	return c, c.writers[st.ID]
}
