package engine

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server speaks Engine.IO 4. Its zero value works with the defaults of Node's server, but admits nobody until Accept is set.
// The fields must not change after the first request.
type Server struct {
	PingInterval     time.Duration // between pings; 0 means 25 s
	PingTimeout      time.Duration // for the answer to a ping; 0 means 20 s
	UpgradeTimeout   time.Duration // for an upgrade, from the WebSocket's opening on; 0 means 10 s
	HandshakeTimeout time.Duration // for writing a handshake's reply; 0 means 10 s

	// MaxPayloadBytes is announced to the client; it bounds a text message, what a POST may hold beside streamed binary
	// messages, and what Receive may leave unread of one. 0 means 1,000,000.
	MaxPayloadBytes int

	// CheckOrigin decides about requests with an Origin that is not the server's own. nil refuses them all; where it says yes,
	// the CORS headers that a browser needs are sent.
	CheckOrigin func(*http.Request) bool

	// Accept admits a session. It is called on the handshake before the reply is written; the Receiver it returns gets the
	// session's messages. A *HandshakeError refuses with its status and JSON body; any other error with 403 and code 4.
	Accept func(s *Session, r *http.Request) (Receiver, error)

	Logger *slog.Logger // nil means slog.Default()
}

// ServeHTTP serves every request of Engine.IO, whatever its path.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Shutdown refuses new sessions, closes all with ErrServerShutdown, and waits until everything the server began has ended or
// ctx has.
func (srv *Server) Shutdown(ctx context.Context) error { return nil }

// Stats returns a snapshot of the counters.
func (srv *Server) Stats() Stats { return Stats{} }

// Listener wraps a listener so that TLS connections on top of it (tls.NewListener) can be written to without waiting.
func Listener(l net.Listener) net.Listener { return l }
