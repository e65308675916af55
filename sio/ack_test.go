package sio_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"sluice/sio"
)

func TestTheServerAsksForAcks(t *testing.T) {
	io := &sio.Server{}
	answers := make(chan string, 1)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		ctx, cancel := context.WithTimeout(s.Context(), patience)
		defer cancel()
		reply, err := s.EmitWithAck(ctx, "question", []byte("q"))
		if err != nil {
			t.Error(err)
			return
		}
		var text string
		var data []byte
		if err := errors.Join(reply.Decode(0, &text), reply.Decode(1, &data)); err != nil {
			t.Error(err)
		}
		answers <- text + string(data)
	})
	p := join(t, serve(t, io), "/")
	p.expect(`51-0["question",{"_placeholder":true,"num":0}]`, `b:q`)
	p.send(`61-0["yes",{"_placeholder":true,"num":0}]`)
	p.sendBinary("!")
	if got := receive(t, answers); got != "yes!" {
		t.Errorf("answer %q", got)
	}
}

func TestWaitingForAnAckEndsWithItsContextAndTheSocket(t *testing.T) {
	io := &sio.Server{}
	errs := make(chan error, 2)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		_, err := s.EmitWithAck(ctx, "one")
		errs <- err
		_, err = s.EmitWithAck(context.Background(), "two")
		errs <- err
	})
	p := join(t, serve(t, io), "/")
	if err := receive(t, errs); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v; want context.Canceled", err)
	}
	p.send(`30["late"]`)
	p.conn.Close()
	if err := receive(t, errs); !errors.Is(err, net.ErrClosed) {
		t.Errorf("err = %v; want net.ErrClosed", err)
	}
}

func TestAnAckDoesNotWaitBehindTheHandlerThatAwaitsIt(t *testing.T) {
	io := &sio.Server{MaxPendingBytes: 4 << 10, MaxEventBytes: 4 << 10}
	done := make(chan string, 1)
	io.Of("/").On("ask", func(e *sio.Event) {
		ctx, cancel := context.WithTimeout(e.Socket.Context(), patience)
		defer cancel()
		reply, err := e.Socket.EmitWithAck(ctx, "question")
		if err != nil {
			t.Error(err)
		}
		done <- string(reply.Raw(0))
	})
	io.Of("/").On("filler", func(e *sio.Event) {})
	p := join(t, serve(t, io), "/")
	p.send(`2["ask"]`)
	for range 10 { // more than MaxPendingBytes, all before the ack
		p.send(`2["filler","` + strings.Repeat("x", 700) + `"]`)
	}
	p.expect(`20["question"]`)
	p.send(`30["answer"]`)
	if got := receive(t, done); got != `"answer"` {
		t.Errorf("reply %s", got)
	}
}

func TestAFloodBeforeAnAckOfManyIsHeldUp(t *testing.T) {
	io := &sio.Server{MaxPendingBytes: 4 << 10, MaxEventBytes: 4 << 10}
	release := make(chan struct{})
	io.Of("/").On("wait", func(e *sio.Event) { <-release })
	io.Of("/").On("filler", func(e *sio.Event) {})
	io.Of("/").On("last", func(e *sio.Event) { e.Ack() })
	p := join(t, serve(t, io), "/")
	acks := make(chan int)
	go func() {
		got, err := io.Of("/").EmitWithAck(t.Context(), "question")
		if err != nil {
			t.Error(err)
		}
		acks <- len(got)
	}()
	p.expect(`20["question"]`)
	p.send(`2["wait"]`)
	for range 40 { // as much as would end the connection of one who was asked alone
		p.send(`2["filler","` + strings.Repeat("x", 700) + `"]`)
	}
	p.send(`30[]`)
	p.send(`21["last"]`)
	close(release)
	p.expect(`31[]`)
	if got := receive(t, acks); got != 1 {
		t.Errorf("%d acks; want 1", got)
	}
}

func TestAFloodBeforeAnAwaitedAckEndsTheConnection(t *testing.T) {
	io := &sio.Server{MaxPendingBytes: 4 << 10, MaxEventBytes: 4 << 10, Logger: quiet()}
	io.Of("/").On("ask", func(e *sio.Event) { e.Socket.EmitWithAck(e.Socket.Context(), "question") })
	io.Of("/").On("filler", func(e *sio.Event) {})
	p := join(t, serve(t, io), "/")
	p.send(`2["ask"]`)
	p.expect(`20["question"]`)
	for range 40 {
		p.send(`2["filler","` + strings.Repeat("x", 700) + `"]`)
	}
	if _, code := p.expectClosed(); code != 1009 {
		t.Errorf("close code %d; want 1009", code)
	}
}

func TestAnAckBeforeTheEndCounts(t *testing.T) {
	io := &sio.Server{}
	errs := make(chan error, 1)
	io.Of("/").OnConnect(func(s *sio.Socket) {
		_, err := s.EmitWithAck(context.Background(), "question")
		errs <- err
	})
	url := serve(t, io)
	for range 50 { // which of the two was seen first was a matter of chance
		p := join(t, url, "/")
		id := strings.TrimSuffix(p.next()[1:], `["question"]`)
		p.send("3"+id+`["yes"]`, `1`)
		if err := receive(t, errs); err != nil {
			t.Fatalf("EmitWithAck: %v", err)
		}
		p.conn.Close()
	}
}
