package client

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Transports a client can use.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Defaults of Options and of Backoff. The timing is that of the JavaScript client.
const (
	DefaultPath           = "/socket.io/"
	DefaultNamespace      = "/"
	DefaultConnectTimeout = 20 * time.Second
	DefaultUpgradeTimeout = 10 * time.Second
	DefaultCloseTimeout   = 5 * time.Second

	DefaultMaxEventBytes  = 16 << 20
	DefaultMaxAttachments = 10
	DefaultMaxQueuedBytes = 16 << 20

	DefaultBackoffMin    = time.Second
	DefaultBackoffMax    = 5 * time.Second
	DefaultBackoffJitter = 0.5
)

// Options of a Client. The zero value connects as the JavaScript client does.
type Options struct {
	// Path is where the server listens; "" means /socket.io/.
	Path string
	// Namespace the client connects to; "" means "/".
	Namespace string
	// Query is added to the query of every request of Engine.IO.
	Query url.Values
	// Header is sent with every request, the WebSocket's handshake included.
	Header http.Header
	// Auth is the payload of CONNECT, anything that marshals to a JSON object; nil sends none. A func() any
	// is called for each connection, so that a token can be renewed.
	Auth any
	// TLSConfig is used for https; nil means the system's roots.
	TLSConfig *tls.Config
	// DialContext opens the connections; nil means those of a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Transports are tried in order, the next one when the server refuses one. Polling is upgraded if
	// WebSocket is in the list. Empty means Polling, WebSocket.
	Transports []string

	// ConnectTimeout bounds an attempt to connect, from the first byte to the answer to CONNECT; 0 means 20 s.
	ConnectTimeout time.Duration
	// UpgradeTimeout bounds the attempt to upgrade, without harm to polling; 0 means 10 s.
	UpgradeTimeout time.Duration
	// CloseTimeout bounds how long Close waits for what is queued and for the server's farewell; 0 means 5 s.
	CloseTimeout time.Duration

	// NoReconnect leaves a lost connection lost.
	NoReconnect bool
	// Backoff is the delay between attempts to reconnect.
	Backoff Backoff

	// MaxEventBytes bounds a received event with its attachments; 0 means 16 MiB. More ends the connection.
	MaxEventBytes int
	// MaxAttachments bounds the attachments of a received event; 0 means 10. More ends the connection.
	MaxAttachments int
	// MaxQueuedBytes bounds what is emitted and not yet sent, and apart from that what is received and not yet
	// handled; 0 means 16 MiB. Emit then fails, and the connection is read no further.
	MaxQueuedBytes int
}

// withDefaults returns o with every zero replaced by what it means.
func (o Options) withDefaults() Options {
	setDefault(&o.Path, DefaultPath)
	setDefault(&o.Namespace, DefaultNamespace)
	setDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.UpgradeTimeout, DefaultUpgradeTimeout)
	setDefault(&o.CloseTimeout, DefaultCloseTimeout)
	setDefault(&o.MaxEventBytes, DefaultMaxEventBytes)
	setDefault(&o.MaxAttachments, DefaultMaxAttachments)
	setDefault(&o.MaxQueuedBytes, DefaultMaxQueuedBytes)
	if len(o.Transports) == 0 {
		o.Transports = []string{Polling, WebSocket}
	}
	return o
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// auth returns the payload of CONNECT.
func (o *Options) auth() any {
	if f, ok := o.Auth.(func() any); ok {
		return f()
	}
	return o.Auth
}

// Backoff says how long to wait before each attempt to reconnect: Min, doubled each time up to Max, more or
// less by a random part of Jitter. The zero value is that of the JavaScript client.
type Backoff struct {
	Min      time.Duration // 0 means 1 s
	Max      time.Duration // 0 means 5 s
	Jitter   float64       // part of the delay, 0 to 1; 0 means 0.5, below 0 none
	Attempts int           // attempts before giving up; 0 means without end
}

// delay returns how long to wait before the attempt of that number, the first being 0.
func (b Backoff) delay(attempt int) time.Duration {
	setDefault(&b.Min, DefaultBackoffMin)
	setDefault(&b.Max, DefaultBackoffMax)
	setDefault(&b.Jitter, DefaultBackoffJitter)
	d := b.Min
	for range attempt {
		if d >= b.Max {
			break
		}
		d *= 2
	}
	d = min(d, b.Max)
	if b.Jitter > 0 {
		d += time.Duration(float64(d) * b.Jitter * (2*rand.Float64() - 1))
	}
	return d
}
