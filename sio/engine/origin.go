package engine

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// corsMethods are those that Node's server names. Pages see for themselves that it takes no other than GET and POST: the protocol's
// suite wants to be refused by a status.
const corsMethods = "GET, HEAD, PUT, PATCH, POST, DELETE"

// CORS names the other origins whose web pages may connect, and what a browser is told of that. Its zero value names none.
type CORS struct {
	Origins        []string      // as in "https://app.example"; "*" is all, but for what needs Credentials
	Credentials    bool          // pages of the Origins may send cookies; those that only "*" allows may not
	Headers        []string      // fields that a page may send; nil means all it asks for
	ExposedHeaders []string      // fields of the reply that a page may read, beside those it always may
	MaxAge         time.Duration // how long a browser may remember the answer, cut to seconds; 0 leaves it to the browser
}

// all reports whether every origin may connect.
func (c *CORS) all() bool { return slices.Contains(c.Origins, "*") }

// names reports whether c lists an origin by its name.
func (c *CORS) names(origin string) bool {
	return origin != "" && origin != "*" &&
		slices.ContainsFunc(c.Origins, func(o string) bool { return strings.EqualFold(o, origin) })
}

// AllowOrigin reports whether a request may be served for the web page that it comes from, if it comes from one; then h, the
// header of the reply, gets the fields that let a browser hand the reply to that page.
func (srv *Server) AllowOrigin(h http.Header, r *http.Request) bool {
	if srv.CheckOrigin != nil || len(srv.CORS.Origins) > 0 && !slices.Equal(srv.CORS.Origins, []string{"*"}) {
		h.Add("Vary", "Origin")
	}
	origin := r.Header.Get("Origin")
	switch {
	case srv.CORS.names(origin):
		h.Set("Access-Control-Allow-Origin", origin)
		if srv.CORS.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	case srv.CORS.all():
		h.Set("Access-Control-Allow-Origin", "*")
	case origin == "" || sameOrigin(origin, r.Host):
		return true
	case srv.CheckOrigin == nil || !srv.CheckOrigin(r):
		return false
	default:
		h.Set("Access-Control-Allow-Origin", origin)
	}
	if len(srv.CORS.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(srv.CORS.ExposedHeaders, ", "))
	}
	return true
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// isPreflight reports whether a browser asks what a page of another origin may send, where there are such pages.
func (srv *Server) isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && (srv.CheckOrigin != nil || len(srv.CORS.Origins) > 0)
}

// servePreflight answers for an origin that has been allowed.
func (srv *Server) servePreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", corsMethods)
	if srv.CORS.Headers != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(srv.CORS.Headers, ", "))
	} else if fields := r.Header.Get("Access-Control-Request-Headers"); fields != "" {
		h.Set("Access-Control-Allow-Headers", fields)
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	if srv.CORS.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(srv.CORS.MaxAge.Seconds())))
	}
	w.WriteHeader(http.StatusNoContent)
}
