package main

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"sluice/sio/siotest"
)

// join opens a WebSocket and joins "/" of sio5.
func (s *site) join(t *testing.T) *socket {
	t.Helper()
	c := s.open(t)
	c.send("40")
	wantSID(t, c.text(), "40")
	c.want(`42["auth",{}]`)
	return c
}

// wantSID fails unless packet accepts a namespace with a sid and nothing else.
func wantSID(t *testing.T, packet, prefix string) (sid string) {
	t.Helper()
	text, ok := strings.CutPrefix(packet, prefix)
	var payload map[string]string
	if !ok || json.Unmarshal([]byte(text), &payload) != nil || len(payload) != 1 || payload["sid"] == "" {
		t.Fatalf("got %s; want %s with a sid only", packet, prefix)
	}
	return payload["sid"]
}

func TestSIO5JoinsNamespaces(t *testing.T) {
	s := start(t, sio5)
	for _, c := range []struct{ connect, accept, auth string }{
		{"40", "40", `42["auth",{}]`},
		{`40{"token":"123"}`, "40", `42["auth",{"token":"123"}]`},
		{"40/custom,", "40/custom,", `42/custom,["auth",{}]`},
		{`40/custom,{"token":"abc"}`, "40/custom,", `42/custom,["auth",{"token":"abc"}]`},
	} {
		w := s.open(t)
		w.send(c.connect)
		wantSID(t, w.text(), c.accept)
		w.want(c.auth)
	}
}

func TestPagesOfAnyOriginRunTheProtocolsSuites(t *testing.T) {
	for which, version := range map[int]string{eio4: "4", eio3: "3", sio5: "4"} {
		s := start(t, which)
		for query, want := range map[string]int{"EIO=" + version + "&transport=polling": 200, "EIO=" + version + "&transport=abc": 400} {
			r := s.do(t.Context(), "GET", query, "", "Origin", "http://elsewhere.example")
			if r.status != want || r.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("server %d: %v %v; want %d for all origins", which, r, r.header, want)
			}
		}
	}
}

func TestSIO5LeavesTimeToListenForTheFirstEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := siotest.NewServer(newSIO5())
		defer srv.Close()
		url := strings.Replace(srv.URL, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
		conn, early, _, err := ws.Dialer{NetDial: srv.DialContext}.Dial(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if early != nil {
			t.Error("the handshake of Engine.IO came with that of WebSocket")
		}
		c := &socket{t: t, conn: conn, in: conn}
		c.text()
		c.send("40")
		wantSID(t, c.text(), "40")
		joined := time.Now()
		c.want(`42["auth",{}]`)
		if got := time.Since(joined); got != breath {
			t.Errorf("the first event came after %v; want %v", got, breath)
		}
	})
}

func TestSIO5RefusesANamespaceThatIsNotThere(t *testing.T) {
	s := start(t, sio5)
	c := s.open(t)
	c.send("40/random")
	c.want(`44/random,{"message":"Invalid namespace"}`)
	c.send("40/random,")
	c.want(`44/random,{"message":"Invalid namespace"}`)
	c.send("40")
	wantSID(t, c.text(), "40")
}

func TestSIO5ClosesWhoDoesNotJoin(t *testing.T) {
	c := start(t, sio5).open(t)
	began := time.Now()
	for {
		f, err := c.frame()
		if err != nil {
			break
		}
		if string(f.Payload) == "2" {
			c.send("3")
		}
	}
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("closed after %v; want 1 s", took)
	}
}

func TestSIO5StaysOpenWhenTheLastNamespaceIsLeft(t *testing.T) {
	c := start(t, sio5).join(t)
	c.send("41", `42["message","dropped"]`)
	for pings := 0; pings < 2; {
		f, err := c.frame()
		if err != nil || string(f.Payload) != "2" {
			t.Fatalf("got %q, %v; want a ping", f.Payload, err)
		}
		c.send("3")
		pings++
	}
	c.send("40")
	wantSID(t, c.text(), "40")
}

func TestSIO5EmitsAndAcknowledges(t *testing.T) {
	c := start(t, sio5).join(t)
	for sent, want := range map[string]string{
		`42["message",1,"2",{"3":[true]}]`:              `42["message-back",1,"2",{"3":[true]}]`,
		`42456["message-with-ack",1,"2",{"3":[false]}]`: `43456[1,"2",{"3":[false]}]`,
		`42["message"]`:           `42["message-back"]`,
		`420["message-with-ack"]`: `430[]`,
		`42["message",{"b":1,"a":[null,1.5,"\u2028é"]}]`: `42["message-back",{"b":1,"a":[null,1.5,"\u2028é"]}]`,
	} {
		c.send(sent)
		c.want(want)
	}
}

func TestSIO5AttachmentsComeBackInOrder(t *testing.T) {
	c := start(t, sio5).join(t)
	for _, kind := range []struct{ sent, want string }{
		{`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
			`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`},
		{`452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
			`462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`},
		{`452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`,
			`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`},
	} {
		c.send(kind.sent)
		c.sendBinary("\x01\x02\x03")
		c.sendBinary("\x04\x05\x06")
		c.want(kind.want)
		first, second := "\x01\x02\x03", "\x04\x05\x06"
		if strings.Contains(kind.sent, `"num":1},`) {
			first, second = second, first
		}
		c.wantBinary(first)
		c.wantBinary(second)
	}
}

func TestSIO5ClosesOnInvalidFormat(t *testing.T) {
	s := start(t, sio5)
	for _, packet := range []string{
		"4abc", "49", "4", // unknown types
		`42{}`, `42[]`, `42"x"`, `42`, `42["message"`, // no array that is not empty
		`42abc["message",1]`, `42-1["message"]`, // ack ids that are none
		`42[{}]`, `42[null]`, `42[["a"]]`, // names that are none
		`42["connect"]`, `42["disconnect"]`, // reserved
		`45["message"]`, `450-["message"]`, `45x-["message"]`, `451-["message"]`, `451-["message",{"_placeholder":true,"num":1}]`,
		`43[1]`, `44{"message":"x"}`,
	} {
		c := s.join(t)
		c.send(packet)
		c.wantClosed()
	}
	for _, connect := range []string{"40abc", `40["x"]`, `40"x"`, `40{`, `42["message","before joining"]`, "41", "43", "xyz"} {
		c := s.open(t)
		c.send(connect)
		c.wantClosed()
	}
}

func TestSIO5WorksOverPolling(t *testing.T) {
	p := start(t, sio5).poll(t)
	p.mustPost(`40{"token":"123"}`)
	got := p.collect(2)
	wantSID(t, got[0], "40")
	if got[1] != `42["auth",{"token":"123"}]` {
		t.Errorf("got %s", got[1])
	}
	p.mustPost(`42["message",1]` + "\x1e" + `451-7["message-with-ack",{"_placeholder":true,"num":0}]` + "\x1ebAQID")
	for i, want := range []string{`42["message-back",1]`, `461-7[{"_placeholder":true,"num":0}]`, "bAQID"} {
		if i == 0 {
			got = p.collect(3)
		}
		if got[i] != want {
			t.Errorf("got %s; want %s", got[i], want)
		}
	}
}
