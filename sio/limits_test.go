package sio_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"sluice/sio"
)

// After a fault a polling session is over at once, for POSTs: what OnInvalid's handlers said waits for one GET.
func TestAFaultEndsAPollingSessionAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"a packet that is none":           {`42{}`, 400},
		"a packet the engine refuses":     {`9`, 400},
		"an attachment of nothing":        {`bAQID`, 400},
		"more attachments than may be":    {`4511-["a"` + placeholders(11) + `]`, 413},
		"a text longer than may be":       {`42["a","` + strings.Repeat("x", 10_000) + `"]`, 413},
		"an attachment longer than it is": {`451-["a"` + placeholders(1) + "]\x1e" + inBase64(strings.Repeat("x", 10_001)), 413},
	} {
		t.Run(name, func(t *testing.T) {
			p := startPolling(t, serve(t, target()))
			for i, want := range []int{tt.status, 400, 400} {
				resp, err := http.Post(p.url, "text/plain", strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if resp.Body.Close(); resp.StatusCode != want {
					t.Errorf("POST number %d: %s; want %d", i+1, resp.Status, want)
				}
			}
			if got := p.get(); len(got) != 1 || !strings.HasPrefix(got[0], `42["problem",`) {
				t.Errorf("GET: %q; want what OnInvalid's handler said", got)
			}
			if got := p.get(); len(got) != 1 || got[0] != "1" {
				t.Errorf("GET: %q; want the close packet", got)
			}
			if status, _ := get(t, p.url); status != 400 {
				t.Errorf("GET of a session that is over: %d", status)
			}
		})
	}
}

// Events whose attachments have not all arrived are bounded for all clients together, texts and attachments.
func TestHalfSentEventsOfAllClientsAreBounded(t *testing.T) {
	const bound, size = 1 << 20, 60_000
	io := &sio.Server{Logger: quiet(), MaxHalfSentBytes: bound, MaxEventBytes: 100_000}
	io.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	heed(io)
	url := serve(t, io)
	other := stand(t, url, "websocket")
	before := footprintOf(io)
	var peers []*peer
	for io.Stats().Invalid == 0 {
		if len(peers) > bound/size {
			t.Fatalf("%d bytes of %d clients are half-sent", io.Stats().HalfSent, len(peers))
		}
		p := join(t, url, "/")
		peers = append(peers, p)
		if len(peers)%2 == 0 {
			p.sendAll([]string{`52-["a"` + placeholders(2) + `]`, "b:" + strings.Repeat("x", size)})
		} else {
			p.send(`51-["a","` + strings.Repeat("x", size) + `"` + placeholders(1) + `]`)
		}
		eventually(t, func() bool { st := io.Stats(); return st.HalfSent >= int64(len(peers)*size) || st.Invalid > 0 })
	}
	if _, code := peers[len(peers)-1].expectClosed(); code != ws.StatusMessageTooBig {
		t.Errorf("the last of %d clients was cut off with %d", len(peers), code)
	}
	if got := io.Stats().HalfSent; got > bound || got < bound-2*size {
		t.Errorf("%d bytes are half-sent", got)
	}
	for _, p := range peers {
		p.conn.Close()
	}
	before.awaitReturn(t, io, 4<<20, 1)
	other.leave()
	if got := io.Stats().HalfSent; got != 0 {
		t.Errorf("%d bytes are half-sent of nobody", got)
	}
}

// Whatever a client has sent before: what it announces is not kept memory for, which nobody counts, before it comes.
func TestWhatIsOnlyAnnouncedGetsLittleMemory(t *testing.T) {
	const clients, size = 10, 900_000
	io := &sio.Server{}
	io.Of("/").On("a", func(e *sio.Event) { e.Ack() })
	url := serve(t, io)
	header := ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: size}
	held := func() uint64 {
		var m runtime.MemStats
		for range 3 { // what waits to be used again is given up
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for range clients {
		p := join(t, url, "/")
		p.send(`51-0["a"` + placeholders(1) + `]`)
		p.sendBinary(strings.Repeat("x", size))
		p.expect(`30[]`)
		p.send(`51-1["a"` + placeholders(1) + `]`)
		ws.WriteHeader(p.conn, header)
		p.conn.Write([]byte("x"))
	}
	all := int64(clients * len(`["a"`+placeholders(1)+`]x`))
	eventually(t, func() bool { return io.Stats().HalfSent == all })
	if got := int64(held() - before); got > clients*size/3 {
		t.Errorf("%d bytes are kept for %d clients", got, clients)
	}
}

// What nobody wants is not kept, and so is not counted as if it were.
func TestAttachmentsThatNobodyWantsAreNotKept(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	url := serve(t, io)
	p := join(t, url, "/")
	p.send(`52-["nobody handles it"` + placeholders(2) + `]`)
	p.sendBinary(strings.Repeat("x", 500_000))
	eventually(t, func() bool { return io.Stats().Engine.BytesIn > 500_000 })
	if got := io.Stats().HalfSent; got != 0 {
		t.Errorf("%d bytes are kept", got)
	}
}

// What a client joins with is kept as long as its socket, so it is short, whenever it joins.
func TestWhatJoinsANamespaceIsShort(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	io.Of("/other")
	url := serve(t, io)
	p := join(t, url, "/")
	p.send(`0/other,{"x":"` + strings.Repeat("x", 60<<10) + `"}`)
	if got := p.next(); !strings.HasPrefix(got, `0/other,{"sid"`) {
		t.Errorf("60 KiB: %.100s", got)
	}
	p = join(t, url, "/")
	p.send(`0/other,{"x":"` + strings.Repeat("x", 64<<10) + `"}`)
	if _, code := p.expectClosed(); code != ws.StatusMessageTooBig {
		t.Errorf("64 KiB and more: closed with %d", code)
	}
}

func TestAnEventHasAsManyAttachmentsAsTheServerSays(t *testing.T) {
	for limit, most := range map[int]int{0: 10, 2: 2, 20: 20} {
		io := &sio.Server{Logger: quiet(), MaxAttachments: limit}
		io.Of("/").On("a", func(e *sio.Event) { e.Ack(e.Attachments()) })
		io.Of("/").OnStream("b", func(e *sio.Event) { e.Ack(e.Attachments()) })
		url := serve(t, io)
		for _, event := range []string{"a", "b", "nobody handles it"} {
			p := join(t, url, "/")
			p.send(fmt.Sprintf(`5%d-1["%s"%s]`, most, event, placeholders(most)))
			p.sendBinary(make([]string, most)...)
			if event != "nobody handles it" {
				p.expect(fmt.Sprintf(`31[%d]`, most))
			}
			p.send(fmt.Sprintf(`5%d-1["%s"%s]`, most+1, event, placeholders(most+1)))
			if before, code := p.expectClosed(); len(before) > 0 || code != ws.StatusMessageTooBig {
				t.Errorf("MaxAttachments %d, %d attachments: closed with %d after %q", limit, most+1, code, before)
			}
		}
		if got := io.Stats(); got.HalfSent != 0 || got.Invalid != 3 {
			t.Errorf("%d bytes are half-sent, %d connections were cut off", got.HalfSent, got.Invalid)
		}
	}
}

// Stock clients end the connection on more attachments than ten, whoever sent them.
func TestNobodyIsSentMoreThanTenAttachments(t *testing.T) {
	io := &sio.Server{MaxAttachments: 20}
	errs := make(chan error, 10)
	io.Of("/").On("relay", func(e *sio.Event) {
		var all []any
		for i := range e.NumArgs() {
			var data []byte
			e.Decode(i, &data)
			all = append(all, data)
		}
		errs <- e.Socket.Emit("relayed", all...)
		errs <- e.Socket.Namespace().Emit("relayed", all...)
		errs <- e.Ack(all...)
		_, err := e.Socket.EmitWithAck(e.Socket.Context(), "relayed", all)
		errs <- err
		e.Ack()
	})
	p := join(t, serve(t, io), "/")
	p.send(`511-1["relay"` + placeholders(11) + `]`)
	p.sendBinary(make([]string, 11)...)
	p.expect(`31[]`)
	var limit *sio.LimitError
	for range 4 {
		if err := receive(t, errs); !errors.As(err, &limit) || limit.Limit != 10 {
			t.Errorf("sending eleven: %v; want a LimitError", err)
		}
	}
}

// An event is passed on as large as it came: its attachments cannot be named more than once.
func TestRelayingMultipliesNothing(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").On("relay", func(e *sio.Event) {
		all := make([]any, e.NumArgs())
		for i := range all {
			e.Decode(i, &all[i])
		}
		e.Socket.Emit("relay", all...)
	})
	p := join(t, serve(t, io), "/")
	before := io.Stats().Engine
	for range 20 {
		p.send(`510-["relay",{"all":[0` + placeholders(10) + `]},{"_":""}]`)
		p.sendBinary(strings.Split(strings.Repeat(strings.Repeat("x", 100)+" ", 10), " ")[:10]...)
		for range 11 {
			p.next()
		}
	}
	after := io.Stats().Engine
	if in, out := after.BytesIn-before.BytesIn, after.BytesOut-before.BytesOut; out > 2*in || in < 20_000 {
		t.Errorf("%d bytes came, %d were sent", in, out)
	}
}

// What a refused client is told may hold what it sent: it is counted all the same, in bounded room.
func TestRefusalsAreCountedInBoundedRoom(t *testing.T) {
	const clients = 1000
	io := &sio.Server{AllowRequest: func(r *http.Request) error {
		return &sio.Error{Message: "nobody is called " + r.URL.Query().Get("name")}
	}}
	for n := range clients {
		w := httptest.NewRecorder()
		io.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/socket.io/?EIO=4&transport=polling&name=%d", n), nil))
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "nobody is called") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if refused := io.Stats().Engine.Refused; sum(refused) != clients || len(refused) > 101 {
		t.Errorf("%d refusals are counted under %d messages", sum(refused), len(refused))
	}
	io.Shutdown(t.Context()) // who is refused has no session, and so none that ended
	if st := io.Stats().Engine; st.Opened != 0 || sum(st.Closed) != 0 {
		t.Errorf("%d sessions were opened, %d closed", st.Opened, sum(st.Closed))
	}
}

// "No limit" is the largest there is, to which nothing can be added.
func TestTheLargestLimitsAreNone(t *testing.T) {
	srv := &sio.Server{
		MaxEventBytes: math.MaxInt, MaxPendingBytes: math.MaxInt, MaxHalfSentBytes: math.MaxInt,
		MaxQueuedBytes: math.MaxInt, MaxQueuedPackets: math.MaxInt,
	}
	srv.Of("/").On("n", func(e *sio.Event) { e.Ack(e.NumArgs()) })
	srv.Of("/").OnStream("up", func(e *sio.Event) { e.Ack() }) // and skip it
	p := join(t, serve(t, srv), "/")
	p.send(`21["n",{"a":1}]`)
	p.expect(`31[1]`)
	for _, ack := range []string{`2["n"`, `3["up"`} {
		p.send(`51-` + ack + `,{"_placeholder":true,"num":0}]`)
		p.sendBinary(strings.Repeat("x", 5000))
	}
	p.expect(`32[1]`)
	p.expect(`33[]`)
	p.send(`24["n"]`)
	p.expect(`34[0]`)
}
