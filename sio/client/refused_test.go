package client

import (
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"sluice/sio"
)

func TestAClientThatIsRefusedLeaves(t *testing.T) {
	for _, transport := range []string{Polling, WebSocket} {
		io := &sio.Server{}
		srv := httptest.NewServer(io)
		defer srv.Close()
		_, err := Dial(t.Context(), srv.URL, Options{Namespace: "/nowhere", Transports: []string{transport}})
		if err == nil {
			t.Fatalf("%s: not refused", transport)
		}
		for start := time.Now(); io.Stats().Engine.Sessions() > 0; runtime.Gosched() {
			if time.Since(start) > patience {
				t.Fatalf("%s: the connection is still open", transport)
			}
		}
		io.Shutdown(t.Context())
	}
}
