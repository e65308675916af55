package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode/utf8"
)

func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"", "4x", "4x\x1e2\x1ebAAEC", "bA\x1eb", "\x1e\x1e", "4\xff", "bAAEC=", "4" + string(make([]byte, 200))} {
		f.Add([]byte(seed))
	}
	const limit = 100
	f.Fuzz(func(t *testing.T, payload []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(payload), 16)
		for {
			record, err := readRecord(r, limit)
			if err != nil {
				var large *TooLargeError
				if err != io.EOF && !errors.As(err, &large) {
					t.Fatalf("readRecord: %v", err)
				}
				return
			}
			p, err := parseRecord(record)
			switch {
			case err != nil:
				var protocol *ProtocolError
				if !errors.As(err, &protocol) {
					t.Fatalf("parseRecord(%q) = %v; want a ProtocolError", record, err)
				}
			case p.kind != binaryRecord && !utf8.Valid(p.data):
				t.Fatalf("parseRecord let %q pass as text", p.data)
			case len(p.data) > 2*limit:
				t.Fatalf("a record of %d bytes passed a limit of %d", len(p.data), limit)
			}
		}
	})
}

func FuzzWebSocketMessage(f *testing.F) {
	for _, seed := range []string{
		"\x81\x024x", "\x82\x03abc", "\x01\x014\x80\x01x", "\x89\x00\x81\x012", "\x88\x02\x03\xe8", "\x81\x85....hello",
		"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "\x82\x7e\xff\xff", "\xc1\x014", "\x83\x00", "\x81\x01\xff",
	} {
		f.Add([]byte(seed))
	}
	const limit = 1000
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &webSocket{r: bufio.NewReader(bytes.NewReader(data))}
		for {
			text, message, err := w.readMessage(limit, func(p []byte) {
				if len(p) > 125 {
					t.Fatalf("a ping of %d bytes", len(p))
				}
			})
			if err != nil {
				return
			}
			if len(message) > limit || text && !utf8.Valid(message) {
				t.Fatalf("message %q passed", message)
			}
		}
	})
}
