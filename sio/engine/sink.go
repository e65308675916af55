package engine

import (
	"crypto/tls"
	"errors"
	"net"
)

const (
	// notSentBytes is how much the kernel may hold of a connection without having sent it (TCP_NOTSENT_LOWAT). What is not
	// there is still here, where the next thing to send can be chosen by its priority.
	notSentBytes = 128 << 10
	// maxSegments bounds the segments of one system call.
	maxSegments = 64
)

// errBusy says that a connection takes no more without waiting.
var errBusy = errors.New("connection takes no more now")

// sink is the writing half of a connection. One goroutine at a time may use it.
type sink interface {
	// tryWrite writes what the connection takes without waiting, and takes it off bufs. errBusy says that something is left,
	// in bufs or in the sink itself.
	tryWrite(bufs *net.Buffers) (int, error)
	// write waits until it could write something, and takes that off bufs.
	write(bufs *net.Buffers) (int, error)
}

// newSink returns the best sink there is for conn.
func newSink(conn net.Conn) sink {
	switch c := conn.(type) {
	case *flowConn:
		return newSink(c.Conn)
	case *net.TCPConn, *net.UnixConn:
		if raw := newRawSink(c); raw != nil {
			return raw
		}
	case *tls.Conn:
		if flow, ok := c.NetConn().(*flowConn); ok && flow.arm() {
			return &tlsSink{conn: c, flow: flow}
		}
	}
	return blockingSink{conn}
}

// blockingSink is for connections that can only be written to by waiting.
type blockingSink struct{ conn net.Conn }

func (s blockingSink) tryWrite(bufs *net.Buffers) (int, error) {
	if len(*bufs) == 0 {
		return 0, nil
	}
	return 0, errBusy
}

func (s blockingSink) write(bufs *net.Buffers) (int, error) {
	n, err := bufs.WriteTo(s.conn)
	return int(n), err
}

// take takes the first n bytes off bufs.
func take(bufs *net.Buffers, n int) {
	b := *bufs
	for len(b) > 0 && n >= len(b[0]) {
		n -= len(b[0])
		b[0] = nil
		b = b[1:]
	}
	if n > 0 {
		b[0] = b[0][n:]
	}
	*bufs = b
}
