package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestEIOCSaysHiAtOnce(t *testing.T) {
	s := start(t, eioc)
	if got := s.poll(t).collect(1); got[0] != "4hi" {
		t.Errorf("polling: %q; want 4hi", got)
	}
	s.open(t).want("4hi")
}

func TestEIOCAnswersWhatItIsAsked(t *testing.T) {
	c := start(t, eioc).open(t)
	c.want("4hi")
	c.send("4give binary")
	c.wantBinary("\x00\x01\x02\x03\x04")
	c.send("4give utf8")
	c.want("4пойду спать всем спокойной ночи")
	c.send("4anything else")
	c.want("4anything else")
	c.sendBinary("\x05")
	c.wantBinary("\x05")
}

func TestEIOCTellsTheHeadersOfThePOSTThatAsked(t *testing.T) {
	p := start(t, eioc).poll(t)
	p.collect(1)
	r := p.site.do(t.Context(), "POST", p.query, "4sendHeaders", "X-Test", "this one", "Cookie", "1=1; 2=2")
	if r.status != 200 {
		t.Fatalf("POST: %v", r)
	}
	var headers map[string]string
	if err := json.Unmarshal([]byte(p.collect(1)[0][1:]), &headers); err != nil {
		t.Fatal(err)
	}
	if headers["x-test"] != "this one" || headers["cookie"] != "1=1; 2=2" || headers["host"] != p.site.addr {
		t.Errorf("got %v", headers)
	}
}

func TestEIOCSetsCookiesInTheHandshakeOnly(t *testing.T) {
	s := start(t, eioc)
	r := s.do(t.Context(), "GET", "EIO=4&transport=polling", "")
	if got := r.header.Values("Set-Cookie"); len(got) != 4 || got[0] != "1=1; Max-Age=86400" ||
		got[1] != "2=2; Path=/; HttpOnly; Secure; SameSite=Strict" || got[2] != "3=3; Max-Age=0" || !strings.HasPrefix(got[3], "4=4; Expires=") {
		t.Errorf("handshake: %q", got)
	}
	p := &session{t, s, "EIO=4&transport=polling&sid=" + decodeOpen(t, r.body).SID}
	if r := p.get(); len(r.header.Values("Set-Cookie")) != 0 {
		t.Errorf("GET: %q", r.header.Values("Set-Cookie"))
	}
	if r := p.post("4x"); len(r.header.Values("Set-Cookie")) != 0 {
		t.Errorf("POST: %q", r.header.Values("Set-Cookie"))
	}
}

func TestEIOCDeniesByQuery(t *testing.T) {
	s := start(t, eioc)
	r := s.do(t.Context(), "GET", "EIO=4&transport=polling&deny=1", "")
	if r.status != 403 || r.body != `{"code":4,"message":"Forbidden"}` || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("polling: %v", r)
	}
	_, err := s.tryDial(t, "EIO=4&transport=websocket&deny=1")
	if status, ok := err.(ws.StatusError); !ok || int(status) != 403 {
		t.Errorf("websocket: %v; want status 403", err)
	}
	p := s.poll(t)
	p.query += "&deny=1"
	p.mustPost("4only the handshake is asked")
}

func TestEIOCRefusesInNodesWords(t *testing.T) {
	s := start(t, eioc)
	for _, c := range []struct{ method, query, body string }{
		{"GET", "EIO=4&transport=abc", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=polling&sid=abc", `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"GET", "EIO=4&transport=websocket", `{"code":3,"message":"Bad request"}`},
		{"GET", "EIO=3&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
	} {
		r := s.do(t.Context(), c.method, c.query, "")
		if strings.Contains(c.query, "websocket") {
			r = s.plain(t, c.query)
		}
		if r.status != 400 || r.body != c.body || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s ?%s: %v %s; want 400 %s", c.method, c.query, r, r.header.Get("Content-Type"), c.body)
		}
	}
	_, err := s.tryDial(t, "EIO=4&transport=websocket&sid=abc")
	if status, ok := err.(ws.StatusError); !ok || int(status) != 400 {
		t.Errorf("a WebSocket for an unknown sid: %v; want status 400", err)
	}
}

// plain asks by HTTP for what a WebSocket is meant for.
func (s *site) plain(t *testing.T, query string) reply {
	t.Helper()
	r, err := s.client.Get("http://" + s.addr + s.path + "?" + query)
	if err != nil {
		return reply{err: err}
	}
	defer r.Body.Close()
	var b strings.Builder
	buf := make([]byte, 512)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return reply{r.StatusCode, b.String(), r.Header, nil}
		}
	}
}

func TestEIOCCountsItsLimitInBytes(t *testing.T) {
	s := start(t, eioc)
	for body, want := range map[string]int{
		"4" + strings.Repeat("a", 99):  200,
		"4" + strings.Repeat("a", 100): 413,
		"4a" + strings.Repeat("ä", 49): 200,
		"4" + strings.Repeat("ä", 50):  413,
	} {
		r := s.poll(t).post(body)
		if r.status != want || want == 413 && r.body != "" {
			t.Errorf("POST of %d bytes: %v; want %d", len(body), r, want)
		}
	}
}

func TestEIOCClosesAWebSocketOverTheLimit(t *testing.T) {
	s := start(t, eioc)
	c := s.open(t)
	c.want("4hi")
	c.send("4" + strings.Repeat("a", 99))
	c.want("4" + strings.Repeat("a", 99))
	c.send("4" + strings.Repeat("a", 100))
	if err := c.wantClosed(); err != (closed{ws.StatusMessageTooBig, ""}) {
		t.Errorf("text: %v; want 1009 without a reason", err)
	}
	c = s.open(t)
	c.want("4hi")
	c.sendBinary(strings.Repeat("a", 101))
	if err := c.wantClosed(); err != (closed{ws.StatusMessageTooBig, ""}) {
		t.Errorf("binary: %v; want 1009 without a reason", err)
	}
}

func TestEIOCDoesNotLimitWhatItSends(t *testing.T) {
	p := start(t, eioc).poll(t)
	p.mustPost("4sendHeaders") // the answer is longer than the limit
	if got := strings.Join(p.collect(2), ""); len(got) <= eiocLimit {
		t.Errorf("got %q; want more than %d bytes", got, eiocLimit)
	}
}

func TestEIOCHasNeitherCORSNorVersionThree(t *testing.T) {
	s := start(t, eioc)
	r := s.do(t.Context(), "GET", "EIO=4&transport=polling", "")
	for name := range r.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("header %s", name)
		}
	}
	if r := s.do(t.Context(), "GET", "transport=polling", ""); r.status != 400 {
		t.Errorf("without EIO: %v; want 400", r)
	}
}
