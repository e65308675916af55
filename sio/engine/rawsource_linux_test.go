package engine

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"sluice/sio/internal/websocket"
)

// both is a source of what is written at the other end of a connection.
func both(tb testing.TB) (l *loopback, src websocket.BothReader, counted *atomic.Uint64) {
	l, counted = connect(tb, Prepare()), new(atomic.Uint64)
	src, ok := newSource(l.server, counted).(websocket.BothReader)
	if !ok {
		tb.Fatal("a plain connection is read into one buffer at a time")
	}
	return l, src, counted
}

func TestASocketIsReadIntoTwoBuffers(t *testing.T) {
	l, src, counted := both(t)
	p, more := make([]byte, 5), make([]byte, 100)
	for _, tt := range []struct {
		sent, p, more string
	}{
		{"hello, you", "hello", ", you"},
		{"hello", "hello", ""},
		{"hi", "hi", ""},
	} {
		io.WriteString(l.client, tt.sent)
		n, err := src.ReadBoth(p, more)
		if err != nil || n != len(tt.sent) || string(p[:min(n, 5)]) != tt.p || string(more[:max(n-5, 0)]) != tt.more {
			t.Errorf("%q is read as %d bytes, %q and %q, %v", tt.sent, n, p, more, err)
		}
	}
	if n := counted.Load(); n != 17 {
		t.Errorf("%d bytes were counted; want 17", n)
	}
	l.client.Close()
	if n, err := src.ReadBoth(p, more); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v; want EOF", n, err)
	}
}

func TestADeadlineEndsReadingIntoTwoBuffers(t *testing.T) {
	l, src, _ := both(t)
	go l.server.SetReadDeadline(longAgo)
	if n, err := src.ReadBoth(make([]byte, 5), make([]byte, 5)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d, %v; want a deadline that passed", n, err)
	}
	l.server.SetReadDeadline(time.Time{})
	l.server.Close()
	if n, err := src.ReadBoth(make([]byte, 5), make([]byte, 5)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("when it is closed: %d, %v; want an error", n, err)
	}
}
