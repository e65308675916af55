package load

import (
	"context"
	"time"
)

// Relay is the dialect of the room relays: of package sio's, and of other makers'.
type Relay struct {
	Flow string // what goes into meta, by which a Mix tells its flows apart
}

// Subscribe is Dialect's.
func (Relay) Subscribe(ctx context.Context, addr, room string, s *Subscriber, options Options) (Conn, error) {
	options.Binary = s.feed
	if s.flows != nil {
		options.Event = func(text []byte) error { return s.turn(string(quoted(text, "flow"))) }
	}
	conn, err := Dial(ctx, addr, options)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Call(ctx, "join", room); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Publish is Dialect's.
func (d Relay) Publish(ctx context.Context, addr, room string, m *Message) (Publisher, error) {
	conn, err := Dial(ctx, addr, Options{})
	if err != nil {
		return nil, err
	}
	return &relayPublisher{Socket: conn, framed: m.Frame(`["chunk","` + room + `",{"flow":"` + d.Flow + `"}`)}, nil
}

type relayPublisher struct {
	*Socket
	framed *Framed
	buf    []byte
}

func (p *relayPublisher) Send(_ context.Context, first, count int64, due time.Time) error {
	p.buf = p.buf[:0]
	for i := range count {
		p.buf = p.framed.Append(p.buf, first+i, due)
	}
	_, err := p.Write(p.buf)
	return err
}
