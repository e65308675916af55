package engine

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRequestsThatOpenNothingAreRefusedAsNodeDoes(t *testing.T) {
	s := start(t, &Server{}, false)
	for _, tt := range []struct {
		method, query, body string
		status, code        int
		message             string
	}{
		{"GET", "transport=polling", "", 400, 5, "Unsupported protocol version"},
		{"GET", "EIO=3&transport=polling", "", 400, 5, "Unsupported protocol version"},
		{"GET", "EIO=abc&transport=polling", "", 400, 5, "Unsupported protocol version"},
		{"GET", "EIO=4", "", 400, 0, "Transport unknown"},
		{"GET", "EIO=4&transport=abc", "", 400, 0, "Transport unknown"},
		{"POST", "EIO=4&transport=polling", "", 400, 2, "Bad handshake method"},
		{"PUT", "EIO=4&transport=polling", "", 400, 2, "Bad handshake method"},
		{"GET", "EIO=4&transport=polling&sid=abc", "", 400, 1, "Session ID unknown"},
		{"POST", "EIO=4&transport=polling&sid=abc", "4x", 400, 1, "Session ID unknown"},
		{"GET", "EIO=4&transport=websocket", "", 400, 3, "Bad request"},
	} {
		status, body, h := s.do(t, tt.method, tt.query, tt.body)
		var got struct {
			Code    int
			Message string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != tt.status || got.Code != tt.code || got.Message != tt.message {
			t.Errorf("%s %s = %d %s; want %d %d %s", tt.method, tt.query, status, body, tt.status, tt.code, tt.message)
		}
		if h.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: Content-Type %q", tt.method, tt.query, h.Get("Content-Type"))
		}
	}
}

func TestHandshakeHoldsWhatTheProtocolAsks(t *testing.T) {
	s := start(t, &Server{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}, false)
	_, body, h := s.do(t, "GET", "EIO=4&transport=polling", "")
	var got map[string]any
	if err := json.Unmarshal([]byte(body[1:]), &got); err != nil {
		t.Fatal(err)
	}
	sid, _ := got["sid"].(string)
	if len(sid) < 20 || len(got) != 5 || got["pingInterval"] != 300.0 || got["pingTimeout"] != 200.0 || got["maxPayload"] != 1e6 {
		t.Errorf("handshake = %s", body)
	}
	if up, _ := got["upgrades"].([]any); len(up) != 1 || up[0] != "websocket" {
		t.Errorf("upgrades = %v", got["upgrades"])
	}
	if h.Get("Content-Type") != "text/plain; charset=UTF-8" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers = %v", h)
	}
	if text := s.dial(t, "EIO=4&transport=websocket").text(); !strings.Contains(text, `"upgrades":[]`) {
		t.Errorf("handshake over WebSocket = %s", text)
	}
}

func TestPostsCarryTextAndBinaryMixed(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	status, body, h := s.do(t, "POST", "EIO=4&transport=polling&sid="+sid, "4one\x1ebAQID\x1e4öäü")
	if status != 200 || body != "ok" || h.Get("Content-Type") != "text/html" {
		t.Errorf("POST = %d %s %v", status, body, h)
	}
	if status, body := s.get(t, sid); status != 200 || body != "4one\x1ebAQID\x1e4öäü" {
		t.Errorf("GET = %d %q", status, body)
	}
}

func TestOtherMethodsAreToldWhichThereAre(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS", "MADEUP"} {
		status, _, h := s.do(t, method, "EIO=4&transport=polling&sid="+sid, "")
		if status != 405 || h.Get("Allow") != "GET, POST" {
			t.Errorf("%s = %d, Allow %q", method, status, h.Get("Allow"))
		}
	}
	if status, _ := s.post(t, sid, "4a"); status != 200 {
		t.Errorf("POST = %d; want the session to go on", status)
	}
}

func TestMalformedBodiesEndTheSession(t *testing.T) {
	for _, body := range []string{"", "abc", "\x1e", "4a\x1e", "4a\x1e\x1e4b", "bAQI", "b!!!!", "bAQ==AQID", "4\xff\xfe", "9"} {
		s := start(t, &Server{}, false)
		sid := s.polling(t)
		if status, answer := s.post(t, sid, body); status != 400 {
			t.Errorf("POST %q = %d %s", body, status, answer)
		}
		var breach *ProtocolError
		if err := wait(t, wait(t, s.sessions).ended); !errors.As(err, &breach) {
			t.Errorf("POST %q ended the session with %v", body, err)
		}
		if status, _ := s.get(t, sid); status != 400 {
			t.Errorf("GET after POST %q = %d", body, status)
		}
	}
}

func TestBodiesOverTheLimitAreRefused(t *testing.T) {
	s := start(t, &Server{MaxPayloadBytes: 100}, false)
	sid := s.polling(t)
	if status, body := s.post(t, sid, "4"+strings.Repeat("a", 99)); status != 200 {
		t.Errorf("100 bytes = %d %s", status, body)
	}
	status, body := s.post(t, sid, "4"+strings.Repeat("a", 100))
	if status != 413 || body != "" {
		t.Errorf("101 bytes = %d %q", status, body)
	}
}

func TestThatABodyWasTooLargeIsLearntFromItsReply(t *testing.T) {
	s := start(t, &Server{MaxPayloadBytes: 100}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	waiting := s.getAsync(t, sid)
	awaitPoll(e.session)
	begin := time.Now()
	if status, _ := s.post(t, sid, "4"+strings.Repeat("a", 100)); status != 413 {
		t.Errorf("101 bytes = %d", status)
	}
	e.session.mu.Lock()
	if answered := e.session.ended || e.session.poll == nil; answered && time.Since(begin) < refusedPOST {
		t.Error("the waiting GET was answered when the POST was")
	}
	e.session.mu.Unlock()
	if status, _ := s.post(t, sid, "4a"); status != 400 {
		t.Errorf("a POST after it = %d", status)
	}
	if got := wait(t, waiting); got != "OK 1" {
		t.Errorf("GET = %q", got)
	}
	if err := wait(t, e.ended); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ended with %v", err)
	}
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("GET after the end = %d", status)
	}
}

// awaitPoll returns when a GET of s waits for something to send.
func awaitPoll(s *Session) {
	for waiting := false; !waiting; runtime.Gosched() {
		s.mu.Lock()
		waiting = s.poll != nil
		s.mu.Unlock()
	}
}

func TestOverlappingGETsEndTheSession(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	first := make(chan string, 1)
	go func() {
		_, body := s.get(t, sid)
		first <- body
	}()
	awaitPoll(wait(t, s.sessions).session)
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("second GET = %d", status)
	}
	if body := wait(t, first); body != "1" {
		t.Errorf("first GET = %q; want the close packet", body)
	}
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("third GET = %d", status)
	}
}

func TestAPollingCloseAnswersTheWaitingGET(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	got := make(chan string, 1)
	go func() {
		_, body := s.get(t, sid)
		got <- body
	}()
	e := wait(t, s.sessions)
	awaitPoll(e.session)
	if status, _ := s.post(t, sid, "1"); status != 200 {
		t.Errorf("POST 1 = %d", status)
	}
	if body := wait(t, got); body != "6" {
		t.Errorf("GET = %q; want a noop", body)
	}
	if err := wait(t, e.ended); !errors.Is(err, ErrTransportClose) {
		t.Errorf("ended with %v", err)
	}
}

func TestOnlyTheServersOwnPagesAreAllowed(t *testing.T) {
	s := start(t, &Server{}, false)
	for origin, want := range map[string]int{"": 200, s.URL: 200, "https://evil.example": 403, "null": 403} {
		header := []string{}
		if origin != "" {
			header = []string{"Origin", origin}
		}
		status, _, h := s.do(t, "GET", "EIO=4&transport=polling", "", header...)
		if status != want || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("Origin %q = %d, %v", origin, status, h)
		}
	}
	allowing := start(t, &Server{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://app.example" }}, false)
	status, _, h := allowing.do(t, "GET", "EIO=4&transport=polling", "", "Origin", "https://app.example")
	if status != 200 || h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("an allowed origin = %d, %v", status, h)
	}
	if status, _, _ := allowing.do(t, "GET", "EIO=4&transport=polling", "", "Origin", "https://evil.example"); status != 403 {
		t.Errorf("another origin = %d", status)
	}
}

func TestHostileHeadersAreAnsweredAtOnce(t *testing.T) {
	s := start(t, &Server{}, false)
	header := []string{}
	for i := range 101 {
		header = append(header, "X-Flood-"+strings.Repeat("a", i+1), "1")
	}
	if status, _, _ := s.do(t, "GET", "EIO=4&transport=polling", "", header...); status != 431 {
		t.Errorf("101 headers = %d", status)
	}
	for _, value := range []string{
		strings.Repeat("a;", 5000), strings.Repeat("permessage-deflate,", 500), "__proto__", `"` + strings.Repeat(`\`, 5000),
		"permessage-deflate; client_max_window_bits=" + strings.Repeat("9", 1000), strings.Repeat(",", 5000),
	} {
		for _, name := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Upgrade"} {
			if status, _, _ := s.do(t, "GET", "EIO=4&transport=websocket", "", name, value); status != 400 {
				t.Errorf("%s: %.20q... = %d", name, value, status)
			}
		}
	}
}

func TestSessionIdsAreUnguessable(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if seen[id] || len(id)*6 < 120 {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}
