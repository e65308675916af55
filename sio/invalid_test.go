package sio_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/engine"
	"sluice/sio/siotest"
)

// hostile is what a server must answer by ending the connection: packets, and after "b:" attachments.
var hostile = map[string][]string{
	"no type":                       {``},
	"an unknown type":               {`9["a"]`},
	"an event that is no array":     {`2{"a":1}`},
	"an event without a name":       {`2[]`},
	"a reserved name":               {`2["disconnect"]`},
	"a reserved name, escaped":      {`2["disconn\u0065ct"]`},
	"an id that is no number":       {`2abc["a"]`},
	"broken JSON":                   {`2["a",{]`},
	"CONNECT that does not parse":   {`0/other,{`},
	"CONNECT twice":                 {`0`},
	"CONNECT_ERROR from a client":   {`4{"message":"x"}`},
	"a namespace never joined":      {`2/other,["a"]`},
	"an ack of another namespace":   {`3/other,1[]`},
	"zero attachments":              {`50-["a"]`},
	"no count":                      {`5-["a"]`},
	"a hex count":                   {`50x1-["a",{"_placeholder":true,"num":0}]`},
	"eleven attachments":            {`511-["a"` + placeholders(11) + `]`},
	"more placeholders than told":   {`51-["a"` + placeholders(2) + `]`},
	"fewer placeholders than told":  {`52-["a"` + placeholders(1) + `]`},
	"an attachment of nothing":      {`b:x`},
	"text instead of an attachment": {`51-["a"` + placeholders(1) + `]`, `2["b"]`},
	"DISCONNECT with data":          {`1{}`},
	"too many arguments":            {`2["a"` + strings.Repeat(`,1`, 65) + `]`},
	"JSON too deep":                 {`2["a",` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `]`},
}

func placeholders(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, `,{"_placeholder":true,"num":%d}`, i)
	}
	return s.String()
}

func (p *peer) sendAll(messages []string) {
	for _, m := range messages {
		if data, ok := strings.CutPrefix(m, "b:"); ok {
			p.sendBinary(data)
		} else {
			p.send(m)
		}
	}
}

func TestHostileInputEndsItsConnectionOnly(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	io.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	io.Of("/other")
	url := serve(t, io)
	bystander := join(t, url, "/")
	for name, messages := range hostile {
		t.Run(name, func(t *testing.T) {
			p := join(t, url, "/")
			p.sendAll(messages)
			p.expectClosed()
		})
	}
	bystander.send(`21["a"]`)
	bystander.expect(`31[]`)
	if got := io.Stats(); got.Invalid != uint64(len(hostile)) || got.HalfSent != 0 {
		t.Errorf("Stats = %+v; want %d invalid", got, len(hostile))
	}
}

func TestBeforeJoiningOnlyConnectIsAllowed(t *testing.T) {
	connects := make([]string, 17)
	for i := range connects {
		connects[i] = fmt.Sprintf(`0/n%d,`, i)
	}
	for name, messages := range map[string][]string{
		"an event":                             {`2["a"]`},
		"an attachment":                        {`b:x`},
		"a disconnect":                         {`1`},
		"a binary event":                       {`51-["a",{"_placeholder":true,"num":0}]`},
		"an ack":                               {`30[]`},
		"seventeen connects":                   connects,
		"64 KiB of connects":                   {`0/a,{"x":"` + strings.Repeat("x", 64<<10) + `"}`},
		"an event while the middleware thinks": {`0/slow,`, `2/slow,["a"]`},
		"CONNECT twice":                        {`0/slow,`, `0/slow,`},
	} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{Logger: quiet()}
			io.Of("/").On("a", func(e *sio.Event) { t.Error("handled") })
			io.Of("/slow").Use(func(s *sio.Socket) error { <-s.Context().Done(); return nil })
			io.Of("/slow").OnConnect(func(s *sio.Socket) { t.Error("joined") })
			p := dial(t, serve(t, io))
			p.sendAll(messages)
			p.expectClosed()
		})
	}
}

func TestOnInvalidHasTheLastWord(t *testing.T) {
	io := &sio.Server{Logger: quiet(), MaxEventBytes: 1000}
	errs := make(chan error, 1)
	io.Of("/").On("a", func(e *sio.Event) {})
	io.Of("/").OnInvalid(func(s *sio.Socket, err error) {
		s.Emit("problem", err.Error())
		errs <- err
	})
	url := serve(t, io)

	p := join(t, url, "/")
	p.send(`2{}`)
	before, _ := p.expectClosed()
	var protocol *engine.ProtocolError
	if err := receive(t, errs); !errors.As(err, &protocol) || len(before) != 1 || !strings.HasPrefix(before[0], `42["problem",`) {
		t.Errorf("OnInvalid got %v, the client %q", err, before)
	}

	p = join(t, url, "/")
	p.send(`51-["a",{"_placeholder":true,"num":0}]`)
	p.sendBinary(strings.Repeat("x", 1001))
	before, code := p.expectClosed()
	var limit *sio.LimitError
	if err := receive(t, errs); !errors.As(err, &limit) || !errors.Is(err, engine.ErrTooLarge) || len(before) != 1 || code != ws.StatusMessageTooBig {
		t.Errorf("OnInvalid got %v, the client %q and code %d", err, before, code)
	}
}

func TestAttachmentsTogetherAreBounded(t *testing.T) {
	io := &sio.Server{Logger: quiet(), MaxEventBytes: 1000}
	io.Of("/").On("a", func(e *sio.Event) { e.Ack(e.Attachments()) })
	url := serve(t, io)
	for _, event := range []string{"a", "unknown"} {
		p := join(t, url, "/")
		p.send(`52-1["` + event + `"` + placeholders(2) + `]`)
		p.sendBinary(strings.Repeat("x", 500), strings.Repeat("x", 501))
		if _, code := p.expectClosed(); code != ws.StatusMessageTooBig {
			t.Errorf("%s: close code %d", event, code)
		}
	}
	p := join(t, url, "/")
	p.send(`52-1["a"` + placeholders(2) + `]`)
	p.sendBinary(strings.Repeat("x", 500), strings.Repeat("x", 500))
	p.expect(`31[2]`)
	if got := io.Stats().HalfSent; got != 0 {
		t.Errorf("HalfSent = %d", got)
	}
}

func TestOnInvalidHasTheLastWordAboutWhatTheEngineFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		message string
		code    ws.StatusCode
	}{
		"a text too long":     {`42["` + strings.Repeat("x", 1000) + `"]`, ws.StatusMessageTooBig},
		"no Engine.IO packet": {`9`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{Logger: quiet(), MaxEventBytes: 1000}
			io.Of("/").OnInvalid(func(s *sio.Socket, err error) { s.Emit("problem") })
			p := join(t, serve(t, io), "/")
			wsutil.WriteClientText(p.conn, []byte(tt.message))
			before, code := p.expectClosed()
			if len(before) != 1 || before[0] != `42["problem"]` || tt.code != 0 && code != tt.code {
				t.Errorf("the client got %q and code %d", before, code)
			}
		})
	}
}

// inMemory runs f in a bubble, with a server in memory.
func inMemory(t *testing.T, io *sio.Server, f func(t *testing.T, srv *siotest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		srv := siotest.NewServer(io)
		defer srv.Close()
		f(t, srv)
	})
}

func TestAClientThatJoinsNothingIsCutOff(t *testing.T) {
	inMemory(t, &sio.Server{}, func(t *testing.T, srv *siotest.Server) {
		start := time.Now()
		p := dialMemory(t, srv)
		p.patience = time.Hour
		p.expectClosed()
		if took := time.Since(start); took < 45*time.Second || took > 50*time.Second {
			t.Errorf("cut off after %v; want 45 s", took)
		}
	})
}

func TestAHalfSentEventIsCutOff(t *testing.T) {
	for name, on := range map[string]func(*sio.Namespace, string, func(*sio.Event)){"On": (*sio.Namespace).On, "OnStream": (*sio.Namespace).OnStream} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{}
			on(io.Of("/"), "a", func(e *sio.Event) {
				if a := e.Attachment(); a != nil {
					a.Read(make([]byte, 1))
				}
			})
			inMemory(t, io, func(t *testing.T, srv *siotest.Server) {
				p := dialMemory(t, srv)
				p.patience = time.Hour
				p.send(`0`)
				p.next()
				p.send(`51-["a",{"_placeholder":true,"num":0}]`)
				start := time.Now()
				p.answerUntilClosed()
				most := 15 * time.Second
				if name == "OnStream" {
					most = 45 * time.Second
				}
				if took := time.Since(start); took < most || took > most+time.Second {
					t.Errorf("cut off after %v; want %v", took, most)
				}
			})
		})
	}
}
