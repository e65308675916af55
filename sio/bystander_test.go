package sio_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/sio"
	"sluice/sio/client"
)

// pace is how often a bystander does something.
const pace = 2 * time.Millisecond

// bystander is a client that does nothing wrong while others do: numbered events go both ways, each acknowledged before the
// next, and each must arrive, whole and in order.
type bystander struct {
	t      testing.TB
	client *client.Client
	ends   context.CancelCauseFunc
	loops  sync.WaitGroup

	sent  int             // owned by the loop that sends, until it has ended
	took  []time.Duration // the same: how long each ack was awaited
	heard atomic.Int64    // events from the server
}

// errEnough ends a bystander's traffic.
var errEnough = errors.New("enough")

// heed makes io answer bystanders, and send them events of its own.
func heed(io *sio.Server) {
	ns := io.Of("/bystanders")
	ns.OnConnect(func(s *sio.Socket) {
		s.SetData(new(int))
		go func() {
			for n := 1; ; n++ {
				if _, err := s.EmitWithAck(s.Context(), "down", n); err != nil {
					return
				}
				select {
				case <-s.Context().Done():
				case <-time.After(pace):
				}
			}
		}()
	})
	ns.On("up", func(e *sio.Event) {
		var n int
		var data []byte
		if e.Decode(0, &n) != nil || e.Decode(1, &data) != nil {
			return
		}
		last := e.Socket.Data().(*int)
		*last++
		e.Ack(*last == n, data)
	})
}

// stand connects a bystander by one transport, and starts its traffic.
func stand(t testing.TB, url, transport string) *bystander {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	b := &bystander{t: t, ends: cancel}
	c, err := client.New(url, client.Options{Namespace: "/bystanders", Transports: []string{transport}, NoReconnect: true})
	if err != nil {
		t.Fatal(err)
	}
	b.client = c
	c.On("down", func(e *client.Event) {
		var n int64
		if err := e.Decode(0, &n); err != nil || n != b.heard.Add(1) {
			t.Errorf("%s bystander: event %d came as number %d, %v", transport, n, b.heard.Load(), err)
		}
		e.Ack()
	})
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.loops.Go(func() { b.send(ctx, transport) })
	t.Cleanup(b.stop)
	return b
}

// send sends until ctx ends, and compares what comes back.
func (b *bystander) send(ctx context.Context, transport string) {
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	for ctx.Err() == nil {
		begin := time.Now()
		data := []byte{byte(b.sent), byte(b.sent >> 8), 0xff}
		b.sent++
		patient, cancel := context.WithTimeout(context.Background(), patience)
		reply, err := b.client.EmitWithAck(patient, "up", b.sent, data)
		cancel()
		var inOrder bool
		var back []byte
		if err == nil {
			err = errors.Join(reply.Decode(0, &inOrder), reply.Decode(1, &back))
		}
		if err != nil || !inOrder || !bytes.Equal(back, data) {
			b.t.Errorf("%s bystander: event %d came back %v, in order %v: %v", transport, b.sent, back, inOrder, err)
			return
		}
		b.took = append(b.took, time.Since(begin))
		<-ticks.C
	}
}

// leave ends the traffic, and returns how many events went up and down.
func (b *bystander) leave() (up, down int) {
	b.t.Helper()
	b.ends(errEnough)
	b.loops.Wait()
	defer b.stop()
	if err := context.Cause(b.client.Context()); err != nil {
		b.t.Errorf("a bystander lost its connection: %v", err)
	}
	if up, down = b.sent, int(b.heard.Load()); up == 0 || down == 0 {
		b.t.Errorf("a bystander sent %d and heard %d events", up, down)
	}
	return up, down
}

// stop ends the traffic and the client, if that has not been done.
func (b *bystander) stop() {
	b.ends(errEnough)
	b.loops.Wait()
	b.client.Close()
}

// percentile99 returns what 99 of 100 acks took at most.
func (b *bystander) percentile99() time.Duration {
	took := slices.Sorted(slices.Values(b.took))
	return took[len(took)*99/100]
}
