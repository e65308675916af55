package sio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sluice/internal/lab"
	"sluice/sio"
)

// apiServer does what testdata/api.cjs asks for.
func apiServer(t *testing.T) *sio.Server {
	srv := &sio.Server{}
	ns := srv.Of("/")
	text := func(e *sio.Event, i int) (s string) {
		if err := e.Decode(i, &s); err != nil {
			t.Error(err)
		}
		return s
	}
	rooms := srv.OfFunc(matching(`^/room-\d+$`))
	rooms.On("where", func(e *sio.Event) {
		e.Ack([]any{e.Socket.Namespace().Name(), len(e.Socket.Namespace().Sockets())})
	})
	rooms.On("tell all rooms", func(e *sio.Event) {
		var data []byte
		e.Decode(0, &data)
		rooms.Emit("all rooms", data)
	})

	ns.OnConnect(func(s *sio.Socket) {
		var auth struct{ Name string }
		s.Handshake().Decode(&auth)
		s.SetData(auth)
		var seen []string
		calls := 0
		s.OnAny(func(e *sio.Event) { seen = append(seen, e.Name) })
		s.On("seen", func(e *sio.Event) { e.Ack(seen) })
		s.On("mine", func(e *sio.Event) {
			calls++
			e.Ack(calls)
		})
	})
	ns.UseEvent(func(e *sio.Event) error {
		if e.Name == "forbidden" {
			return errors.New("forbidden")
		}
		return nil
	})
	ns.OnRefused(func(e *sio.Event, err error) { e.Ack(map[string]string{"error": err.Error()}) })
	ns.On("forbidden", func(e *sio.Event) { t.Error("a refused event was handled") })
	ns.On("sync", func(e *sio.Event) { e.Ack() })
	ns.On("join", func(e *sio.Event) {
		e.Socket.Join(text(e, 0))
		e.Ack()
	})
	vote := func(e *sio.Event, d time.Duration) (answers []string, err error) {
		acks, err := ns.To(text(e, 0)).Timeout(d).EmitWithAck(e.Socket.Context(), "vote", text(e, 1))
		for _, ack := range acks {
			var answer string
			if err := ack.Decode(0, &answer); err != nil {
				t.Error(err)
			}
			answers = append(answers, answer)
		}
		return answers, err
	}
	ns.On("call a vote", func(e *sio.Event) {
		answers, err := vote(e, patience)
		if err != nil {
			t.Error(err)
		}
		e.Ack(answers)
	})
	ns.On("call a short vote", func(e *sio.Event) {
		answers, err := vote(e, 3*time.Second)
		var missing *sio.AckError
		if !errors.As(err, &missing) {
			t.Errorf("err = %v; want an AckError", err)
			return
		}
		e.Ack([]any{answers, missing.Missing})
	})
	ns.On("ask me shortly", func(e *sio.Event) {
		_, err := e.Socket.Timeout(50*time.Millisecond).EmitWithAck(e.Socket.Context(), "question")
		e.Ack(errors.Unwrap(err).Error())
	})
	ns.On("who is in", func(e *sio.Event) {
		sockets, err := ns.To(text(e, 0)).FetchSockets(e.Socket.Context())
		if err != nil {
			t.Error(err)
		}
		var names []string
		for _, s := range sockets {
			var data struct{ Name string }
			s.Decode(&data)
			names = append(names, data.Name)
		}
		slices.Sort(names)
		e.Ack(names)
	})
	ns.On("move", func(e *sio.Event) {
		from, to := text(e, 0), text(e, 1)
		ns.To(from).SocketsJoin(to)
		ns.To(to).SocketsLeave(from)
		e.Ack(len(ns.To(to).Except(from).Sockets()))
	})
	ns.On("publish", func(e *sio.Event) { ns.To(text(e, 0)).Emit("news", text(e, 1)) })
	ns.On("clear", func(e *sio.Event) { ns.To(text(e, 0)).DisconnectSockets(true) })
	ns.On("move the cursor", func(e *sio.Event) {
		e.Socket.Volatile().Compress(false).Emit("cursor", 7, []byte("plain"))
	})
	ns.On("shut down", func(e *sio.Event) {
		e.Socket.Emit("last words", []byte("bye"))
		go srv.Shutdown(context.Background()) // it waits for this very handler
	})
	return srv
}

func TestStockClientsSeeWhatTheAPIDoes(t *testing.T) {
	for name, transports := range map[string]string{"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"} {
		t.Run(name, func(t *testing.T) {
			lab.Node(t, "api.cjs", "URL="+serve(t, apiServer(t)), "TRANSPORTS="+transports)
		})
	}
}

// What the script asks for is what Node's server does. Over polling that one loses what was emitted right before its end.
func TestNodesServerDoesWhatOurAPIDoes(t *testing.T) {
	url := "http://127.0.0.1:" + lab.StartNode(t, "api-server.cjs").Line()
	lab.Node(t, "api.cjs", "URL="+url, "TRANSPORTS=websocket")
}
