package sio_test

import (
	"testing"
	"time"

	"sluice/internal/lab"
	"sluice/sio"
)

// reasonsServer is testdata/reasons-server.cjs on ours.
func reasonsServer() *sio.Server {
	srv := &sio.Server{PingInterval: time.Second, PingTimeout: 4 * time.Second, MaxEventBytes: 100_000, Logger: quiet()}
	ns := srv.Of("/")
	ns.OnDisconnect(func(s *sio.Socket, reason string) {
		var auth struct{ Name string }
		s.Handshake().Decode(&auth)
		ns.To("observers").Emit("gone", auth.Name, reason)
	})
	ns.On("observe", func(e *sio.Event) {
		e.Socket.Join("observers")
		e.Ack()
	})
	ns.On("be kicked", func(e *sio.Event) {
		var closeConn bool
		if e.NumArgs() > 0 {
			e.Decode(0, &closeConn)
		}
		e.Socket.Disconnect(closeConn)
	})
	return srv
}

// The script holds Node's server to the same reasons, so that ours are compared with what it does and not with what we believe.
func TestTheReasonsOfDisconnectsAreThoseOfNodesServer(t *testing.T) {
	for name, start := range map[string]func() (url string){
		"node": func() string {
			return "http://127.0.0.1:" + lab.StartNode(t, "reasons-server.cjs").Line()
		},
		"sio": func() string { return serve(t, reasonsServer()) },
	} {
		t.Run(name, func(t *testing.T) { lab.Node(t, "reasons.cjs", "URL="+start()) })
	}
}
