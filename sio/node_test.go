package sio_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"

	"sluice/internal/lab"
	"sluice/sio"
)

// stockServer does what testdata/client.cjs asks for.
func stockServer(t *testing.T) *sio.Server {
	srv := &sio.Server{}
	ns := srv.Of("/")
	args := func(e *sio.Event) []any {
		args := make([]any, e.NumArgs())
		for i := range args {
			if err := e.Decode(i, &args[i]); err != nil {
				t.Error(err)
			}
		}
		return args
	}
	ns.On("echo", func(e *sio.Event) { e.Socket.Emit("echo", args(e)...) })
	ns.On("numbered", func(e *sio.Event) { e.Socket.Emit("numbered", args(e)...) })
	ns.On("reply", func(e *sio.Event) { e.Ack(args(e)...) })
	ns.On("sync", func(e *sio.Event) { e.Ack() })
	ns.On("join", func(e *sio.Event) {
		e.Socket.Join(args(e)[0].(string))
		e.Ack()
	})
	ns.On("tell", func(e *sio.Event) {
		a := args(e)
		e.Socket.To(a[0].(string)).Emit("news", a[1:]...)
		e.Ack()
	})
	ns.On("ask me", func(e *sio.Event) {
		reply, err := e.Socket.EmitWithAck(e.Socket.Context(), "question", e.Raw(0))
		if err != nil {
			t.Error(err)
			return
		}
		var n int
		var data []byte
		reply.Decode(0, &n)
		reply.Decode(1, &data)
		answer, _ := json.Marshal([]any{n, data}) // as base64, to see that it was decoded
		e.Ack(json.RawMessage(answer))
	})
	ns.OnStream("stream", func(e *sio.Event) { e.Ack(summary(t, e)) })
	ns.On("close me", func(e *sio.Event) {
		e.Socket.Emit("last", []byte("words"))
		e.Socket.Disconnect(true)
	})
	admin := srv.Of("/admin")
	admin.Use(func(s *sio.Socket) error {
		var auth struct{ Token string }
		if s.Handshake().Decode(&auth); auth.Token != "right" {
			return &sio.Error{Message: "not authorized", Data: map[string]int{"code": 401}}
		}
		return nil
	})
	admin.On("whoami", func(e *sio.Event) { e.Ack(e.Socket.ID()) })
	admin.On("kick me", func(e *sio.Event) { e.Socket.Disconnect(false) })
	return srv
}

// summary reads the attachment of a stream.
func summary(t *testing.T, e *sio.Event) any {
	var meta struct{ Name string }
	if err := e.Decode(0, &meta); err != nil {
		t.Error(err)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, e.Attachment())
	if err != nil {
		t.Error(err)
	}
	return map[string]any{"name": meta.Name, "size": n, "sha256": hex.EncodeToString(hash.Sum(nil))}
}

func TestStockClientsWork(t *testing.T) {
	for name, transports := range map[string]string{"polling": "polling", "websocket": "websocket", "upgrade": "polling,websocket"} {
		t.Run(name, func(t *testing.T) {
			lab.Node(t, "client.cjs", "URL="+serve(t, stockServer(t)), "TRANSPORTS="+transports)
		})
	}
}

func TestStockClientsCompress(t *testing.T) {
	srv := stockServer(t)
	srv.Deflate = &sio.Deflate{Threshold: 1} // the client offers it by itself
	lab.Node(t, "client.cjs", "URL="+serve(t, srv), "TRANSPORTS=websocket")
}
