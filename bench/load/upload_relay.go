package load

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Upload is Uploader's: events "upload" with an attachment each, which are acknowledged.
func (Relay) Upload(ctx context.Context, addr, _ string, m *Message, inFlight int) (Sender, error) {
	conn, err := Dial(ctx, addr, Options{})
	if err != nil {
		return nil, err
	}
	return &relaySender{Socket: conn, framed: m.Frame(`["upload",{"kind":"bench"}`), flight: newFlight(inFlight)}, nil
}

type relaySender struct {
	*Socket
	framed *Framed
	flight *flight
	buf    []byte
}

func (s *relaySender) Send(ctx context.Context, number int64) error {
	if err := s.flight.take(ctx, s.Ended()); err != nil {
		return s.why(err)
	}
	id := s.Expect(func([]byte) { s.flight.land() })
	s.buf = s.framed.AppendWith(s.buf[:0], id, `["upload",{"kind":"bench"}`, number, time.Unix(0, 0))
	_, err := s.Write(s.buf)
	return err
}

func (s *relaySender) Finish(ctx context.Context, count int64) error {
	return s.why(s.flight.empty(ctx, s.Ended(), count))
}

// why adds to err why the connection has ended, if it has.
func (s *relaySender) why(err error) error {
	select {
	case <-s.Ended():
		return errors.Join(err, s.Err())
	default:
		return err
	}
}

// Upload is Uploader's: the limit sinks messages, and sends a byte for each.
func (Raw) Upload(ctx context.Context, addr, _ string, m *Message, inFlight int) (Sender, error) {
	conn, err := dialRaw(ctx, addr, "sink "+strconv.Itoa(m.Size()))
	if err != nil {
		return nil, err
	}
	s := &rawSender{rawConn: rawConn{Conn: conn, ended: make(chan struct{})}, message: m.clone(), flight: newFlight(inFlight)}
	go s.read()
	return s, nil
}

type rawSender struct {
	rawConn
	message *Message
	flight  *flight
}

func (s *rawSender) read() {
	defer close(s.ended)
	buf := make([]byte, 64)
	for {
		n, err := s.Read(buf)
		for range n {
			if !s.flight.land() {
				err = errors.New("an ack of nothing")
			}
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

func (s *rawSender) Send(ctx context.Context, number int64) error {
	if err := s.flight.take(ctx, s.ended); err != nil {
		return err
	}
	putStamp(s.message.data, number, time.Unix(0, 0))
	_, err := s.Write(s.message.data)
	return err
}

func (s *rawSender) Finish(ctx context.Context, count int64) error {
	return s.flight.empty(ctx, s.ended, count)
}
