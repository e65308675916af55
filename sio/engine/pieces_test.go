package engine

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// packets is what the readers of payloads, of both protocols, have in common.
type packets interface {
	io.Reader
	next() (kind byte, err error)
	rest() ([]byte, error)
}

// account tells what packets hold, and whether they end as they should. Which of two faults is found may depend on what is seen
// first.
func account(p packets) (events []string) {
	for {
		kind, err := p.next()
		var data []byte
		switch {
		case err == io.EOF:
			return append(events, "the end")
		case err != nil:
		case kind == typeBinary:
			data, err = io.ReadAll(p)
		default:
			data, err = p.rest()
		}
		if err != nil {
			return append(events, "a fault")
		}
		events = append(events, fmt.Sprintf("%c %q", kind, data))
	}
}

// inPieces are the ways in which the same body may be read.
var inPieces = map[string]func(io.Reader) io.Reader{
	"byte by byte":           iotest.OneByteReader,
	"in halves":              iotest.HalfReader,
	"with the end at once":   iotest.DataErrReader,
	"in bytes, the end last": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
}

// FuzzPayloadsInPieces reads the same body in several ways, which must make no difference.
func FuzzPayloadsInPieces(f *testing.F) {
	for _, seed := range []string{
		"4hello\x1ebAQID\x1e4κό", "bAQ==\x1eb\x1e4", "bAQIDAQIDAQIDAQIDAQID", "4\xff", "\x1e", "b!", "bAQ==AQ==", "4" + strings.Repeat("x", 99),
		"b" + strings.Repeat("AAAA", 40), "4" + strings.Repeat("x", 70) + "\x1e2\x1e3",
	} {
		f.Add(seed, uint8(4))
	}
	f.Add("2:4a6:b4AQID5:4κό𝄞", uint8(3))
	f.Add("0:2:4a", uint8(3))
	f.Add("\x00\x02\xff4a\x01\x03\xff\x04ab\x00\x06\xffb4AQID", uint8(0))
	f.Fuzz(func(t *testing.T, body string, how uint8) {
		const limit = 100
		open := func(r io.Reader, size int64) packets {
			switch how {
			case 4:
				return newPayloadReader(r, size, limit)
			default:
				return newPayload3Reader(r, how != 3, size, limit)
			}
		}
		want := account(open(strings.NewReader(body), int64(len(body))))
		for way, cut := range inPieces {
			if got := account(open(cut(strings.NewReader(body)), -1)); !slices.Equal(got, want) {
				t.Fatalf("%q: read %s it is %q, read whole %q", body, way, got, want)
			}
		}
	})
}

// FuzzStreamsInPieces is the same for what comes over a stream of WebTransport.
func FuzzStreamsInPieces(f *testing.F) {
	f.Add([]byte("\x064hello\x84abcd\x00\x80"))
	f.Add([]byte{126, 0, 2, '4', 'a', 127, 0, 0, 0, 0, 0, 0, 0, 2, '4', 'b', 0xfe, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(r io.Reader) (events []string) {
			s := &stream{src: bufio.NewReader(r)}
			for {
				isBinary, _, err := s.next()
				var data []byte
				switch {
				case err != nil:
				case isBinary:
					data, err = io.ReadAll(s)
				default:
					data, _, err = s.text(100)
				}
				if err != nil {
					return events
				}
				events = append(events, fmt.Sprintf("%v %q", isBinary, data))
			}
		}
		want := read(strings.NewReader(string(b)))
		for way, cut := range inPieces {
			if got := read(cut(strings.NewReader(string(b)))); !slices.Equal(got, want) {
				t.Fatalf("%q: read %s it is %q, read whole %q", b, way, got, want)
			}
		}
	})
}
