package websocket

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// line is a listener with one connection.
type line struct{ conns chan net.Conn }

func (l line) Accept() (net.Conn, error) {
	if conn, ok := <-l.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (l line) Close() error   { return nil }
func (l line) Addr() net.Addr { return &net.TCPAddr{} }

// Code that waits for a WebSocket to open, and then for its first message, misses what came in one read with the opening.
func TestTheFirstFrameComesAfterTheHandshakeWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		l := line{make(chan net.Conn, 1)}
		l.conns <- server
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := Accept(w, r, Reply{First: []byte("first"), Timeout: time.Second})
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		}))
		defer close(l.conns)

		go client.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
		in := bufio.NewReader(client)
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if n := in.Buffered(); n > 0 {
			t.Errorf("%d bytes in one read with the handshake; want none", n)
		}
		opened := time.Now()
		first := make([]byte, len("first"))
		if _, err := in.Read(first); err != nil || string(first) != "first" {
			t.Fatalf("read %q: %v", first, err)
		}
		if got := time.Since(opened); got != breath {
			t.Errorf("the first frame came after %v; want %v", got, breath)
		}
	})
}
