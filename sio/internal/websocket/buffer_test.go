package websocket

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// vectored is a BothReader. It counts what it is asked for.
type vectored struct {
	io.Reader
	asked int
}

func (v *vectored) Read(p []byte) (int, error) {
	v.asked++
	return v.Reader.Read(p)
}

func (v *vectored) ReadBoth(p, more []byte) (int, error) {
	n, err := v.Read(p)
	if n < len(p) || err != nil {
		return n, err
	}
	rest, err := v.Reader.Read(more)
	return n + rest, err
}

func TestWhatIsBehindAPayloadComesWithIt(t *testing.T) {
	const events = 5
	event := join(raw(fin|opText, "4hello"), raw(fin|opBin, strings.Repeat("x", 64<<10)))
	src := &vectored{Reader: bytes.NewReader(bytes.Repeat(event, events))}
	r := NewReader(src, nil)
	p := make([]byte, 64<<10)
	for range events {
		readText(t, r)
		readBinary(t, r, p)
	}
	if src.asked != 1+events {
		t.Errorf("%d events were read in %d times; want %d: the first header, and a payload each", events, src.asked, 1+events)
	}
}

func TestReadingBothMakesNoDifference(t *testing.T) {
	large := strings.Repeat("large", 4<<10)
	frames := join(
		raw(fin|opText, "4hello"), raw(fin|opBin, large), raw(fin|opPing, "x"), raw(opBin, large), raw(fin|opPing, "y"), raw(opCont, ""),
		raw(fin|opCont, large), raw(fin|opBin, large), raw(fin|opText, "4bye"),
	)
	read := func(src io.Reader) (events []string) {
		r := NewReader(src, func(op ws.OpCode, payload []byte) error {
			events = append(events, string(payload))
			return nil
		})
		for {
			op, err := r.Next()
			if err != nil {
				return append(events, err.Error())
			}
			data := make([]byte, 3*len(large)) // more than is left of any frame
			n, err := io.ReadFull(r, data)
			if err == nil {
				t.Fatalf("a message of kind %d has no end", op)
			}
			events = append(events, string(data[:n]))
		}
	}
	for _, end := range []int{len(frames), len(frames) - 1, len(frames) / 2} {
		want := read(bytes.NewReader(frames[:end]))
		for way, cut := range pieces {
			if got := read(&vectored{Reader: cut(bytes.NewReader(frames[:end]))}); !slices.Equal(got, want) {
				t.Errorf("%d bytes, read %s, are %d events that end with %.50q; want %d, %.50q",
					end, way, len(got), got[len(got)-1], len(want), want[len(want)-1])
			}
		}
	}
}
