package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Raw is the dialect of the limit, a server of raw TCP. What goes to subscribers looks like Socket.IO's frames, so that they
// have the same to do.
type Raw struct {
	Flow string // what goes with the messages, by which a Mix tells its flows apart
}

// rawConn is a connection that is only read.
type rawConn struct {
	net.Conn
	bytesIn atomic.Int64
	ended   chan struct{}
	err     error
}

func (c *rawConn) BytesIn() int64         { return c.bytesIn.Load() }
func (c *rawConn) Ended() <-chan struct{} { return c.ended }
func (c *rawConn) Err() error             { return c.err }
func (c *rawConn) Close() {
	c.Conn.Close()
	<-c.ended
}

// Subscribe is Dialect's.
func (Raw) Subscribe(ctx context.Context, addr, _ string, s *Subscriber, _ Options) (Conn, error) {
	conn, err := dialRaw(ctx, addr, "subscribe")
	if err != nil {
		return nil, err
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		conn.Close()
		return nil, err
	}
	in := &frames{text: func([]byte) error { return nil }, binary: s.feed}
	if s.flows != nil {
		in.text = func(text []byte) error { return s.turn(string(quoted(text, "flow"))) }
	}
	return readRaw(conn, 64<<10, in.feed), nil
}

// readRaw has what comes over conn fed to somebody, so many bytes at once.
func readRaw(conn net.Conn, readBytes int, feed func([]byte) error) *rawConn {
	c := &rawConn{Conn: conn, ended: make(chan struct{})}
	go func() {
		buf := make([]byte, readBytes)
		for c.err == nil {
			var n int
			n, c.err = conn.Read(buf)
			c.bytesIn.Add(int64(n))
			if err := feed(buf[:n]); err != nil {
				c.err = err
			}
		}
		close(c.ended)
	}()
	return c
}

func dialRaw(ctx context.Context, addr, line string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte(line + "\n")); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Publish is Dialect's: every message is written to all as it is, when it has come.
func (d Raw) Publish(ctx context.Context, addr, _ string, m *Message) (Publisher, error) {
	conn, err := dialRaw(ctx, addr, "relay "+strconv.Itoa(len(appendPlain(nil, d.Flow, m, 0, time.Time{}))))
	if err != nil {
		return nil, err
	}
	return &rawPublisher{Conn: conn, flow: d.Flow, message: m}, nil
}

type rawPublisher struct {
	net.Conn
	flow    string
	message *Message
	buf     []byte
}

func (p *rawPublisher) Close() { p.Conn.Close() }

func (p *rawPublisher) Send(_ context.Context, first, count int64, due time.Time) error {
	p.buf = p.buf[:0]
	for i := range count {
		p.buf = appendPlain(p.buf, p.flow, p.message, first+i, due)
	}
	_, err := p.Write(p.buf)
	return err
}

// appendPlain appends what a server sends of a message.
func appendPlain(dst []byte, flow string, m *Message, number int64, due time.Time) []byte {
	text := `451-["chunk",{"flow":"` + flow + `"}` + placeholder
	dst = append(appendPlainHeader(dst, opText, len(text)), text...)
	dst = appendPlainHeader(dst, opBinary, m.Size())
	from := len(dst)
	dst = append(dst, m.data...)
	putStamp(dst[from:], number, due)
	return dst
}

func appendPlainHeader(dst []byte, op byte, length int) []byte {
	dst = appendHeader(dst, op, mask, length)
	dst = dst[:len(dst)-len(mask)]
	short := 2
	switch {
	case length >= 1<<16:
		short = 10
	case length >= 126:
		short = 4
	}
	dst[len(dst)-short+1] &^= maskBit
	return dst
}

// Repeat has the limit write messages to all subscribers for a time, at least so many bytes at once, and returns when all
// has arrived. The messages are always the same few, and numbered as such.
func (r *Room) Repeat(ctx context.Context, addr string, during time.Duration, bytesAtOnce int) error {
	count := max(bytesAtOnce/r.Message.Size(), 1)
	var buf []byte
	for i := range count {
		buf = appendPlain(buf, "", r.Message, int64(i), time.Time{})
	}
	for _, s := range r.Subscribers {
		s.checker.period = int64(count)
	}
	conn, err := dialRaw(ctx, addr, fmt.Sprintf("repeat %d %d", len(buf), during.Milliseconds()))
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(buf); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	times, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return err
	}
	r.sent += int64(times * count)
	return r.Arrive(ctx)
}
