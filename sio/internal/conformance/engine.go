package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"sluice/sio/engine"
)

// The heartbeat of the protocol's own suites, which wait for a missed pong.
const (
	protocolPingInterval = 300 * time.Millisecond
	protocolPingTimeout  = 200 * time.Millisecond
)

// maxWaiting bounds what an echo keeps for a client that does not read: more closes the connection.
const maxWaiting = 64 << 20

// newEIO4 returns the echo server of the suite of Engine.IO 4.
func newEIO4() *engine.Server {
	return &engine.Server{
		PingInterval: protocolPingInterval,
		PingTimeout:  protocolPingTimeout,
		CORS:         engine.CORS{Origins: []string{"*"}}, // the suite runs in browsers, too
		Accept: func(s *engine.Session, _ *http.Request) (engine.Receiver, error) {
			return &echo{session: s, limit: 1_000_000}, nil
		},
	}
}

// newEIO3 returns the same for the suite of Engine.IO 3.
func newEIO3() *engine.Server {
	srv := newEIO4()
	srv.AllowEIO3 = true
	return srv
}

// eiocLimit is the most that eioc takes at once, in bytes.
const eiocLimit = 100

// newEIOC returns the server of the suite of Engine.IO's client.
func newEIOC() *engine.Server {
	return &engine.Server{
		PingInterval:    500 * time.Millisecond,
		MaxPayloadBytes: eiocLimit,
		Accept:          acceptEIOC,
	}
}

func acceptEIOC(s *engine.Session, r *http.Request) (engine.Receiver, error) {
	if r.URL.Query().Has("deny") {
		return nil, &engine.HandshakeError{Status: http.StatusForbidden, Code: 4, Message: "Forbidden"}
	}
	for _, cookie := range []string{
		"1=1; Max-Age=86400",
		"2=2; Path=/; HttpOnly; Secure; SameSite=Strict",
		"3=3; Max-Age=0",
		"4=4; Expires=" + time.Now().UTC().Format(http.TimeFormat),
	} {
		s.Header().Add("Set-Cookie", cookie)
	}
	e := &echo{session: s, limit: eiocLimit, answers: eiocAnswer}
	e.out = []engine.Outgoing{text("hi")}
	return e, nil
}

// eiocAnswer answers the texts that eioc does not echo.
func eiocAnswer(message string, r *http.Request) (engine.Outgoing, bool) {
	switch message {
	case "give binary":
		return engine.Outgoing{Binary: true, Data: []byte{0, 1, 2, 3, 4}}, true
	case "give utf8":
		return text("пойду спать всем спокойной ночи"), true
	case "sendHeaders":
		headers, _ := json.Marshal(lowerCase(r)) // strings always can
		return text(string(headers)), true
	}
	return engine.Outgoing{}, false
}

// lowerCase returns the header fields of a request as Node names them.
func lowerCase(r *http.Request) map[string]string {
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return headers
}

func text(s string) engine.Outgoing { return engine.Outgoing{Data: []byte(s)} }

// echo is a Receiver that sends every message back as it came.
type echo struct {
	session *engine.Session
	limit   int // of a message, in bytes
	answers func(message string, r *http.Request) (engine.Outgoing, bool)

	mu      sync.Mutex
	out     []engine.Outgoing // guarded by mu
	waiting int               // guarded by mu: bytes of out
}

// Receive takes a message and answers it.
func (e *echo) Receive(m engine.Message) error {
	back, err := e.answer(m)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.out = append(e.out, back)
	e.waiting += len(back.Data)
	full := e.waiting > maxWaiting
	e.mu.Unlock()
	if full {
		return engine.ErrTooLarge
	}
	e.session.Wake()
	return nil
}

func (e *echo) answer(m engine.Message) (engine.Outgoing, error) {
	if m.Body == nil {
		if e.answers != nil {
			if back, ok := e.answers(string(m.Text), m.Request); ok {
				return back, nil
			}
		}
		return engine.Outgoing{Data: bytes.Clone(m.Text)}, nil
	}
	data, err := io.ReadAll(io.LimitReader(m.Body, int64(e.limit)+1))
	if err == nil && len(data) > e.limit {
		err = engine.ErrTooLarge
	}
	return engine.Outgoing{Binary: true, Data: data}, err
}

// Next returns the oldest answer that has not been sent.
func (e *echo) Next(bool) (*engine.Prepared, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.out) == 0 {
		return nil, false
	}
	m := e.out[0]
	e.out = e.out[1:]
	e.waiting -= len(m.Data)
	return engine.Prepare(m), true
}

// Closed forgets what was not sent.
func (e *echo) Closed(error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out, e.waiting = nil, 0
}
