package s3

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"sluice/internal/lab"
	"sluice/storage"
)

// growing is an object of which two parts of three and a bit were sent by a process that was killed. It returns the mark.
func growing(t *testing.T, o Options, body []byte) (sent int64, mark []byte) {
	t.Helper()
	killed, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	g, err := killed.Grow(t.Context(), "film", bytes.NewReader(body), nil, storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(t.Context(), 2*MinPartBytes); err != nil {
		t.Fatal(err)
	}
	sent, mark = g.Mark()
	if err := killed.Close(); err != nil { // and nothing more, as if it were killed
		t.Fatal(err)
	}
	g.(*growth).cancel(t.Context().Err())
	return sent, mark
}

func TestTheNextProcessSendsOnlyTheRest(t *testing.T) {
	server := lab.StartS3(t)
	body := random(3*MinPartBytes + 5)
	for name, c := range map[string]struct {
		change func(t *testing.T, next *Store, body []byte) // before it goes on
		sent   int                                          // parts
	}{
		"as it was":                    {func(*testing.T, *Store, []byte) {}, 2},
		"with other parts from now on": {func(_ *testing.T, next *Store, _ []byte) { next.options.PartBytes *= 2 }, 2},
		"with another second part":     {func(_ *testing.T, _ *Store, body []byte) { body[MinPartBytes] ^= 1 }, 3},
		"after the server has forgotten it": {func(t *testing.T, next *Store, _ []byte) {
			for id, b := range next.uploads.abandoned() {
				if err := next.core.AbortMultipartUpload(t.Context(), next.options.Bucket, b.name, id); err != nil {
					t.Fatal(err)
				}
			}
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			o := connect(t, server)
			o.Record = filepath.Join(t.TempDir(), "uploads")
			body := bytes.Clone(body)
			growing(t, o, body)
			w := through(t, &o)
			next := open(t, o)
			c.change(t, next, body)
			g, err := next.Grow(t.Context(), "film", bytes.NewReader(body), nil, storage.Options{Size: -1})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Commit(t.Context(), int64(len(body))); err != nil {
				t.Fatal(err)
			}
			want(t, next, "film", body)
			if n := w.count("part"); n != c.sent {
				t.Errorf("%d parts were sent; want %d", n, c.sent)
			}
			if n := openUploadsOf(t, next); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		})
	}
}

// cutAt is a source that has let go of what lies before at.
type cutAt struct {
	io.ReaderAt
	at int64
}

func (c cutAt) ReadAt(p []byte, off int64) (int, error) {
	if off < c.at {
		return 0, fs.ErrNotExist
	}
	return c.ReaderAt.ReadAt(p, off)
}

func TestBytesBeforeAMarkAreNeededNoMore(t *testing.T) {
	server := lab.StartS3(t)
	body := random(3*MinPartBytes + 5)
	for name, c := range map[string]struct {
		spoil func(t *testing.T, next *Store, m *mark)
		fails bool
	}{
		"as it was":          {spoil: func(*testing.T, *Store, *mark) {}},
		"without the record": {spoil: func(_ *testing.T, next *Store, _ *mark) { clear(next.uploads.left) }},
		"after the server has forgotten the upload": {func(t *testing.T, next *Store, m *mark) {
			if err := next.core.AbortMultipartUpload(t.Context(), next.options.Bucket, next.name("film"), m.ID); err != nil {
				t.Fatal(err)
			}
		}, true},
		"with a checksum of other parts": {func(_ *testing.T, _ *Store, m *mark) { m.CRC = "AAAAAAAAAAA=" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := connect(t, server)
			o.Record = filepath.Join(t.TempDir(), "uploads")
			sent, text := growing(t, o, body)
			if sent != 2*MinPartBytes {
				t.Fatalf("the mark is at %d; want %d", sent, 2*MinPartBytes)
			}
			var m mark
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			w := through(t, &o)
			next := open(t, o)
			c.spoil(t, next, &m)
			text, _ = json.Marshal(m)
			g, err := next.Grow(t.Context(), "film", cutAt{bytes.NewReader(body), sent}, text, storage.Options{Size: -1})
			if err != nil {
				t.Fatal(err)
			}
			_, err = g.Commit(t.Context(), int64(len(body)))
			if c.fails {
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("Commit = %v; want %v", err, fs.ErrNotExist)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want(t, next, "film", body)
			if n := w.count("part"); n != 2 {
				t.Errorf("%d parts were sent; want 2", n)
			}
			if n := openUploadsOf(t, next); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		})
	}
}

func TestWhatGrowsHoldsNoMemoryBetweenTheParts(t *testing.T) {
	o := connect(t, lab.StartS3(t))
	s := open(t, o)
	body := random(MinPartBytes + 5)
	var all []storage.Growth
	for i := range 3 * defaultPartsAtOnce { // more than memory could hold
		g, err := s.Grow(t.Context(), string(rune('a'+i)), bytes.NewReader(body), nil, storage.Options{Size: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Send(t.Context(), int64(len(body))); err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	if total := s.parts.total; !s.parts.share.TryAcquire(total) {
		t.Error("memory is held though nothing is on its way")
	} else {
		s.parts.share.Release(total)
	}
	for _, g := range all {
		if err := g.Abort(); err != nil {
			t.Error(err)
		}
	}
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// unlisted is a server that tells checksums of parts when they come, and does not list them.
type unlisted struct{ *http.Transport }

var checksums = regexp.MustCompile(`<ChecksumCRC64NVME>[^<]*</ChecksumCRC64NVME>`)

func (u unlisted) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.Transport.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet || !r.URL.Query().Has("uploadId") {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	text = checksums.ReplaceAll(text, nil)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return resp, err
}

func TestThereIsNoMarkThatNobodyCouldGoOnFrom(t *testing.T) {
	o := connect(t, lab.StartS3(t))
	transport, err := newTransport(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	o.Transport = unlisted{transport}
	g, err := open(t, o).Grow(t.Context(), "film", bytes.NewReader(random(3*MinPartBytes)), nil, storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Abort()
	if err := g.Send(t.Context(), 2*MinPartBytes); err != nil {
		t.Fatal(err)
	}
	if sent, mark := g.Mark(); sent != 0 || mark != nil {
		t.Errorf("Mark() = %d, %q; want none: the server lists no checksums", sent, mark)
	}
}

// whole answers a request for a part of an object with all of it.
type whole struct {
	*http.Transport
	body []byte
}

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.Transport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusPartialContent {
		resp.Body.Close()
		resp.StatusCode, resp.Status = http.StatusOK, "200 OK"
		resp.Header.Del("Content-Range")
		resp.Header.Set("Content-Length", strconv.Itoa(len(w.body)))
		resp.ContentLength, resp.Body = int64(len(w.body)), io.NopCloser(bytes.NewReader(w.body))
	}
	return resp, err
}

func TestAnswersToAnotherRangeAreNotBelieved(t *testing.T) {
	server, body := lab.StartS3(t), []byte("0123456789")
	o := connect(t, server)
	if _, err := put(t.Context(), open(t, o), "digits", body); err != nil {
		t.Fatal(err)
	}
	transport, err := newTransport(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	o.Transport = whole{transport, body}
	r, _, err := open(t, o).Open(t.Context(), "digits", 4, 3)
	if err != nil {
		return // it says so at once
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("bytes 4 to 6 read as %q", got)
	}
}
