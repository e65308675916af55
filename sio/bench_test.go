package sio_test

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

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

// room is a server with clients that read what comes, and one that has it broadcast, or forwarded.
type room struct {
	ns      *sio.Namespace
	sender  *peer
	frames  []byte // what the sender sends at once
	reply   []byte
	readers sync.WaitGroup
}

// newRoom fills a room with so many beside the sender.
func newRoom(tb testing.TB, srv *sio.Server, clients int) *room {
	r := &room{ns: srv.Of("/"), reply: make([]byte, len("..431[]"))}
	r.ns.On("say", func(e *sio.Event) {
		e.Socket.Broadcast().Emit("said", e.Raw(0))
		if e.WantsAck() {
			e.Ack()
		}
	})
	r.ns.On("pass", func(e *sio.Event) {
		if err := e.Socket.Broadcast().Forward("passed", e, 0); err != nil {
			tb.Error(err)
		}
		e.Ack()
	})
	url := serve(tb, srv)
	for range clients {
		p := join(tb, url, "/")
		r.readers.Go(func() { io.Copy(io.Discard, p.stream) })
	}
	r.sender = join(tb, url, "/")
	return r
}

// say has the sender send events, each of which is broadcast.
func (r *room) say(events int) *room {
	const text = `["say",{"text":"hello there"}]`
	for range events - 1 {
		r.add(ws.NewTextFrame([]byte("42" + text)))
	}
	r.add(ws.NewTextFrame([]byte("421" + text)))
	return r
}

// waste has the sender send an event with an attachment that nobody wants, and one that is acknowledged.
func (r *room) waste(size int) *room {
	r.add(ws.NewTextFrame([]byte(`451-["waste",{"_placeholder":true,"num":0}]`)))
	r.add(ws.NewBinaryFrame(make([]byte, size)))
	return r.say(1)
}

// pass has the sender send an event with an attachment, which is forwarded.
func (r *room) pass(size int) *room {
	r.add(ws.NewTextFrame([]byte(`451-1["pass",{"_placeholder":true,"num":0}]`)))
	r.add(ws.NewBinaryFrame(make([]byte, size)))
	return r
}

func (r *room) add(f ws.Frame) {
	r.frames = append(r.frames, ws.MustCompileFrame(ws.MaskFrameInPlace(f))...)
}

// round sends, and waits until the last event has been handled.
func (r *room) round(tb testing.TB) {
	if _, err := r.sender.conn.Write(r.frames); err != nil {
		tb.Fatal(err)
	}
	r.sender.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(r.sender.stream, r.reply); err != nil || string(r.reply[2:]) != "431[]" {
		tb.Fatalf("%q, %v; want the ack", r.reply, err)
	}
}

func (r *room) close() {
	r.ns.DisconnectSockets(true)
	r.readers.Wait()
}

// Each iteration is a run of events of one client that a hundred are sent.
func BenchmarkBurst(b *testing.B) {
	const clients, events = 100, 64
	r := newRoom(b, &sio.Server{}, clients).say(events)
	defer r.close()
	b.ReportAllocs()
	for b.Loop() {
		r.round(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*clients*events), "ns/delivery")
}

// Each iteration is an event with an attachment that nobody wants.
func BenchmarkWaste(b *testing.B) {
	const size = 64 << 10
	r := newRoom(b, &sio.Server{}, 0).waste(size)
	defer r.close()
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r.round(b)
	}
}

// Each iteration is an event with an attachment that a hundred are forwarded.
func BenchmarkForward(b *testing.B) {
	const clients, size = 100, 64 << 10
	r := newRoom(b, &sio.Server{MaxQueuedBytes: 64 << 20}, clients).pass(size)
	defer r.close()
	b.SetBytes(clients * size)
	b.ReportAllocs()
	for b.Loop() {
		r.round(b)
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
