package s3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// what names a request by what it does.
func what(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		return "begin"
	case r.Method == http.MethodPost && query.Has("uploadId"):
		return "complete"
	case r.Method == http.MethodPut && query.Has("partNumber"):
		return "part"
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return "abort"
	case r.Method == http.MethodGet && !query.Has("list-type") && !query.Has("uploads") && !query.Has("location"):
		return "get"
	case r.Method == http.MethodGet && query.Has("list-type"):
		return "list"
	}
	return strings.ToLower(r.Method)
}

// wire stands between the store and the server and lets something go wrong, once for each kind of request in fail.
type wire struct {
	http.RoundTripper
	happen func(send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error)

	look func(*http.Request) // is called for every request; nil: is not

	mu   sync.Mutex
	fail []string       // guarded by mu
	seen map[string]int // guarded by mu
}

// through puts a wire into o.
func through(t *testing.T, o *Options, fail ...string) *wire {
	t.Helper()
	transport, err := newTransport(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	w := &wire{RoundTripper: transport, fail: fail, seen: make(map[string]int)}
	o.Transport = w
	return w
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := what(r)
	w.mu.Lock()
	if w.look != nil {
		w.look(r)
	}
	w.seen[kind]++
	i := slices.Index(w.fail, kind)
	if i >= 0 {
		w.fail = slices.Delete(w.fail, i, i+1)
	}
	w.mu.Unlock()
	if i >= 0 {
		return w.happen(w.RoundTripper.RoundTrip, r)
	}
	return w.RoundTripper.RoundTrip(r)
}

func (w *wire) count(kind string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[kind]
}

func (w *wire) left() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.fail)
}

var errReset = errors.New("connection reset by the test")

func lostAnswer(send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error) {
	answer, err := send(r)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	return nil, errReset
}

func lostRequest(func(*http.Request) (*http.Response, error), *http.Request) (*http.Response, error) {
	return nil, errReset
}

// errorWith200 is what Amazon may answer after it has kept the connection alive with spaces.
func errorWith200(_ func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error) {
	const text = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>`
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}

func flippedBit(send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body[len(body)/2] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(body))
	return send(r)
}

// otherSum answers with the checksum of another object.
func otherSum(send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error) {
	answer, err := send(r)
	if err == nil && answer.Header.Get(crcHeader) != "" {
		answer.Header.Set(crcHeader, "AAAAAAAAAAA=")
	}
	return answer, err
}

// brokenAnswer ends a download after a million bytes.
func brokenAnswer(send func(*http.Request) (*http.Response, error), r *http.Request) (*http.Response, error) {
	answer, err := send(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(answer.Body, 1e6), errReader{}), answer.Body}
	return answer, nil
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errReset }
