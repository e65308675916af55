//go:build !race

package sockets

import (
	"testing"

	"sluice/relay"
)

func TestAChunkAllocatesNothingForOneMoreReader(t *testing.T) {
	for _, accept := range encodings {
		st, c := chunkOf(t)
		s := &subscription{client: &client{}, stream: st, accept: accept}
		if n := testing.AllocsPerRun(100, func() { s.item(relay.Item{Chunk: c}) }); n != 0 {
			t.Errorf("that takes %q: %v times; want 0", accept, n)
		}
	}
}
