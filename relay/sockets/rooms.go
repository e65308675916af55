package sockets

import (
	"slices"
	"strings"

	"sluice/relay"
	"sluice/sio"
)

// What "join" takes as from and deliver.
const (
	fromLive  = "live"
	fromStart = "start"
	fromNone  = "none"

	deliverChunks = "chunks"
	deliverWhole  = "whole"
)

const (
	defaultList = 50
	maxList     = 500
)

func (d *Door) join(c *client, e *sio.Event) (any, error) {
	var q joinRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	r, err := q.room()
	if err != nil {
		return nil, err
	}
	if c.who.Name != "" {
		r.name = c.who.Name
	}
	return nil, c.join(e, q.Room, r)
}

func (q joinRequest) room() (*room, error) {
	switch q.From {
	case "", fromLive, fromStart, fromNone:
	default:
		return nil, relay.Errorf(relay.BadRequest, `from is "live", "start" or "none"`)
	}
	switch q.Deliver {
	case "", deliverChunks, deliverWhole:
	default:
		return nil, relay.Errorf(relay.BadRequest, `deliver is "chunks" or "whole"`)
	}
	if err := relay.CheckName(q.Name); err != nil {
		return nil, err
	}
	return &room{from: q.From, whole: q.Deliver == deliverWhole, accept: chooseEncoding(q.Accept), name: q.Name}, nil
}

// join enters the room, acknowledges, and begins to read. The client is locked over all of it, so that nothing is pulled before
// the acknowledgement is sent; news of streams that begin meanwhile waits.
func (c *client) join(e *sio.Event, name string, r *room) error {
	c.lock()
	defer c.unlock()
	again := c.rooms[name] != nil
	switch {
	case c.closed:
		return relay.Errorf(relay.Gone, "the socket is closed")
	case !again && len(c.rooms) >= c.door.maxRooms():
		return &relay.Error{Code: relay.TooMany, Message: "no more rooms can be joined by this socket", Limit: int64(c.door.maxRooms())}
	}
	who := c.who
	who.Name = r.name
	view, err := c.door.Hub.Join(contextOf(e), name, who, c)
	if err != nil {
		return err
	}
	put(&c.rooms, name, r)
	if again {
		c.leaveSubs(name)
	}
	e.Ack(joined(c, name, view))
	for _, st := range view.Streams {
		if !c.follow(r, st, false) {
			c.socket.Emit(evProblem, c.tooMany(st))
		}
	}
	if !again {
		c.socket.Join(roomPrefix + name)
		c.sayMissed(name, view.Members)
		c.door.sayMember(c, name, r.name, "join")
	}
	return nil
}

// sayMissed tells the socket who has come and gone since the hub let it in and before it heard the room's events. It may say
// what an event says as well.
func (c *client) sayMissed(room string, seen []relay.Identity) {
	now := c.door.Hub.Members(room)
	say := func(those, but []relay.Identity, event string) {
		for _, m := range those {
			_, known := slices.BinarySearchFunc(but, m.ID, func(o relay.Identity, id string) int { return strings.Compare(o.ID, id) })
			if !known {
				c.socket.Emit(evMember, memberEvent{Room: room, ID: m.ID, Name: m.Name, Event: event})
			}
		}
	}
	say(now, seen, "join")
	say(seen, now, "leave")
}

func joined(c *client, name string, view relay.View) joinReply {
	a := joinReply{reply: reply{OK: true}, Room: name, ID: c.socket.ID(), Members: []memberInfo{}, Streams: []relay.Info{}}
	for _, m := range view.Members {
		a.Members = append(a.Members, memberInfo{ID: m.ID, Name: m.Name})
	}
	for _, st := range view.Streams {
		a.Streams = append(a.Streams, st.Info())
	}
	return a
}

func (d *Door) leave(c *client, e *sio.Event) (any, error) {
	var q roomRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	c.lock()
	r := c.rooms[q.Room]
	if r == nil {
		c.unlock()
		return nil, relay.Errorf(relay.NotFound, "this socket is not in that room")
	}
	delete(c.rooms, q.Room)
	c.leaveSubs(q.Room)
	e.Ack(reply{OK: true})
	c.unlock()
	d.Hub.Leave(q.Room, c)
	c.socket.Leave(roomPrefix + q.Room)
	d.sayMember(c, q.Room, r.name, "leave")
	return nil, nil
}

// leaveSubs ends what the socket reads only because it had joined the room. The client is locked.
func (c *client) leaveSubs(room string) {
	for _, s := range c.subs {
		if s.stream.Room() != room {
			continue
		}
		s.member = false
		if !s.explicit {
			c.forget(s)
		}
	}
}

func (d *Door) list(c *client, e *sio.Event) (any, error) {
	q := listRequest{Limit: defaultList}
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > maxList {
		return nil, &relay.Error{Code: relay.BadRequest, Message: "limit is 1 to 500", Limit: maxList}
	}
	infos, err := d.Hub.List(contextOf(e), q.Room, q.Before, q.Limit, c.who)
	if err != nil {
		return nil, err
	}
	return listReply{reply: reply{OK: true}, Streams: append([]relay.Info{}, infos...)}, nil
}

func (d *Door) delete(c *client, e *sio.Event) (any, error) {
	var q streamRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	if err := d.Hub.Delete(contextOf(e), q.Stream, c.who); err != nil {
		return nil, err
	}
	return reply{OK: true}, nil
}
