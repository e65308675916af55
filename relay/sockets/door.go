package sockets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sluice/chunker"
	"sluice/relay"
	"sluice/sio"
)

// Door lets the sockets of a namespace use a Hub. Set its fields, then Mount it.
type Door struct {
	Hub    *relay.Hub
	Limits Limits

	ns     *sio.Namespace
	gossip gossip
}

// Limits bound what one socket may hold. Zero values mean the defaults.
type Limits struct {
	Rooms      int   // joined at once; 0: 100
	Publishing int   // streams published at once; 0: 100
	Reading    int   // streams read or waited for at once; 0: 2,000
	Window     int64 // bytes of a publisher's chunks that may be unacknowledged; 0: 4 MiB
	ChunkRate  int   // chunks published and streams begun in a second; 0: 10,000
	ByteRate   int64 // bytes published in a second, 64 KiB at least; 0: no bound
}

func (d *Door) maxRooms() int      { return cmp.Or(d.Limits.Rooms, 100) }
func (d *Door) maxPublishing() int { return cmp.Or(d.Limits.Publishing, 100) }
func (d *Door) maxReading() int    { return cmp.Or(d.Limits.Reading, 2000) }
func (d *Door) window() int64      { return cmp.Or(d.Limits.Window, 4<<20) }

func (l Limits) chunkRate() int { return cmp.Or(l.ChunkRate, 10_000) }
func (l Limits) byteRate() int  { return int(max(l.ByteRate, 64<<10)) }

const (
	chunkBytes = chunker.MaxChunkBytes // what publishers are told to cut at
	skipBytes  = 1 << 20               // of a refused attachment that are read over; more closes the connection
	maxSyncing = 64                    // chunks of a socket that wait for the disk
	roomPrefix = "sluice:"             // before the names of the door's Socket.IO rooms
)

// Mount answers the contract's events on ns. It is called once, before the server serves.
func (d *Door) Mount(ns *sio.Namespace) {
	d.ns = ns
	ns.Use(d.admit)
	ns.OnConnect(d.connected)
	for event, h := range map[string]handler{
		evJoin: d.join, evLeave: d.leave, evPublish: d.publish, evFinish: d.finish, evCancel: d.cancel,
		evSubscribe: d.subscribe, evUnsubscribe: d.unsubscribe, evCredit: d.credit, evList: d.list, evDelete: d.delete,
	} {
		ns.On(event, func(e *sio.Event) { d.handle(e, h) })
	}
	ns.OnStream(evSend, func(e *sio.Event) { d.receive(e, d.send) })
	ns.OnStream(evChunk, func(e *sio.Event) { d.receive(e, d.chunk) })
	ns.OnUnknown(func(e *sio.Event) {
		fail(e, relay.Errorf(relay.BadRequest, "there is no event %.64q", e.Name))
	})
	ns.OnInvalid(invalid)
}

// admit finds out who the socket is. A bad token is refused; without one the socket is a stranger.
func (d *Door) admit(s *sio.Socket) error {
	who, err := d.identify(s)
	if err != nil {
		e := relay.AsError(err)
		return &sio.Error{Message: e.Message, Data: errorDetails{Code: e.Code, Message: e.Message}}
	}
	who.ID = s.ID()
	s.SetData(&client{door: d, socket: s, who: who})
	return nil
}

func (d *Door) identify(s *sio.Socket) (relay.Identity, error) {
	if d.Hub.Identify == nil {
		return relay.Identity{}, nil
	}
	return d.Hub.Identify(s.Context(), token(s.Handshake()))
}

// token is what the CONNECT payload holds as auth: {token}, or the handshake's Authorization header; "" if neither.
func token(h *sio.Handshake) string {
	var auth struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(h.Auth, &auth) == nil && auth.Token != "" {
		return auth.Token
	}
	return bearer(h.Request)
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func (d *Door) connected(s *sio.Socket) {
	c := s.Data().(*client)
	s.OnDisconnect(func(string) { c.leave() })
	s.SetSource(c)
}

// handler answers one request with what it is acknowledged with. A nil answer means that it will acknowledge itself.
type handler func(c *client, e *sio.Event) (answer any, err error)

func (d *Door) handle(e *sio.Event, h handler) {
	answer, err := h(e.Socket.Data().(*client), e)
	switch {
	case err != nil:
		fail(e, err)
	case answer != nil:
		e.Ack(answer)
	}
}

// receiver is a handler of an event with one attachment, which it reads as it arrives. It acknowledges the event itself.
type receiver func(c *client, e *sio.Event, body *sio.Attachment) error

// receive has h take an event in. After an error what is left of the attachment is skipped, or when too much is left the
// connection closed.
func (d *Door) receive(e *sio.Event, h receiver) {
	body, err := oneAttachment(e)
	if err == nil {
		err = h(e.Socket.Data().(*client), e, body)
	}
	if err == nil {
		return
	}
	fail(e, err)
	for ; body != nil; body = e.Attachment() {
		if !skip(body) {
			closing(e.Socket, relay.AsError(err), e.Name)
			return
		}
	}
}

// fail tells the sender of e what was wrong: in the ack if it asked for one, else by "problem".
func fail(e *sio.Event, err error) {
	why := relay.AsError(err)
	if e.Socket.Context().Err() != nil {
		return // nobody is there to be told
	}
	if why.Code == relay.Internal {
		e.Socket.Data().(*client).door.Hub.Log().Error("request", "event", e.Name, "err", err)
	}
	if e.WantsAck() {
		e.Ack(reply{Error: &errorDetails{Code: why.Code, Message: why.Message, Limit: why.Limit}})
		return
	}
	e.Socket.Emit(evProblem, problemEvent{Code: why.Code, Message: why.Message, Limit: why.Limit, Event: e.Name})
}

// closing says why the connection is about to be closed, and closes it.
func closing(s *sio.Socket, why *relay.Error, event string) {
	s.Emit(evProblem, problemEvent{Code: why.Code, Message: why.Message, Limit: why.Limit, Event: event, Closing: true})
	s.Disconnect(true)
}

// invalid says why a connection that broke the protocol or a limit of it is closed.
func invalid(s *sio.Socket, err error) {
	p := problemEvent{Code: relay.BadRequest, Message: err.Error(), Closing: true}
	var limit *sio.LimitError
	if errors.As(err, &limit) {
		p.Code, p.Limit = relay.TooLarge, limit.Limit
		p.Message = fmt.Sprintf("%s over the limit of %d", limit.What, limit.Limit)
	}
	s.Emit(evProblem, p)
}

// decode reads the first argument of e, an object.
func decode(e *sio.Event, v any) error {
	if e.NumArgs() == 0 || len(e.Raw(0)) == 0 || e.Raw(0)[0] != '{' {
		return relay.Errorf(relay.BadRequest, "%s takes an object as its first argument", e.Name)
	}
	err := json.Unmarshal(e.Raw(0), v)
	var wrong *json.UnmarshalTypeError
	var refused *relay.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &wrong):
		return relay.Errorf(relay.BadRequest, "%s: %s is %s, not what it should be", e.Name, cmp.Or(wrong.Field, "an argument"), aJSON(wrong.Value))
	}
	return relay.Errorf(relay.BadRequest, "%s: %v", e.Name, err)
}

// aJSON names a kind of JSON value as encoding/json reports it.
func aJSON(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	switch kind {
	case "object", "array":
		return "an " + kind
	case "bool":
		return "a boolean"
	}
	return fmt.Sprintf("a %s", kind)
}

// oneAttachment returns the attachment that e must have as its last argument and nowhere else. With an error it is the first
// of those that e has, nil for none.
func oneAttachment(e *sio.Event) (*sio.Attachment, error) {
	body := e.Attachment()
	if e.Attachments() != 1 || e.NumArgs() != 2 || !e.IsAttachment(1) {
		return body, relay.Errorf(relay.BadRequest, "%s takes an object and exactly one attachment, the last argument", e.Name)
	}
	return body, nil
}

// sayMember tells the others in a room who has come or gone, before it returns.
func (d *Door) sayMember(c *client, room, name, event string) {
	if err := d.gossip.tell(d.ns, memberEvent{Room: room, ID: c.socket.ID(), Name: name, Event: event}); err != nil {
		d.Hub.Log().Warn("member event", "room", room, "err", err)
	}
}

// contextOf is the life of the socket that sent e.
func contextOf(e *sio.Event) context.Context { return e.Socket.Context() }
