package engine

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// rawGet polls without the client's own decompression.
func (s *site) rawGet(t *testing.T, sid, accept string) (body string, h http.Header) {
	t.Helper()
	header := []string{"Accept-Encoding", "identity"}
	if accept != "" {
		header[1] = accept
	}
	status, body, h := s.do(t, "GET", "EIO=4&transport=polling&sid="+sid, "", header...)
	if status != 200 {
		t.Fatalf("GET = %d %s", status, body)
	}
	return body, h
}

// unpacked returns a body as it was before it was encoded.
func unpacked(t *testing.T, body, encoding string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPollingRepliesAreCompressedFromTheThresholdOn(t *testing.T) {
	small, large := strings.Repeat("a", 1022), strings.Repeat("a", 1023)
	for _, tt := range []struct {
		name, accept, data string
		plain              bool
		options            HTTPCompression
		want               string
	}{
		{"small", "gzip, deflate", small, false, HTTPCompression{}, ""},
		{"large", "gzip, deflate", large, false, HTTPCompression{}, "gzip"},
		{"deflate only", "deflate", large, false, HTTPCompression{}, "deflate"},
		{"deflate rather", "gzip;q=0.5, deflate; q=0.8", large, false, HTTPCompression{}, "deflate"},
		{"anything", "*", large, false, HTTPCompression{}, "gzip"},
		{"anything but gzip", "*, gzip;q=0", large, false, HTTPCompression{}, "deflate"},
		{"neither", "br, gzip;q=0, deflate;q=0.0", large, false, HTTPCompression{}, ""},
		{"nonsense", "gzip;q=x, ;;;,,", large, false, HTTPCompression{}, ""},
		{"not asked for", "", large, false, HTTPCompression{}, ""},
		{"plain", "gzip", large, true, HTTPCompression{}, ""},
		{"off", "gzip", large, false, HTTPCompression{Off: true}, ""},
		{"another threshold", "gzip", small, false, HTTPCompression{Threshold: 100}, "gzip"},
	} {
		s := start(t, &Server{HTTPCompression: tt.options}, false)
		sid := s.polling(t)
		wait(t, s.sessions).send(Outgoing{Data: []byte(tt.data), Plain: tt.plain})
		body, h := s.rawGet(t, sid, tt.accept)
		if got := h.Get("Content-Encoding"); got != tt.want {
			t.Errorf("%s: Content-Encoding %q; want %q", tt.name, got, tt.want)
			continue
		}
		if got := unpacked(t, body, tt.want); got != "4"+tt.data {
			t.Errorf("%s: %d bytes came, %.20q", tt.name, len(got), got)
		}
		if tt.want != "" && (len(body) >= len(tt.data) || h.Get("Vary") != "Accept-Encoding") {
			t.Errorf("%s: %d bytes, Vary %q", tt.name, len(body), h.Get("Vary"))
		}
		if h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", tt.name, h.Get("Cache-Control"))
		}
	}
}

func TestLargeRepliesOfMediaPassCompressed(t *testing.T) {
	s := start(t, &Server{AllowEIO3: true}, false)
	media := make([]byte, 3<<20)
	rand.Read(media)
	c := &pollingClient{t: t, s: s, sid: s.polling(t)} // its transport asks for gzip and undoes it
	wait(t, s.sessions).send(Outgoing{Binary: true, Data: media})
	if got := c.receive(); !bytes.Equal(got.Data, media) {
		t.Errorf("%d bytes came", len(got.Data))
	}
	old := &pollingClient3{t: t, s: s, sid: s.polling3(t, "")}
	wait(t, s.sessions).send(Outgoing{Binary: true, Data: media})
	if got := old.receive(); !bytes.Equal(got.Data, media) {
		t.Errorf("%d bytes came to the client of Engine.IO 3", len(got.Data))
	}
}

func BenchmarkCompressedReply(b *testing.B) {
	media := make([]byte, 64<<10)
	rand.Read(media)
	parts := Prepare(Outgoing{Binary: true, Data: media}).as(variant{form: forPolling})
	b.SetBytes(int64(length(parts)))
	b.ReportAllocs()
	for b.Loop() {
		if err := compressTo(io.Discard, "gzip", parts); err != nil {
			b.Fatal(err)
		}
	}
}
