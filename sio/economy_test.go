package sio_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"

	"sluice/sio"
)

// crowd joins so many clients.
func crowd(t testing.TB, srv *sio.Server, clients int) []*peer {
	url := serve(t, srv)
	peers := make([]*peer, clients)
	for i := range peers {
		peers[i] = join(t, url, "/")
	}
	return peers
}

func TestABroadcastAllocatesNothingForEachRecipient(t *testing.T) {
	for name, recovery := range map[string]*sio.Recovery{"kept": {}, "not kept": nil} {
		t.Run(name, func(t *testing.T) {
			const clients = 50
			srv := &sio.Server{Recovery: recovery}
			var readers sync.WaitGroup
			for _, p := range crowd(t, srv, clients) {
				readers.Go(func() { io.Copy(io.Discard, p.stream) })
			}
			ns := srv.Of("/")
			allocs := testing.AllocsPerRun(200, func() { ns.Emit("news", "text") })
			if allocs > clients/2 {
				t.Errorf("a broadcast to %d sockets allocates %.0f times", clients, allocs)
			}
			ns.DisconnectSockets(true)
			readers.Wait()
		})
	}
}

func TestGatheringAcksStartsNoGoroutines(t *testing.T) {
	srv := &sio.Server{}
	peers := crowd(t, srv, 50)
	ctx, cancel := context.WithCancel(t.Context())
	var gathering sync.WaitGroup
	before := runtime.NumGoroutine()
	gathering.Go(func() { srv.Of("/").EmitWithAck(ctx, "question") })
	for _, p := range peers {
		p.expect(`20["question"]`)
	}
	if more := runtime.NumGoroutine() - before; more > 5 {
		t.Errorf("%d goroutines more for 50 sockets", more)
	}
	cancel()
	gathering.Wait()
}
