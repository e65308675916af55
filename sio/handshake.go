package sio

import (
	"encoding/json"
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
	// Request opened the connection; its body is gone.
	Request *http.Request
	// Address is the client's network address.
	Address string
	// Issued is when the connection was opened.
	Issued time.Time
	// Secure reports TLS.
	Secure bool
	// URL is that of Request, path and query.
	URL string
}

func newHandshake(s *engine.Session, opened time.Time, auth json.RawMessage) *Handshake {
	r := s.Request()
	return &Handshake{
		Auth:    auth,
		Request: r,
		Address: s.RemoteAddr(),
		Issued:  opened,
		Secure:  r.TLS != nil,
		URL:     r.URL.RequestURI(),
	}
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

// MarshalJSON encodes the handshake in the shape that Node's server gives it: names of headers in lower case, and a string for
// what came once.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	headers := make(map[string]string, len(h.Request.Header)+1)
	for name, values := range h.Request.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	headers["host"] = h.Request.Host
	query := make(map[string]any)
	for name, values := range h.Query() {
		if len(values) == 1 {
			query[name] = values[0]
		} else {
			query[name] = values
		}
	}
	auth := h.Auth
	if auth == nil {
		auth = json.RawMessage("{}")
	}
	return json.Marshal(map[string]any{
		"headers": headers,
		"time":    h.Issued.Format("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"),
		"address": h.Address,
		"xdomain": h.Request.Header.Get("Origin") != "",
		"secure":  h.Secure,
		"issued":  h.Issued.UnixMilli(),
		"url":     h.URL,
		"query":   query,
		"auth":    auth,
	})
}
