package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	socketBufferBytes = 64 << 10
	// maxFragments bounds the frames of one message.
	maxFragments = 1 << 10
	// farewellTimeout bounds the writing of a close frame to a server that may not read.
	farewellTimeout = time.Second
)

// closedError is the server's close frame.
type closedError struct {
	code   ws.StatusCode
	reason string
}

func (e *closedError) Error() string {
	if e.reason == "" {
		return fmt.Sprintf("websocket closed with status %d", e.code)
	}
	return fmt.Sprintf("websocket closed with status %d: %s", e.code, e.reason)
}

// webSocket reads and writes the messages of a WebSocket. One goroutine may read, one may write.
type webSocket struct {
	conn net.Conn
	live *liveConn

	// Owned by the reader.
	r      *bufio.Reader
	header [ws.MaxHeaderSize]byte

	// Owned by the writer.
	buf     []byte // masked, not yet written
	midway  bool   // in the middle of a frame
	closing bool   // a close frame was written
}

// newWebSocket takes over conn and what was read from it already, which is nil for nothing.
func newWebSocket(conn net.Conn, live *liveConn, buffered *bufio.Reader) *webSocket {
	w := &webSocket{conn: conn, live: live, buf: make([]byte, 0, socketBufferBytes)}
	var r io.Reader = conn
	if buffered != nil {
		early, _ := buffered.Peek(buffered.Buffered())
		r = io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn)
		ws.PutReader(buffered)
	}
	w.r = bufio.NewReaderSize(r, socketBufferBytes)
	return w
}

// until fails all reading and writing once ctx is done; the returned function ends that and reports whether it
// was in time.
func (w *webSocket) until(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, w.live.release)
}

// shutdown says why, where that is still possible, and closes the connection. Nobody reads or writes any more.
func (w *webSocket) shutdown(cause error) {
	if !w.midway && !w.closing {
		w.conn.SetDeadline(time.Now().Add(farewellTimeout))
		w.buf = w.buf[:0]
		w.writeClose(closeCode(cause)) // a courtesy: it may fail
	}
	w.conn.Close()
}

// closeCode returns the status that tells the server why its connection ends.
func closeCode(cause error) ws.StatusCode {
	var (
		closed   *closedError
		protocol *ProtocolError
		large    *TooLargeError
	)
	switch {
	case errors.As(cause, &closed) && !closed.code.Empty() && closed.code != ws.StatusNoStatusRcvd:
		return closed.code
	case errors.As(cause, &large):
		return ws.StatusMessageTooBig
	case errors.As(cause, &protocol):
		return ws.StatusProtocolError
	}
	return ws.StatusNormalClosure
}

// readMessage returns the next message, of at most limit bytes. Pings are handed to pong, whose argument is
// only lent.
func (w *webSocket) readMessage(limit int, pong func([]byte)) (text bool, message []byte, err error) {
	state := ws.StateClientSide
	for fragments := 0; ; {
		h, err := ws.ReadHeaderBuffer(w.r, w.header[:])
		if err != nil {
			return false, nil, headerError(err)
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return false, nil, &ProtocolError{"websocket", err}
		}
		if h.OpCode.IsControl() {
			if err := w.readControl(h, pong); err != nil {
				return false, nil, err
			}
			continue
		}
		if h.OpCode != ws.OpContinuation {
			text = h.OpCode == ws.OpText
		}
		if message, err = w.readPayload(message, h.Length, limit); err != nil {
			return false, nil, err
		}
		if h.Fin {
			return text, message, checkText(text, message)
		}
		if fragments++; fragments >= maxFragments {
			return false, nil, &ProtocolError{"websocket", errors.New("too many fragments")}
		}
		state = state.Set(ws.StateFragmented)
	}
}

// headerError tells a header that cannot be from a connection that ended.
func headerError(err error) error {
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return &ProtocolError{"websocket", err}
	}
	return err
}

func checkText(text bool, message []byte) error {
	if text && !utf8.Valid(message) {
		return &ProtocolError{"websocket", errors.New("text is not UTF-8")}
	}
	return nil
}

// readPayload appends the payload of a frame to message.
func (w *webSocket) readPayload(message []byte, length int64, limit int) ([]byte, error) {
	if length > int64(limit-len(message)) {
		return nil, &TooLargeError{limit}
	}
	n := len(message)
	message = slices.Grow(message, int(length))[:n+int(length)]
	_, err := io.ReadFull(w.r, message[n:])
	return message, err
}

func (w *webSocket) readControl(h ws.Header, pong func([]byte)) error {
	var data [ws.MaxControlFramePayloadSize]byte
	p := data[:h.Length]
	if _, err := io.ReadFull(w.r, p); err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		pong(p)
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(p)
		if len(p) > 0 {
			if err := ws.CheckCloseFrameData(code, reason); err != nil {
				return &ProtocolError{"websocket", err}
			}
		}
		return &closedError{code, reason}
	}
	return nil
}

// write sends a packet and its attachments.
func (w *webSocket) write(o *outgoing) error {
	if err := w.writeFrame(ws.OpText, int64(len(o.text)), bytes.NewReader(o.text)); err != nil {
		return err
	}
	for _, a := range o.attachments {
		if err := w.writeFrame(ws.OpBinary, a.Size, o.source(a)); err != nil {
			return err
		}
	}
	return nil
}

// writeFrame sends size bytes of r as one frame, masked on their way through the buffer.
func (w *webSocket) writeFrame(op ws.OpCode, size int64, r io.Reader) error {
	h := ws.Header{Fin: true, OpCode: op, Masked: true, Length: size}
	rand.Read(h.Mask[:]) // RFC 6455, 10.3: not to be foreseen
	if cap(w.buf)-len(w.buf) < ws.MaxHeaderSize {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if err := ws.WriteHeader((*appendWriter)(&w.buf), h); err != nil {
		return err
	}
	w.midway = true
	if err := w.writePayload(size, r, h.Mask); err != nil {
		return err
	}
	w.midway = false
	return nil
}

func (w *webSocket) writePayload(size int64, r io.Reader, mask [4]byte) error {
	for sent := int64(0); sent < size; {
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return err
			}
		}
		free := w.buf[len(w.buf):cap(w.buf)]
		free = free[:min(int64(len(free)), size-sent)]
		n, err := r.Read(free)
		if n == 0 && err != nil {
			return err
		}
		ws.Cipher(free[:n], mask, int(sent&3))
		w.buf = w.buf[:len(w.buf)+n]
		sent += int64(n)
		if n < len(free) && sent < size { // a slow source: let go of what there is
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendWriter is a Writer onto a slice.
type appendWriter []byte

func (a *appendWriter) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// writeControl sends a control frame.
func (w *webSocket) writeControl(op ws.OpCode, p []byte) error {
	return w.writeFrame(op, int64(len(p)), bytes.NewReader(p))
}

// writeClose sends a close frame; nothing may be sent after it.
func (w *webSocket) writeClose(code ws.StatusCode) error {
	w.closing = true
	if err := w.writeControl(ws.OpClose, ws.NewCloseFrameBody(code, "")); err != nil {
		return err
	}
	return w.flush()
}

// flush writes what was buffered.
func (w *webSocket) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.conn.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
