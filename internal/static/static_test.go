package static

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var text = strings.Repeat("water under the gate ", 100)

func get(t *testing.T, method, name string, header ...string) *http.Response {
	t.Helper()
	var files Files
	files.Add("a.txt", "text/plain; charset=utf-8", []byte(text))
	files.Add("tiny.txt", "text/plain; charset=utf-8", []byte("x"))
	r := httptest.NewRequest(method, "/"+name, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	files.Serve(w, r, name)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFileIsServedPlainToWhoCannotUnzip(t *testing.T) {
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip;q=0.0, br", "x-gzip"} {
		res := get(t, "GET", "a.txt", "Accept-Encoding", accept)
		if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != "" || body(t, res.Body) != text {
			t.Errorf("Accept-Encoding %q: status %d, encoding %q; want the plain file", accept, res.StatusCode, res.Header.Get("Content-Encoding"))
		}
	}
}

func TestFileIsServedCompressedToWhoCanUnzip(t *testing.T) {
	for _, accept := range []string{"gzip", "br, gzip", "GZIP;q=0.5", "gzip; q=1.0"} {
		res := get(t, "GET", "a.txt", "Accept-Encoding", accept)
		if res.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q: sent plain; want gzip", accept)
			continue
		}
		zr, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body(t, zr) != text {
			t.Errorf("Accept-Encoding %q: content differs", accept)
		}
	}
}

func TestFileThatDoesNotShrinkIsNeverCompressed(t *testing.T) {
	res := get(t, "GET", "tiny.txt", "Accept-Encoding", "gzip")
	if got := body(t, res.Body); got != "x" || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("got %q with encoding %q; want it plain", got, res.Header.Get("Content-Encoding"))
	}
}

func TestFileIsNotSentTwice(t *testing.T) {
	for _, accept := range []string{"", "gzip"} {
		first := get(t, "GET", "a.txt", "Accept-Encoding", accept)
		again := get(t, "GET", "a.txt", "Accept-Encoding", accept, "If-None-Match", first.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("Accept-Encoding %q: status %d with the ETag; want 304", accept, again.StatusCode)
		}
	}
}

func TestUnknownFileIs404AndOtherMethodsAre405(t *testing.T) {
	if res := get(t, "GET", "b.txt"); res.StatusCode != 404 {
		t.Errorf("unknown file: status %d; want 404", res.StatusCode)
	}
	if res := get(t, "POST", "a.txt"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q; want 405", res.StatusCode, res.Header.Get("Allow"))
	}
	if res := get(t, "HEAD", "a.txt"); res.StatusCode != 200 || body(t, res.Body) != "" {
		t.Errorf("HEAD: status %d; want 200 without a body", res.StatusCode)
	}
}
