package sio_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"sluice/sio"
)

func TestAStreamIsReadWhileItArrives(t *testing.T) {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		var name string
		if err := e.Decode(0, &name); err != nil || name != "film" || e.Attachments() != 2 || !e.IsAttachment(1) {
			t.Errorf("name %q, %v, %d attachments", name, err, e.Attachments())
		}
		var got []int64
		for a := e.Attachment(); a != nil; a = e.Attachment() {
			size := a.Size()
			n, err := io.Copy(io.Discard, a)
			if err != nil || n != size {
				t.Errorf("read %d of %d: %v", n, size, err)
			}
			got = append(got, n)
		}
		e.Ack(got)
	})
	p := join(t, serve(t, srv), "/")
	p.send(`52-1["up","film"` + placeholders(2) + `]`)
	p.sendBinary(strings.Repeat("x", 8<<20), "") // far more than MaxEventBytes
	p.expect(`31[[8388608,0]]`)
}

func TestTheStreamsHandlerRunsBeforeItsAttachments(t *testing.T) {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		a := e.Attachment()
		e.Socket.Emit("ready")
		data, err := io.ReadAll(a)
		e.Ack(string(data), err == nil)
	})
	p := join(t, serve(t, srv), "/")
	p.send(`51-1["up"` + placeholders(1) + `]`)
	p.expect(`2["ready"]`)
	p.sendBinary("late")
	p.expect(`31["late",true]`)
}

func TestStreamsAndEventsKeepTheirOrder(t *testing.T) {
	srv := &sio.Server{}
	var log bytes.Buffer
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		data, _ := io.ReadAll(e.Attachment())
		log.Write(data)
	})
	srv.Of("/").On("say", func(e *sio.Event) {
		log.Write(e.Raw(0))
		e.Ack(log.String())
	})
	p := join(t, serve(t, srv), "/")
	p.send(`51-["up"` + placeholders(1) + `]`)
	p.sendBinary("a")
	p.send(`20["say",1]`, `51-["up"`+placeholders(1)+`]`)
	p.sendBinary("b")
	p.send(`21["say",2]`)
	p.expect(`30["a1"]`, `31["a1b2"]`)
}

func TestWhatAStreamsHandlerLeavesIsSkipped(t *testing.T) {
	srv := &sio.Server{MaxEventBytes: 10_000, Logger: quiet()}
	errs := make(chan error, 1)
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		a := e.Attachment()
		io.CopyN(io.Discard, a, 100)
		e.Ack()
	})
	srv.Of("/").OnInvalid(func(s *sio.Socket, err error) {
		s.Emit("problem")
		errs <- err
	})
	p := join(t, serve(t, srv), "/")
	for range 2 {
		p.send(`52-1["up"` + placeholders(2) + `]`)
		p.sendBinary(strings.Repeat("x", 5_100), strings.Repeat("x", 5_000))
		p.expect(`31[]`)
	}
	p.send(`51-1["up"` + placeholders(1) + `]`)
	go p.sendBinary(strings.Repeat("x", 4<<20))
	p.expect(`31[]`, `2["problem"]`)
	if _, code := p.expectClosed(); code != ws.StatusMessageTooBig {
		t.Errorf("close code %d", code)
	}
	var limit *sio.LimitError
	if err := receive(t, errs); !errors.As(err, &limit) {
		t.Errorf("OnInvalid got %v", err)
	}
}

func TestAStreamThatIsRefusedStillHearsWhy(t *testing.T) {
	srv := &sio.Server{MaxEventBytes: 10_000}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		e.Ack("too much")
		e.Socket.Disconnect(true)
	})
	p := join(t, serve(t, srv), "/")
	p.send(`51-1["up"` + placeholders(1) + `]`)
	go p.sendBinary(strings.Repeat("x", 64<<20))
	p.expect(`31["too much"]`, `1`)
	p.expectClosed()
}

func TestAStreamThatIsCutOffSaysSo(t *testing.T) {
	for name, cut := range map[string]func(p *peer){
		"within": func(p *peer) {
			header := ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1000}
			ws.WriteHeader(p.conn, header)
			p.conn.Write(make([]byte, 100))
			p.conn.Close()
		},
		"before":              func(p *peer) { p.conn.Close() },
		"by a protocol error": func(p *peer) { p.send(`2["x"]`) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := &sio.Server{Logger: quiet()}
			errs := make(chan error, 1)
			srv.Of("/").OnStream("up", func(e *sio.Event) {
				_, err := io.Copy(io.Discard, e.Attachment())
				errs <- err
			})
			p := join(t, serve(t, srv), "/")
			p.send(`51-1["up"` + placeholders(1) + `]`)
			cut(p)
			if err := receive(t, errs); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("Read: %v; want io.ErrUnexpectedEOF", err)
			}
		})
	}
}

func TestAStreamsHandlerMayWaitForTheEndOfItsSocket(t *testing.T) {
	srv := &sio.Server{}
	started, done := make(chan struct{}), make(chan struct{})
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		close(started)
		<-e.Socket.Context().Done()
		close(done)
	})
	p := join(t, serve(t, srv), "/")
	p.send(`51-1["up"` + placeholders(1) + `]`)
	p.sendBinary("x")
	receive(t, started)
	srv.Of("/").Sockets()[0].Disconnect(true)
	receive(t, done)
}

func TestLaterAttachmentsSkipEarlierOnes(t *testing.T) {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		first, second, third := e.Attachment(), e.Attachment(), e.Attachment()
		if e.Attachment() != nil {
			t.Error("a fourth attachment")
		}
		first.Read(make([]byte, 1))
		data, err := io.ReadAll(third)
		if err != nil {
			t.Error(err)
		}
		if _, err := second.Read(make([]byte, 1)); err == nil {
			t.Error("an attachment was read after a later one")
		}
		e.Ack(string(data))
	})
	p := join(t, serve(t, srv), "/")
	p.send(`53-1["up"` + placeholders(3) + `]`)
	p.sendBinary("one", "two", "three")
	p.expect(`31["three"]`)
}

func TestAnAttachmentIsUselessAfterItsHandler(t *testing.T) {
	srv := &sio.Server{}
	kept := make(chan *sio.Attachment, 2)
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		kept <- e.Attachment()
		kept <- e.Attachment()
		e.Ack()
	})
	p := join(t, serve(t, srv), "/")
	p.send(`52-1["up"` + placeholders(2) + `]`)
	p.sendBinary("one", "two")
	p.expect(`31[]`)
	p.send(`1`, `0`)
	p.next()
	for range 2 {
		if n, err := receive(t, kept).Read(make([]byte, 10)); n > 0 || err == nil {
			t.Errorf("Read = %d, %v", n, err)
		}
	}
}

func TestAStreamWithoutAttachmentsIsAnEvent(t *testing.T) {
	srv := &sio.Server{}
	srv.Of("/").OnStream("up", func(e *sio.Event) { e.Ack(e.Attachments(), e.Attachment() == nil) })
	p := join(t, serve(t, srv), "/")
	p.send(`21["up",{"_placeholder":true,"num":0}]`)
	p.expect(`31[0,true]`)
}

func TestAStreamArrivesAsItWasSent(t *testing.T) {
	srv := &sio.Server{}
	want := make([]byte, 3<<20)
	src := rand.NewChaCha8([32]byte{1})
	src.Read(want)
	srv.Of("/").OnStream("up", func(e *sio.Event) {
		got, err := io.ReadAll(e.Attachment())
		e.Ack(bytes.Equal(got, want), err == nil)
	})
	p := join(t, serve(t, srv), "/")
	p.send(`51-1["up"` + placeholders(1) + `]`)
	p.sendBinary(string(want))
	p.expect(`31[true,true]`)
}
