package webtransport

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
)

const (
	defaultAddr             = ":443"
	defaultPath             = "/socket.io/"
	defaultMaxConns         = 10_000
	defaultHandshakeTimeout = 10 * time.Second
)

// Handler is the server behind the door: a *sio.Server or an *engine.Server.
type Handler interface {
	// ServeStream takes over the stream that carries a client.
	ServeStream(conn net.Conn, r *http.Request)
	// AllowOrigin reports whether a request may be served for the web page that it comes from.
	AllowOrigin(h http.Header, r *http.Request) bool
	// OpenDoor announces WebTransport to clients until shut is called.
	OpenDoor() (shut func())
}

// Server opens a door for WebTransport. The fields must not change after the first call.
type Server struct {
	Handler   Handler
	Addr      string      // of UDP, for ListenAndServe; "" means ":443"
	TLSConfig *tls.Config // with the certificate
	Path      string      // that clients connect to; "" means "/socket.io/"

	MaxConns         int           // connections of QUIC at once; 0 means 10,000
	HandshakeTimeout time.Duration // for each step until a client has a stream; 0 means 10 s

	Logger *slog.Logger // nil means slog.Default()

	once sync.Once // sets up the two below
	h3   *http3.Server
	wt   *webtransport.Server

	tasks sync.WaitGroup // those that serve conns; none is added once closing

	mu        sync.Mutex
	closing   bool                    // guarded by mu
	listeners map[*quic.Listener]bool // guarded by mu
	conns     map[*quic.Conn]*client  // guarded by mu
	met       int                     // guarded by mu: connections, those whose handshake is under way included
}

// ListenAndServe serves at Addr. It returns as Serve does.
func (srv *Server) ListenAndServe() error {
	addr, err := net.ResolveUDPAddr("udp", cmp.Or(srv.Addr, defaultAddr))
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return err
	}
	return srv.Serve(conn)
}

// Serve serves at a UDP socket, which it closes at the end. After Shutdown or Close it returns http.ErrServerClosed, once
// all connections have ended.
func (srv *Server) Serve(conn net.PacketConn) error {
	srv.once.Do(srv.setUp)
	defer conn.Close()
	transport := &quic.Transport{Conn: conn, ConnContext: srv.meet, VerifySourceAddress: srv.doubts}
	defer transport.Close()
	l, err := transport.Listen(http3.ConfigureTLSConfig(srv.TLSConfig), quicConfig(srv.handshakeTimeout()))
	if err != nil {
		return err
	}
	if !srv.add(l) {
		return http.ErrServerClosed
	}
	shut := srv.Handler.OpenDoor()
	err = srv.accept(l)
	shut()
	srv.tasks.Wait()
	return err
}

// accept serves what comes to l until it is closed.
func (srv *Server) accept(l *quic.Listener) error {
	for {
		conn, err := l.Accept(context.Background())
		if err != nil {
			if srv.isClosing() {
				return http.ErrServerClosed
			}
			return err
		}
		if !srv.admit(conn) {
			// Not waited for: it takes a round trip, and others want in.
			go conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad), "too many connections")
		}
	}
}

func (srv *Server) setUp() {
	srv.h3 = &http3.Server{
		Handler:        http.HandlerFunc(srv.serveRequest),
		MaxHeaderBytes: maxHeaderBytes,
		Logger:         slog.New(slog.DiscardHandler), // what peers do wrong is theirs
		ConnContext:    srv.connContext,
	}
	srv.wt = &webtransport.Server{
		H3:                srv.h3,
		ReorderingTimeout: srv.handshakeTimeout(),
		CheckOrigin:       func(*http.Request) bool { return true }, // the Handler has been asked
	}
	webtransport.ConfigureHTTP3Server(srv.h3)
}

// add notes a listener, unless the server is closing.
func (srv *Server) add(l *quic.Listener) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing {
		return false
	}
	if srv.listeners == nil {
		srv.listeners = make(map[*quic.Listener]bool)
		srv.conns = make(map[*quic.Conn]*client)
	}
	srv.listeners[l] = true
	return true
}

func (srv *Server) isClosing() bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.closing
}

// Shutdown lets nobody in any more and waits until all clients have gone, or until ctx ends; then it closes. The clients'
// end is the Handler's to bring about: shut it down first.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.stop()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		srv.tasks.Wait()
	}()
	var err error
	select {
	case <-gone:
	case <-ctx.Done():
		err = ctx.Err()
	}
	srv.Close()
	<-gone
	return err
}

// stop closes the listeners, and the connections that have no session.
func (srv *Server) stop() {
	srv.mu.Lock()
	srv.closing = true
	listeners, clients := slices.Collect(maps.Keys(srv.listeners)), slices.Collect(maps.Values(srv.conns))
	srv.mu.Unlock()
	for _, l := range listeners {
		l.Close() // without mu: it waits for what calls meet and doubts
	}
	for _, c := range clients {
		c.expire()
	}
}

// Close closes all connections, and waits for what served them. It takes a second at most, whatever the clients do.
func (srv *Server) Close() error {
	srv.once.Do(srv.setUp)
	srv.stop()
	err := srv.wt.Close()
	srv.tasks.Wait()
	return err
}

func (srv *Server) log() *slog.Logger {
	if srv.Logger != nil {
		return srv.Logger
	}
	return slog.Default()
}

func (srv *Server) maxConns() int { return cmp.Or(srv.MaxConns, defaultMaxConns) }
func (srv *Server) handshakeTimeout() time.Duration {
	return cmp.Or(srv.HandshakeTimeout, defaultHandshakeTimeout)
}
