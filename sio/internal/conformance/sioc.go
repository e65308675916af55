package main

import (
	"net/http"
	"time"

	"sluice/sio"
)

// newSIOC returns the server of the suite of Socket.IO's client.
func newSIOC() *sio.Server {
	srv := &sio.Server{
		PingInterval: 2 * time.Second,
		AllowRequest: slowly,
		Recovery:     &sio.Recovery{},
	}
	for _, name := range []string{"/timeout_socket", "/valid", "/asd"} {
		srv.Of(name)
	}
	srv.Of("/foo").On("getId", func(e *sio.Event) { e.Ack(e.Socket.ID()) })
	srv.Of("/abc").OnConnect(func(s *sio.Socket) { s.Emit("handshake", s.Handshake()) })
	srv.Of("/no").Use(func(*sio.Socket) error { return &sio.Error{Message: "Auth failed (custom namespace)"} })
	mainNamespace(srv.Of("/"))
	return srv
}

// newOpenSIOC returns the same for clients of old, and for pages of any origin.
func newOpenSIOC() *sio.Server {
	srv := newSIOC()
	srv.AllowEIO3 = true
	srv.CORS = sio.CORS{Origins: []string{"*"}}
	return srv
}

// slowly admits everybody, after a while: the suite looks at what clients do meanwhile.
func slowly(r *http.Request) error {
	wait := time.NewTimer(10 * time.Millisecond)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// mainNamespace sets what "/" does.
func mainNamespace(ns *sio.Namespace) {
	ns.Use(func(s *sio.Socket) error {
		if s.Handshake().Query().Has("fail") {
			return &sio.Error{Message: "Auth failed (main namespace)"}
		}
		return nil
	})
	ns.OnConnect(func(s *sio.Socket) {
		if s.Data() == nil { // a socket that was recovered has it
			s.SetData(new(order))
		}
	})
	texts(ns)
	acks(ns)
	binaries(ns)
	blobs(ns)
}

// order is how far a client has come in sending what is to be in order.
type order struct{ abuff, blobs int }

func progress(e *sio.Event) *order { return e.Socket.Data().(*order) }

func texts(ns *sio.Namespace) {
	ns.On("hi", func(e *sio.Event) { e.Socket.Emit("hi") })
	ns.On("false", func(e *sio.Event) { e.Socket.Emit("false", false) })
	ns.On("getDate", func(e *sio.Event) { e.Socket.Emit("takeDate", now()) })
	ns.On("getDateObj", func(e *sio.Event) { e.Socket.Emit("takeDateObj", map[string]string{"date": now()}) })
	ns.On("getUtf8", func(e *sio.Event) {
		for _, text := range []string{"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"} {
			e.Socket.Emit("takeUtf8", text)
		}
	})
}

// now returns the time as JavaScript's toISOString does.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func acks(ns *sio.Namespace) {
	ns.On("echo", func(e *sio.Event) { e.Ack(values(e.Args)[:min(1, e.NumArgs())]...) })
	ns.On("getAckDate", func(e *sio.Event) { e.Ack(now()) })
	ns.On("getHandshake", func(e *sio.Event) { e.Ack(e.Socket.Handshake()) })
	ns.On("getId", func(e *sio.Event) { e.Ack(e.Socket.ID()) })
	ns.On("ack", func(e *sio.Event) { go askForAck(e.Socket) }) // clients that never answer may ask again
}

// askForAck emits what asks for an ack, and says whether that is as it should be.
func askForAck(s *sio.Socket) {
	answer, err := s.EmitWithAck(s.Context(), "ack")
	if err != nil {
		return
	}
	var number int
	var object struct{ Test any }
	if answer.Decode(0, &number) == nil && answer.Decode(1, &object) == nil && number == 5 && truthy(object.Test) {
		s.Emit("got it")
	}
}

// truthy is what JavaScript takes for true, of the values that JSON has.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	default:
		return true
	}
}

func binaries(ns *sio.Namespace) {
	ns.On("doge", func(e *sio.Event) { e.Socket.Emit("doge", []byte("asdfasdf")) })
	ns.On("getbin", func(e *sio.Event) { e.Socket.Emit("takebin", []byte("asdfasdf")) })
	ns.On("buffa", func(e *sio.Event) {
		if e.IsAttachment(0) {
			e.Socket.Emit("buffack")
		}
	})
	ns.On("jsonbuff", func(e *sio.Event) { checkObject(e, "jsonbuff-ack") })
	ns.On("jsonblob", func(e *sio.Event) { checkObject(e, "jsonblob-ack") })
	ns.On("abuff1", func(e *sio.Event) {
		if e.IsAttachment(0) {
			progress(e).abuff = 1
		}
	})
	ns.On("abuff2", func(e *sio.Event) {
		if progress(e).abuff == 1 {
			e.Socket.Emit("abuff2-ack")
		}
	})
}

// checkObject answers an object that holds text and binary as it should.
func checkObject(e *sio.Event, answer string) {
	var o struct{ Hello, Message, Goodbye any }
	if e.Decode(0, &o) != nil {
		return
	}
	if _, binary := o.Message.([]byte); binary && o.Hello == "lol" && o.Goodbye == "gotcha" {
		e.Socket.Emit(answer)
	}
}

func blobs(ns *sio.Namespace) {
	ns.On("blob", func(e *sio.Event) {
		var blob []byte
		if e.IsAttachment(0) && e.Decode(0, &blob) == nil {
			e.Socket.Emit("back", blob)
		}
	})
	ns.On("blob1", func(e *sio.Event) { step(e, 0, e.IsAttachment(0)) })
	ns.On("blob2", func(e *sio.Event) {
		var text string
		step(e, 1, e.Decode(0, &text) == nil && text == "second")
	})
	ns.On("blob3", func(e *sio.Event) {
		if step(e, 2, e.IsAttachment(0)) {
			e.Socket.Emit("blob3-ack")
		}
	})
}

// step notes an event that comes after so many others of its series, if it is as it should be.
func step(e *sio.Event, after int, good bool) bool {
	p := progress(e)
	if !good || p.blobs != after {
		return false
	}
	p.blobs++
	return true
}
