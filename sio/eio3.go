package sio

import (
	"encoding/json"
	"net/url"
)

// Clients of Socket.IO 2 come by Engine.IO 3. Their packets look alike, revision 4 of the protocol, but they join "/" without
// asking, and derive the ids of their sockets from that of the connection.

// old reports whether the client is one of Socket.IO 2.
func (c *conn) old() bool { return c.session.Protocol() == 3 }

// newSocketID returns the id of a new socket.
func (c *conn) newSocketID(ns *Namespace) string {
	switch {
	case !c.old():
		return newID()
	case ns.name == "/":
		return c.session.ID()
	}
	return ns.name + "#" + c.session.ID()
}

// queryAuth makes a CONNECT payload of the query with which an old client asked for a namespace, nil if there is none. Of equal
// names the last one counts.
func queryAuth(query string) json.RawMessage {
	values, _ := url.ParseQuery(query) // what can be read of it
	if len(values) == 0 {
		return nil
	}
	auth := make(map[string]string, len(values))
	for name, all := range values {
		auth[name] = all[len(all)-1]
	}
	data, _ := json.Marshal(auth)
	return data
}

// refusal encodes why middleware refuses a client: for an old one the error's data or, without any, its text.
func (c *conn) refusal(why *Error) []byte {
	if !c.old() {
		return connectError(why)
	}
	if why.Data != nil {
		if data, err := marshalOne(why.Data); err == nil {
			return data
		}
	}
	data, _ := marshalOne(why.Message)
	return data
}
