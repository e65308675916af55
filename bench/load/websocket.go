package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// mask is what all frames are masked with: a server cannot know that it never changes.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// webSocket is the wire of WebSocket.
type webSocket struct {
	deflate bool
	frames  frames
	buf     []byte // to read with
	conn    net.Conn
	got     atomic.Int64
	stalled atomic.Bool
	rate    int             // bytes that are read in a second; 0: as many as come
	closed  context.Context // done when Close was called
	close   context.CancelFunc

	mu  sync.Mutex // held while something is written
	out []byte     // guarded by mu: room for what is written
}

func newWebSocket(s *Socket) *webSocket {
	w := &webSocket{frames: frames{text: s.packet, binary: s.attachment, end: s.options.End}}
	w.closed, w.close = context.WithCancel(context.Background())
	w.frames.ping = w.pong
	if s.options.Deflate != nil {
		w.deflate, w.frames.inflate = true, s.options.Deflate.Inflate
	}
	size := s.options.ReadBytes
	if size == 0 {
		size = 64 << 10
	}
	w.buf, w.rate = make([]byte, size), s.options.ReadRate
	return w
}

func (w *webSocket) open(ctx context.Context, addr string) (err error) {
	if w.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { w.conn.Close() })
	defer stop()
	if err := w.shakeHands(addr); err != nil {
		w.conn.Close()
		return errors.Join(err, ctx.Err())
	}
	return nil
}

func (w *webSocket) shakeHands(addr string) error {
	request := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
	if w.deflate {
		request += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	if _, err := io.WriteString(w.conn, request+"\r\n"); err != nil {
		return err
	}
	in := bufio.NewReaderSize(w.conn, 4<<10)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(response.Status)
	}
	extensions := response.Header.Get("Sec-WebSocket-Extensions")
	if w.deflate && !strings.Contains(extensions, "server_no_context_takeover") {
		return fmt.Errorf("permessage-deflate is not as it was asked for: %q", extensions)
	}
	early, _ := in.Peek(in.Buffered())
	return w.frames.feed(early)
}

func (w *webSocket) read() error {
	for {
		n, err := w.conn.Read(w.buf)
		if w.stalled.Load() {
			<-w.closed.Done()
			return net.ErrClosed
		}
		w.got.Add(int64(n))
		if w.rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(w.rate))
		}
		if fault := w.frames.feed(w.buf[:n]); fault != nil {
			return fault
		}
		if err != nil {
			return err
		}
	}
}

func (w *webSocket) send(text string) error { return w.sendFrame(opText, []byte(text)) }

func (w *webSocket) pong(payload []byte) error { return w.sendFrame(opPong, payload) }

func (w *webSocket) sendFrame(op byte, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = appendFrame(w.out[:0], op, mask, payload)
	_, err := w.conn.Write(w.out)
	return err
}

func (w *webSocket) write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn.Write(p)
}

func (w *webSocket) bytesIn() int64 { return w.got.Load() }

// stall has nothing read any more, until Close.
func (w *webSocket) stall() {
	w.stalled.Store(true)
	w.conn.SetReadDeadline(time.Unix(1, 0)) // for a read that is under way
}

// Close ends the connection at once.
func (w *webSocket) Close() error {
	w.close()
	return w.conn.Close()
}
