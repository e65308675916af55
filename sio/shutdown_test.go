package sio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"sluice/sio"
	"sluice/sio/siotest"
)

func TestShutdownSendsWhatWasEmittedAndSaysWhy(t *testing.T) {
	io := &sio.Server{}
	reasons := make(chan string, 2)
	io.Of("/").OnDisconnect(func(s *sio.Socket, reason string) { reasons <- reason })
	stalled(t, io, func(t *testing.T, p *peer, s *sio.Socket) {
		for i := range 100 {
			s.Emit("n", i)
		}
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			err = io.Shutdown(t.Context())
		}()
		synctest.Wait() // it waits for the client
		if err := s.Emit("late"); err == nil {
			t.Error("something was emitted after Shutdown")
		}
		p.expect(`2["held"]`)
		for i := range 100 {
			p.expect(fmt.Sprintf(`2["n",%d]`, i))
		}
		if before, code := p.expectClosed(); len(before) > 0 || code != ws.StatusGoingAway {
			t.Errorf("at the end: %q, close code %d; want nothing and 1001", before, code)
		}
		p.conn.Close()
		<-done
		if got := <-reasons; err != nil || got != "server shutting down" {
			t.Errorf("Shutdown = %v, reason %q", err, got)
		}
	})
}

func TestShutdownDoesNotWaitForAClientForLong(t *testing.T) {
	io := &sio.Server{}
	stalled(t, io, func(t *testing.T, p *peer, s *sio.Socket) {
		s.Emit("never read")
		start := time.Now()
		s.Namespace().OnDisconnect(func(s *sio.Socket, reason string) {
			if took := time.Since(start); reason != "server shutting down" || took < 5*time.Second || took > 10*time.Second {
				t.Errorf("%q after %v; want server shutting down after some 5s", reason, took)
			}
		})
		if err := io.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if got := io.Stats().Disconnects["server shutting down"]; got != 1 {
			t.Errorf("%d sockets ended so; want 1", got)
		}
	})
}

func TestShutdownLetsNobodyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := &sio.Server{}
		srv := siotest.NewServer(io)
		defer srv.Close()
		p := dialMemory(t, srv)
		defer p.conn.Close()
		p.send(`0`)
		p.next()
		io.Of("/").Emit("held") // and not read for now: Shutdown goes on
		go io.Shutdown(t.Context())
		synctest.Wait()
		c := srv.Client()
		defer c.CloseIdleConnections()
		resp, err := c.Get(srv.URL + "/socket.io/?EIO=4&transport=polling")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d; want 503", resp.StatusCode)
		}
		p.expect(`2["held"]`)
		p.expectClosed()
	})
}

func TestShutdownWaitsForHandlersAsLongAsItsContext(t *testing.T) {
	io := &sio.Server{}
	started, release := make(chan struct{}), make(chan struct{})
	ended := false
	io.Of("/").On("work", func(e *sio.Event) {
		close(started)
		<-e.Socket.Context().Done()
		<-release
		ended = true
	})
	p := join(t, serve(t, io), "/")
	p.send(`2["work"]`)
	receive(t, started)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := io.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v; want context.DeadlineExceeded", err)
	}
	close(release)
	if err := io.Shutdown(t.Context()); err != nil || !ended {
		t.Errorf("Shutdown = %v, the handler has returned: %v", err, ended)
	}
}

func TestShutdownDoesNotWaitForAClientThatMayNotPollAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := siotest.NewServer(&sio.Server{})
		c := srv.Client()
		defer c.CloseIdleConnections()
		resp, err := c.Get(srv.URL + "/socket.io/?EIO=4&transport=polling")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		start := time.Now()
		srv.Close()
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v; want 1s", took)
		}
	})
}

// body returns what c gets from url.
func body(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// endless is a Source that always has more.
type endless struct{}

func (endless) Next(bool) (*sio.Prepared, bool) { return sio.Prepare("more"), true }

func TestShutdownDoesNotWaitForAClientThatMayNotPullAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &sio.Server{}
		server.Of("/").OnConnect(func(s *sio.Socket) {
			s.SetSource(endless{})
			s.Wake()
		})
		srv := siotest.NewServer(server)
		c := srv.Client()
		defer c.CloseIdleConnections()
		url := srv.URL + "/socket.io/?EIO=4&transport=polling"
		open := body(t, c, url)
		sid, _, _ := strings.Cut(strings.TrimPrefix(open, `0{"sid":"`), `"`)
		resp, err := c.Post(url+"&sid="+sid, "text/plain", strings.NewReader("40"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := body(t, c, url+"&sid="+sid); !strings.HasPrefix(got, "40{") {
			t.Fatalf("joining: %.40s", got)
		}
		synctest.Wait()
		start := time.Now()
		srv.Close()
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v; want 1s", took)
		}
	})
}

func TestPollingClientsGetWhatIsLeftAtShutdown(t *testing.T) {
	io := &sio.Server{}
	url := serve(t, io) + "/socket.io/?EIO=4&transport=polling"
	_, open := get(t, url)
	sid, _, _ := strings.Cut(strings.TrimPrefix(open, `0{"sid":"`), `"`)
	resp, err := http.Post(url+"&sid="+sid, "text/plain", strings.NewReader("40"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, joined := get(t, url+"&sid="+sid); !strings.HasPrefix(joined, "40{") {
		t.Fatalf("joining: %s", joined)
	}
	io.Of("/").Emit("last")
	done := make(chan error, 1)
	go func() { done <- io.Shutdown(context.Background()) }()
	if _, last := get(t, url+"&sid="+sid); !strings.HasPrefix(last, `42["last"]`) {
		t.Errorf("got %s", last)
	}
	if err := receive(t, done); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
