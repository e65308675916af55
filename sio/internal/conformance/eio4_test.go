package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// opened is the packet that opens a session.
type opened struct {
	SID          string
	Upgrades     []string
	PingInterval int
	PingTimeout  int
	MaxPayload   int
}

func decodeOpen(t *testing.T, packet string) (o opened) {
	t.Helper()
	text, ok := strings.CutPrefix(packet, "0")
	if !ok || json.Unmarshal([]byte(text), &o) != nil || o.SID == "" {
		t.Fatalf("got %q; want the packet that opens a session", packet)
	}
	return o
}

func TestEIO4HandshakeHasExactlyItsFields(t *testing.T) {
	for _, which := range []int{eio4, sio5} {
		s := start(t, which)
		over := map[string]string{
			"polling":   s.do(t.Context(), "GET", "EIO=4&transport=polling", "").body,
			"websocket": s.dial(t, "EIO=4&transport=websocket").text(),
		}
		for transport, packet := range over {
			o := decodeOpen(t, packet)
			upgrades := `["websocket"]`
			if transport == "websocket" {
				upgrades = `[]`
			}
			want := `0{"sid":"` + o.SID + `","upgrades":` + upgrades + `,"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
			if packet != want {
				t.Errorf("%s: %s; want %s", transport, packet, want)
			}
		}
	}
}

func TestEIO4RefusesBadRequests(t *testing.T) {
	s := start(t, eio4)
	live := s.poll(t)
	for _, c := range []struct{ method, query string }{
		{"GET", ""},
		{"GET", "transport=polling"},
		{"GET", "EIO=&transport=polling"},
		{"GET", "EIO=abc&transport=polling"},
		{"GET", "EIO=3&transport=polling"},
		{"GET", "EIO=5&transport=polling"},
		{"GET", "EIO=4"},
		{"GET", "EIO=4&transport=abc"},
		{"GET", "EIO=4&transport=__proto__"},
		{"POST", "EIO=4&transport=polling"},
		{"PUT", "EIO=4&transport=polling"},
		{"DELETE", "EIO=4&transport=polling"},
		{"GET", "EIO=4&transport=polling&sid=abc"},
		{"POST", "EIO=4&transport=polling&sid=abc"},
		{"GET", "EIO=4&transport=polling&sid=constructor"},
	} {
		query := strings.ReplaceAll(c.query, "transport=websocket", "transport=websocket")
		if r := s.do(t.Context(), c.method, query, ""); r.status != 400 {
			t.Errorf("%s ?%s: %v; want 400", c.method, c.query, r)
		}
	}
	for _, query := range []string{"transport=websocket", "EIO=3&transport=websocket", "EIO=abc&transport=websocket", "EIO=4&transport=websocket&sid=abc", "EIO=4&transport=abc"} {
		if c, err := s.tryDial(t, query); err == nil {
			t.Errorf("WebSocket ?%s: opened; want it refused", query)
			c.conn.Close()
		}
	}
	live.mustPost("4still there")
	if got := live.collect(1); got[0] != "4still there" {
		t.Errorf("got %q", got)
	}
}

func TestEIO4EchoesOverPolling(t *testing.T) {
	p := start(t, eio4).poll(t)
	p.mustPost("4hello\x1ebAQIDBA==\x1e4ünïcode €𝄞\x1e4")
	if got, want := p.collect(4), []string{"4hello", "bAQIDBA==", "4ünïcode €𝄞", "4"}; !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestEIO4EchoesOverWebSocket(t *testing.T) {
	c := start(t, eio4).open(t)
	c.send("4hello")
	c.want("4hello")
	c.sendBinary("\x01\x02\x03\x04")
	c.wantBinary("\x01\x02\x03\x04")
	c.send("4ünïcode €𝄞")
	c.want("4ünïcode €𝄞")
}

func TestEIO4AnswersAPostWithOK(t *testing.T) {
	p := start(t, eio4).poll(t)
	r := p.post("4x")
	if r.status != 200 || r.body != "ok" || r.header.Get("Content-Type") != "text/html" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("POST: %v %v", r, r.header)
	}
	r = p.get()
	if r.status != 200 || r.header.Get("Content-Type") != "text/plain; charset=UTF-8" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("GET: %v %v", r, r.header)
	}
}

func TestEIO4ClosesASessionOnAMalformedBody(t *testing.T) {
	s := start(t, eio4)
	for _, body := range []string{"abc", "", "\x1e", "4a\x1e\x1e4b", "4a\x1e", "b!!", "bAQ", "9x", "bAQI=DBA=", "4\xff"} {
		p := s.poll(t)
		if r := p.post(body); r.err == nil && r.status != 400 {
			t.Errorf("POST %q: %v; want 400", body, r)
		}
		p.mustBeGone()
	}
}

func TestEIO4ClosesAWebSocketOnAMalformedFrame(t *testing.T) {
	s := start(t, eio4)
	for _, text := range []string{"abc", "", "9"} {
		c := s.open(t)
		c.send(text)
		c.wantClosed()
	}
	c := s.open(t)
	c.conn.Write([]byte{0x81, 0x02, '4', 'x'}) // not masked
	c.wantClosed()
}

func TestEIO4ASecondGETEndsTheSession(t *testing.T) {
	p := start(t, eio4).poll(t)
	first := p.later("GET", "")
	second := p.later("GET", "")
	replies := []reply{<-first, <-second}
	slices.SortFunc(replies, func(a, b reply) int { return a.status - b.status })
	if r := replies[0]; r.status != 200 || r.body != "1" {
		t.Errorf("the first GET got %v; want the close packet", r)
	}
	if r := replies[1]; r.status != 400 && r.status != 500 {
		t.Errorf("the second GET got %v; want 400", r)
	}
	p.mustBeGone()
}

func TestEIO4ADroppedGETEndsTheSession(t *testing.T) {
	p := start(t, eio4).poll(t)
	ctx, drop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer drop()
	if r := p.site.do(ctx, "GET", p.query, ""); r.err == nil {
		t.Fatalf("the GET got %v; want it dropped before the first ping", r)
	}
	p.mustBeGone()
}

func TestEIO4APollingCloseAnswersTheGETWithNoop(t *testing.T) {
	p := start(t, eio4).poll(t)
	waiting := p.later("GET", "")
	p.mustPost("1")
	// The GET may have been sent after the POST: a client does not know the order either.
	if r := <-waiting; r.status != 200 || r.body != "6" {
		t.Errorf("the GET got %v; want noop", r)
	}
	p.mustBeGone()
}

func TestEIO4APollingCloseLetsOneGETComeLate(t *testing.T) {
	p := start(t, eio4).poll(t)
	p.mustPost("1")
	if r := p.get(); r.status != 200 || r.body != "6" {
		t.Errorf("the GET got %v; want noop", r)
	}
	p.mustBeGone()
}

func TestEIO4ACloseOverWebSocketEndsIt(t *testing.T) {
	c := start(t, eio4).open(t)
	c.send("1")
	c.wantClosed()
}

func TestEIO4PingsAndIsAnswered(t *testing.T) {
	s := start(t, eio4)
	p := s.poll(t)
	c := s.open(t)
	for range 3 {
		if got := p.mustGet(); got != "2" {
			t.Fatalf("polling: %q; want a ping", got)
		}
		p.mustPost("3")
		if f, err := c.frame(); err != nil || string(f.Payload) != "2" {
			t.Fatalf("websocket: %q, %v; want a ping", f.Payload, err)
		}
		c.send("3")
	}
}

// A suite looks at exactly interval + timeout after its handshake came; so the server's clock starts before it is written.
func TestEIO4AMissedPongEndsTheSessionInTime(t *testing.T) {
	s := start(t, eio4)
	c := s.open(t)
	heard := time.Now()
	if err := c.wantClosed(); err == nil {
		t.Error("open")
	}
	if took := time.Since(heard); took < protocolPingInterval {
		t.Errorf("closed after %v, before the ping", took)
	}
	p := s.poll(t)
	late := time.NewTimer(protocolPingInterval + protocolPingTimeout)
	<-late.C
	p.mustBeGone()
}

func TestEIO4Upgrades(t *testing.T) {
	s := start(t, eio4)
	p := s.poll(t)
	query := strings.Replace(p.query, "polling", "websocket", 1)
	c := s.dial(t, query)
	waiting := p.later("GET", "")
	c.send("2probe")
	if f, err := c.frame(); err != nil || string(f.Payload) != "3probe" {
		t.Fatalf("got %q, %v; want 3probe", f.Payload, err)
	}
	if r := <-waiting; r.status != 200 || r.body != "6" {
		t.Errorf("the waiting GET got %v; want noop", r)
	}
	c.send("5")
	c.send("4over websocket")
	c.want("4over websocket")
	if r := p.get(); r.status != 400 {
		t.Errorf("a GET after the upgrade got %v; want 400", r)
	}
	if r := p.post("4x"); r.status != 400 {
		t.Errorf("a POST after the upgrade got %v; want 400", r)
	}
	if second, err := s.tryDial(t, query); err == nil {
		second.send("2probe")
		second.wantClosed()
	}
	c.sendBinary("still there")
	c.wantBinary("still there")
}

func TestEIO4AGETBetweenProbeAndUpgradeIsHeld(t *testing.T) {
	s := start(t, eio4)
	p := s.poll(t)
	c := s.dial(t, strings.Replace(p.query, "polling", "websocket", 1))
	c.send("2probe")
	if f, err := c.frame(); err != nil || string(f.Payload) != "3probe" {
		t.Fatalf("got %q, %v; want 3probe", f.Payload, err)
	}
	if r := p.get(); r.status != 200 || r.body != "6" {
		t.Errorf("no upgrade came, and the GET got %v; want noop", r)
	}
	held := p.later("GET", "")
	c.send("5")
	if r := <-held; r.status != 400 && r.body != "6" {
		t.Errorf("the upgrade came, and the GET got %v; want 400, or noop if it was there first", r)
	}
	c.send("4x")
	c.want("4x")
}

func TestEIO4AFailedProbeDoesNoHarm(t *testing.T) {
	s := start(t, eio4)
	p := s.poll(t)
	c := s.dial(t, strings.Replace(p.query, "polling", "websocket", 1))
	c.send("2wrong")
	c.wantClosed()
	p.mustPost("4x")
	if got := p.collect(1); got[0] != "4x" {
		t.Errorf("got %q", got)
	}
}

func TestEIO4MessagesAreBounded(t *testing.T) {
	s := start(t, eio4)
	p := s.poll(t)
	if r := p.post("4" + strings.Repeat("x", 1_000_000)); r.status != 413 && r.err == nil {
		t.Errorf("a POST over the limit got %v; want 413", r)
	}
	c := s.open(t)
	c.send("4" + strings.Repeat("x", 1_000_000))
	if err := c.wantClosed(); err != (closed{ws.StatusMessageTooBig, ""}) {
		t.Errorf("a message over the limit: %v; want 1009", err)
	}
	c = s.open(t)
	c.send("4" + strings.Repeat("x", 999_999))
	c.want("4" + strings.Repeat("x", 999_999))
}
