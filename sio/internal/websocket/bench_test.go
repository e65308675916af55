package websocket

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// again yields the same bytes again and again.
type again struct {
	bytes []byte
	at    int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.bytes[a.at:])
	a.at = (a.at + n) % len(a.bytes)
	return n, nil
}

// repeating returns a reader to which a frame comes without end.
func repeating(kind byte, payload string) *Reader {
	return NewReader(&again{bytes: raw(fin|kind, payload)}, func(ws.OpCode, []byte) error { return nil })
}

// readBinary reads the next message into p, which it fills.
func readBinary(tb testing.TB, r *Reader, p []byte) {
	if _, err := r.Next(); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(r, p); err != nil {
		tb.Fatal(err)
	}
}

// readText reads the next message, a text.
func readText(tb testing.TB, r *Reader) {
	if _, err := r.Next(); err != nil {
		tb.Fatal(err)
	}
	_, release, err := r.Text(1 << 20)
	if err != nil {
		tb.Fatal(err)
	}
	release()
}

func BenchmarkAppendHeader(b *testing.B) {
	for _, length := range []int{100, 1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dB", length), func(b *testing.B) {
			dst := make([]byte, 0, ws.MaxHeaderSize)
			b.ReportAllocs()
			for b.Loop() {
				AppendHeader(dst, ws.OpBinary, length)
			}
		})
	}
}

// Each iteration is a binary message, read and unmasked.
func BenchmarkReadBinary(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			r, p := repeating(opBin, strings.Repeat("x", size)), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				readBinary(b, r, p)
			}
		})
	}
}

// Each iteration is a text, read, unmasked and checked.
func BenchmarkReadText(b *testing.B) {
	for _, size := range []int{100, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			r := repeating(opText, strings.Repeat("x", size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				readText(b, r)
			}
		})
	}
}
