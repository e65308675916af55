package engine

import (
	"bytes"
	"encoding/binary"
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
	fin    = 0x80
	opText = 0x1
	opBin  = 0x2
	opCont = 0x0
	opPing = 0x9
	opPong = 0xa
)

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
		Prepare(Outgoing{Data: []byte(`51-["chunk",{"_placeholder":true,"num":0}]`)}, Outgoing{Binary: true, Data: data}).as(variant{form: forWebSocket})
	}
}

func BenchmarkPreparedPolling(b *testing.B) {
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		Prepare(Outgoing{Binary: true, Data: data}).as(variant{form: forPolling})
	}
}
