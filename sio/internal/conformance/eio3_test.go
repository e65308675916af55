package main

import (
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestEIO3AMissingVersionMeansThree(t *testing.T) {
	s := start(t, eio3)
	for query, want := range map[string]int{
		"transport=polling": 200, "EIO=3&transport=polling": 200, "EIO=4&transport=polling": 200,
		"EIO=3": 400, "EIO=3&transport=abc": 400, "EIO=3&transport=polling&sid=abc": 400,
	} {
		if r := s.do(t.Context(), "GET", query, ""); r.status != want {
			t.Errorf("GET ?%s: %v; want %d", query, r, want)
		}
	}
	if r := s.do(t.Context(), "POST", "EIO=3&transport=polling", ""); r.status != 400 {
		t.Errorf("a handshake by POST: %v; want 400", r)
	}
}

func TestEIO3HandshakeIsAPacketWithItsLength(t *testing.T) {
	s := start(t, eio3)
	r := s.do(t.Context(), "GET", "EIO=3&transport=polling&b64=1", "")
	packets := decodeV3(t, r.body)
	if len(packets) != 1 {
		t.Fatalf("got %q; want one packet", r.body)
	}
	o := decodeOpen(t, packets[0])
	if len(o.Upgrades) != 1 || o.Upgrades[0] != "websocket" || o.PingInterval != 300 || o.PingTimeout != 200 {
		t.Errorf("got %+v", o)
	}
	o = decodeOpen(t, s.dial(t, "EIO=3&transport=websocket").text())
	if len(o.Upgrades) != 0 {
		t.Errorf("over WebSocket: upgrades %q; want none", o.Upgrades)
	}
}

// poll3 opens a session of version 3 whose binary comes as base64 or, without, in frames of bytes.
func (s *site) poll3(t *testing.T, base64 bool) *session {
	t.Helper()
	query := "EIO=3&transport=polling"
	if base64 {
		query += "&b64=1"
	}
	o := decodeOpen(t, decodeV3(t, s.do(t.Context(), "GET", query, "").body)[0])
	return &session{t, s, query + "&sid=" + o.SID}
}

func TestEIO3EchoesOverPolling(t *testing.T) {
	p := start(t, eio3).poll3(t, true)
	p.mustPost("6:4hello")
	if got := p.mustGet(); got != "6:4hello" {
		t.Errorf("got %q", got)
	}
	p.mustPost("10:b4AQIDBA==3:4ab")
	if got := strings.Join(decodeV3(t, p.mustGet()), "|"); got != "b4AQIDBA==|4ab" && got != "b4AQIDBA==" {
		t.Errorf("got %q", got)
	}
}

func TestEIO3CountsLengthsInCharacters(t *testing.T) {
	p := start(t, eio3).poll3(t, true)
	p.mustPost("4:4€ß€")
	if got := p.mustGet(); got != "4:4€ß€" {
		t.Errorf("got %q; want %q", got, "4:4€ß€")
	}
}

func TestEIO3SendsBinaryInFramesOfBytes(t *testing.T) {
	p := start(t, eio3).poll3(t, false)
	p.mustPost("10:b4AQIDBA==")
	r := p.get()
	want := "\x01\x05\xff\x04\x01\x02\x03\x04"
	if r.body != want || r.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %q as %s; want %q", r.body, r.header.Get("Content-Type"), want)
	}
	r = p.site.do(t.Context(), "POST", p.query, "\x00\x03\xff4ab\x01\x03\xff\x04\x09\x08", "Content-Type", "application/octet-stream")
	if r.status != 200 || r.body != "ok" {
		t.Fatalf("POST: %v", r)
	}
	got := ""
	for len(got) < len("\x00\x03\xff4ab\x01\x03\xff\x04\x09\x08") {
		body := p.mustGet()
		if strings.HasPrefix(body, "3:4ab") { // alone it holds no binary
			body = "\x00\x03\xff4ab" + strings.TrimPrefix(body, "3:4ab")
		}
		got += body
	}
	if got != "\x00\x03\xff4ab\x01\x03\xff\x04\x09\x08" {
		t.Errorf("got %q", got)
	}
}

func TestEIO3EchoesOverWebSocket(t *testing.T) {
	c := start(t, eio3).open(t)
	c.send("4hello")
	c.want("4hello")
	c.sendBinary("\x04\x01\x02\x03")
	c.wantBinary("\x04\x01\x02\x03")
}

func TestEIO3TheClientPings(t *testing.T) {
	s := start(t, eio3)
	p := s.poll3(t, true)
	c := s.open(t)
	for range 3 {
		p.mustPost("1:2")
		if got := p.mustGet(); got != "1:3" {
			t.Fatalf("got %q; want a pong", got)
		}
		c.send("2")
		c.want("3")
	}
}

func TestEIO3ASilentClientIsGone(t *testing.T) {
	s := start(t, eio3)
	c := s.open(t)
	for {
		f, err := c.frame()
		if err != nil {
			break
		}
		if string(f.Payload) == "2" {
			t.Fatal("the server pings")
		}
	}
	p := s.poll3(t, true)
	p.later("GET", "")
	c = s.open(t)
	c.wantClosed() // takes as long as the other one
}

func TestEIO3AMalformedBodyEndsTheSession(t *testing.T) {
	s := start(t, eio3)
	for _, body := range []string{"abc", "", "5:4a", "x:4a", "-1:4a", "1:9", "4:b4A=", "99999999999999999999:4a"} {
		p := s.poll3(t, true)
		if r := p.post(body); r.err == nil && r.status != 400 {
			t.Errorf("POST %q: %v; want 400", body, r)
		}
		p.mustBeGone()
	}
	for _, body := range []string{"\x00", "\x02\x01\xff4", "\x00\x09\xff4a", "\x00\x0b\xff4", "\x00\x01\x04\x04", "\x01\x01\xff\x09"} {
		p := s.poll3(t, false)
		r := p.site.do(t.Context(), "POST", p.query, body, "Content-Type", "application/octet-stream")
		if r.err == nil && r.status != 400 {
			t.Errorf("POST %q: %v; want 400", body, r)
		}
		p.mustBeGone()
	}
}

func TestEIO3Upgrades(t *testing.T) {
	s := start(t, eio3)
	p := s.poll3(t, false)
	query := strings.Replace(p.query, "polling", "websocket", 1)
	c := s.dial(t, query)
	waiting := p.later("GET", "")
	c.send("2probe")
	if f, err := c.frame(); err != nil || string(f.Payload) != "3probe" {
		t.Fatalf("got %q, %v; want 3probe", f.Payload, err)
	}
	if r := <-waiting; r.status != 200 || r.body != "1:6" {
		t.Errorf("the waiting GET got %v; want noop", r)
	}
	c.send("5")
	c.send("4over websocket")
	c.want("4over websocket")
	if r := p.get(); r.status != 400 {
		t.Errorf("a GET after the upgrade got %v; want 400", r)
	}
	if second, err := s.tryDial(t, query); err == nil {
		second.send("2probe")
		second.wantClosed()
	}
	c.sendBinary("\x04still there")
	c.wantBinary("\x04still there")
}

func TestEIO3ACloseEndsTheSession(t *testing.T) {
	s := start(t, eio3)
	p := s.poll3(t, true)
	waiting := p.later("GET", "")
	p.mustPost("1:1")
	if r := <-waiting; r.status != 200 || r.body != "1:6" {
		t.Errorf("the GET got %v; want noop", r)
	}
	p.mustBeGone()
	c := s.open(t)
	c.send("1")
	c.wantClosed()
}

func TestEIO3AMalformedFrameEndsTheWebSocket(t *testing.T) {
	s := start(t, eio3)
	for _, f := range []ws.Frame{ws.NewTextFrame(nil), ws.NewTextFrame([]byte("abc")), ws.NewBinaryFrame(nil), ws.NewBinaryFrame([]byte{9, 1})} {
		c := s.open(t)
		c.write(f)
		c.wantClosed()
	}
}

func TestEIO3VersionsDoNotMixInASession(t *testing.T) {
	s := start(t, eio3)
	p := s.poll3(t, true)
	if r := s.do(t.Context(), "GET", strings.Replace(p.query, "EIO=3", "EIO=4", 1), ""); r.status != 400 {
		t.Errorf("a GET of version 4: %v; want 400", r)
	}
	if r := p.post("2:4x"); r.status != 200 {
		t.Errorf("POST: %v", r)
	}
}

// decodeV3 takes a payload apart: packets with their lengths in UTF-16 before them.
func decodeV3(t *testing.T, payload string) (packets []string) {
	t.Helper()
	for payload != "" {
		digits, rest, ok := strings.Cut(payload, ":")
		n := 0
		for _, d := range digits {
			n = 10*n + int(d-'0')
		}
		at := 0
		for i, r := range rest {
			if n <= 0 {
				break
			}
			if n--; r > 0xffff {
				n--
			}
			at = i + len(string(r))
		}
		if !ok || n != 0 {
			t.Fatalf("got %q; want packets with their lengths", payload)
		}
		packets, payload = append(packets, rest[:at]), rest[at:]
	}
	return packets
}
