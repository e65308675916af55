package siotest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"sluice/sio"
	"sluice/sio/client"
)

// Server serves a sio.Server on a network of its own.
type Server struct {
	// URL is what clients that use DialContext are given.
	URL string

	network *network
	http    http.Server
	io      *sio.Server
	served  sync.WaitGroup
}

// readHeaderTimeout is how long a client may take for the header of a request, as a server should say.
const readHeaderTimeout = 10 * time.Second

// NewServer starts a server for io, whose fields are not to be changed any more.
func NewServer(io *sio.Server) *Server {
	srv := &Server{URL: "http://siotest", network: newNetwork(), io: io}
	srv.http.Handler = io
	srv.http.ReadHeaderTimeout = readHeaderTimeout
	srv.served.Go(func() { srv.http.Serve(srv.network) })
	return srv
}

// Close disconnects all clients and waits until every handler has returned.
func (srv *Server) Close() {
	srv.io.Shutdown(context.Background())
	srv.http.Close()
	srv.served.Wait()
}

// DialContext connects to the server, whatever the address.
func (srv *Server) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return srv.network.dial(ctx)
}

// Dial connects a Socket.IO client, which is to be closed before the server is.
func (srv *Server) Dial(ctx context.Context, o client.Options) (*client.Client, error) {
	o.DialContext = srv.DialContext
	return client.Dial(ctx, srv.URL, o)
}

// Client returns an HTTP client whose connections go to the server, whatever the host of the URL. Its CloseIdleConnections is to
// be called at the end.
func (srv *Server) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: srv.DialContext}}
}
