package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// newTransport returns a transport whose connections do not wait for ever on a server that hangs.
func newTransport(o Options) (*http.Transport, error) {
	roots, err := loadRoots()
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: o.StallTimeout, KeepAlive: o.StallTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &stallConn{Conn: conn, stall: o.StallTimeout, answer: o.AnswerTimeout}, nil
		},
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: o.StallTimeout,
		IdleConnTimeout:     o.StallTimeout,
		MaxIdleConns:        defaultIdleConns,
		MaxIdleConnsPerHost: defaultIdleConns,
		DisableCompression:  true, // what is stored deflated is given back deflated
	}, nil
}

// loadRoots returns the system's roots together with those in SSL_CERT_FILE, which the standard library reads only
// once and takes in place of the system's.
func loadRoots() (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	file := os.Getenv("SSL_CERT_FILE")
	if file == "" {
		return roots, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("SSL_CERT_FILE: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("SSL_CERT_FILE: no certificate in %s", file)
	}
	return roots, nil
}

// stallConn fails when nothing has moved for a while: a deadline for a whole request would have to know how fast the
// network is. For the first byte of an answer it waits longer.
type stallConn struct {
	net.Conn
	stall, answer time.Duration
	answering     atomic.Bool // something has come since the last Write
}

func (c *stallConn) Read(p []byte) (int, error) {
	timeout := c.answer
	if c.answering.Load() {
		timeout = c.stall
	}
	if err := c.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.answering.Store(true)
	}
	return n, err
}

// Write moves the deadline of a Read that waits meanwhile, too: the answer comes after the last byte.
func (c *stallConn) Write(p []byte) (int, error) {
	c.answering.Store(false)
	now := time.Now()
	err := errors.Join(c.SetReadDeadline(now.Add(c.answer)), c.SetWriteDeadline(now.Add(c.stall)))
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
