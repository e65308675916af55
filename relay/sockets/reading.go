package sockets

import (
	"sluice/relay"
	"sluice/sio"
)

func (d *Door) subscribe(c *client, e *sio.Event) (any, error) {
	q := subscribeRequest{From: position{relay.FromLive}}
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	if q.Window < 0 {
		return nil, relay.Errorf(relay.BadRequest, "window is negative")
	}
	st, err := d.Hub.Stream(contextOf(e), q.Stream, c.who)
	if err != nil {
		return nil, err
	}
	if info := st.Info(); q.From.offset > info.Offset {
		return nil, relay.Errorf(relay.BadRequest, "the stream has %d bytes, from is %d", info.Offset, q.From.offset)
	}
	return nil, c.subscribe(e, st, q)
}

// subscribe moves the cursor of a stream already read, or begins to read it. The acknowledgement goes before the chunks.
func (c *client) subscribe(e *sio.Event, st *relay.Stream, q subscribeRequest) error {
	c.lock()
	defer c.unlock()
	s := c.subs[st.ID()]
	switch {
	case c.closed:
		return relay.Errorf(relay.Gone, "the socket is closed")
	case s == nil && len(c.subs) >= c.door.maxReading():
		return &relay.Error{Code: relay.TooMany, Message: "no more streams can be read by this socket", Limit: int64(c.door.maxReading())}
	case s == nil:
		s = &subscription{client: c, stream: st, announce: true}
		if r := c.rooms[st.Room()]; r != nil {
			s.accept = r.accept
		}
	}
	s.explicit, s.mute, s.whole, s.ended = true, false, false, false
	s.window = q.Window
	s.read(q.From.offset)
	s.sent = s.reader.Offset()
	s.credited = s.sent
	e.Ack(offsetReply{reply: reply{OK: true}, Offset: s.sent})
	if c.subs[st.ID()] == nil {
		c.enter(s)
	}
	s.rouse()
	return nil
}

func (d *Door) unsubscribe(c *client, e *sio.Event) (any, error) {
	var q streamRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	c.lock()
	defer c.unlock()
	s := c.subs[q.Stream]
	if s == nil {
		return nil, relay.Errorf(relay.NotFound, "this socket does not read that stream")
	}
	if s.explicit = false; s.member {
		s.mute = true // a member is still told of its end
	} else {
		c.forget(s)
	}
	e.Ack(reply{OK: true}) // locked: no chunk is pulled after it
	return nil, nil
}

func (d *Door) credit(c *client, e *sio.Event) (any, error) {
	var q creditRequest
	if err := decode(e, &q); err != nil {
		return nil, err
	}
	c.lock()
	defer c.unlock()
	s := c.subs[q.Stream]
	switch {
	case s == nil:
		return nil, relay.Errorf(relay.NotFound, "this socket does not read that stream")
	case q.Offset > s.sent:
		return nil, relay.Errorf(relay.BadRequest, "only %d bytes were sent", s.sent)
	}
	s.credited = max(s.credited, q.Offset)
	s.rouse()
	return reply{OK: true}, nil
}
