package sio_test

import (
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"sluice/sio"
)

// frame reads a frame from the server, and reports whether it is compressed.
func (p *peer) frame() (compressed bool) {
	p.t.Helper()
	h, err := ws.ReadHeader(p.stream)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, p.stream, h.Length); err != nil {
		p.t.Fatal(err)
	}
	return h.Rsv1()
}

func TestWhatIsNotToBeCompressedIsNot(t *testing.T) {
	t.Run("kept", func(t *testing.T) { notCompressed(t, &sio.Recovery{}) })
	t.Run("not kept", func(t *testing.T) { notCompressed(t, nil) })
}

func notCompressed(t *testing.T, r *sio.Recovery) {
	srv := &sio.Server{Deflate: &sio.Deflate{}, Recovery: r}
	var d ws.Dialer
	d.Extensions = append(d.Extensions, wsflate.DefaultParameters.Option())
	p := dialWith(t, serve(t, srv), d)
	p.send(`0`)
	p.next()
	ns := srv.Of("/")
	s := ns.Sockets()[0]
	text := strings.Repeat("x", 4<<10)
	event, plain := sio.Prepare("news", text), sio.Prepare("news", text).Plain()
	sent := map[string]func(){
		"a socket":                func() { s.Send(event) },
		"a namespace":             func() { ns.Send(event) },
		"a socket, may":           func() { s.Compress(true).Emit("news", text) },
		"a socket, itself not":    func() { s.Send(plain) },
		"a namespace, itself not": func() { ns.Send(plain) },
		"a socket, not":           func() { s.Compress(false).Send(event) },
		"a namespace, not":        func() { ns.Compress(false).Send(event) },
		"a room, not":             func() { ns.To(s.ID()).Compress(false).Emit("news", text) },
	}
	for name, send := range sent {
		send()
		if got, want := p.frame(), !strings.HasSuffix(name, "not"); got != want {
			t.Errorf("to %s: compressed is %v", name, got)
		}
	}
}
