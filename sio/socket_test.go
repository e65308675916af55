package sio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/sio"
)

func TestAClientJoinsWhatExists(t *testing.T) {
	io := &sio.Server{}
	io.Of("/chat")
	url := serve(t, io)
	p := dial(t, url)
	p.send(`0/nowhere,`)
	p.expect(`4/nowhere,{"message":"Invalid namespace"}`)
	p.send(`0/chat,{"token":"x"}`, `0`)
	if got := []string{p.next(), p.next()}; !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, `0/chat,{"sid":"`) }) {
		t.Errorf("joined %q", got)
	}
}

func TestMiddlewareRefusesInOrder(t *testing.T) {
	io := &sio.Server{Logger: quiet()}
	asked := make(chan int, 10)
	io.Of("/").Use(func(s *sio.Socket) error { asked <- 1; return nil })
	io.Of("/").Use(func(s *sio.Socket) error {
		asked <- 2
		return &sio.Error{Message: "no", Data: map[string]int{"code": 7}}
	})
	io.Of("/").Use(func(s *sio.Socket) error { asked <- 3; return nil })
	io.Of("/").OnConnect(func(s *sio.Socket) { t.Error("connected") })
	io.Of("/broken").Use(func(s *sio.Socket) error { return errors.New("secret") })
	p := dial(t, serve(t, io))
	p.send(`0`)
	p.expect(`4{"data":{"code":7},"message":"no"}`)
	p.send(`0/broken,`)
	p.expect(`4/broken,{"message":"internal"}`)
	if len(asked) != 2 || <-asked != 1 || <-asked != 2 {
		t.Error("the middleware was not asked in order, up to the one that refused")
	}
	if got := io.Stats(); got.Refused != 2 || got.Sockets != 0 {
		t.Errorf("Stats = %+v", got)
	}
}

func TestARefusedClientMayTryAgain(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").Use(func(s *sio.Socket) error {
		var auth struct{ Token string }
		if err := s.Handshake().Decode(&auth); err != nil || auth.Token != "right" {
			return &sio.Error{Message: "no"}
		}
		return nil
	})
	p := dial(t, serve(t, io))
	p.send(`0`)
	p.expect(`4{"message":"no"}`)
	p.send(`0{"token":"right"}`)
	if got := p.next(); !strings.HasPrefix(got, `0{"sid"`) {
		t.Errorf("got %s", got)
	}
}

func TestEventsAreHandledInOrderAndAcknowledged(t *testing.T) {
	io := &sio.Server{}
	var order []int
	io.Of("/").On("n", func(e *sio.Event) {
		var n int
		if err := e.Decode(0, &n); err != nil {
			t.Error(err)
		}
		order = append(order, n)
		if e.WantsAck() {
			if err := e.Ack(slices.IsSorted(order), len(order)); err != nil {
				t.Error(err)
			}
			if err := e.Ack("again"); !errors.Is(err, sio.ErrNoAck) {
				t.Errorf("second Ack: %v", err)
			}
		}
	})
	p := join(t, serve(t, io), "/")
	for i := range 100 {
		p.send(fmt.Sprintf(`2["n",%d]`, i))
	}
	p.send(`27["n",100]`)
	p.expect(`37[true,101]`)
}

func TestUnknownEventsGoToTheirHandler(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").OnUnknown(func(e *sio.Event) { e.Ack("no " + e.Name) })
	p := join(t, serve(t, io), "/")
	p.send(`21["what"]`)
	p.expect(`31["no what"]`)
}

func TestIgnoredEventsAndTheirAttachmentsAreSkipped(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").On("known", func(e *sio.Event) { e.Ack() })
	p := join(t, serve(t, io), "/")
	p.send(`52-["what",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	p.sendBinary("one", "two")
	p.send(`21["known"]`)
	p.expect(`31[]`)
}

func TestBinaryTravelsBothWays(t *testing.T) {
	io := &sio.Server{}
	io.Of("/").On("upload", func(e *sio.Event) {
		var meta struct {
			Name string
			Data []byte
		}
		var second []byte
		if e.Attachments() != 2 || e.IsAttachment(0) || !e.IsAttachment(1) {
			t.Errorf("%d attachments, argument 1 %v", e.Attachments(), e.IsAttachment(1))
		}
		if err := errors.Join(e.Decode(0, &meta), e.Decode(1, &second)); err != nil {
			t.Error(err)
		}
		e.Ack(map[string]any{"name": meta.Name, "both": append(meta.Data, second...)})
	})
	p := join(t, serve(t, io), "/")
	p.send(`52-5["upload",{"name":"x","data":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`)
	p.sendBinary("abc", "def")
	p.expect(`61-5[{"both":{"_placeholder":true,"num":0},"name":"x"}]`, `b:abcdef`)
}

func TestWhatNobodyHandlesHoldsUpTheClient(t *testing.T) {
	io := &sio.Server{MaxPendingBytes: 64 << 10, MaxEventBytes: 16 << 10}
	release := make(chan struct{})
	handled := make(chan int, 1000)
	io.Of("/").On("event", func(e *sio.Event) {
		<-release
		handled <- len(e.Raw(0))
	})
	p := join(t, serve(t, io), "/")
	event := `2["event","` + strings.Repeat("x", 10<<10) + `"]`
	const events = 2000 // 20 MB: more than the kernel keeps for a connection
	sent := make(chan int, events)
	go func() {
		for i := range events {
			p.send(event)
			sent <- i
		}
		close(sent)
	}()
	stuck := 0
	for idle := false; !idle; {
		select {
		case <-sent:
			stuck++
		case <-time.After(300 * time.Millisecond):
			idle = true
		}
	}
	if stuck == events {
		t.Error("the client was never held up")
	}
	close(release)
	for range events {
		receive(t, handled)
	}
}

func TestJoiningAndLeavingIsBoundedByWhatIsHandled(t *testing.T) {
	io := &sio.Server{}
	release := make(chan struct{})
	var running atomic.Int64
	io.Of("/").OnConnect(func(s *sio.Socket) {
		running.Add(1)
		<-release
	})
	p := dial(t, serve(t, io))
	defer close(release)
	p.patience = 2 * time.Second
	for range 1000 {
		p.send(`0`)
		if _, err := p.tryRead(); err != nil {
			break // the server reads no more
		}
		p.send(`1`)
	}
	if n := running.Load(); n < 100 || n > 300 {
		t.Errorf("%d handlers run; want about 256", n)
	}
}

func TestAClientMustReadWhyItMayNotJoin(t *testing.T) {
	io := &sio.Server{Logger: quiet(), MaxQueuedBytes: 4 << 10}
	p := join(t, serve(t, io), "/")
	name := strings.Repeat("x", 100<<10)
	for range 400 { // more than the kernel keeps
		p.send(`0/` + name + `,`)
	}
	if _, code := p.expectClosed(); code != 1009 && code != 0 {
		t.Errorf("close code %d", code)
	}
	if n := io.Stats().Invalid; n != 1 {
		t.Errorf("%d connections were invalid; want 1", n)
	}
}

func TestEmitReturnsWhenTheQueueIsFull(t *testing.T) {
	io := &sio.Server{MaxQueuedBytes: 1 << 20}
	sockets := make(chan *sio.Socket, 1)
	io.Of("/").OnConnect(func(s *sio.Socket) { sockets <- s })
	p := join(t, serve(t, io), "/")
	s := receive(t, sockets)
	data := bytes.Repeat([]byte("x"), 100<<10)
	sent := 0
	for sent < 1000 && s.Emit("data", data) == nil {
		sent++
	}
	if err := s.Emit("data", data); !errors.Is(err, sio.ErrQueueFull) || sent == 1000 {
		t.Fatalf("Emit after %d: %v; want ErrQueueFull", sent, err)
	}
	if io.Stats().Dropped == 0 {
		t.Error("nothing was counted as dropped")
	}
	for range sent {
		p.expect(`51-["data",{"_placeholder":true,"num":0}]`)
		if got := p.next(); len(got) != 2+len(data) {
			t.Fatalf("attachment of %d bytes", len(got))
		}
	}
}

func TestAClientThatAsksFasterThanItReadsGetsAllItsAnswers(t *testing.T) {
	io := &sio.Server{MaxQueuedBytes: 256 << 10, MaxEventBytes: 1 << 20}
	answer := strings.Repeat("x", 100<<10)
	io.Of("/").On("ask", func(e *sio.Event) {
		if err := e.Ack(answer); err != nil {
			t.Error(err)
		}
	})
	p := join(t, serve(t, io), "/")
	const questions = 300 // the answers are far more than queues and kernel hold
	for i := range questions {
		p.send(fmt.Sprintf(`2%d["ask"]`, i))
	}
	for i := range questions {
		if got := p.next(); !strings.HasPrefix(got, fmt.Sprintf(`3%d["xxx`, i)) || len(got) < len(answer) {
			t.Fatalf("answer %d is %.20s, %d bytes", i, got, len(got))
		}
	}
}

func TestAPanicEndsOnlyItsConnection(t *testing.T) {
	for _, event := range []string{"panic", "goexit"} {
		t.Run(event, func(t *testing.T) {
			io := &sio.Server{Logger: quiet()}
			reasons := make(chan string, 1)
			io.Of("/").OnConnect(func(s *sio.Socket) {
				if event == s.Handshake().Query().Get("never") {
					return
				}
				s.OnDisconnect(func(reason string) { reasons <- reason })
			})
			io.Of("/").On("panic", func(e *sio.Event) { panic("oops") })
			io.Of("/").On("goexit", func(e *sio.Event) { goexit() })
			io.Of("/").On("ping", func(e *sio.Event) { e.Ack() })
			url := serve(t, io)
			bystander, p := join(t, url, "/"), join(t, url, "/")
			p.send(`2["` + event + `"]`)
			p.expectClosed()
			if got := receive(t, reasons); got != "forced close" {
				t.Errorf("reason %q", got)
			}
			bystander.send(`21["ping"]`)
			bystander.expect(`31[]`)
			if got := io.Stats().Panics; got != 1 {
				t.Errorf("Panics = %d", got)
			}
		})
	}
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	io := &sio.Server{}
	started, release := make(chan struct{}), make(chan struct{})
	io.Of("/").On("slow", func(e *sio.Event) {
		close(started)
		<-release
	})
	p := join(t, serve(t, io), "/")
	p.send(`2["slow"]`)
	receive(t, started)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := io.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v; want DeadlineExceeded", err)
	}
	close(release)
	if err := io.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}

func TestAllowRequestRefusesConnections(t *testing.T) {
	io := &sio.Server{AllowRequest: deny}
	url := serve(t, io)
	status, body := get(t, url+"/socket.io/?EIO=4&transport=polling&deny=1")
	if status != 403 || strings.TrimSpace(body) != `{"code":4,"message":"not you"}` {
		t.Errorf("got %d %s", status, body)
	}
	join(t, url, "/")
}

func TestHandlersAreSetOnceAndNeverForReservedNames(t *testing.T) {
	ns := new(sio.Server).Of("chat")
	if ns.Name() != "/chat" {
		t.Errorf("Name = %q", ns.Name())
	}
	ns.On("x", func(*sio.Event) {})
	for name, f := range map[string]func(){
		"twice":     func() { ns.OnStream("x", func(*sio.Event) {}) },
		"reserved":  func() { ns.On("disconnect", func(*sio.Event) {}) },
		"namespace": func() { new(sio.Server).Of("/a,b") },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}
