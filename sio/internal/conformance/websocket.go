package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"sluice/sio/internal/websocket"
)

const (
	// echoLimit is the longest message that is echoed, in bytes.
	echoLimit = 16 << 20
	// echoPatience is how long a peer may take to send something, or to take what it is sent.
	echoPatience = 30 * time.Second
)

// echoWebSocket echoes messages on the engine's own WebSocket code. The zero value is ready.
type echoWebSocket struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{} // guarded by mu
	shut  bool                  // guarded by mu
	open  sync.WaitGroup
}

// errOver says that the peer has closed in order, and was answered.
var errOver = errors.New("closed in order")

func (e *echoWebSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := websocket.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply := websocket.Reply{Timeout: echoPatience}
	extension, compress := websocket.Deflate(r.Header)
	if extension != "" {
		reply.Header = []http.Header{{"Sec-WebSocket-Extensions": {extension}}}
	}
	conn, src, err := websocket.Accept(w, r, reply)
	if err != nil || !e.add(conn) {
		return
	}
	defer e.remove(conn)
	in := websocket.NewReader(src, func(op ws.OpCode, payload []byte) error { return control(conn, op, payload) })
	in.Inflate = extension != ""
	in.AnyFragments = true // suites send 4 MiB in fragments of 64 bytes
	if echoAll(conn, in, compress) {
		lastWords(conn, src)
	}
}

// echoAll echoes until the connection ends, and reports whether it ends with a close frame that the peer is to read.
func echoAll(conn net.Conn, in *websocket.Reader, compress bool) (told bool) {
	for {
		conn.SetReadDeadline(time.Now().Add(echoPatience))
		err := echoOne(conn, in, compress)
		var fault *websocket.Error
		if errors.As(err, &fault) {
			return write(conn, websocket.AppendClose(nil, fault.Status)) == nil
		}
		if err != nil {
			return errors.Is(err, errOver)
		}
	}
}

// control answers a control frame.
func control(conn net.Conn, op ws.OpCode, payload []byte) error {
	switch op {
	case ws.OpPing:
		return write(conn, websocket.AppendFrame(nil, ws.OpPong, payload))
	case ws.OpClose:
		return errors.Join(errOver, write(conn, websocket.AppendFrame(nil, ws.OpClose, payload)))
	}
	return nil
}

// echoOne waits for a message and sends it back.
func echoOne(conn net.Conn, in *websocket.Reader, compress bool) error {
	op, err := in.Next()
	if err != nil {
		return err
	}
	if op == ws.OpText {
		text, release, err := in.Text(echoLimit)
		if err != nil {
			return err
		}
		defer release()
		return write(conn, frame(op, text, compress))
	}
	data, err := io.ReadAll(io.LimitReader(in, echoLimit+1))
	switch {
	case err != nil:
		return err
	case len(data) > echoLimit:
		return websocket.ErrTooLarge
	}
	return write(conn, frame(op, data, compress))
}

// frame returns the frame of a message, compressed if it may be and becomes smaller by it.
func frame(op ws.OpCode, data []byte, compress bool) []byte {
	if compress {
		if frame, ok := websocket.AppendDeflated(nil, op, data); ok {
			return frame
		}
	}
	return websocket.AppendFrame(nil, op, data)
}

func write(conn net.Conn, frame []byte) error {
	conn.SetWriteDeadline(time.Now().Add(echoPatience))
	_, err := conn.Write(frame)
	return err
}

// lastWords lets the peer read why, before the connection is closed: closing with bytes unread would take that back.
func lastWords(conn net.Conn, src io.Reader) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	conn.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, src)
}

// add counts a connection, unless there are to be no more.
func (e *echoWebSocket) add(conn net.Conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.shut {
		conn.Close()
		return false
	}
	if e.conns == nil {
		e.conns = make(map[net.Conn]struct{})
	}
	e.conns[conn] = struct{}{}
	e.open.Add(1)
	return true
}

func (e *echoWebSocket) remove(conn net.Conn) {
	conn.Close()
	e.mu.Lock()
	delete(e.conns, conn)
	e.mu.Unlock()
	e.open.Done()
}

// Shutdown closes all connections and waits until they have ended, or ctx has.
func (e *echoWebSocket) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.shut = true
	for conn := range e.conns {
		conn.Close()
	}
	e.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		e.open.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
