package web

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"sluice/internal/static"
	"sluice/sio/browser"
)

//go:embed *.html *.js *.css *.svg sluice page
var embedded embed.FS

// contentTypes are those of all the files there are, by extension.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// policy lets the page load what this server serves and connect to it, and nothing else: no script or style
// within the HTML, no frame around it, no form that leaves.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"media-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// Handler serves the page at / and its files, sluice.js among them, by their paths.
func Handler() http.Handler {
	files := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		files.Serve(w, r, name)
	})
}

// secure sets what every response has, errors too.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// load has the Socket.IO client that sluice.js rests on among its files: at /socket.io/ may be another one.
func load() *static.Files {
	var files static.Files
	err := fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := embedded.ReadFile(name)
		files.Add(name, contentTypes[path.Ext(name)], data)
		return err
	})
	client, missing := fs.ReadFile(browser.FS, "socket.io.esm.js")
	if err := errors.Join(err, missing); err != nil {
		panic(err) // they are embedded
	}
	files.Add("sluice/socket.io.js", contentTypes[".js"], client)
	return &files
}
