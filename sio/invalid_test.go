package sio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
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
	"a type of another alphabet":    {`x`},
	"an event that is no array":     {`2{"a":1}`},
	"an event that is a text":       {`2"a"`},
	"an event without data":         {`2`},
	"an event without a name":       {`2[]`},
	"an event of no name":           {`2[null]`},
	"an event named by an object":   {`2[{"toString":"a"}]`},
	"an event named by an array":    {`2[["a"]]`},
	"an id that is no number":       {`2abc["a"]`},
	"a negative id":                 {`2-1["a"]`},
	"an id with a fraction":         {`21.5["a"]`},
	"an id with an exponent":        {`21e3["a"]`},
	"an id beyond all numbers":      {`2` + strings.Repeat("9", 400) + `["a"]`},
	"an ack without an id":          {`3[]`},
	"an ack that is no array":       {`31{}`},
	"an ack without data":           {`31`},
	"broken JSON":                   {`2["a",{]`},
	"JSON that ends early":          {`2["a",{"b":"c`},
	"JSON and more":                 {`2["a"]["b"]`},
	"JSON with a comma too many":    {`2["a",]`},
	"a number that is none":         {`2["a",NaN]`},
	"a control character":           {"2[\"a\",\"\x01\"]"},
	"half an escape":                {`2["a","\u12"]`},
	"CONNECT that does not parse":   {`0/other,{`},
	"CONNECT with an array":         {`0/other,[]`},
	"CONNECT with an id":            {`0/other,1{}`},
	"CONNECT twice":                 {`0`},
	"CONNECT_ERROR from a client":   {`4{"message":"x"}`},
	"a namespace never joined":      {`2/other,["a"]`},
	"an ack of another namespace":   {`3/other,1[]`},
	"DISCONNECT of another":         {`1/other,`},
	"DISCONNECT with data":          {`1{}`},
	"DISCONNECT with an id":         {`11`},
	"eleven attachments":            {`511-["a"` + placeholders(11) + `]`},
	"more attachments than exist":   {`599999-["a"` + placeholders(1) + `]`},
	"more placeholders than told":   {`51-["a"` + placeholders(2) + `]`},
	"fewer placeholders than told":  {`52-["a"` + placeholders(1) + `]`},
	"an attachment of nothing":      {`b:x`},
	"an empty attachment":           {`b:`},
	"an attachment too many":        {`51-["a"` + placeholders(1) + `]`, `b:x`, `b:y`},
	"text instead of an attachment": {`51-["a"` + placeholders(1) + `]`, `2["b"]`},
	"too many arguments":            {`2["a"` + strings.Repeat(`,1`, 65) + `]`},
	"far too many arguments":        {`2["a"` + strings.Repeat(`,1`, 100_000) + `]`},
	"too many arguments of an ack":  {`31[1` + strings.Repeat(`,1`, 64) + `]`},
	"JSON too deep":                 {`2["a",` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `]`},
	"JSON far too deep":             {`2["a",` + strings.Repeat(`{"a":`, 100_000)},
}

// Attachments are counted by a decimal number from 1, without a sign or anything else.
var badCounts = []string{
	`5`, `5-`, `50-`, `5-1-`, `5+1-`, `51.0-`, `51.5-`, `50x1-`, `51e0-`, `5 1-`, `51 -`, `501-`, `5١-`, `5NaN-`, `5Infinity-`, `5null-`, `51`,
	`599999999999999999999999-`, `5--1-`, `51,-`,
}

// A placeholder holds the number of an attachment, and nothing else.
var badPlaceholders = []string{
	`{"_placeholder":true}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":-1}`, `{"_placeholder":true,"num":-0}`,
	`{"_placeholder":true,"num":0.0}`, `{"_placeholder":true,"num":0.5}`, `{"_placeholder":true,"num":0e0}`, `{"_placeholder":true,"num":00}`,
	`{"_placeholder":true,"num":"0"}`, `{"_placeholder":true,"num":""}`, `{"_placeholder":true,"num":null}`, `{"_placeholder":true,"num":true}`,
	`{"_placeholder":true,"num":[0]}`, `{"_placeholder":true,"num":{"valueOf":0}}`, `{"_placeholder":true,"num":"splice"}`,
	`{"_placeholder":true,"num":"__proto__"}`, `{"_placeholder":true,"num":"length"}`, `{"_placeholder":true,"num":1e999}`,
	`{"_placeholder":true,"num":4294967296}`, `{"_placeholder":true,"num":18446744073709551616}`, `{"_placeholder":true,"NUM":0}`,
	`{"_placeholder":true,"num":0,"num":0}`, `{"_placeholder":true,"num":0,"x":1}`, `{"_placeholder":true,"_placeholder":true,"num":0}`,
	`{"_placeholder":"true","num":0}`, `{"_placeholder":1,"num":0}`, `{"__proto__":{"_placeholder":true,"num":0},"_placeholder":true}`,
	`{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}`,
}

// Names that clients keep for themselves, also when they are spelled in another way.
var reservedNames = []string{
	`connect`, `connect_error`, `disconnect`, `disconnecting`, `newListener`, `removeListener`, `\u0063onnect`, `disconn\u0065ct`,
}

// hostileInputs is hostile, and what follows from the lists after it.
func hostileInputs() map[string][]string {
	all := maps.Clone(hostile)
	for _, count := range badCounts {
		all["the count "+count] = []string{count + `["a"` + placeholders(1) + `]`}
	}
	for _, body := range badPlaceholders {
		all["the placeholder "+body] = []string{`51-["a",` + body + `]`}
	}
	for _, name := range reservedNames {
		all["the name "+name] = []string{`2["` + name + `"]`}
		all["the name "+name+" with an attachment"] = []string{`51-["` + name + `"` + placeholders(1) + `]`}
	}
	return all
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

// reasons counts what a server logs of clients that it cut off, with the reason.
type reasons struct {
	slog.Handler
	count atomic.Int64
}

func (r *reasons) Enabled(context.Context, slog.Level) bool { return true }

func (r *reasons) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && record.Message == "sio: invalid input" && err.Error() != "" {
			r.count.Add(1)
		}
		return true
	})
	return nil
}

func TestHostileInputEndsItsConnectionOnly(t *testing.T) {
	logged := &reasons{Handler: slog.DiscardHandler}
	io := &sio.Server{Logger: slog.New(logged)}
	io.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	io.Of("/other")
	heed(io)
	url := serve(t, io)
	others := []*bystander{stand(t, url, "websocket"), stand(t, url, "polling")}
	inputs := hostileInputs()
	var took []time.Duration
	for name, messages := range inputs {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			p := join(t, url, "/")
			p.sendAll(messages)
			p.expectClosed()
			startPolling(t, url).expectRefused(messages)
			took = append(took, time.Since(begin))
		})
	}
	slices.Sort(took)
	if usual := took[len(took)*9/10]; usual > 2*time.Second { // the rest is what else the machine does
		t.Errorf("9 of 10 were cut off after up to %v", usual)
	}
	for _, b := range others {
		b.leave()
	}
	if got := io.Stats(); got.Invalid != uint64(2*len(inputs)) || got.HalfSent != 0 || got.Panics != 0 {
		t.Errorf("Stats = %+v; want %d invalid", got, 2*len(inputs))
	}
	if n := logged.count.Load(); n != int64(2*len(inputs)) {
		t.Errorf("%d of %d were logged with a reason", n, 2*len(inputs))
	}
}

// expectRefused posts messages and wants the session to be over.
func (p *poller) expectRefused(messages []string) {
	p.t.Helper()
	status := p.try(messages)
	if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
		p.t.Errorf("POST: %d", status)
	}
	if status, body := get(p.t, p.url); status != http.StatusBadRequest {
		p.t.Errorf("GET afterwards: %d %s", status, body)
	}
	if status := p.try([]string{`2["a"]`}); status != http.StatusBadRequest {
		p.t.Errorf("POST afterwards: %d", status)
	}
}

// try posts messages, those after "b:" as attachments, and returns the status.
func (p *poller) try(messages []string) int {
	p.t.Helper()
	packets := make([]string, len(messages))
	for i, m := range messages {
		if data, ok := strings.CutPrefix(m, "b:"); ok {
			packets[i] = inBase64(data)
		} else {
			packets[i] = "4" + m
		}
	}
	resp, err := http.Post(p.url, "text/plain", strings.NewReader(strings.Join(packets, "\x1e")))
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
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
