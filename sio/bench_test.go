package sio_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"sluice/sio"
)

// Each iteration is an event of a client and its ack.
func BenchmarkAck(b *testing.B) {
	srv := &sio.Server{}
	srv.Of("/").On("n", func(e *sio.Event) { e.Ack(e.Raw(0)) })
	p := join(b, serve(b, srv), "/")
	b.ReportAllocs()
	for b.Loop() {
		p.send(`21["n",{"a":1}]`)
		p.expect(`31[{"a":1}]`)
	}
}

// Each iteration is an event that a hundred clients are sent.
func BenchmarkBroadcast(b *testing.B) {
	for _, size := range []int{100, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			const clients = 100
			srv := &sio.Server{MaxQueuedBytes: 64 << 20}
			url := serve(b, srv)
			var readers sync.WaitGroup
			for range clients {
				p := join(b, url, "/")
				readers.Go(func() { io.Copy(io.Discard, p.stream) })
			}
			text := strings.Repeat("x", size)
			b.SetBytes(int64(clients * size))
			b.ReportAllocs()
			for b.Loop() {
				srv.Of("/").Emit("news", text)
			}
			b.StopTimer()
			for _, s := range srv.Of("/").Sockets() {
				s.Disconnect(true)
			}
			readers.Wait()
			b.ReportMetric(float64(srv.Stats().Dropped)/float64(b.N*clients), "dropped/op")
		})
	}
}

// Each iteration is an attachment of a mebibyte, streamed to its handler.
func BenchmarkStream(b *testing.B) {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		io.Copy(io.Discard, e.Attachment())
		e.Ack()
	})
	p := join(b, serve(b, srv), "/")
	data := strings.Repeat("x", 1<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p.send(`51-1["up",{"_placeholder":true,"num":0}]`)
		p.sendBinary(data)
		p.expect(`31[]`)
	}
}
