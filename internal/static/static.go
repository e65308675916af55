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
	byName map[string]*File
}

// File is served as it was when it was made.
type File struct {
	contentType string
	tag         string
	plain       []byte
	gzipped     []byte // nil when it would not be smaller
}

// NewFile keeps data, which the caller must not change afterwards.
func NewFile(contentType string, data []byte) *File {
	sum := sha256.Sum256(data)
	return &File{
		contentType: contentType,
		tag:         hex.EncodeToString(sum[:12]),
		plain:       data,
		gzipped:     compress(data),
	}
}

// Add keeps data, which the caller must not change afterwards, under name.
func (f *Files) Add(name, contentType string, data []byte) {
	if f.byName == nil {
		f.byName = make(map[string]*File)
	}
	f.byName[name] = NewFile(contentType, data)
}

// Serve answers a GET or HEAD with the file called name: 404 when there is none, 304 when the client has it.
// Browsers may keep a file but ask each time whether it is still the one.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request, name string) {
	file, ok := f.byName[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	file.ServeHTTP(w, r)
}

// ServeHTTP answers a GET or HEAD with the file: 304 when the client has it.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Encoding")
	body, tag := f.plain, f.tag
	if f.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body, tag = f.gzipped, f.tag+"-gzip"
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
