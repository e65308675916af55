package sio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/gobwas/ws"

	"sluice/sio"
)

type joinRequest struct {
	Room string `json:"room"`
}

type joinedRoom struct {
	Members int    `json:"members"`
	Icon    []byte `json:"icon"`
}

const (
	joinCall sio.Call[joinRequest, joinedRoom] = "join"
	said     sio.Cast[string]                  = "said"
	ask      sio.Call[string, int]             = "ask"
)

func TestACallIsAnsweredWithItsResult(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	joinCall.Handle(io.Of("/"), func(ctx context.Context, s *sio.Socket, req joinRequest) (joinedRoom, error) {
		switch req.Room {
		case "full":
			return joinedRoom{}, &sio.Error{Message: "the room is full", Data: map[string]int{"limit": 3}}
		case "broken":
			return joinedRoom{}, errors.New("secret")
		}
		return joinedRoom{Members: 2, Icon: []byte(req.Room)}, ctx.Err()
	})
	p := join(t, serve(t, io), "/")
	p.send(`21["join",{"room":"a"}]`)
	p.expect(`61-1[{"members":2,"icon":{"_placeholder":true,"num":0}}]`, `b:a`)
	p.send(`22["join",{"room":"full"}]`, `23["join",{"room":"broken"}]`, `24["join",5]`, `25["join"]`, `2["join",{"room":"x"}]`)
	p.expect(`32[{"error":{"message":"the room is full","data":{"limit":3}}}]`, `33[{"error":{"message":"internal"}}]`)
	p.expect(`34[{"error":{"message":"bad request"}}]`, `61-5[{"members":2,"icon":{"_placeholder":true,"num":0}}]`, `b:`)
}

func TestACastCarriesItsValue(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	said.Handle(io.Of("/"), func(s *sio.Socket, text string) { said.Emit(io.Of("/"), text+"!") })
	p := join(t, serve(t, io), "/")
	p.send(`2["said",5]`, `2["said","hello"]`)
	p.expect(`2["said","hello!"]`)
}

func TestTheServerCallsItsClient(t *testing.T) {
	io := &sio.Server{}
	type outcome struct {
		n   int
		err error
	}
	outcomes := make(chan outcome, 3)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		for range 3 {
			n, err := ask.Do(s.Context(), s, "how many?")
			outcomes <- outcome{n, err}
		}
	})
	p := join(t, serve(t, io), "/")
	p.expect(`20["ask","how many?"]`)
	p.send(`30[42]`)
	if got := receive(t, outcomes); got != (outcome{42, nil}) {
		t.Errorf("got %v", got)
	}
	p.expect(`21["ask","how many?"]`)
	p.send(`31[{"ok":false,"error":{"code":"not_found","message":"nobody"}}]`)
	var failed *sio.Error
	if got := receive(t, outcomes); !errors.As(got.err, &failed) || failed.Message != "nobody" || string(failed.Data.(json.RawMessage)) != `{"code":"not_found","message":"nobody"}` {
		t.Errorf("got %v", got)
	}
	p.expect(`22["ask","how many?"]`)
	p.send(`32["many"]`)
	if got := receive(t, outcomes); got.err == nil {
		t.Errorf("got %v; want an error", got)
	}
}

func TestTheHandshakeTellsWhoComes(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").On("who", func(e *sio.Event) {
		h := e.Socket.Handshake()
		if h.Query().Get("a") != "1" || h.Address == "" || h.Secure || h.Request.Header.Get("User-Agent") != "me" {
			t.Errorf("Handshake = %+v", h)
		}
		e.Ack(h)
	})
	url := serve(t, io)
	d := ws.Dialer{Header: ws.HandshakeHeaderHTTP{"User-Agent": {"me"}, "Origin": {url}}}
	p := dialWith(t, url+"/socket.io/?a=1&b=1&b=2&x=", d)
	p.send(`0{"token":"t"}`)
	p.next()
	p.send(`20["who"]`)
	var got [1]struct {
		Auth, Query, Headers map[string]any
		Secure, XDomain      bool
		URL, Address, Time   string
		Issued               int64
	}
	text := []byte(p.next()[2:])
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	text = bytes.Trim(text, "[]")
	h := got[0]
	var remote sio.Handshake // as it is on another node
	if err := json.Unmarshal(text, &remote); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&remote)
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("decoded and encoded again: %s, %v; want %s", again, err, text)
	}
	if remote.Query().Get("a") != "1" || remote.Request.UserAgent() != "me" || remote.Request.Host != h.Headers["host"] {
		t.Errorf("decoded: %+v", remote)
	}
	if h.Auth["token"] != "t" || h.Query["a"] != "1" || len(h.Query["b"].([]any)) != 2 || h.Headers["user-agent"] != "me" || h.Issued == 0 || h.Address != "127.0.0.1" || !h.XDomain || h.Time == "" {
		t.Errorf("the handshake as JSON: %+v", h)
	}
}
