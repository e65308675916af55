package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

// polling is the wire of HTTP long-polling: a connection that is always asked for more, and one for what is sent.
type polling struct {
	in   payload
	poll httpConn
	got  atomic.Int64

	mu   sync.Mutex // held while something is sent
	post httpConn
	path string
}

// httpConn is a connection that requests follow each other on.
type httpConn struct {
	net.Conn
	addr string
	in   *bufio.Reader
	buf  []byte // for bodies
}

func (p *polling) open(ctx context.Context, addr string) (err error) {
	if p.poll, err = p.dial(ctx, addr); err != nil {
		return err
	}
	if p.post, err = p.dial(ctx, addr); err != nil {
		p.poll.Close()
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.Close() })
	defer stop()
	if err := p.shakeHands(); err != nil {
		p.Close()
		return errors.Join(err, ctx.Err())
	}
	return nil
}

func (p *polling) dial(ctx context.Context, addr string) (r httpConn, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return r, err
	}
	return httpConn{Conn: conn, addr: addr, in: bufio.NewReaderSize(&counted{conn, &p.got}, 4<<10), buf: make([]byte, 64<<10)}, nil
}

// counted counts what is read.
type counted struct {
	io.Reader
	sum *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.sum.Add(int64(n))
	return n, err
}

// shakeHands opens a session, and answers what comes first.
func (p *polling) shakeHands() error {
	const path = "/socket.io/?EIO=4&transport=polling"
	var first []byte
	if err := p.poll.do("GET", path, "", func(part []byte) error {
		first = append(first, part...)
		return nil
	}); err != nil {
		return err
	}
	var opened struct{ SID string }
	if len(first) == 0 || first[0] != '0' {
		return fmt.Errorf("the server opened with %q", first)
	}
	if err := json.Unmarshal(first[1:], &opened); err != nil {
		return fmt.Errorf("the server opened with %q: %w", first, err)
	}
	p.path = path + "&sid=" + opened.SID
	return p.send("40")
}

func (p *polling) read() error {
	for {
		if err := p.poll.do("GET", p.path, "", p.in.feed); err != nil {
			return err
		}
		if err := p.in.finish(); err != nil {
			return err
		}
	}
}

func (p *polling) send(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.post.do("POST", p.path, text, func([]byte) error { return nil })
}

func (p *polling) bytesIn() int64 { return p.got.Load() }

// Close ends both connections at once.
func (p *polling) Close() error { return errors.Join(p.poll.Close(), p.post.Close()) }

// do sends a request, and has each take the body of the answer as it comes.
func (r *httpConn) do(method, path, body string, each func(part []byte) error) error {
	head := method + " " + path + " HTTP/1.1\r\nHost: " + r.addr + "\r\n"
	if method == "POST" {
		head += "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	if _, err := io.WriteString(r.Conn, head+"\r\n"+body); err != nil {
		return err
	}
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 256))
		return fmt.Errorf("%s: %s: %s", method, response.Status, said)
	}
	if response.Close {
		return fmt.Errorf("%s: the server does not keep the connection", method)
	}
	for {
		n, err := response.Body.Read(r.buf)
		if fault := each(r.buf[:n]); fault != nil {
			return fault
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
