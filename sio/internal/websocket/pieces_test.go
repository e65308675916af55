package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// pieces are the ways in which the same bytes may be read.
var pieces = map[string]func(io.Reader) io.Reader{
	"whole":                  func(r io.Reader) io.Reader { return r },
	"byte by byte":           iotest.OneByteReader,
	"in halves":              iotest.HalfReader,
	"with the end at once":   iotest.DataErrReader,
	"in bytes, the end last": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
}

// account tells what comes of the bytes that a peer sends: messages and control frames. Whether it is a fault that ends them, or
// that they end, may depend on what is seen first. The reader may rest between the messages.
func account(src io.Reader, limit int, rest bool) (events []string) {
	r := NewReader(src, func(op ws.OpCode, payload []byte) error {
		events = append(events, fmt.Sprintf("control %x %q", op, payload))
		return nil
	})
	r.Inflate = true
	for {
		if rest {
			r.Rest()
		}
		data, err := message(r, limit)
		if err != nil {
			return events
		}
		events = append(events, fmt.Sprintf("%v %q", r.head.OpCode == ws.OpText, data))
	}
}

// FuzzPieces reads the same bytes in several ways, which must make no difference.
func FuzzPieces(f *testing.F) {
	packed := deflated([]byte(strings.Repeat("Hello", 50)))
	for _, seed := range [][]byte{
		join(raw(fin|opText, "4hello"), raw(fin|opPing, "x"), raw(fin|opBin, "abc")),
		join(raw(opText, "4κό"), raw(fin|opPing, ""), raw(opCont, "\xcf"), raw(fin|opCont, "\x83")),
		join(raw(rsv1|opText, packed[:5]), raw(fin|opPing, "x"), raw(fin|opCont, packed[5:]), raw(fin|opBin, "")),
		join(raw(fin|opText, strings.Repeat("x", 200)), raw(fin|0x8, "\x03\xe8bye")),
		raw(fin|opText, "4\xed\xa0\x80"),
		raw(fin|opBin, strings.Repeat("x", 5000))[:300],
		{fin | opBin, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4, 5},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 300
		want := account(bytes.NewReader(b), limit, false)
		for way, cut := range pieces {
			for _, rest := range []bool{false, true} {
				if got := account(cut(bytes.NewReader(b)), limit, rest); !slices.Equal(got, want) {
					t.Fatalf("%x: read %s (rests: %v) it is %q, read whole %q", b, way, rest, got, want)
				}
			}
		}
	})
}

// FuzzFragments sends one message in fragments with pings between, which must make no difference.
func FuzzFragments(f *testing.F) {
	f.Add([]byte("4hello"), []byte{1, 2, 0}, true)
	f.Add([]byte("κόσμε"), []byte{1, 1, 1, 1, 1, 1, 1, 1, 1}, true)
	f.Add([]byte("4\xf4\x90\x80\x80"), []byte{2, 1, 1}, true)
	f.Add(bytes.Repeat([]byte("x"), 5000), []byte{0, 255, 0, 1, 200}, false)
	f.Fuzz(func(t *testing.T, payload, cuts []byte, text bool) {
		first := byte(opBin)
		if text {
			first = opText
		}
		var frames []byte
		rest := string(payload)
		for i, n := range cuts[:min(len(cuts), maxFragments-1)] {
			n := min(int(n), len(rest))
			frames = join(frames, raw(first, rest[:n]), raw(fin|opPing, string(cuts[i:i+1])))
			rest, first = rest[n:], opCont
		}
		frames = append(frames, raw(fin|first, rest)...)
		var pings int
		got, err := message(reading(frames, &pings), len(payload))
		var fault *Error
		switch {
		case text && !utf8.Valid(payload):
			if !errors.As(err, &fault) || fault.Status != ws.StatusInvalidFramePayloadData {
				t.Fatalf("%q, which is no text, came as %q, %v", payload, got, err)
			}
		case err != nil || !bytes.Equal(got, payload) || pings != min(len(cuts), maxFragments-1):
			t.Fatalf("%q in %d fragments came as %q, %v, with %d pings", payload, len(cuts), got, err, pings)
		}
	})
}
