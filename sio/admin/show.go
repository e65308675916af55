package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/sio"
)

// shownEvent returns an event as the page shows it: an array of its name and its arguments, which are left out if they are long.
func shownEvent(name string, args sio.Args) json.RawMessage {
	raw, attachments := args.Split()
	shown := []any{cut(name)}
	length := 0
	for _, arg := range raw {
		length += len(arg)
	}
	if length > maxShownBytes {
		for _, a := range attachments {
			length += len(a)
		}
		shown = append(shown, fmt.Sprintf("%d bytes, too long to be shown", length))
		return encoded(shown)
	}
	for _, arg := range raw {
		shown = append(shown, withoutBinary(arg, attachments))
	}
	return encoded(shown)
}

// cut returns the beginning of a long name.
func cut(name string) string {
	if len(name) <= maxNameBytes {
		return name
	}
	return strings.ToValidUTF8(name[:maxNameBytes], "") + "..."
}

// withoutBinary returns an argument with words in place of the placeholders that stand for attachments. There are none in it
// when the attachments have not come yet.
func withoutBinary(arg json.RawMessage, attachments [][]byte) any {
	if !bytes.Contains(arg, []byte("_placeholder")) {
		return arg
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(arg))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return arg
	}
	return worded(v, attachments)
}

func worded(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = worded(v[i], attachments)
		}
	case map[string]any:
		if v["_placeholder"] == true {
			return wordFor(v["num"], attachments)
		}
		for key := range v {
			v[key] = worded(v[key], attachments)
		}
	}
	return v
}

func wordFor(num any, attachments [][]byte) string {
	if n, ok := num.(json.Number); ok {
		if i, err := n.Int64(); err == nil && i >= 0 && i < int64(len(attachments)) {
			return fmt.Sprintf("binary, %d B", len(attachments[i]))
		}
	}
	return "binary"
}

// encoded is json.Marshal of what is ours, or was decoded before.
func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(`["not to be shown"]`)
	}
	return data
}

// shownData returns the data of a socket as the page shows it: an object, empty if there is none. It is encoded by what belongs
// to the application, which may panic.
func shownData(v any) (shown json.RawMessage) {
	shown = json.RawMessage("{}")
	if v == nil {
		return shown
	}
	defer func() {
		if p := recover(); p != nil {
			shown = encoded(map[string]string{"error": "it cannot be encoded"})
		}
	}()
	data, err := json.Marshal(v)
	switch {
	case err != nil:
		return encoded(map[string]string{"error": "it cannot be encoded"})
	case len(data) > maxShownBytes:
		return encoded(map[string]string{"error": fmt.Sprintf("%d bytes, too long to be shown", len(data))})
	case data[0] != '{':
		return encoded(map[string]json.RawMessage{"value": data})
	}
	return data
}

// secretFields are the header fields that are credentials: RFC 9110, section 11, and RFC 6265.
var secretFields = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// shownHandshake returns a handshake in Node's shape, without what proves who the client is. Of a long one only the outlines
// are shown.
func shownHandshake(h *sio.Handshake) json.RawMessage {
	header := h.Request.Header.Clone()
	for _, name := range secretFields {
		header.Del(name)
	}
	shown := *h
	shown.Auth = nil
	shown.Address = cut(address(h))
	shown.Request = &http.Request{Header: header, Host: h.Request.Host, URL: h.Request.URL}
	if data := withoutAuth(encoded(&shown)); len(data) <= maxShownBytes {
		return data
	}
	shown.URL = cut(shown.URL)
	shown.Request = &http.Request{Header: http.Header{"Too-Long": {"to be shown"}}, URL: &url.URL{}}
	return withoutAuth(encoded(&shown))
}

// withoutAuth takes the member away that npm's package leaves out; it is empty already.
func withoutAuth(handshake json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(handshake, &members) != nil {
		return handshake
	}
	delete(members, "auth")
	return encoded(members)
}

// address returns where a client is, as proxies say it: that is not to be trusted.
func address(h *sio.Handshake) string {
	for _, field := range []string{"Cf-Connecting-Ip", "X-Forwarded-For"} {
		if said := h.Request.Header.Get(field); said != "" {
			return said
		}
	}
	return h.Address
}

// shownConn returns what the page tells connections apart by: a part of the id, since all of it is a secret.
func shownConn(s *sio.Socket) string {
	id := s.ConnID()
	return id[:min(12, len(id))]
}

// shownTime returns a time as JavaScript writes it.
func shownTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
