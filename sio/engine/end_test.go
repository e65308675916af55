package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// one returns a client that has a single connection.
func (s *site) one() *http.Client {
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.MaxConnsPerHost = 1
	return &http.Client{Transport: transport}
}

func TestAConnectionOutlivesTheSessionsThatItCarried(t *testing.T) {
	s := start(t, &Server{}, false)
	for name, body := range map[string]string{"closed in order": "1", "refused": "x"} {
		t.Run(name, func(t *testing.T) {
			client := s.one()
			defer client.CloseIdleConnections()
			s.Server.Client().Transport = client.Transport
			first := s.polling(t)
			s.post(t, first, body)
			second := s.polling(t)
			if status, _ := s.post(t, second, "4hello"); status != 200 {
				t.Fatalf("POST = %d", status)
			}
			if status, got := s.get(t, second); status != 200 || got != "4hello" {
				t.Errorf("GET of the next session = %d %q", status, got)
			}
		})
	}
}

func TestOverlappingPOSTsEndTheSession(t *testing.T) {
	s := start(t, &Server{}, false)
	sid := s.polling(t)
	e := wait(t, s.sessions)
	reading := make(chan struct{})
	e.before = func(Message) { close(reading) }
	body, done := slowPost(t, s, sid)
	defer body.Close()
	io.WriteString(body, "bAQID")
	wait(t, reading)
	if status, _ := s.post(t, sid, "4x"); status != 400 {
		t.Errorf("second POST = %d", status)
	}
	var breach *ProtocolError
	if err := wait(t, e.ended); !errors.As(err, &breach) {
		t.Errorf("ended with %v", err)
	}
	wait(t, done)
}

func TestAGETThatComesLateIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(t *testing.T, s *site, sid string, e *echo)
		want string
	}{
		"closed by the server": {func(_ *testing.T, _ *site, _ string, e *echo) { e.session.Close(nil) }, "1"},
		"closed by the client": {func(t *testing.T, s *site, sid string, _ *echo) { s.post(t, sid, "1") }, "6"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &Server{}, false)
			sid := s.polling(t)
			e := wait(t, s.sessions)
			tt.end(t, s, sid, e)
			if status, body := s.get(t, sid); status != 200 || body != tt.want {
				t.Errorf("GET = %d %q; want %q", status, body, tt.want)
			}
			if status, _ := s.get(t, sid); status != 400 {
				t.Errorf("second GET = %d", status)
			}
		})
	}
}

// closing has its session closed while it is asked for what to send.
type closing struct{ *echo }

func (c closing) Next(wait bool) (*Prepared, bool) {
	p, more := c.echo.Next(wait)
	if p != nil {
		c.session.Close(nil)
	}
	return p, more
}

// A GET that is being answered with messages when the session is closed cannot tell the client of it: the next one does.
func TestACloseBesideAReplyIsToldByTheNextGET(t *testing.T) {
	accepted := make(chan closing, 1)
	s := start(t, &Server{Accept: func(s *Session, _ *http.Request) (Receiver, error) {
		c := closing{&echo{session: s, ended: make(chan error, 1)}}
		accepted <- c
		return c, nil
	}}, false)
	sid := s.polling(t)
	wait(t, accepted).send(Outgoing{Data: []byte("last words")})
	for i, want := range []string{"4last words", "1"} {
		if status, body := s.get(t, sid); status != 200 || body != want {
			t.Errorf("GET %d = %d %q; want %q", i, status, body, want)
		}
	}
	if status, _ := s.get(t, sid); status != 400 {
		t.Errorf("another GET = %d", status)
	}
}

// What a GET that waits was told, no later one is.
func TestAGETThatWaitsForTheEndIsTheLast(t *testing.T) {
	for name, end := range map[string]func(*echo){
		"closed":  func(e *echo) { e.session.Close(nil) },
		"drained": func(e *echo) { e.session.Drain(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, &Server{}, false)
			sid := s.polling(t)
			e := wait(t, s.sessions)
			told := make(chan string)
			go func() {
				_, body := s.get(t, sid)
				told <- body
			}()
			for waiting := false; !waiting; {
				e.session.mu.Lock()
				waiting = e.session.poll != nil
				e.session.mu.Unlock()
				runtime.Gosched()
			}
			end(e)
			if got := wait(t, told); got != "1" {
				t.Errorf("the GET that waited was told %q", got)
			}
			if status, body := s.get(t, sid); status != 400 {
				t.Errorf("another GET = %d %q", status, body)
			}
		})
	}
}

func TestAcceptMayCloseOrRefuse(t *testing.T) {
	refusal := &HandshakeError{Status: 401, Code: 4, Message: "who are you?"}
	for name, tt := range map[string]struct {
		accept func(*Session) error
		status int
	}{
		"closes":             {func(s *Session) error { s.Close(nil); return nil }, 200},
		"refuses":            {func(*Session) error { return refusal }, 401},
		"fails":              {func(*Session) error { return errors.New("secret") }, 403},
		"closes and refuses": {func(s *Session) error { s.Close(nil); return refusal }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			srv := &Server{}
			srv.Accept = func(s *Session, _ *http.Request) (Receiver, error) {
				s.Header().Set("X-Seen", "yes")
				return &echo{session: s, ended: make(chan error, 1)}, tt.accept(s)
			}
			s := start(t, srv, false)
			status, body, _ := s.do(t, "GET", "EIO=4&transport=polling", "")
			if status != tt.status || strings.Contains(body, "secret") {
				t.Errorf("handshake = %d %s; want %d", status, body, tt.status)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := srv.Shutdown(ctx); err != nil || srv.Stats().Sessions() != 0 {
				t.Errorf("Shutdown: %v, %d sessions left", err, srv.Stats().Sessions())
			}
		})
	}
}

func TestAMissedPongIsSeenByTheClientInTime(t *testing.T) {
	srv := func() *Server {
		return &Server{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}
	}
	s := start(t, srv(), false)
	c := s.websocket(t)
	begin := time.Now()
	if code := c.closed(); code != ws.StatusNoStatusRcvd {
		t.Errorf("closed with %d", code)
	}
	if after := time.Since(begin); after > patience/2 {
		t.Errorf("closed after %v", after)
	}
	if err := wait(t, wait(t, s.sessions).ended); err != ErrPingTimeout {
		t.Errorf("ended with %v", err)
	}
	if n := s.engine.Stats().Closed[ErrPingTimeout.Error()]; n != 1 {
		t.Errorf("%d ping timeouts counted", n)
	}
}

// partial reads nothing of a binary message.
type partial struct{ *echo }

func (p partial) Receive(Message) error { return nil }

func TestWhatIsLeftUnreadIsSkippedUpToTheLimit(t *testing.T) {
	accepted := make(chan partial, 10)
	srv := &Server{MaxPayloadBytes: 1000, Accept: func(s *Session, _ *http.Request) (Receiver, error) {
		p := partial{&echo{session: s, ended: make(chan error, 1)}}
		accepted <- p
		return p, nil
	}}
	s := start(t, srv, false)

	sid := s.polling(t)
	p := wait(t, accepted)
	code := base64.StdEncoding.EncodeToString(make([]byte, 600))
	if status, _ := s.post(t, sid, "b"+code); status != 200 {
		t.Errorf("POST of 600 bytes unread = %d", status)
	}
	if status, body := s.post(t, sid, "b"+code+code+code); status != 413 || body != "" {
		t.Errorf("POST of 1800 bytes unread = %d %q", status, body)
	}
	if err := wait(t, p.ended); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ended with %v", err)
	}

	c := s.websocket(t)
	c.write(ws.NewBinaryFrame(make([]byte, 1000)))
	c.write(ws.NewBinaryFrame(make([]byte, 1001)))
	if got := c.closed(); got != ws.StatusMessageTooBig {
		t.Errorf("closed with %d", got)
	}
}
