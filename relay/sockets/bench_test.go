package sockets

import (
	"strings"
	"testing"

	"sluice/relay"
)

// chunkOf returns a stream of text, and its first chunk.
func chunkOf(tb testing.TB) (*relay.Stream, *relay.Chunk) {
	hub := &relay.Hub{Dir: tb.TempDir()}
	if err := hub.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { hub.Close() })
	w, err := hub.Publish(tb.Context(), relay.Spec{Room: "studio", Name: "a.txt", Who: relay.Identity{ID: "alice"}})
	if err != nil {
		tb.Fatal(err)
	}
	w.Write([]byte(strings.Repeat("hello ", 10_000)))
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	r := w.Stream().NewReader(0, func() {})
	defer r.Close()
	item, err := r.Next(tb.Context(), false)
	if err != nil {
		tb.Fatal(err)
	}
	return w.Stream(), item.Chunk
}

// encodings are what a client may take, as a chunk is encoded for it.
var encodings = []string{"", zstd, deflateRaw}

// Each iteration is a chunk that has been encoded for another reader.
func BenchmarkChunk(b *testing.B) {
	for _, accept := range encodings {
		b.Run("accept "+accept, func(b *testing.B) {
			st, c := chunkOf(b)
			s := &subscription{client: &client{}, stream: st, accept: accept}
			b.ReportAllocs()
			for b.Loop() {
				s.item(relay.Item{Chunk: c})
			}
		})
	}
}
