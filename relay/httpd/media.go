package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"sluice/chunker"
	"sluice/relay"
)

// patience is how long a client may take for one chunk.
const patience = 2 * time.Minute

// media serves a stream's bytes.
func (d *Door) media(w http.ResponseWriter, r *http.Request, id string) error {
	who, err := d.who(r)
	if err != nil {
		return err
	}
	st, err := d.Hub.Stream(r.Context(), id, who)
	if err != nil {
		return err
	}
	info := st.Info()
	switch {
	case info.Whole():
		return d.finished(w, r, st, info)
	case info.Over():
		return relay.Errorf(relay.NotFound, "the stream is %s, nothing of it was kept", info.State)
	}
	return d.follow(w, r, st)
}

// finished serves a stream that has its end: ranges and conditions are net/http's.
func (d *Door) finished(w http.ResponseWriter, r *http.Request, st *relay.Stream, info relay.Info) error {
	content, err := st.Content(r.Context())
	if errors.Is(err, fs.ErrNotExist) && st.Info().Whole() {
		return d.follow(w, r, st) // as far as there is something of it
	}
	if err != nil {
		return err
	}
	defer content.Close()
	describe(w.Header(), r, info)
	w.Header().Set("ETag", `"`+info.SHA256+`"`)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(w, r, "", info.Created, patient{content, http.NewResponseController(w)})
	return nil
}

// patient is content whose reader must have taken, within patience, what it was given before: else the connection ends.
type patient struct {
	io.ReadSeeker
	rc *http.ResponseController
}

func (p patient) Read(b []byte) (int, error) {
	n, err := p.ReadSeeker.Read(b)
	// Not every ResponseWriter has deadlines; a server's own has.
	_ = p.rc.SetWriteDeadline(time.Now().Add(patience))
	return n, err
}

// follow serves an open stream from its first byte as it grows. Should it fail, the connection is aborted, so that nobody takes
// what came for the whole.
func (d *Door) follow(w http.ResponseWriter, r *http.Request, st *relay.Stream) error {
	f := st.Follow(0)
	defer f.Close()
	item, err := f.Next(r.Context()) // the type is known with the first bytes
	if err == io.ErrUnexpectedEOF {
		return relay.Errorf(relay.NotFound, "the stream came to nothing")
	}
	if err != nil && err != io.EOF {
		return err
	}
	describe(w.Header(), r, st.Info())
	w.Header().Set("Accept-Ranges", "none")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	if copyChunks(r.Context(), w, f, item, err) != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// copyChunks writes item and all that follows it. What a reader of a live stream that fell behind is not given is left out.
func copyChunks(ctx context.Context, w http.ResponseWriter, f *relay.Follower, item relay.Item, err error) error {
	rc := http.NewResponseController(w)
	for ; err == nil; item, err = f.Next(ctx) {
		if item.Chunk == nil {
			continue
		}
		// Not every ResponseWriter has deadlines; a server's own has.
		_ = rc.SetWriteDeadline(time.Now().Add(patience))
		if _, err := w.Write(item.Chunk.Data); err != nil {
			return err
		}
		if err := rc.Flush(); err != nil {
			return err
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// describe says what the content is and what it is called.
func describe(h http.Header, r *http.Request, info relay.Info) {
	media := chunker.Lookup(info.Type)
	kind, disposition := media.Type, "inline"
	if media.Active {
		disposition = "attachment"
	}
	if runnable(kind) {
		kind = "application/octet-stream"
	}
	if r.URL.Query().Has("download") {
		disposition = "attachment"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", dispose(disposition, fileName(info, media)))
}

// runnable reports whether a page could have a browser run content of this type, attachment or not.
func runnable(kind string) bool {
	for _, part := range []string{"html", "xml", "svg", "script"} {
		if strings.Contains(kind, part) {
			return true
		}
	}
	return false
}

// fileName is what the stream is to be saved as.
func fileName(info relay.Info, media chunker.Media) string {
	name := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '/' || c == '\\' || c == unicode.ReplacementChar {
			return -1
		}
		return c
	}, info.Name)
	if name = strings.TrimLeft(name, ". "); name == "" {
		return info.ID + media.Ext
	}
	return name
}

// dispose is a Content-Disposition (RFC 6266): the name in ASCII for old clients, and as it is (RFC 5987).
func dispose(disposition, name string) string {
	ascii := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%' {
			return '_'
		}
		return c
	}, name)
	return fmt.Sprintf(`%s; filename="%s"; filename*=UTF-8''%s`, disposition, ascii, escape(name))
}

// escape leaves only what RFC 5987 calls attr-char.
func escape(name string) string {
	// QueryEscape leaves letters, digits, - _ . ~ and makes a space a plus sign.
	return strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
