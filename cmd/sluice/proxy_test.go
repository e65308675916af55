package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/time/rate"
)

// proxy forwards connections to a server, counts what goes there, and may be as slow as a far client's line.
type proxy struct {
	URL   string
	bytes atomic.Int64 // forwarded to the server
	valve sync.RWMutex // while it is held nothing is forwarded to clients, and next to nothing taken from the server

	target string
	limit  *rate.Limiter
	ctx    context.Context
	wg     sync.WaitGroup
}

// startProxy puts a proxy in front of addr that forwards at most so many bytes a second; 0: as many as come.
func startProxy(t *testing.T, addr string, bytesPerSecond int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{URL: "http://" + l.Addr().String(), target: addr, ctx: t.Context(), limit: rate.NewLimiter(rate.Inf, 0)}
	if bytesPerSecond > 0 {
		p.limit = rate.NewLimiter(rate.Limit(bytesPerSecond), 64<<10)
	}
	p.wg.Go(func() { p.accept(t, l) })
	context.AfterFunc(p.ctx, func() { l.Close() })
	t.Cleanup(p.wg.Wait)
	return p
}

func (p *proxy) accept(t *testing.T, l net.Listener) {
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		p.wg.Go(func() { p.forward(client) })
	}
}

// forward joins a client with the server until either ends.
func (p *proxy) forward(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	stop := context.AfterFunc(p.ctx, func() { client.Close(); server.Close() })
	defer stop()
	p.wg.Go(func() {
		p.downstream(client, server)
		client.Close()
	})
	p.upstream(server, client)
}

func (p *proxy) downstream(client io.Writer, server net.Conn) {
	const size = 16 << 10
	if err := server.(*net.TCPConn).SetReadBuffer(size); err != nil {
		return
	}
	buf := make([]byte, size)
	for {
		n, err := server.Read(buf)
		p.valve.RLock()
		_, werr := client.Write(buf[:n])
		p.valve.RUnlock()
		if err != nil || werr != nil {
			return
		}
	}
}

func (p *proxy) upstream(server io.Writer, client io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := client.Read(buf)
		if err != nil || p.limit.Burst() > 0 && p.limit.WaitN(p.ctx, n) != nil {
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		p.bytes.Add(int64(n))
	}
}

// meter answers over HTTP how many bytes the proxy has forwarded.
func (p *proxy) meter(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, p.bytes.Load()) }))
	t.Cleanup(s.Close)
	return s.URL
}
