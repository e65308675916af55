package sio_test

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"sluice/sio"
	"sluice/sio/siotest"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// serve starts io on loopback and ends it with the test.
func serve(t testing.TB, io *sio.Server) (url string) {
	t.Helper()
	srv := httptest.NewServer(io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		srv.Close()
	})
	return srv.URL
}

// peer is a client that sends packets as a test writes them, over WebSocket.
type peer struct {
	t      testing.TB
	conn   net.Conn
	stream io.ReadWriter // conn, behind what was read too early

	patience time.Duration // how long a read may take
}

type readWriter struct {
	io.Reader
	io.Writer
}

// dial opens a connection; no namespace is joined.
func dial(t testing.TB, url string) *peer {
	t.Helper()
	return dialWith(t, url, ws.Dialer{})
}

// dialMemory is dial of a server in memory.
func dialMemory(t testing.TB, srv *siotest.Server) *peer {
	t.Helper()
	return dialWith(t, srv.URL, ws.Dialer{NetDial: srv.DialContext})
}

func dialWith(t testing.TB, url string, d ws.Dialer) *peer {
	t.Helper()
	if !strings.Contains(url, "?") {
		url += "/socket.io/?"
	}
	p := dialRaw(t, url+"&EIO=4&transport=websocket", d)
	if open := p.read(); open[0] != '0' {
		t.Fatalf("first packet %q; want the handshake", open)
	}
	return p
}

// dialRaw opens a WebSocket.
func dialRaw(t testing.TB, url string, d ws.Dialer) *peer {
	t.Helper()
	conn, early, _, err := d.Dial(t.Context(), strings.Replace(url, "http", "ws", 1))
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &peer{t: t, conn: conn, stream: conn, patience: patience}
	if early != nil { // the server was fast
		p.stream = readWriter{early, conn}
	}
	return p
}

// join opens a connection and joins a namespace.
func join(t testing.TB, url, namespace string) *peer {
	t.Helper()
	p := dial(t, url)
	connect := "0"
	if namespace != "/" {
		connect += namespace + ","
	}
	p.send(connect)
	if got := p.next(); !strings.HasPrefix(got, connect) {
		t.Fatalf("joining %s: %s", namespace, got)
	}
	return p
}

// send sends Socket.IO packets, or what is to look like ones.
func (p *peer) send(texts ...string) {
	for _, text := range texts {
		wsutil.WriteClientText(p.conn, []byte("4"+text)) // a connection that is closed is seen by reading
	}
}

// sendBinary sends attachments.
func (p *peer) sendBinary(attachments ...string) {
	for _, a := range attachments {
		wsutil.WriteClientBinary(p.conn, []byte(a))
	}
}

// next returns the next Socket.IO packet or attachment; it answers pings.
func (p *peer) next() string {
	p.t.Helper()
	for {
		switch text := p.read(); {
		case text == "2":
			wsutil.WriteClientText(p.conn, []byte("3"))
		case strings.HasPrefix(text, "4"):
			return text[1:]
		default:
			return text
		}
	}
}

// read returns the next Engine.IO packet; binary messages have "b:" before them, the end is "closed".
func (p *peer) read() string {
	p.t.Helper()
	text, err := p.tryRead()
	if err != nil {
		p.t.Fatalf("read: %v", err)
	}
	return text
}

func (p *peer) tryRead() (string, error) {
	p.conn.SetReadDeadline(time.Now().Add(p.patience))
	data, op, err := wsutil.ReadServerData(p.stream)
	if op == ws.OpBinary {
		return "b:" + string(data), err
	}
	return string(data), err
}

// expect reads packets and compares them.
func (p *peer) expect(want ...string) {
	p.t.Helper()
	for _, w := range want {
		if got := p.next(); got != w {
			p.t.Fatalf("got %.200s; want %.200s", got, w)
		}
	}
}

// expectClosed reads until the server has closed the connection, and returns what came before and the close code, 0 without one.
func (p *peer) expectClosed() (before []string, code ws.StatusCode) {
	p.t.Helper()
	for {
		text, err := p.tryRead()
		var closed wsutil.ClosedError
		switch {
		case err == nil:
			before = append(before, text)
			continue
		case asClosed(err, &closed):
			return before, closed.Code
		case isTimeout(err):
			p.t.Fatalf("the connection is still open; it said %q", before)
		}
		return before, 0
	}
}

// answerUntilClosed answers pings until the server has closed the connection.
func (p *peer) answerUntilClosed() {
	p.t.Helper()
	for {
		switch text, err := p.tryRead(); {
		case isTimeout(err):
			p.t.Fatal("the connection is still open")
		case err != nil:
			return
		case text == "2":
			wsutil.WriteClientText(p.conn, []byte("3"))
		}
	}
}

// receive takes a value from c, in time.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}
