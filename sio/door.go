package sio

import (
	"net"
	"net/http"
)

// ServeStream serves a client over a stream of a WebTransport session. It is for package webtransport to call; see
// engine.Server.
func (srv *Server) ServeStream(conn net.Conn, r *http.Request) {
	srv.setUp()
	srv.engine.ServeStream(conn, r)
}

// AllowOrigin reports whether a request may be served for the web page that it comes from, if it comes from one; then h, the
// header of the reply, gets the fields that a browser needs.
func (srv *Server) AllowOrigin(h http.Header, r *http.Request) bool {
	srv.setUp()
	return srv.engine.AllowOrigin(h, r)
}

// OpenDoor announces WebTransport to clients until shut is called. It is for package webtransport to call.
func (srv *Server) OpenDoor() (shut func()) {
	srv.setUp()
	return srv.engine.OpenDoor()
}
