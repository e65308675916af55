// Package static serves files that are known when the program starts: from memory, compressed once, and
// never again once the browser has them. It is not a file server: it knows no directories and no disk.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// Files are served by name. The zero value is empty; add all files before the first request.
type Files struct {
	byName map[string]file
}

type file struct {
	contentType string
	tag         string
	plain       []byte
	gzipped     []byte // nil when it would not be smaller
}

// Add keeps data, which the caller must not change afterwards, under name.
func (f *Files) Add(name, contentType string, data []byte) {
	if f.byName == nil {
		f.byName = make(map[string]file)
	}
	sum := sha256.Sum256(data)
	f.byName[name] = file{
		contentType: contentType,
		tag:         hex.EncodeToString(sum[:12]),
		plain:       data,
		gzipped:     compress(data),
	}
}

// Serve answers a GET or HEAD with the file called name: 404 when there is none, 304 when the client has it.
// Browsers may keep a file but ask each time whether it is still the one.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request, name string) {
	file, ok := f.byName[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, tag := file.plain, file.tag
	if file.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body, tag = file.gzipped, file.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func compress(data []byte) []byte {
	var buf bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // fails on an unknown level only
	zw.Write(data)                                           // a bytes.Buffer takes everything
	zw.Close()
	if buf.Len() >= len(data) {
		return nil
	}
	return buf.Bytes()
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, 12.5.3).
func acceptsGzip(header string) bool {
	for item := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
		return !found || strings.Trim(q, "0.") != ""
	}
	return false
}
