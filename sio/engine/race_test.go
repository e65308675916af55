package engine

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// getAsync sends a GET whose answer comes over a channel: its status and body.
func (s *site) getAsync(t *testing.T, sid string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		status, body := s.get(t, sid)
		answer <- http.StatusText(status) + " " + body
	}()
	return answer
}

// probing begins an upgrade up to 3probe, with a GET that comes after it.
func (s *site) probing(t *testing.T) (c *socket, e *echo, answer <-chan string) {
	t.Helper()
	sid := s.polling(t)
	e = wait(t, s.sessions)
	c = s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	if text := c.text(); text != "3probe" {
		t.Fatalf("answer to the probe = %q", text)
	}
	answer = s.getAsync(t, sid)
	awaitPoll(e.session)
	return c, e, answer
}

func TestAGETBetweenProbeAndUpgradeIsHeldForTheUpgrade(t *testing.T) {
	s := start(t, &Server{}, false)
	c, _, answer := s.probing(t)
	c.write(ws.NewTextFrame([]byte("5")))
	got := wait(t, answer)
	// The upgrade comes in time, unless the machine stood still for as long as a GET is held.
	if !strings.HasPrefix(got, "Bad Request") && got != "OK 6" {
		t.Errorf("GET = %q", got)
	}
	socketClient{c}.send(Outgoing{Data: []byte("hello")})
	if m := (socketClient{c}).receive(); string(m.Data) != "hello" {
		t.Errorf("came back %q", m.Data)
	}
}

// A client that has always something to say is upgraded nevertheless: for how long its POSTs should rest goes by how long it took
// from the WebSocket to the probe, and here they never do.
func TestPOSTsWithoutAPauseDoNotKeepAClientFromTheUpgrade(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	for opened := time.Now(); time.Since(opened) < 2*quietLeast; {
		s.post(t, sid, "4x")
	}
	c.write(ws.NewTextFrame([]byte("2probe")))
	answer := make(chan string, 1)
	go func() { answer <- c.text() }()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); s.post(t, sid, "4x") {
		select {
		case text := <-answer:
			if text != "3probe" {
				t.Errorf("answer to the probe = %q", text)
			}
			return
		default:
		}
	}
	t.Error("the probe was not answered while POSTs came")
}

func TestAGETThatOvertakesTheProbeIsHeldForTheUpgrade(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	answer := s.getAsync(t, sid)
	awaitPoll(e.session)
	c.write(ws.NewTextFrame([]byte("2probe")))
	c.write(ws.NewTextFrame([]byte("5")))
	got := wait(t, answer)
	// The upgrade comes in time, unless the machine stood still for as long as a GET is held.
	if !strings.HasPrefix(got, "Bad Request") && got != "OK 6" {
		t.Errorf("GET = %q", got)
	}
	if text := c.text(); text != "3probe" {
		t.Errorf("answer to the probe = %q", text)
	}
	socketClient{c}.send(Outgoing{Data: []byte("hello")})
	if m := (socketClient{c}).receive(); string(m.Data) != "hello" {
		t.Errorf("came back %q", m.Data)
	}
}

func TestASecondWebSocketIsClosedAfterTheUpgradeOfTheFirst(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	first := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	begin := time.Now()
	second := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	first.write(ws.NewTextFrame([]byte("2probe")))
	first.write(ws.NewTextFrame([]byte("5")))
	second.closed()
	if got := e.session.Transport(); got != "websocket" && time.Since(begin) < earlyTime {
		t.Errorf("the second is closed while the transport is %s", got)
	}
	if text := first.text(); text != "3probe" {
		t.Errorf("answer to the probe = %q", text)
	}
}

func TestAGETThatWaitedBeforeTheUpgradeGetsItsNoopAtOnce(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	answer := s.getAsync(t, sid)
	awaitPoll(e.session)
	c := s.dial(t, "EIO=4&transport=websocket&sid="+sid)
	c.write(ws.NewTextFrame([]byte("2probe")))
	if text := c.text(); text != "3probe" {
		t.Errorf("answer to the probe = %q", text)
	}
	e.session.mu.Lock()
	if p := e.session.poll; p != nil && p.held {
		t.Error("it is held")
	}
	e.session.mu.Unlock()
	if got := wait(t, answer); got != "OK 6" {
		t.Errorf("GET = %q", got)
	}
}

func TestAHeldGETGetsANoopWhenNoUpgradeComes(t *testing.T) {
	s := start(t, &Server{}, false)
	begin := time.Now()
	_, _, answer := s.probing(t)
	if got := wait(t, answer); got != "OK 6" {
		t.Errorf("GET = %q", got)
	}
	if after := time.Since(begin); after < holdTime {
		t.Errorf("answered after %v", after)
	}
}

func TestAHeldGETGetsWhatThereIsWhenTheUpgradeFails(t *testing.T) {
	s := start(t, &Server{}, false)
	c, e, answer := s.probing(t)
	c.conn.Close()
	if got := wait(t, answer); got != "OK 6" {
		t.Errorf("GET = %q", got)
	}
	e.send(Outgoing{Data: []byte("hello")})
	if _, body := s.get(t, e.session.ID()); body != "4hello" {
		t.Errorf("GET = %q", body)
	}
}

func TestAClientThatDropsItsGETIsGone(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	ctx, drop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		r, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/engine.io/?EIO=4&transport=polling&sid="+sid, nil)
		_, err := s.Client().Do(r)
		ended <- err
	}()
	awaitPoll(e.session)
	drop()
	wait(t, ended)
	// Whether the server knows already or sees two GETs at once: the answer is the same, and so is the end.
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("next GET = %d", status)
	}
	wait(t, e.ended)
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("GET after the end = %d", status)
	}
}

func TestAPollingReplyIsBounded(t *testing.T) {
	s := start(t, &Server{}, false)
	c := &pollingClient{t: t, s: s, sid: s.polling(t)}
	e := wait(t, s.sessions)
	const each, count = 100 << 10, 40
	e.mu.Lock()
	for range count {
		e.out = append(e.out, Prepare(Outgoing{Binary: true, Data: make([]byte, each)}))
	}
	e.mu.Unlock()
	for got := 0; got < count; {
		_, body := s.get(t, c.sid)
		if len(body) > (replyBytes+each)*4/3+100 {
			t.Fatalf("a reply of %d bytes", len(body))
		}
		got += strings.Count(body, "\x1e") + 1
	}
}
