package sio

import "net/http"

// serveClient answers with a file of the client, if r asks for one. It is there for pages of all the origins that may connect.
func (srv *Server) serveClient(w http.ResponseWriter, r *http.Request) bool {
	if srv.NoClient {
		return false
	}
	file, err := srv.client.Find(r.URL.Path)
	if err != nil {
		srv.log().Error("client file not served", "err", err)
	}
	if file == nil {
		return false
	}
	srv.engine.AllowOrigin(w.Header(), r) // the file is no secret: a page that is not allowed cannot read it, that is all
	file.ServeHTTP(w, r)
	return true
}
