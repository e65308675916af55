package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/gobwas/ws"
)

// maxErrorBytes is how much of a refusal's body is read.
const maxErrorBytes = 4 << 10

// endpoint is where a server listens and how it is asked. Cookies are kept, since balancers use them to
// send all requests of a session to one server.
type endpoint struct {
	url    url.URL
	header http.Header
	client *http.Client
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	tls    *tls.Config
}

// newEndpoint understands http, https, ws and wss addresses of a server. The path of a server is
// Options.Path, whatever path the address has.
func newEndpoint(address string, o *Options) (*endpoint, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "http", "https":
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	default:
		return nil, fmt.Errorf("address %q does not begin with http:// or https://", address)
	}
	if u.Host == "" {
		return nil, fmt.Errorf("address %q names no host", address)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	e := &endpoint{header: o.Header, tls: o.TLSConfig.Clone(), dial: o.DialContext}
	if e.dial == nil {
		e.dial = new(net.Dialer).DialContext
	}
	e.url = url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/" + strings.Trim(o.Path, "/") + "/"}
	query := u.Query()
	for k, v := range o.Query {
		query[k] = v
	}
	query.Set("EIO", "4")
	e.url.RawQuery = query.Encode()
	e.client = &http.Client{
		Jar:           jar,
		Transport:     &http.Transport{TLSClientConfig: o.TLSConfig.Clone(), DialContext: e.dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

// close lets go of connections kept for later.
func (e *endpoint) close() { e.client.CloseIdleConnections() }

// address returns the URL for a transport of a session; sid is "" for the handshake.
func (e *endpoint) address(transport, sid string) *url.URL {
	u := e.url
	q := u.Query()
	q.Set("transport", transport)
	if sid != "" {
		q.Set("sid", sid)
	}
	u.RawQuery = q.Encode()
	return &u
}

// do makes a request of polling; the answer is one of status 200. size is that of body, or 0 without one.
func (e *endpoint) do(ctx context.Context, u *url.URL, body io.Reader, size int64) (*http.Response, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for k, v := range e.header {
		req.Header[k] = v
	}
	if host := e.header.Get("Host"); host != "" {
		req.Host = host
	}
	if body != nil {
		req.ContentLength = size
		req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, newHandshakeError(resp)
	}
	return resp, nil
}

// newHandshakeError reads Engine.IO's code and message from a refusal.
func newHandshakeError(resp *http.Response) *HandshakeError {
	e := &HandshakeError{Status: resp.StatusCode}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	if err != nil {
		return e
	}
	var said struct {
		Code    int
		Message string
	}
	if json.Unmarshal(body, &said) == nil {
		e.Code, e.Message = said.Code, said.Message
	}
	return e
}

// dialSocket opens a WebSocket for a session; sid is "" for a session of its own.
func (e *endpoint) dialSocket(ctx context.Context, sid string) (*webSocket, error) {
	u := e.address(WebSocket, sid)
	var (
		live    *liveConn
		refusal *HandshakeError
	)
	dialer := ws.Dialer{
		Header: ws.HandshakeHeaderHTTP(e.socketHeader(u)),
		Host:   e.header.Get("Host"),
		NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := e.dial(ctx, network, addr)
			live = &liveConn{Conn: conn}
			return live, err
		},
		OnStatusError: func(status int, _ []byte, resp io.Reader) {
			refusal = &HandshakeError{Status: status}
			if r, err := http.ReadResponse(bufio.NewReader(resp), nil); err == nil {
				refusal = newHandshakeError(r)
				r.Body.Close()
			}
		},
	}
	if u.Scheme = "ws"; e.url.Scheme == "https" {
		u.Scheme = "wss"
		dialer.TLSConfig = e.tls
	}
	conn, buffered, _, err := dialer.Dial(ctx, u.String())
	if refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, err
	}
	return newWebSocket(conn, live, buffered), nil
}

// socketHeader returns the header of a WebSocket handshake, less what the dialer writes itself.
func (e *endpoint) socketHeader(u *url.URL) http.Header {
	h := e.header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	h.Del("Host")
	for _, c := range e.client.Jar.Cookies(u) {
		h.Add("Cookie", c.String())
	}
	return h
}
