package engine

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// raw is a frame as bytes, masked with a fixed key.
func raw(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{7, 11, 13, 17}
	b = append(b, mask[:]...)
	masked := []byte(payload)
	ws.Cipher(masked, mask, 0)
	return append(b, masked...)
}

const (
	fin     = 0x80
	opText  = 0x1
	opBin   = 0x2
	opCont  = 0x0
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

// TestFramesByTheBook goes through RFC 6455, section 5, and what section 7 and 8 say of closing and of UTF-8.
func TestFramesByTheBook(t *testing.T) {
	const ok = ws.StatusCode(1)
	for _, tt := range []struct {
		name  string
		bytes []byte
		want  ws.StatusCode // of the close frame; ok: an echo of "4hello"
	}{
		{"5.6 text", raw(fin|opText, "4hello"), ok},
		{"5.4 text in fragments", join(raw(opText, "4h"), raw(opCont, "el"), raw(fin|opCont, "lo")), ok},
		{"5.4 empty fragments", join(raw(opText, ""), raw(opCont, "4hello"), raw(opCont, ""), raw(fin|opCont, "")), ok},
		{"5.4 control frames between fragments", join(raw(opText, "4he"), raw(fin|opPing, "x"), raw(fin|opPong, ""), raw(fin|opCont, "llo")), ok},
		{"5.4 a new message within one", join(raw(opText, "4h"), raw(fin|opText, "4x")), ws.StatusProtocolError},
		{"5.4 a continuation of nothing", raw(fin|opCont, "4h"), ws.StatusProtocolError},
		{"5.2 RSV1", raw(fin|0x40|opText, "4hello"), ws.StatusProtocolError},
		{"5.2 RSV2", raw(fin|0x20|opText, "4hello"), ws.StatusProtocolError},
		{"5.2 RSV3", raw(fin|0x10|opText, "4hello"), ws.StatusProtocolError},
		{"5.2 reserved opcode 3", raw(fin|0x3, "4hello"), ws.StatusProtocolError},
		{"5.2 reserved opcode 7", raw(fin|0x7, ""), ws.StatusProtocolError},
		{"5.2 reserved opcode 11", raw(fin|0xb, ""), ws.StatusProtocolError},
		{"5.2 reserved opcode 15", raw(fin|0xf, ""), ws.StatusProtocolError},
		{"5.2 length with the top bit set", []byte{fin | opBin, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, ws.StatusProtocolError},
		{"5.1 not masked", []byte{fin | opText, 6, '4', 'h', 'e', 'l', 'l', 'o'}, ws.StatusProtocolError},
		{"5.5 a fragmented ping", raw(opPing, "x"), ws.StatusProtocolError},
		{"5.5 a ping of 126 bytes", raw(fin|opPing, strings.Repeat("x", 126)), ws.StatusProtocolError},
		{"5.5.1 close without a status", raw(fin|opClose, ""), ws.StatusNoStatusRcvd},
		{"5.5.1 close with 1000", raw(fin|opClose, "\x03\xe8bye"), ws.StatusNormalClosure},
		{"5.5.1 close with half a status", raw(fin|opClose, "\x03"), ws.StatusProtocolError},
		{"7.4 close with 999", raw(fin|opClose, "\x03\xe7"), ws.StatusProtocolError},
		{"7.4 close with 1005", raw(fin|opClose, "\x03\xed"), ws.StatusProtocolError},
		{"7.4 close with 1006", raw(fin|opClose, "\x03\xee"), ws.StatusProtocolError},
		{"7.4 close with 3000", raw(fin|opClose, "\x0b\xb8"), 3000},
		{"5.5.1 a reason that is not UTF-8", raw(fin|opClose, "\x03\xe8\xff"), ws.StatusProtocolError},
		{"8.1 text that is not UTF-8", raw(fin|opText, "4\xff"), ws.StatusInvalidFramePayloadData},
		{"8.1 UTF-8 cut by a fragment", join(raw(opText, "4hello"[:3]), raw(fin|opCont, "llo")), ok},
		{"8.1 a character begun and not ended", raw(fin|opText, "4\xc3"), ws.StatusInvalidFramePayloadData},
		{"8.1 a surrogate", raw(fin|opText, "4\xed\xa0\x80"), ws.StatusInvalidFramePayloadData},
		{"an empty text is no packet", raw(fin|opText, ""), ws.StatusProtocolError},
		{"text over the limit", raw(fin|opText, strings.Repeat("4", 1001)), ws.StatusMessageTooBig},
		{"text over the limit in fragments", join(raw(opText, strings.Repeat("4", 600)), raw(fin|opCont, strings.Repeat("4", 600))), ws.StatusMessageTooBig},
		{"lengths whose sum overflows", join(raw(opText, "4hello"), []byte{opCont, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4}), ws.StatusMessageTooBig},
		{"an announced length over the limit", []byte{fin | opText, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4}, ws.StatusMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, &Server{MaxPayloadBytes: 1000}, false)
			c := s.websocket(t)
			if _, err := c.conn.Write(tt.bytes); err != nil {
				t.Fatal(err)
			}
			if tt.want != ok {
				if got := c.closed(); got != tt.want {
					t.Errorf("closed with %d; want %d", got, tt.want)
				}
				return
			}
			for {
				f := c.read()
				if f.Header.OpCode == ws.OpText {
					if string(f.Payload) != "4hello" {
						t.Errorf("came back %q", f.Payload)
					}
					return
				}
			}
		})
	}
}

func TestCrumbsAreRefused(t *testing.T) {
	for _, kind := range []byte{opText, opBin} {
		s := start(t, &Server{}, false)
		c := s.websocket(t)
		flood := raw(kind, "4")
		for range 3000 {
			flood = append(flood, raw(opCont, "")...)
		}
		go c.conn.Write(flood)
		if got := c.closed(); got != ws.StatusPolicyViolation {
			t.Errorf("3000 empty fragments of kind %d: closed with %d", kind, got)
		}
	}
}

func TestUnsolicitedPongsDoNothing(t *testing.T) {
	s := start(t, &Server{}, false)
	c := s.websocket(t)
	flood := bytes.Repeat(raw(fin|opPong, "x"), 1000)
	for range 300 {
		if _, err := c.conn.Write(flood); err != nil {
			t.Fatal(err)
		}
	}
	socketClient{c}.send(Outgoing{Data: []byte("there?")})
	if got := (socketClient{c}).receive(); string(got.Data) != "there?" {
		t.Errorf("came back %q", got.Data)
	}
}

func BenchmarkPreparedWebSocket(b *testing.B) {
	data := make([]byte, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		Prepare(Outgoing{Data: []byte(`51-["chunk",{"_placeholder":true,"num":0}]`)}, Outgoing{Binary: true, Data: data}).as(asFrames)
	}
}

func BenchmarkPreparedPolling(b *testing.B) {
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		Prepare(Outgoing{Binary: true, Data: data}).as(asPayload)
	}
}
