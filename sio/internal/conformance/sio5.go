package main

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"sluice/sio"
)

// newSIO5 returns the server of the suite of Socket.IO's protocol.
func newSIO5() *sio.Server {
	srv := &sio.Server{
		PingInterval:   protocolPingInterval,
		PingTimeout:    protocolPingTimeout,
		ConnectTimeout: time.Second,
		CORS:           sio.CORS{Origins: []string{"*"}}, // the suite runs in browsers, too
	}
	main := srv.Of("/")
	main.OnConnect(emitAuth)
	main.On("message", func(e *sio.Event) { e.Socket.Emit("message-back", values(e.Args)...) })
	main.On("message-with-ack", func(e *sio.Event) { e.Ack(values(e.Args)...) })
	srv.Of("/custom").OnConnect(emitAuth)
	return srv
}

// breath is how long a socket's first event waits behind the answer to its CONNECT. The suite waits for one message after the
// other and is deaf in between: of two that come in one read it sees the first.
const breath = 10 * time.Millisecond

// emitAuth tells a client what it gave as auth.
func emitAuth(s *sio.Socket) {
	time.Sleep(breath)
	auth := s.Handshake().Auth
	if auth == nil {
		auth = json.RawMessage("{}")
	}
	s.Emit("auth", auth)
}

// values returns arguments of any kind as they are sent back; attachments are []byte.
func values(args sio.Args) []any {
	values := make([]any, args.NumArgs())
	for i := range values {
		if args.Decode(i, &values[i]) != nil || !holdsBytes(values[i]) {
			values[i] = args.Raw(i) // with the members of its objects in their order
		}
	}
	return values
}

func holdsBytes(v any) bool {
	switch v := v.(type) {
	case []byte:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsBytes)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), holdsBytes)
	}
	return false
}
