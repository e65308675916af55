package webtransport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/quic-go/webtransport-go"
)

const (
	// maxHeaderBytes and maxHeaderFields bound the header of a request.
	maxHeaderBytes  = 16 << 10
	maxHeaderFields = 100
	// goodbyeTime is how long a connection lives on when its session has ended, for the client to learn of it and close.
	goodbyeTime = time.Second
)

// serveRequest answers a request that asks for a session, and serves the session.
func (srv *Server) serveRequest(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(clientKey{}).(*client)
	switch {
	case r.URL.Path != cmp.Or(srv.Path, defaultPath):
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case fields(r.Header) > maxHeaderFields:
		w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
	case !srv.Handler.AllowOrigin(w.Header(), r):
		w.WriteHeader(http.StatusForbidden)
	case !c.claim():
		w.WriteHeader(http.StatusTooManyRequests)
	default:
		session, err := srv.wt.Upgrade(w, r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			c.bye()
			return
		}
		srv.serveSession(session, r)
		c.bye()
	}
}

// fields counts the header fields of a request, every one of the same name.
func fields(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

// bye closes the connection once the client has, or has had the time.
func (c *client) bye() {
	goodbye := time.NewTimer(goodbyeTime)
	defer goodbye.Stop()
	select {
	case <-c.conn.Context().Done():
	case <-goodbye.C:
		go c.close() // it waits for what serves the connection: for this goroutine, too
	}
}

// serveSession hands the first stream of a session on, and refuses all others until the session ends.
func (srv *Server) serveSession(session *webtransport.Session, r *http.Request) {
	opened := time.Now()
	ctx, cancel := context.WithTimeout(session.Context(), srv.handshakeTimeout())
	first, err := session.AcceptStream(ctx)
	cancel()
	if err != nil {
		session.CloseWithError(0, "no stream came")
		return
	}
	var others sync.WaitGroup
	others.Go(func() { refuseStreams(session) })
	others.Go(func() { refuseUniStreams(session) })
	srv.Handler.ServeStream(&stream{Stream: first, session: session, opened: opened}, r)
	<-session.Context().Done()
	others.Wait()
}

func refuseStreams(session *webtransport.Session) {
	for {
		s, err := session.AcceptStream(session.Context())
		if err != nil {
			return
		}
		s.CancelRead(0)
		s.CancelWrite(0)
	}
}

func refuseUniStreams(session *webtransport.Session) {
	for {
		s, err := session.AcceptUniStream(session.Context())
		if err != nil {
			return
		}
		s.CancelRead(0)
	}
}

// stream is the stream that carries a client, as a net.Conn whose end is the session's.
type stream struct {
	*webtransport.Stream
	session *webtransport.Session
	opened  time.Time
}

// Read makes every end that the client or the network brought about io.EOF: no two clients end alike.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	return n, end(err)
}

// end makes an error of reading io.EOF, unless it is a deadline.
func end(err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return io.EOF
}

// CloseWrite ends what the server sends.
func (s *stream) CloseWrite() error { return s.Stream.Close() }

// Close ends the session.
func (s *stream) Close() error { return s.session.CloseWithError(0, "") }

// Opened returns when the client was let in.
func (s *stream) Opened() time.Time { return s.opened }

func (s *stream) LocalAddr() net.Addr  { return s.session.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.session.RemoteAddr() }

var _ net.Conn = (*stream)(nil)
