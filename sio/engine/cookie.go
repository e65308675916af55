package engine

import (
	"cmp"
	"net/http"
)

// cookie returns the cookie that tells a session's id, nil if none is wanted.
func (srv *Server) cookie(sid string) *http.Cookie {
	if srv.Cookie == nil {
		return nil
	}
	c := *srv.Cookie
	c.Name, c.Value = cmp.Or(c.Name, "io"), ""
	if onlyNamed := (http.Cookie{Name: c.Name}); c.String() == onlyNamed.String() {
		c.HttpOnly = true
	}
	c.Value = sid
	c.Path = cmp.Or(c.Path, "/")
	c.SameSite = cmp.Or(c.SameSite, http.SameSiteLaxMode)
	return &c
}
