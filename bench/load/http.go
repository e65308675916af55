package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// httpConn is a connection of HTTP/1.1 that requests follow each other on.
type httpConn struct {
	net.Conn
	addr string
	in   *bufio.Reader
	head []byte // room for the head of a request
	buf  []byte // room for bodies of answers
}

// dialHTTP connects. got is added what is read.
func dialHTTP(ctx context.Context, addr string, got *atomic.Int64) (*httpConn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &httpConn{Conn: conn, addr: addr, in: bufio.NewReaderSize(&counted{conn, got}, 4<<10), buf: make([]byte, 64<<10)}, nil
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

// ask sends a request. headers are whole lines. The body of the answer is to be read to its end before the next one.
func (c *httpConn) ask(method, path, headers string, body []byte) (*http.Response, error) {
	c.head = append(c.head[:0], method+" "+path+" HTTP/1.1\r\nHost: "+c.addr+"\r\n"+headers...)
	if method != "GET" {
		c.head = append(c.head, "Content-Length: "+strconv.Itoa(len(body))+"\r\n"...)
	}
	c.head = append(c.head, "\r\n"...)
	parts := net.Buffers{c.head, body}
	if _, err := parts.WriteTo(c.Conn); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 256))
		return nil, fmt.Errorf("%s: %s: %s", method, response.Status, said)
	}
	if response.Close {
		return nil, fmt.Errorf("%s: the server does not keep the connection", method)
	}
	return response, nil
}

// each sends a request with a text, and has feed take the body of the answer as it comes.
func (c *httpConn) each(method, path, text string, feed func(part []byte) error) error {
	headers := ""
	if method == "POST" {
		headers = "Content-Type: text/plain;charset=UTF-8\r\n"
	}
	response, err := c.ask(method, path, headers, []byte(text))
	if err != nil {
		return err
	}
	for {
		n, err := response.Body.Read(c.buf)
		if fault := feed(c.buf[:n]); fault != nil {
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
