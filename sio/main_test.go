package sio_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"

	"sluice/sio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func asClosed(err error, closed *wsutil.ClosedError) bool { return errors.As(err, closed) }

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func goexit() { runtime.Goexit() }

func deny(r *http.Request) error {
	if r.URL.Query().Has("deny") {
		return &sio.Error{Message: "not you"}
	}
	return nil
}

func get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}

// dialer sends a header with the handshake.
func dialer(name, value string) ws.Dialer {
	return ws.Dialer{Header: ws.HandshakeHeaderHTTP{name: {value}}}
}
