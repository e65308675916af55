package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

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
)

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func FuzzFrameReader(f *testing.F) {
	f.Add(raw(fin|opText, "4hello"))
	f.Add(join(raw(opText, "4h"), raw(fin|opPing, "x"), raw(fin|opCont, "ello")))
	f.Add(raw(fin|opBin, strings.Repeat("x", 70_000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b), func(ws.OpCode, []byte) error { return nil })
		for {
			op, err := r.Next()
			if err != nil {
				return
			}
			if op == ws.OpText {
				text, release, err := r.Text(1000)
				if err != nil {
					return
				}
				if len(text) > 1000 {
					t.Fatalf("a text of %d bytes", len(text))
				}
				release()
			} else if _, err := io.Copy(io.Discard, r); err != nil {
				return
			}
		}
	})
}

func TestAReaderThatRestsHoldsNoBuffer(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	r := NewReader(ours, nil)
	if !r.Rest() || r.src != nil {
		t.Fatal("it has a buffer, in which there is nothing")
	}
	go theirs.Write(join(raw(fin|opText, "4hello"), raw(fin|opBin, "abc")))
	for i, want := range []string{"4hello", "abc"} {
		if err := r.Await(); err != nil {
			t.Fatal(err)
		}
		if i == 0 && r.Rest() {
			t.Error("it gave a buffer up with something in it")
		}
		if got, err := message(r, 100); string(got) != want || err != nil {
			t.Errorf("message = %q, %v; want %q", got, err, want)
		}
	}
	if !r.Rest() {
		t.Error("it keeps a buffer that is empty")
	}
	ours.SetReadDeadline(time.Unix(1, 0))
	if err := r.Await(); !errors.Is(err, os.ErrDeadlineExceeded) || r.src != nil {
		t.Errorf("Await = %v; want a deadline that passed", err)
	}
}
