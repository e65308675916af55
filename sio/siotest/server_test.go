package siotest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sluice/sio"
	"sluice/sio/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAServerInMemoryIsReachedOverHTTP(t *testing.T) {
	srv := NewServer(&sio.Server{})
	defer srv.Close()
	c := srv.Client()
	defer c.CloseIdleConnections()
	if body := get(t, c, srv.URL+"/socket.io/?EIO=4&transport=polling"); !strings.HasPrefix(body, `0{"sid":"`) {
		t.Errorf("got %s", body)
	}
}

func TestClientsTalkToAServerInMemory(t *testing.T) {
	for name, transports := range map[string][]string{"polling": {client.Polling}, "websocket": {client.WebSocket}, "upgrade": nil} {
		t.Run(name, func(t *testing.T) {
			io := &sio.Server{}
			io.Of("/").On("reverse", func(e *sio.Event) {
				var data []byte
				e.Decode(0, &data)
				slices.Reverse(data)
				e.Ack(data)
			})
			srv := NewServer(io)
			defer srv.Close()
			c, err := srv.Dial(t.Context(), client.Options{Transports: transports})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			reply, err := c.EmitWithAck(t.Context(), "reverse", []byte("abc"))
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			if err := reply.Decode(0, &got); err != nil || string(got) != "cba" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTimeRunsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := NewServer(&sio.Server{PingInterval: time.Hour, ConnectTimeout: time.Minute})
		defer srv.Close()
		c := srv.Client()
		defer c.CloseIdleConnections()
		url := srv.URL + "/socket.io/?EIO=4&transport=polling"
		start := time.Now()
		var open struct{ SID string }
		if err := json.Unmarshal([]byte(get(t, c, url)[1:]), &open); err != nil {
			t.Fatal(err)
		}
		get(t, c, url+"&sid="+open.SID) // is answered when the server gives the client up
		if took := time.Since(start); took != time.Minute {
			t.Errorf("the session ended after %v", took)
		}
	})
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestNobodyReachesAServerThatIsClosed(t *testing.T) {
	srv := NewServer(&sio.Server{})
	srv.Close()
	srv.Close()
	if _, err := srv.DialContext(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("DialContext = %v; want net.ErrClosed", err)
	}
	full := newNetwork()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := full.dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dial = %v; want context.Canceled", err)
	}
}
