package engine

import (
	"errors"
	"io"
	"net"
	"sync"
)

const (
	// recordBytes is how much plaintext is encrypted at once: the largest TLS record.
	recordBytes = 16 << 10
	// cipherBytes is how much ciphertext may be waiting below a TLS connection before no more is encrypted.
	cipherBytes = 64 << 10
	// maxCipherBytes bounds it whoever writes: crypto/tls answers each update of a key that a client asks for, and a client may
	// ask without reading.
	maxCipherBytes = 2 * cipherBytes
)

var errCipherFull = errors.New("too much waits below TLS")

// Listener wraps a listener of TCP so that a Server can write to TLS connections on top of it without waiting:
//
//	tls.NewListener(engine.Listener(l), config)
//
// A tls.Conn that was given up in the middle of a write is ruined. So below it, from the WebSocket handshake on, ciphertext
// goes into a bounded buffer that is flushed without waiting. Without Listener a goroutine waits for each slow TLS client.
func Listener(l net.Listener) net.Listener { return flowListener{l} }

type flowListener struct{ net.Listener }

func (l flowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &flowConn{Conn: conn}, nil
}

// flowConn is a connection that can be told to buffer what is written to it instead of waiting.
type flowConn struct {
	net.Conn

	mu     sync.Mutex
	failed error  // of a write that was not buffered
	sink   sink   // nil until armed
	buffer []byte // what the kernel has not taken yet
	corked bool   // somebody will flush
}

// ReadFrom keeps what net/http does with plain connections: sendfile.
func (c *flowConn) ReadFrom(r io.Reader) (int64, error) {
	if from, ok := c.Conn.(io.ReaderFrom); ok {
		return from.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}

// arm makes c buffer from now on, if the connection below can be written to without waiting.
func (c *flowConn) arm() bool {
	raw := newRawSink(c.Conn)
	if raw == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink = raw
	return true
}

// Write buffers p if c is armed, and never waits then. It fails, and with it all that crypto/tls writes, where too much waits.
func (c *flowConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.sink == nil {
		c.mu.Unlock()
		return c.writeThrough(p)
	}
	defer c.mu.Unlock()
	if len(c.buffer)+len(p) > maxCipherBytes {
		return 0, errCipherFull
	}
	c.buffer = append(c.buffer, p...)
	if c.corked {
		return len(p), nil
	}
	if err := c.flush(sink.tryWrite); err != nil && err != errBusy {
		return 0, err
	}
	return len(p), nil
}

// writeThrough writes p while c is not armed. After a failure there is no other attempt: crypto/tls would wait five seconds for its
// last words to be taken, of a peer that takes nothing.
func (c *flowConn) writeThrough(p []byte) (int, error) {
	c.mu.Lock()
	failed := c.failed
	c.mu.Unlock()
	if failed != nil {
		return 0, failed
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.mu.Lock()
		c.failed = err
		c.mu.Unlock()
	}
	return n, err
}

// flush gives the kernel what is buffered. Its caller holds mu.
func (c *flowConn) flush(write func(sink, *net.Buffers) (int, error)) error {
	if len(c.buffer) == 0 {
		return nil
	}
	bufs := net.Buffers{c.buffer}
	n, err := write(c.sink, &bufs)
	c.buffer = append(c.buffer[:0], c.buffer[n:]...)
	if len(c.buffer) == 0 {
		c.buffer = nil
	}
	return err
}

// waiting returns how much is buffered.
func (c *flowConn) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.buffer)
}

func (c *flowConn) cork(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = on
}
