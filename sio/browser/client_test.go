package browser_test

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/sio"
	"sluice/sio/browser"
)

func get(srv *sio.Server, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	return w
}

func TestAServerServesOurClient(t *testing.T) {
	srv := &sio.Server{}
	for _, name := range []string{"socket.io.js", "socket.io.min.js", "socket.io.esm.js", "socket.io.esm.min.js"} {
		w := get(srv, "GET", "/socket.io/"+name)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s: status %d, Content-Type %q", name, w.Code, w.Header().Get("Content-Type"))
		}
		if (strings.Contains(name, ".esm.")) != strings.Contains(w.Body.String(), "export{") {
			t.Errorf("%s is the wrong form", name)
		}
		again := get(srv, "GET", "/socket.io/"+name, "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified {
			t.Errorf("%s: status %d with its ETag; want 304", name, again.Code)
		}
	}
}

func TestAServerServesTheClientOfAFolder(t *testing.T) {
	folder := fstest.MapFS{}
	for _, name := range []string{"socket.io.js", "socket.io.js.map", "socket.io.esm.min.js", "socket.io.msgpack.min.js"} {
		folder[name] = &fstest.MapFile{Data: []byte(name)}
	}
	srv := &sio.Server{Client: folder}
	for asked, want := range map[string]string{
		"socket.io.js":             "socket.io.js",
		"socket.io.js.map":         "socket.io.js.map",
		"socket.io.min.js":         "socket.io.js",
		"socket.io.esm.min.js":     "socket.io.esm.min.js",
		"socket.io.esm.js":         "socket.io.esm.min.js",
		"socket.io.msgpack.min.js": "socket.io.msgpack.min.js",
	} {
		if w := get(srv, "GET", "/socket.io/"+asked); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: status %d, %q; want %q", asked, w.Code, w.Body, want)
		}
	}
	if w := get(srv, "GET", "/socket.io/socket.io.js.map"); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("a map's Content-Type is %q", w.Header().Get("Content-Type"))
	}
	delete(folder, "socket.io.js")
	if w := get(srv, "GET", "/socket.io/socket.io.js"); w.Code != http.StatusOK {
		t.Errorf("a file that was read is read again: status %d", w.Code)
	}
}

func TestEveryFileOfTheStockClientIsServed(t *testing.T) {
	folder := stock(t)
	files, err := fs.ReadDir(folder, ".")
	if err != nil {
		t.Fatal(err)
	}
	srv := &sio.Server{Client: folder}
	for _, file := range files {
		want, err := fs.ReadFile(folder, file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if w := get(srv, "GET", "/socket.io/"+file.Name()); w.Code != http.StatusOK || w.Body.String() != string(want) {
			t.Errorf("%s: status %d, %d bytes; want %d", file.Name(), w.Code, w.Body.Len(), len(want))
		}
	}
}

func TestOnlyFilesOfAClientAreServed(t *testing.T) {
	folder := fstest.MapFS{
		"secret.js": {Data: []byte("secret")}, "socket.io.css": {Data: []byte("secret")}, "socket.io.esm.js/x": {Data: []byte("secret")},
		"socket.io.msgpack.js": {Mode: fs.ModeNamedPipe}, "socket.io.js": {Data: make([]byte, browser.MaxFileBytes+1)},
	}
	srv := &sio.Server{Client: folder, Logger: slog.New(slog.DiscardHandler)}
	for _, path := range []string{
		"/socket.io/", "/socket.io", "/", "/socket.io/secret.js", "/socket.io/socket.io.css", "/socket.io/socket.io.min.js.map",
		"/socket.io/socket.io.esm.js", "/socket.io/socket.io.esm.js/x", "/socket.io/..%2fsecret.js", "/socket.io/socket.io.js%00",
		"/socket.io/socket.io.msgpack.js", "/socket.io/socket.io.js", "/socket.io/Socket.IO.js",
	} {
		w := get(srv, "GET", path)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"code":0`) {
			t.Errorf("%s: status %d, %.40q; want the engine's 400", path, w.Code, w.Body)
		}
	}
	if w := get(srv, "POST", "/socket.io/socket.io.min.js"); w.Code != http.StatusBadRequest {
		t.Errorf("POST to a file that is too large: status %d", w.Code)
	}
}

func TestAFileThatIsTooLargeIsTriedAgain(t *testing.T) {
	folder := fstest.MapFS{"socket.io.js": {Data: make([]byte, browser.MaxFileBytes+1)}}
	srv := &sio.Server{Client: folder, Logger: slog.New(slog.DiscardHandler)}
	if w := get(srv, "GET", "/socket.io/socket.io.js"); w.Code != http.StatusBadRequest {
		t.Errorf("a file of MaxFileBytes + 1: status %d", w.Code)
	}
	folder["socket.io.js"].Data = make([]byte, browser.MaxFileBytes)
	if w := get(srv, "GET", "/socket.io/socket.io.js"); w.Code != http.StatusOK || w.Body.Len() != browser.MaxFileBytes {
		t.Errorf("a file of MaxFileBytes: status %d, %d bytes", w.Code, w.Body.Len())
	}
}

func TestAServerWithoutAClientServesNone(t *testing.T) {
	if w := get(&sio.Server{NoClient: true}, "GET", "/socket.io/socket.io.js"); w.Code != http.StatusBadRequest {
		t.Errorf("status %d; want the engine's 400", w.Code)
	}
}

func TestPagesOfAllowedOriginsMayImportTheClient(t *testing.T) {
	srv := &sio.Server{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://a.example" }}
	for origin, want := range map[string]string{"https://a.example": "https://a.example", "https://b.example": "", "": ""} {
		w := get(srv, "GET", "/socket.io/socket.io.esm.js", "Origin", origin)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != http.StatusOK || got != want {
			t.Errorf("a page of %q: status %d, Access-Control-Allow-Origin %q; want %q", origin, w.Code, got, want)
		}
		if got := strings.Join(w.Header().Values("Vary"), ", "); got != "Origin, Accept-Encoding" {
			t.Errorf("Vary is %q", got)
		}
	}
}
