package siotest

import (
	"context"
	"net"
	"sync"
)

// network is a listener in memory.
type network struct {
	conns chan net.Conn
	done  chan struct{} // closed by Close
	close sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept returns the server's end of the next connection.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close refuses further connections; those there are stay open.
func (n *network) Close() error {
	n.close.Do(func() { close(n.done) })
	return nil
}

// Addr returns an address of no meaning.
func (n *network) Addr() net.Addr { return address{} }

func (n *network) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "siotest" }
