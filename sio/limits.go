package sio

import (
	"cmp"
	"math"
	"time"
)

// Defaults of the Server's fields; those that Node's server has, too, are the same there.
const (
	defaultConnectTimeout  = 45 * time.Second
	defaultPingInterval    = 25 * time.Second
	defaultPingTimeout     = 20 * time.Second
	defaultMaxEventBytes   = 1_000_000
	defaultMaxAttachments  = 10
	defaultMaxQueuedBytes  = 1 << 20
	defaultMaxQueuedCount  = 8192
	defaultMaxPendingBytes = 1 << 20
	defaultMaxHalfSent     = 64 << 20
	defaultMaxNamespaces   = 64
	defaultMaxChildren     = 1000
)

const (
	// Before the first CONNECT of a connection is accepted it may send so many, and so much. Later ones are no longer,
	// either: what they hold is kept as long as the socket.
	maxConnects     = 16
	maxConnectBytes = 64 << 10

	// maxOutgoingAttachments is how many attachments of an event stock clients take; on more they end the connection.
	maxOutgoingAttachments = 10

	// halfSentTimeout is how long an event may stay half-sent without progress.
	halfSentTimeout = 15 * time.Second

	// maxNamespaceName is how long the name of a namespace may be that a client makes to exist.
	maxNamespaceName = 256

	// maxLeft is of how many namespaces that a client has left what it still sends is dropped; of others it is a fault.
	maxLeft = 64

	// urgentFactor lets acks go over MaxQueuedBytes, since a client waits for each, and lets events go over MaxPendingBytes
	// while a handler waits for an ack, which may be behind them.
	urgentFactor = 4

	// eventOverhead is what an event is taken to cost beside its bytes, until its handler has returned.
	eventOverhead = 256

	// joinCost is the same of a client that joins a namespace, until OnConnect's handlers have returned.
	joinCost = 4 << 10

	// pollSoon is how long a polling client that is between two requests may take to be told that the server shuts down.
	pollSoon = time.Second

	// maxPace is how long the next handler of a client waits, at most, for the client to take what was sent to it.
	maxPace = 5 * time.Second
)

func (srv *Server) connectTimeout() time.Duration {
	return cmp.Or(srv.ConnectTimeout, defaultConnectTimeout)
}

// bound returns a limit, or its default for 0. It is so far from the largest number that a few of them can be added.
func bound(limit, otherwise int) int { return min(cmp.Or(limit, otherwise), math.MaxInt/8) }

func (srv *Server) maxEventBytes() int { return bound(srv.MaxEventBytes, defaultMaxEventBytes) }

func (srv *Server) maxAttachments() int { return cmp.Or(srv.MaxAttachments, defaultMaxAttachments) }

func (srv *Server) maxNamespaces() int { return cmp.Or(srv.MaxNamespaces, defaultMaxNamespaces) }

func (srv *Server) maxChildNamespaces() int {
	return cmp.Or(srv.MaxChildNamespaces, defaultMaxChildren)
}

func (srv *Server) maxQueuedBytes() int { return bound(srv.MaxQueuedBytes, defaultMaxQueuedBytes) }

func (srv *Server) maxQueuedPackets() int {
	return bound(srv.MaxQueuedPackets, defaultMaxQueuedCount)
}

// maxPendingBytes has room for one event of any size.
func (srv *Server) maxPendingBytes() int {
	return max(bound(srv.MaxPendingBytes, defaultMaxPendingBytes), srv.maxEventBytes())
}

// maxHalfSentBytes has room for one event of any size.
func (srv *Server) maxHalfSentBytes() int {
	return max(bound(srv.MaxHalfSentBytes, defaultMaxHalfSent), srv.maxEventBytes())
}

// maxUrgentBytes bounds what is sent to a client by the answers to what it asks.
func (srv *Server) maxUrgentBytes() int { return urgentFactor * srv.maxQueuedBytes() }

// maxSilence is how long a client may be gone before that is noticed, and a streamed attachment may stand still.
func (srv *Server) maxSilence() time.Duration {
	return cmp.Or(srv.PingInterval, defaultPingInterval) + cmp.Or(srv.PingTimeout, defaultPingTimeout)
}
