package client

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// liveConn fails a Read with os.ErrDeadlineExceeded when nothing has moved for too long, in either direction:
// while a large message leaves, bytes going out are as good a sign of life as a ping. It lies below TLS, so
// that it counts bytes rather than records. Time in which nobody reads does not count.
type liveConn struct {
	net.Conn
	idle  atomic.Int64 // the time.Duration that is too long; 0 for no limit
	wrote atomic.Int64 // when bytes went out last, in Unix nanoseconds
}

// watch begins to watch.
func (c *liveConn) watch(idle time.Duration) { c.idle.Store(int64(idle)) }

// release stops watching and fails what waits.
func (c *liveConn) release() {
	c.idle.Store(0)
	c.Conn.SetDeadline(time.Now())
}

func (c *liveConn) Read(p []byte) (int, error) {
	for {
		idle := time.Duration(c.idle.Load())
		if idle > 0 {
			c.Conn.SetReadDeadline(time.Now().Add(idle))
			if c.idle.Load() == 0 { // released meanwhile
				c.Conn.SetReadDeadline(time.Now())
			}
		}
		n, err := c.Conn.Read(p)
		if n > 0 || idle == 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !c.wroteWithin(idle) {
			return n, err
		}
	}
}

func (c *liveConn) wroteWithin(d time.Duration) bool {
	return c.idle.Load() > 0 && time.Since(time.Unix(0, c.wrote.Load())) < d
}

func (c *liveConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n > 0 {
		c.wrote.Store(time.Now().UnixNano())
	}
	return n, err
}
