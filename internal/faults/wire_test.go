package faults

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"sluice/internal/lab"
)

// kinds of requests that something is done to.
func isPart(r *http.Request) bool { return r.Method == http.MethodPut && r.ContentLength != 0 }

func isComplete(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
}

func isBegin(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploads")
}

func isWrite(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodPost }

// tamper is something that is done to requests of a kind.
type tamper struct {
	to   func(r *http.Request) bool
	what func(w http.ResponseWriter, r *http.Request, forward http.Handler)
}

// wire is a proxy in front of an S3 server that does something to the next requests.
type wire struct {
	addr    string
	forward *httputil.ReverseProxy
	server  *http.Server

	mu   sync.Mutex
	next []*tamper // guarded by mu
}

func startWire(t *testing.T, s3 *lab.S3Server) *wire {
	t.Helper()
	authority, err := os.ReadFile(s3.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 32}
	target := &url.URL{Scheme: "https", Host: s3.Address}
	quiet := log.New(io.Discard, "", 0)
	w := &wire{forward: &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // which is signed
		Transport:    transport,
		ErrorLog:     quiet,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // as if it had not been there
	}}
	cert, key := s3.Certificate()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	w.server = &http.Server{Handler: w, ErrorLog: quiet}
	ended := make(chan error, 1)
	go func() { ended <- w.server.ServeTLS(l, cert, key) }()
	t.Cleanup(func() {
		w.server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the wire ended: %v", err)
		}
		transport.CloseIdleConnections()
	})
	return w
}

func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if t := w.take(r); t != nil {
		t.what(rw, r, w.forward)
		return
	}
	w.forward.ServeHTTP(rw, r)
}

// take returns what is to be done to a request; nil: nothing.
func (w *wire) take(r *http.Request) *tamper {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, t := range w.next {
		if t.to(r) {
			w.next = append(w.next[:i:i], w.next[i+1:]...)
			return t
		}
	}
	return nil
}

// do has something done to the next request of a kind.
func (w *wire) do(t *tamper) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = append(w.next, t)
}

// left returns how many tampers nothing came for, and forgets them.
func (w *wire) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.next)
	w.next = nil
	return n
}

const errorText = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>%CODE%</Code><Message>Please try again.</Message></Error>`

// answer answers with an error in place of the server.
func answer(status int, code string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		io.WriteString(w, strings.Replace(errorText, "%CODE%", code, 1))
	}
}

// flip changes a bit of what is sent.
func flip(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	body[len(body)/2] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(body))
	forward.ServeHTTP(w, r)
}

// lose has the server do what it is asked, and cuts its answer off.
func lose(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(nowhere{http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

// nowhere is where an answer goes that nobody gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
