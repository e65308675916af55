package main

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard is what every request passes before it reaches a door.
type guard struct {
	next     http.Handler
	loopback bool     // only names of this machine are accepted as Host: a page elsewhere could point its name here
	origins  []string // other origins that may use every door; "*" is all
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.loopback && !isLocal(r.Host) {
		http.Error(w, "this server answers to localhost only", http.StatusMisdirectedRequest)
		return
	}
	if countHeaders(r.Header) > maxHeaders {
		http.Error(w, "too many headers", http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	g.next.ServeHTTP(w, r)
}

// countHeaders counts the lines, of which several may have the same name.
func countHeaders(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

const (
	maxHeaders     = 100
	maxHeaderBytes = 16 << 10
)

// allows reports whether the request comes from no page, a page of this server, or one of an origin that was named.
func (g *guard) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || g.named(origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// named reports whether --origin lists origin.
func (g *guard) named(origin string) bool {
	return slices.Contains(g.origins, "*") || slices.ContainsFunc(g.origins, func(o string) bool { return strings.EqualFold(o, origin) })
}

// isLocal reports whether host, with or without a port, names this machine.
func isLocal(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(strings.ToLower(host), "[]"), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
