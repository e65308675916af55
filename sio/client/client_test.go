package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// ways are the lists of transports every behaviour is tested with.
var ways = map[string][]string{
	"polling":   {Polling},
	"websocket": {WebSocket},
	"upgrade":   {Polling, WebSocket},
}

func forEachWay(t *testing.T, f func(t *testing.T, transports []string)) {
	for name, transports := range ways {
		t.Run(name, func(t *testing.T) { f(t, transports) })
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func mustDial(t *testing.T, url string, o Options) *Client {
	t.Helper()
	c, err := Dial(testContext(t), url, o)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func mustAck(t *testing.T, c *Client, event string, args ...any) Args {
	t.Helper()
	reply, err := c.EmitWithAck(testContext(t), event, args...)
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return reply
}

// waitFor receives from ch, in time.
func waitFor[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

func randomBytes(n int) []byte {
	p := make([]byte, n)
	src := rand.NewChaCha8([32]byte{1})
	src.Read(p)
	return p
}

func TestArgumentsComeBackAsTheyWereSent(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports})
		bin := randomBytes(100_000)
		reply := mustAck(t, c, "echo", "Жук\x1e", 42, map[string]any{"deep": []any{bin, nil, []byte{}}}, bin[:1])
		var (
			text string
			deep struct{ Deep [3][]byte }
			one  []byte
		)
		for i, v := range []any{&text, new(int), &deep, &one} {
			if err := reply.Decode(i, v); err != nil {
				t.Errorf("decode %d: %v", i, err)
			}
		}
		if text != "Жук\x1e" || !bytes.Equal(deep.Deep[0], bin) || deep.Deep[1] != nil || len(deep.Deep[2]) != 0 || !bytes.Equal(one, bin[:1]) {
			t.Errorf("echo = %q, %d bytes, %q; want what was sent", text, len(deep.Deep[0]), one)
		}
	})
}

func TestDialUpgradesPollingWithoutLossOrDisorder(t *testing.T) {
	server := startNode(t, nil)
	c := mustDial(t, server.url, Options{})
	got := make(chan int, 10_000)
	c.On("back", func(e *Event) {
		var n int
		e.Decode(0, &n)
		got <- n
	})
	sent := 0
	for upgraded := 0; upgraded < 200; sent++ { // go on for a while on the new transport
		if err := c.Emit("back", sent, []byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		mustAck(t, c, "echo", "pace")
		if c.Transport() == WebSocket {
			upgraded++
		}
	}
	for want := range sent {
		if n := waitFor(t, got); n != want {
			t.Fatalf("event %d came in place of %d", n, want)
		}
	}
	var name string
	if mustAck(t, c, "transport").Decode(0, &name); name != WebSocket {
		t.Errorf("transport of the server = %q; want websocket", name)
	}
}

func TestHandshakeCarriesAuthHeaderAndQuery(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c, err := New(server.url, Options{
			Transports: transports,
			Auth:       func() any { return map[string]string{"token": "t"} },
			Header:     http.Header{"X-Test": {"header"}},
			Query:      url.Values{"q": {"a b&c"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		welcome := make(chan string, 1)
		c.On("welcome", func(e *Event) { welcome <- string(e.Raw(0)) })
		if err := c.Connect(testContext(t)); err != nil {
			t.Fatal(err)
		}
		want := `{"auth":{"token":"t"},"header":"header","query":"a b&c"}`
		if got := waitFor(t, welcome); got != want {
			t.Errorf("handshake = %s; want %s", got, want)
		}
	})
}

func TestServerAsksAndClientAcknowledges(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports})
		c.On("question", func(e *Event) {
			var bin []byte
			if err := e.Decode(0, &bin); err != nil || !e.WantsAck() {
				t.Errorf("question: %v, wants ack %v", err, e.WantsAck())
			}
			if err := e.Ack(len(bin), bin); err != nil {
				t.Error(err)
			}
			if err := e.Ack(); err == nil {
				t.Error("second Ack = nil; want an error")
			}
		})
		reply := mustAck(t, c, "ask", []byte("binary"))
		var bin []byte
		if err := reply.Decode(1, &bin); err != nil || string(bin) != "binary" {
			t.Errorf("answer = %q, %v", bin, err)
		}
	})
}

func TestAHandlerMayAwaitAnAcknowledgement(t *testing.T) {
	server := startNode(t, nil)
	c := mustDial(t, server.url, Options{MaxQueuedBytes: 1000})
	done := make(chan error, 1)
	c.On("back", func(e *Event) {
		// What floods in meanwhile is more than the inbox holds; the answer comes behind it.
		c.Emit("flood", 15, 100)
		_, err := c.EmitWithAck(c.Context(), "echo")
		done <- err
	})
	c.Emit("back")
	if err := waitFor(t, done); err != nil {
		t.Error(err)
	}
}

func TestAStreamArrivesWhole(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports})
		for _, size := range []int{0, 1, 2, 3, 3 << 10, 65_535, 5_000_001} {
			content := randomBytes(size)
			s := Stream{R: &dribble{r: bytes.NewReader(content)}, Size: int64(size)}
			var got struct {
				Size   int
				SHA256 string
			}
			if err := mustAck(t, c, "hash", s).Decode(0, &got); err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			if got.Size != size || got.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("stream of %d bytes arrived as %+v", size, got)
			}
		}
	})
}

// dribble reads in pieces of odd sizes.
type dribble struct {
	r io.Reader
	n int
}

func (d *dribble) Read(p []byte) (int, error) {
	d.n = d.n*7%100_003 + 1
	return d.r.Read(p[:min(len(p), d.n)])
}

func TestAStreamThatEndsEarlyFailsWithItsError(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports, NoReconnect: true})
		_, err := c.EmitWithAck(testContext(t), "hash", Stream{R: strings.NewReader("short"), Size: 1 << 20})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("short stream: %v; want ErrUnexpectedEOF", err)
		}
	})
}

func TestAStreamIsNotReadAfterItsCallReturned(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports, NoReconnect: true})
		ctx, cancel := context.WithCancel(testContext(t))
		r := &cancelling{cancel: cancel}
		_, err := c.EmitWithAck(ctx, "hash", Stream{R: r, Size: 1 << 29})
		r.returned = true // a race, were it still read
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled stream: %v; want Canceled", err)
		}
	})
}

// cancelling is without end, and cancels on the way.
type cancelling struct {
	cancel   func()
	n        int
	returned bool
}

func (c *cancelling) Read(p []byte) (int, error) {
	if c.n += len(p); c.n > 1<<20 {
		c.cancel()
	}
	if c.returned {
		panic("read after return")
	}
	return len(p), nil
}

func TestEmitRefusesWhatNobodyWaitsFor(t *testing.T) {
	server := startNode(t, nil)
	c := mustDial(t, server.url, Options{})
	if err := c.Emit("x", Stream{R: strings.NewReader("x"), Size: 1}); err == nil {
		t.Error("Emit of a Stream = nil; want an error")
	}
	if err := c.Emit("connect"); err == nil {
		t.Error("Emit of a reserved name = nil; want an error")
	}
}

func TestNamespaceRefusalIsAConnectError(t *testing.T) {
	server := startNode(t, nil)
	_, err := Dial(testContext(t), server.url, Options{Namespace: "/secret"})
	var refused *ConnectError
	if !errors.As(err, &refused) || refused.Message != "wrong token" || string(refused.Data) != `{"hint":"right"}` {
		t.Errorf("dial = %v; want the middleware's refusal", err)
	}
	c := mustDial(t, server.url, Options{Namespace: "/secret", Auth: map[string]string{"token": "right"}})
	mustAck(t, c, "echo", []byte("x"))
	if _, err := Dial(testContext(t), server.url, Options{Namespace: "/nowhere"}); !errors.As(err, &refused) {
		t.Errorf("dial of an unknown namespace = %v; want ConnectError", err)
	}
}

func TestDialFailsAtOnceWhereNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	forEachWay(t, func(t *testing.T, transports []string) {
		if _, err := Dial(testContext(t), "http://"+l.Addr().String(), Options{Transports: transports}); err == nil {
			t.Error("dial = nil; want an error")
		}
	})
}

func TestTheNextTransportIsTriedWhenOneIsRefused(t *testing.T) {
	server := startNode(t, map[string]any{"transports": []string{"polling"}})
	_, err := Dial(testContext(t), server.url, Options{Transports: []string{WebSocket}})
	var refused *HandshakeError
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Message != "Transport unknown" {
		t.Errorf("dial = %v; want 400 Transport unknown", err)
	}
	c := mustDial(t, server.url, Options{Transports: []string{WebSocket, Polling}})
	mustAck(t, c, "echo", 1)
	if c.Transport() != Polling {
		t.Errorf("transport = %q; want polling", c.Transport())
	}
}

func TestCloseSendsWhatWasEmittedAndSaysFarewell(t *testing.T) {
	forEachWay(t, func(t *testing.T, transports []string) {
		server := startNode(t, nil)
		c := mustDial(t, server.url, Options{Transports: transports})
		for i := range 50 {
			c.Emit("back", i, randomBytes(10_000))
		}
		c.Close()
		if line := server.Line(); line != "left client namespace disconnect" {
			t.Errorf("server saw %q; want a client namespace disconnect", line)
		}
		if err := c.Emit("x"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Emit after Close = %v; want net.ErrClosed", err)
		}
	})
}

func TestALostConnectionIsMadeAnew(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		for _, how := range []string{"drop me", "cut me"} {
			c, err := New(server.url, Options{Transports: transports, Backoff: Backoff{Min: time.Millisecond}})
			if err != nil {
				t.Fatal(err)
			}
			history := make(chan string, 10)
			c.OnConnect(func() { history <- "connect" })
			c.OnDisconnect(func(err error) { history <- err.Error() })
			if err := c.Connect(testContext(t)); err != nil {
				t.Fatal(err)
			}
			waitFor(t, history)
			first := c.ID()
			pending, err := c.Start(testContext(t), "never")
			if err != nil {
				t.Fatal(err)
			}
			if how == "cut me" {
				mustAck(t, c, "echo")
			}
			c.Emit(how)
			var lost *DisconnectError
			if _, err := pending.Wait(testContext(t)); !errors.As(err, &lost) {
				t.Errorf("%s: pending = %v; want DisconnectError", how, err)
			}
			if err := c.WaitConnected(testContext(t)); err != nil {
				t.Fatal(err)
			}
			mustAck(t, c, "echo")
			if c.ID() == first || c.ID() == "" {
				t.Errorf("%s: id %q after %q; want another", how, c.ID(), first)
			}
			if got := waitFor(t, history) + ", " + waitFor(t, history); !strings.HasSuffix(got, ", connect") {
				t.Errorf("%s: history = %s", how, got)
			}
			c.Close()
		}
	})
}

func TestADisconnectByTheServerIsFinal(t *testing.T) {
	server := startNode(t, nil)
	c := mustDial(t, server.url, Options{})
	c.Emit("refuse me")
	waitFor(t, c.Context().Done())
	var lost *DisconnectError
	if err := context.Cause(c.Context()); !errors.As(err, &lost) || lost.Reason != ServerDisconnect {
		t.Errorf("cause = %v; want io server disconnect", err)
	}
	if err := c.WaitConnected(testContext(t)); !errors.As(err, &lost) {
		t.Errorf("WaitConnected = %v; want DisconnectError", err)
	}
}

func TestPingsAreAnswered(t *testing.T) {
	server := startNode(t, map[string]any{"pingInterval": 50, "pingTimeout": 500})
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports})
		id := c.ID()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for range 8 { // longer than an unanswered ping is waited for
			<-tick.C
			mustAck(t, c, "echo")
		}
		if c.ID() != id {
			t.Error("the connection was lost")
		}
	})
}

func TestTooLargeAnEventEndsTheConnection(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		for _, event := range []any{strings.Repeat("x", 2000), []any{randomBytes(600), randomBytes(600)}} {
			c := mustDial(t, server.url, Options{Transports: transports, MaxEventBytes: 1000, NoReconnect: true})
			c.Emit("back", event)
			waitFor(t, c.Context().Done())
			var large *TooLargeError
			if err := context.Cause(c.Context()); !errors.As(err, &large) || large.Limit != 1000 {
				t.Errorf("cause = %v; want TooLargeError", err)
			}
		}
	})
}

func TestTooManyAttachmentsEndTheConnection(t *testing.T) {
	server := startNode(t, nil)
	c := mustDial(t, server.url, Options{NoReconnect: true, MaxAttachments: 2})
	c.Emit("back", []byte{1}, []byte{2}, []byte{3})
	waitFor(t, c.Context().Done())
	var protocol *ProtocolError
	if err := context.Cause(c.Context()); !errors.As(err, &protocol) {
		t.Errorf("cause = %v; want ProtocolError", err)
	}
}

func TestEmitFailsWhenTheQueueIsFull(t *testing.T) {
	q := newQueue(100)
	push := func(n int) error { return q.push(&outgoing{text: make([]byte, n), size: n, done: make(chan struct{})}) }
	if err := push(500); err != nil {
		t.Errorf("push on an empty queue = %v; want nil", err)
	}
	if err := push(1); err != ErrQueueFull {
		t.Errorf("push = %v; want ErrQueueFull", err)
	}
	waited := make(chan error)
	go func() {
		waited <- q.pushWait(t.Context(), &outgoing{size: 1, done: make(chan struct{})})
	}()
	q.take(true, 1000)
	if err := <-waited; err != nil {
		t.Errorf("pushWait = %v; want nil", err)
	}
	q.close(ErrNotConnected)
	if err := push(1); err != ErrNotConnected {
		t.Errorf("push after close = %v", err)
	}
}

func TestEventsWaitForTheHandler(t *testing.T) {
	server := startNode(t, nil)
	forEachWay(t, func(t *testing.T, transports []string) {
		c := mustDial(t, server.url, Options{Transports: transports, MaxQueuedBytes: 100_000})
		const count, size = 200, 50_000
		release, got := make(chan struct{}), make(chan string, count)
		c.On("drop", func(e *Event) {
			<-release
			var (
				i   int
				bin []byte
			)
			e.Decode(0, &i)
			e.Decode(1, &bin)
			got <- fmt.Sprint(i, len(bin), bin[0])
		})
		c.Emit("flood", count, size)
		close(release)
		for i := range count {
			if s, want := waitFor(t, got), fmt.Sprint(i, size, byte(i)); s != want {
				t.Fatalf("event = %s; want %s", s, want)
			}
		}
	})
}
