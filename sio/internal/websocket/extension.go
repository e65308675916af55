package websocket

import (
	"net/http"
	"strings"
)

const (
	// maxOffers bounds the extensions of a handshake that are looked at.
	maxOffers = 16
	// deflateAnswer accepts an offer of permessage-deflate: every message stands for itself, in both directions.
	deflateAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
)

// Deflate returns the value of Sec-WebSocket-Extensions that accepts the first offer of permessage-deflate in a handshake,
// "" if there is none; RFC 7692, section 7. An offer that breaks the rules counts as none. Messages then come compressed.
// They may be sent so if shared is true: AppendDeflated makes what any number of peers can inflate, but not one that has
// asked for a smaller window. To that one they are sent as they are, which is always allowed.
func Deflate(h http.Header) (answer string, shared bool) {
	looked := 0
	for _, value := range h.Values("Sec-WebSocket-Extensions") {
		for offer := range strings.SplitSeq(value, ",") {
			if looked++; looked > maxOffers {
				return "", false
			}
			name, params, _ := strings.Cut(offer, ";")
			if strings.TrimSpace(name) != "permessage-deflate" {
				continue
			}
			if window, ok := acceptable(params); ok {
				return deflateAnswer + window.answer(), window.whole()
			}
		}
	}
	return "", false
}

// window is the base 2 logarithm of the window for what the server sends, as a client asks for it; "" if it does not.
type window string

// answer agrees to w.
func (w window) answer() string {
	if w == "" {
		return ""
	}
	return "; server_max_window_bits=" + string(w)
}

// whole reports whether w is deflate's own window.
func (w window) whole() bool { return w == "" || w == "15" }

// acceptable reports whether the parameters of an offer obey the rules, and what window they ask for.
func acceptable(params string) (server window, ok bool) {
	seen := map[string]bool{}
	for strings.TrimSpace(params) != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, hasValue := strings.Cut(strings.TrimSpace(param), "=")
		name, value = strings.TrimSpace(name), unquote(strings.TrimSpace(value))
		if seen[name] {
			return "", false
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = !hasValue
		case "server_max_window_bits":
			ok = isWindow(value)
			server = window(value)
		case "client_max_window_bits":
			ok = !hasValue || isWindow(value) // how small the client's window is does not matter here
		default:
			ok = false
		}
		if !ok {
			return "", false
		}
	}
	return server, true
}

// unquote takes the quotation marks off a value that needs none.
func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// isWindow reports whether value is the base 2 logarithm of a window: 8 to 15.
func isWindow(value string) bool {
	switch value {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}
