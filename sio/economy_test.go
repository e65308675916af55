package sio_test

import (
	"context"
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
