package httpd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// open returns a hub and a server with its door.
func open(t *testing.T, hub *relay.Hub) (*relay.Hub, *httptest.Server) {
	t.Helper()
	hub.Dir = t.TempDir()
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(&Door{Hub: hub, CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://app.example" }})
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		s.Close()
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	return hub, s
}

func upload(t *testing.T, hub *relay.Hub, name string, content []byte) relay.Info {
	t.Helper()
	w, err := hub.Publish(ctx, relay.Spec{Room: "r", Name: name, Who: relay.Identity{ID: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	info, err := w.Finish(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// do sends a request; header is pairs.
func do(t *testing.T, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func random(n int) []byte {
	p := make([]byte, n)
	rand.Read(p)
	return p
}

func TestFinishedStreamsAreServedWithRanges(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	content := random(700_000)
	info := upload(t, hub, "a.bin", content)
	url := s.URL + info.URL
	resp, body := do(t, "GET", url)
	if resp.StatusCode != 200 || !bytes.Equal(body, content) || resp.Header.Get("ETag") != `"`+info.SHA256+`"` {
		t.Errorf("GET = %s, %d bytes, %v", resp.Status, len(body), resp.Header)
	}
	for _, tt := range []struct {
		header string
		want   []byte
		status int
	}{
		{"bytes=0-0", content[:1], 206},
		{"bytes=300000-599999", content[300_000:600_000], 206},
		{"bytes=699999-", content[699_999:], 206},
		{"bytes=-5", content[699_995:], 206},
		{"bytes=700000-", nil, 416},
	} {
		resp, body := do(t, "GET", url, "Range", tt.header)
		if resp.StatusCode != tt.status || tt.want != nil && !bytes.Equal(body, tt.want) {
			t.Errorf("%s = %s, %d bytes; want %d", tt.header, resp.Status, len(body), tt.status)
		}
	}
	if resp, body := do(t, "HEAD", url); resp.ContentLength != int64(len(content)) || len(body) != 0 {
		t.Errorf("HEAD = %s, %d, %d bytes", resp.Status, resp.ContentLength, len(body))
	}
	if resp, _ := do(t, "GET", url, "If-None-Match", resp.Header.Get("ETag")); resp.StatusCode != 304 {
		t.Errorf("If-None-Match = %s", resp.Status)
	}
	if resp, body := do(t, "GET", url, "Range", "bytes=5-9", "If-Range", `"other"`); resp.StatusCode != 200 || len(body) != len(content) {
		t.Errorf("If-Range of another content = %s", resp.Status)
	}
}

func TestOpenStreamsAreFollowedToTheirEnd(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	content := random(600_000)
	w, err := hub.Publish(ctx, relay.Spec{Room: "r", Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(content[:300_000])
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + w.Stream().Info().URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 300_000)
	if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, content[:300_000]) {
		t.Fatalf("what was there: %v", err)
	}
	w.Write(content[300_000:])
	if _, err := w.Finish(ctx, ""); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(rest, content[300_000:]) {
		t.Errorf("the rest: %d bytes, %v", len(rest), err)
	}
}

func TestAStreamThatFailsAbortsItsDownloads(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	w, err := hub.Publish(ctx, relay.Spec{Room: "r"})
	if err != nil {
		t.Fatal(err)
	}
	w.Write(random(10_000))
	resp, err := http.Get(s.URL + w.Stream().Info().URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	w.Abandon()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the download of a failed stream ended as if it were whole")
	}
}

func TestHostileContentIsNeverServedToRun(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	png, err := os.ReadFile("../testdata/image.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, content string
		inline        bool
	}{
		{"x.html", "<!DOCTYPE html><script>alert(1)</script>", false},
		{"x.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, false},
		{"x.xml", `<?xml version="1.0"?><a/>`, false},
		{"x.pdf", "%PDF-1.7\n1 0 obj\n", false},
		{"page.html.txt", "<html><body onload=alert(1)>", false},
		{"x.png", string(png), true},
		{"hello.txt", "only text\n", true},
	} {
		info := upload(t, hub, tt.name, []byte(tt.content))
		resp, _ := do(t, "GET", s.URL+info.URL)
		kind, disposition := resp.Header.Get("Content-Type"), resp.Header.Get("Content-Disposition")
		if inline := strings.HasPrefix(disposition, "inline"); inline != tt.inline {
			t.Errorf("%s: %s, %s", tt.name, kind, disposition)
		}
		if strings.Contains(kind, "html") || strings.Contains(kind, "svg") || strings.Contains(kind, "xml") {
			t.Errorf("%s is served as %s", tt.name, kind)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", tt.name, name, got)
			}
		}
	}
}

func TestDownloadNamesCannotEscapeTheirHeader(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	for _, name := range []string{`a"; filename="b.exe`, "Grüße aus Zürich.txt", "100% sure.txt", "..hidden", "", "a;b=c", "日本語.png", "%0d%0aX-Evil: 1"} {
		info := upload(t, hub, name, []byte("text"))
		resp, _ := do(t, "GET", s.URL+info.URL+"?download")
		kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil || kind != "attachment" {
			t.Errorf("%q: %s: %v", name, resp.Header.Get("Content-Disposition"), err)
			continue
		}
		want := strings.TrimLeft(name, ". ")
		if want == "" {
			want = info.ID + ".txt"
		}
		if params["filename"] != want || resp.Header.Get("X-Evil") != "" {
			t.Errorf("%q is to be saved as %q", name, params["filename"])
		}
	}
}

func TestErrorsAreJSONWithTheRightStatus(t *testing.T) {
	hub, s := open(t, &relay.Hub{Authorize: func(_ context.Context, r relay.Request) error {
		if r.Room == "secret" {
			return relay.Errorf(relay.Unauthorized, "a token is needed")
		}
		return nil
	}})
	_ = hub
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/media/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"},
		{"GET", "/media/..%2f..%2fetc%2fpasswd", 404, "not_found"},
		{"GET", "/media/", 404, "not_found"},
		{"PUT", "/media/x", 405, "bad_request"},
		{"DELETE", "/media/x", 404, "not_found"},
		{"POST", "/rooms/x", 405, "bad_request"},
		{"GET", "/rooms/secret", 401, "unauthorized"},
		{"GET", "/rooms/", 400, "bad_request"},
		{"GET", "/rooms/x?limit=0", 400, "bad_request"},
		{"GET", "/rooms/x?limit=501", 400, "bad_request"},
		{"GET", "/rooms/" + strings.Repeat("x", 300), 413, "too_large"},
		{"GET", "/elsewhere", 404, "not_found"},
	} {
		resp, body := do(t, tt.method, s.URL+tt.path)
		var got errorBody
		if err := json.Unmarshal(body, &got); err != nil || got.OK || string(got.Error.Code) != tt.code || resp.StatusCode != tt.status {
			t.Errorf("%s %s = %s %s; want %d %s", tt.method, tt.path, resp.Status, body, tt.status, tt.code)
		}
	}
}

func TestOnlyAllowedOriginsMayReadOrDelete(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	info := upload(t, hub, "a", []byte("text"))
	if resp, _ := do(t, "DELETE", s.URL+info.URL, "Origin", "https://evil.example"); resp.StatusCode != 403 {
		t.Errorf("DELETE from another origin = %s", resp.Status)
	}
	if resp, _ := do(t, "GET", s.URL+info.URL, "Origin", s.URL); resp.StatusCode != 200 {
		t.Errorf("GET from the server's own origin = %s", resp.Status)
	}
	resp, _ := do(t, "GET", s.URL+info.URL, "Origin", "https://app.example")
	if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("GET from an allowed origin = %s, %v", resp.Status, resp.Header)
	}
	if resp, _ := do(t, "OPTIONS", s.URL+info.URL, "Origin", "https://app.example"); resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("preflight = %s, %v", resp.Status, resp.Header)
	}
	if resp, _ := do(t, "DELETE", s.URL+info.URL, "Origin", "https://app.example"); resp.StatusCode != 204 {
		t.Errorf("DELETE from an allowed origin = %s", resp.Status)
	}
}

func TestRoomsShowWhoAndWhatIsThere(t *testing.T) {
	hub, s := open(t, &relay.Hub{})
	info := upload(t, hub, "a", []byte("text"))
	var got roomBody
	_, body := do(t, "GET", s.URL+"/rooms/r")
	if err := json.Unmarshal(body, &got); err != nil || got.Room != "r" || len(got.Streams) != 1 || got.Streams[0].ID != info.ID {
		t.Errorf("/rooms/r = %s", body)
	}
	if _, body := do(t, "GET", s.URL+"/rooms/unused"); string(bytes.TrimSpace(body)) != `{"room":"unused","members":[],"streams":[]}` {
		t.Errorf("/rooms/unused = %s", body)
	}
}

func TestMediaMayBeShownElsewhereOnlyIfThatIsSaid(t *testing.T) {
	hub, _ := open(t, &relay.Hub{})
	info := upload(t, hub, "a", []byte("text"))
	for want, cross := range map[string]bool{"same-origin": false, "cross-origin": true} {
		w := httptest.NewRecorder()
		(&Door{Hub: hub, CrossOrigin: cross}).ServeHTTP(w, httptest.NewRequest("GET", info.URL, nil))
		if got := w.Header().Get("Cross-Origin-Resource-Policy"); w.Code != 200 || got != want {
			t.Errorf("CrossOrigin %v: %d, %q; want %q", cross, w.Code, got, want)
		}
	}
}

// deadlines is a ResponseWriter that remembers what it was given as a deadline.
type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.last = at
	return nil
}

func TestWhoTakesNothingIsLetGo(t *testing.T) {
	hub, _ := open(t, &relay.Hub{})
	info := upload(t, hub, "a", random(100_000))
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	(&Door{Hub: hub}).ServeHTTP(w, httptest.NewRequest("GET", info.URL, nil))
	if left := time.Until(w.last); w.Body.Len() != 100_000 || left <= 0 || left > patience {
		t.Errorf("%d bytes; the deadline is in %v", w.Body.Len(), left)
	}
}
