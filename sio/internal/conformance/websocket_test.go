package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"sluice/internal/lab"
)

func TestEchoSendsEveryMessageBack(t *testing.T) {
	c := start(t, rawEcho).dial(t, "x&transport=websocket")
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		text := strings.Repeat("ä", size/2)
		c.send(text)
		c.want(text)
		c.sendBinary(text)
		c.wantBinary(text)
	}
}

func TestEchoAnswersPingsAndCloses(t *testing.T) {
	c := start(t, rawEcho).dial(t, "x&transport=websocket")
	c.write(ws.NewFrame(ws.OpText, false, []byte("frag")))
	c.write(ws.NewPingFrame([]byte("are you there")))
	if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "are you there" {
		t.Fatalf("got %v %q, %v; want the pong", f.Header.OpCode, f.Payload, err)
	}
	c.write(ws.NewFrame(ws.OpContinuation, true, []byte("ments")))
	c.want("fragments")
	c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "bye")))
	if err := c.wantClosed(); err != (closed{ws.StatusNormalClosure, "bye"}) {
		t.Errorf("got %v; want the close frame back", err)
	}
}

// Closing with bytes unread would be a reset, which takes the close frame back.
func TestEchoAnswersACloseWhateverStandsBehindIt(t *testing.T) {
	c := start(t, rawEcho).dial(t, "x&transport=websocket")
	var b bytes.Buffer
	ws.WriteFrame(&b, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
	ws.WriteFrame(&b, ws.MaskFrame(ws.NewBinaryFrame(make([]byte, 1<<20))))
	go c.conn.Write(b.Bytes())
	if err := c.wantClosed(); err != (closed{ws.StatusNormalClosure, ""}) {
		t.Fatalf("got %v; want the close frame back", err)
	}
	if f, err := c.frame(); err != io.EOF {
		t.Errorf("then came %v %q, %v; want io.EOF", f.Header.OpCode, f.Payload, err)
	}
}

// Suites send 4 MiB in fragments of 64 bytes.
func TestEchoTakesAnyNumberOfFragments(t *testing.T) {
	c := start(t, rawEcho).dial(t, "x&transport=websocket")
	const fragments, size = 20_000, 64
	piece := bytes.Repeat([]byte("x"), size)
	for _, op := range []ws.OpCode{ws.OpText, ws.OpBinary} {
		var b bytes.Buffer
		for i := range fragments {
			kind := op
			if i > 0 {
				kind = ws.OpContinuation
			}
			ws.WriteFrame(&b, ws.MaskFrame(ws.NewFrame(kind, i == fragments-1, piece)))
		}
		go c.conn.Write(b.Bytes())
		f, err := c.frame()
		if err != nil || len(f.Payload) != fragments*size {
			t.Fatalf("%v: %d bytes, %v; want %d", op, len(f.Payload), err, fragments*size)
		}
	}
}

func TestEchoSaysWhatIsWrong(t *testing.T) {
	s := start(t, rawEcho)
	for name, c := range map[string]struct {
		frame ws.Frame
		want  ws.StatusCode
	}{
		"reserved bits":    {ws.Frame{Header: ws.Header{Fin: true, Rsv: ws.Rsv(true, true, true), OpCode: ws.OpText, Length: 1}, Payload: []byte("x")}, ws.StatusProtocolError},
		"reserved opcode":  {ws.Frame{Header: ws.Header{Fin: true, OpCode: 5, Length: 1}, Payload: []byte("x")}, ws.StatusProtocolError},
		"no UTF-8":         {ws.NewTextFrame([]byte("\xff")), ws.StatusInvalidFramePayloadData},
		"too large":        {ws.NewBinaryFrame(make([]byte, echoLimit+1)), ws.StatusMessageTooBig},
		"half a status":    {ws.NewFrame(ws.OpClose, true, []byte{3}), ws.StatusProtocolError},
		"a status of none": {ws.NewCloseFrame(ws.NewCloseFrameBody(1005, "")), ws.StatusProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.dial(t, "x&transport=websocket")
			go w.write(c.frame)
			if err := w.wantClosed(); err != (closed{c.want, ""}) {
				t.Errorf("got %v; want %d", err, c.want)
			}
		})
	}
}

func TestEchoCompressesForWhoAskedForIt(t *testing.T) {
	lab.Node(t, "deflate.mjs", "URL="+start(t, rawEcho).url("x&transport=websocket"))
}
