package sio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/sio/engine"
)

// Handshake is how a client introduced itself.
type Handshake struct {
	// Auth is what the client gave as auth when it joined the namespace: a JSON object, nil for none. It has nothing to do with
	// the query of Request.
	Auth json.RawMessage
	// Request opened the connection; its body is gone. Of a socket on another node it is made of what the JSON tells.
	Request *http.Request
	// Address is the client's IP address, as the server sees it: behind a proxy it is the proxy's.
	Address string
	// Issued is when the client asked to join the namespace.
	Issued time.Time
	// XDomain reports that the request names an origin, as web pages' requests to other servers do.
	XDomain bool
	// Secure reports TLS.
	Secure bool
	// URL is that of Request, path and query.
	URL string
}

func newHandshake(s *engine.Session, auth json.RawMessage) *Handshake {
	r := s.Request()
	address, _, err := net.SplitHostPort(s.RemoteAddr())
	if err != nil {
		address = s.RemoteAddr()
	}
	return &Handshake{
		Auth:    auth,
		Request: r,
		Address: address,
		Issued:  time.Now(),
		XDomain: r.Header.Get("Origin") != "",
		Secure:  r.TLS != nil,
		URL:     requestURI(r),
	}
}

// requestURI returns path and query of r: mostly what the client wrote, of which there is no other copy then.
func requestURI(r *http.Request) string {
	if uri := r.URL.RequestURI(); uri != r.RequestURI {
		return uri
	}
	return r.RequestURI
}

// Query returns the query of the request.
func (h *Handshake) Query() url.Values { return h.Request.URL.Query() }

// Decode decodes Auth into v; no auth is an empty object.
func (h *Handshake) Decode(v any) error {
	if h.Auth == nil {
		return json.Unmarshal([]byte("{}"), v)
	}
	return json.Unmarshal(h.Auth, v)
}

// handshakeJSON is a handshake in the shape that Node's server gives it.
type handshakeJSON struct {
	Headers map[string]textOrList `json:"headers"` // names in lower case
	Time    string                `json:"time"`
	Address string                `json:"address"`
	XDomain bool                  `json:"xdomain"`
	Secure  bool                  `json:"secure"`
	Issued  int64                 `json:"issued"` // milliseconds
	URL     string                `json:"url"`
	Query   map[string]textOrList `json:"query"`
	Auth    json.RawMessage       `json:"auth"`
}

// jsTime is how JavaScript writes a date.
const jsTime = "Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"

// MarshalJSON encodes the handshake in the shape that Node's server gives it: names of headers in lower case, and a string for
// what came once.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	j := handshakeJSON{
		Headers: make(map[string]textOrList, len(h.Request.Header)+1),
		Time:    h.Issued.Format(jsTime),
		Address: h.Address,
		XDomain: h.XDomain,
		Secure:  h.Secure,
		Issued:  h.Issued.UnixMilli(),
		URL:     h.URL,
		Query:   make(map[string]textOrList),
		Auth:    h.Auth,
	}
	for name, values := range h.Request.Header {
		j.Headers[strings.ToLower(name)] = textOrList{strings.Join(values, ", ")}
	}
	j.Headers["host"] = textOrList{h.Request.Host}
	for name, values := range h.Query() {
		j.Query[name] = values
	}
	if j.Auth == nil {
		j.Auth = json.RawMessage("{}")
	}
	return json.Marshal(j)
}

// UnmarshalJSON decodes what MarshalJSON, or Node's server, made of a handshake.
func (h *Handshake) UnmarshalJSON(data []byte) error {
	var j handshakeJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	u, err := url.ParseRequestURI(j.URL)
	if err != nil {
		return fmt.Errorf("sio: a handshake's url: %w", err)
	}
	r := &http.Request{Method: http.MethodGet, URL: u, RequestURI: j.URL, RemoteAddr: j.Address, Body: http.NoBody, Header: http.Header{}}
	for name, values := range j.Headers {
		if name == "host" {
			r.Host = strings.Join(values, "")
			continue
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	*h = Handshake{
		Auth: j.Auth, Request: r, Address: j.Address, Issued: time.UnixMilli(j.Issued), XDomain: j.XDomain, Secure: j.Secure, URL: j.URL,
	}
	return nil
}

// textOrList is a string in JSON if it is one, else an array.
type textOrList []string

func (t textOrList) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

func (t *textOrList) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = make(textOrList, 1)
	return json.Unmarshal(data, &(*t)[0])
}
