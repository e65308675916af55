package engine

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func FuzzPayloadReader(f *testing.F) {
	for _, s := range []string{"4hello", "4a\x1ebAQID\x1e4b", "bAQ==", "b", "\x1e", "2", "4\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		const limit = 100
		p := newPayloadReader(strings.NewReader(body), int64(len(body)), limit)
		var again []byte
		for {
			kind, err := p.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			if len(again) > 0 {
				again = append(again, separator)
			}
			again = append(again, kind)
			if kind != typeBinary {
				text, err := p.rest()
				if err != nil {
					return
				}
				again = append(again, text...)
				continue
			}
			data, err := io.ReadAll(p)
			if err != nil {
				return
			}
			one := Prepare(Outgoing{Binary: true, Data: data}).as(variant{form: forPolling})[0]
			again = append(again, one[1:]...)
		}
		if string(again) != body {
			t.Fatalf("%q was read as %q", body, again)
		}
		if p.counted > limit {
			t.Fatalf("%d bytes passed a limit of %d", p.counted, limit)
		}
	})
}

func TestBinaryOfAPayloadIsStreamedPastTheLimit(t *testing.T) {
	const size = 3 << 20
	body := "b" + string(Prepare(Outgoing{Binary: true, Data: make([]byte, size)}).as(variant{form: forPolling})[0][1:])
	p := newPayloadReader(strings.NewReader(body), -1, 1000)
	if _, err := p.next(); err != nil {
		t.Fatal(err)
	}
	p.setStreaming(true)
	if n, err := io.Copy(io.Discard, p); n != size || err != nil {
		t.Errorf("streamed %d bytes, %v", n, err)
	}
	p = newPayloadReader(strings.NewReader(body), -1, 1000)
	if _, err := p.next(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p); !errors.Is(err, ErrTooLarge) {
		t.Errorf("not streamed: %v", err)
	}
}
