package webtransport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	// maxStreams bounds the streams that a client has open at once, of either direction: HTTP/3 needs four and Engine.IO one.
	maxStreams = 16
	// streamWindow and connWindow bound what a client may have sent that nobody has read.
	streamWindow = 2 << 20
	connWindow   = 3 << 20
	// keepAlive is how often something is sent to a client that is silent; after idleTimeout without an answer it is gone.
	keepAlive   = 10 * time.Second
	idleTimeout = 30 * time.Second
	// maxUnproven is how many handshakes may be under way before clients must show first that their address is their own (RFC
	// 9000, section 8.1.2): one that begins from a false address costs memory and a signature. maxHandshakes bounds all.
	maxUnproven   = 100
	maxHandshakes = 500
)

var errManyHandshakes = errors.New("too many handshakes")

// client is one connection of QUIC, which carries one session at most.
type client struct {
	conn    *quic.Conn
	timeout *time.Timer // for opening a session

	mu   sync.Mutex
	used bool // guarded by mu: a session has been asked for, or is too late
}

func quicConfig(handshake time.Duration) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:             handshake / 2, // quic-go takes it twice for all of the handshake
		MaxIdleTimeout:                   idleTimeout,
		KeepAlivePeriod:                  keepAlive,
		MaxStreamReceiveWindow:           streamWindow,
		MaxConnectionReceiveWindow:       connWindow,
		MaxIncomingStreams:               maxStreams,
		MaxIncomingUniStreams:            maxStreams,
		EnableDatagrams:                  true, // browsers ask for both
		EnableStreamResetPartialDelivery: true,
	}
}

// meet counts a connection, from its first packet to its end, unless too many handshakes are under way.
func (srv *Server) meet(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.handshakes() >= maxHandshakes {
		return nil, errManyHandshakes
	}
	srv.met++
	context.AfterFunc(ctx, srv.part)
	return ctx, nil
}

// part notes that a connection has ended.
func (srv *Server) part() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.met--
}

// handshakes returns how many handshakes are under way. Its caller holds mu.
func (srv *Server) handshakes() int { return srv.met - len(srv.conns) }

// doubts reports whether a client must show that its address is its own.
func (srv *Server) doubts(net.Addr) bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.handshakes() >= maxUnproven
}

// admit serves a connection, unless there are too many.
func (srv *Server) admit(conn *quic.Conn) bool {
	c := &client{conn: conn}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.closing || len(srv.conns) >= srv.maxConns() {
		return false
	}
	srv.conns[conn] = c
	c.timeout = time.AfterFunc(srv.handshakeTimeout(), c.expire)
	srv.tasks.Go(func() { srv.serveConn(c) })
	return true
}

// serveConn serves a connection until it ends.
func (srv *Server) serveConn(c *client) {
	err := srv.wt.ServeQUICConn(c.conn)
	<-c.conn.Context().Done()
	c.timeout.Stop()
	srv.mu.Lock()
	delete(srv.conns, c.conn)
	srv.mu.Unlock()
	srv.log().LogAttrs(context.Background(), slog.LevelDebug, "QUIC connection closed",
		slog.Any("reason", context.Cause(c.conn.Context())), slog.Any("error", err))
}

// clientKey is the key of a request's context under which its client is.
type clientKey struct{}

// connContext makes a connection's client known to its requests.
func (srv *Server) connContext(ctx context.Context, conn *quic.Conn) context.Context {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return context.WithValue(ctx, clientKey{}, srv.conns[conn])
}

// claim takes the client's only session, if it has not been taken.
func (c *client) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used {
		return false
	}
	c.used = true
	return true
}

// expire closes a connection that has no session.
func (c *client) expire() {
	if c.claim() {
		go c.close() // it waits for what serves the connection
	}
}

func (c *client) close() { c.conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "") }
