package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// Whole is many messages that are sent as one attachment of one event. It is written piece by piece, and never in memory.
type Whole struct {
	Message  *Message // its size is a multiple of four, as the mask's is
	Messages int64
	SHA256   func() string // the hash as sluice writes it; it is made only once
}

// NewWhole returns one of so many messages.
func NewWhole(m *Message, messages int64) Whole {
	w := Whole{Message: m, Messages: messages}
	w.SHA256 = sync.OnceValue(func() string {
		hash := sha256.New()
		w.write(hash, [4]byte{}) // a hash takes everything
		return hex.EncodeToString(hash.Sum(nil))
	})
	return w
}

// WholeSender is a dialect in which something large can be sent at once.
type WholeSender interface {
	// SendWhole sends w to a room, or to nobody where there are none, and returns when the server has said that it has all of it.
	SendWhole(ctx context.Context, addr, room string, w Whole) error
}

// Size returns the length in bytes.
func (w Whole) Size() int64 { return w.Messages * int64(w.Message.Size()) }

// write writes the bytes, masked.
func (w Whole) write(to io.Writer, mask [4]byte) error {
	piece := bytes.Clone(w.Message.data)
	xor(piece, mask)
	for i := range w.Messages {
		putStamp(piece, i, time.Unix(0, 0))
		xor(piece[:stampBytes], mask)
		if _, err := to.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// SendWhole is WholeSender's. With Archive, it returns when the stream is archived.
func (d Sluice) SendWhole(ctx context.Context, addr, room string, w Whole) error {
	raw, err := sendWhole(ctx, addr, `["send",{"room":"`+room+`","name":"bench"}`, w)
	if err != nil {
		return err
	}
	var r reply
	if err := understand(bytes.Trim(raw, "[]"), "send", &r); err != nil {
		return err
	}
	if want := w.SHA256(); r.Stream.SHA256 != want || r.Stream.Size != w.Size() {
		return fmt.Errorf("it says it has %d bytes with the hash %s; want %d with %s", r.Stream.Size, r.Stream.SHA256, w.Size(), want)
	}
	if !d.Archive {
		return nil
	}
	socket, err := Dial(ctx, addr, Options{})
	if err != nil {
		return err
	}
	defer socket.Close()
	_, err = archived(ctx, socket, room, r.Stream.ID)
	return err
}

// SendWhole is WholeSender's.
func (Relay) SendWhole(ctx context.Context, addr, _ string, w Whole) error {
	_, err := sendWhole(ctx, addr, `["upload",{"kind":"bench"}`, w)
	return err
}

// sendWhole sends an event with w as its attachment, and returns the ack.
func sendWhole(ctx context.Context, addr, text string, w Whole) ([]byte, error) {
	conn, err := Dial(ctx, addr, Options{})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.wire.Close() })
	defer stop()
	replies := make(chan []byte, 1)
	id := conn.Expect(func(reply []byte) { replies <- bytes.Clone(reply) })
	if err := conn.Send("451-" + strconv.Itoa(id) + text + placeholder); err != nil {
		return nil, err
	}
	if err := conn.wire.(*webSocket).stream(w); err != nil {
		return nil, err
	}
	select {
	case reply := <-replies:
		return reply, nil
	case <-conn.Ended():
		return nil, conn.Err()
	}
}

// stream writes a binary frame as it is made.
func (ws *webSocket) stream(w Whole) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if _, err := ws.conn.Write(appendHeader(nil, opBinary, mask, int(w.Size()))); err != nil {
		return err
	}
	return w.write(ws.conn, mask)
}

// SendWhole is WholeSender's.
func (Raw) SendWhole(ctx context.Context, addr, _ string, w Whole) error {
	conn, err := dialRaw(ctx, addr, fmt.Sprintf("sink %d", w.Size()))
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := w.write(conn, mask); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}
