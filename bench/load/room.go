package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

const (
	// batchBytes is how much a publisher gives its connection at once, of messages that are smaller.
	batchBytes = 64 << 10
	// pause is between two looks at how far subscribers are.
	pause = 50 * time.Microsecond
	// arriveTime is how long the next of what was sent may take to arrive everywhere.
	arriveTime = 15 * time.Second
)

// Dialect is how a kind of server is spoken to.
type Dialect interface {
	// Subscribe connects a reader of a room, which s is told of.
	Subscribe(ctx context.Context, addr, room string, s *Subscriber, options Options) (Conn, error)
	// Publish connects a writer to a room.
	Publish(ctx context.Context, addr, room string, m *Message) (Publisher, error)
}

// Conn is a connection.
type Conn interface {
	BytesIn() int64 // over the wire
	Ended() <-chan struct{}
	Err() error // why it has ended
	Close()
}

// Publisher sends the messages of a flow.
type Publisher interface {
	// Send sends count messages, of which the first has that number. It may wait for the server.
	Send(ctx context.Context, first, count int64, due time.Time) error
	Close()
}

// Subscriber is a reader of a flow.
type Subscriber struct {
	Conn
	checker *Checker
	got     atomic.Int64

	flows   map[string]*Subscriber // those that share the connection, by name; nil: there is only this one
	current *Subscriber            // of them, whose the next bytes are
}

// feed takes what came of the flow.
func (s *Subscriber) feed(part []byte) error {
	if s.flows != nil {
		return s.current.feed(part)
	}
	err := s.checker.Feed(part)
	s.got.Store(s.checker.Messages())
	return err
}

// Room is a flow of messages from one publisher to many subscribers.
type Room struct {
	Message     *Message
	Subscribers []*Subscriber
	publisher   Publisher
	sent        int64
	failed      int // connects
}

// Join connects subscribers and a publisher. arrived, if not nil, is told of every message that arrives at one of them; it is
// called by many goroutines.
func Join(ctx context.Context, d Dialect, addr, name string, m *Message, subscribers int, options Options, arrived func(number int64, due time.Time)) (*Room, error) {
	r, err := Audience(ctx, d, addr, name, m, subscribers, options, arrived)
	if err != nil {
		return nil, err
	}
	if err := r.publish(ctx, d, addr, name); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Audience is Join without a publisher.
func Audience(ctx context.Context, d Dialect, addr, name string, m *Message, subscribers int, options Options, arrived func(number int64, due time.Time)) (*Room, error) {
	r := &Room{Message: m}
	for range subscribers {
		s := &Subscriber{checker: NewChecker(m)}
		s.checker.Arrived = arrived
		err := r.connect(ctx, func(ctx context.Context) (err error) {
			s.Conn, err = d.Subscribe(ctx, addr, name, s, options)
			return err
		})
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("subscriber %d: %w", len(r.Subscribers), err)
		}
		r.Subscribers = append(r.Subscribers, s)
	}
	return r, nil
}

func (r *Room) publish(ctx context.Context, d Dialect, addr, name string) error {
	err := r.connect(ctx, func(ctx context.Context) (err error) {
		r.publisher, err = d.Publish(ctx, addr, name, r.Message)
		return err
	})
	if err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	return nil
}

func (r *Room) connect(ctx context.Context, try func(ctx context.Context) error) error {
	failed, err := connect(ctx, try)
	r.failed += failed
	return err
}

// Failed returns how many connects failed and were tried again.
func (r *Room) Failed() int { return r.failed }

// Close ends all connections.
func (r *Room) Close() {
	if r.publisher != nil {
		r.publisher.Close()
	}
	for _, s := range r.Subscribers {
		s.Close()
	}
}

// Sent returns how many messages the publisher has sent.
func (r *Room) Sent() int64 { return r.sent }

// BytesIn returns how much has come over the wire to all subscribers.
func (r *Room) BytesIn() (sum int64) {
	for _, s := range r.Subscribers {
		sum += s.BytesIn()
	}
	return sum
}

// Flow sends for a time, as fast as the server and all subscribers go: not more than so many bytes ahead of the slowest. It
// returns when everything has arrived everywhere.
func (r *Room) Flow(ctx context.Context, during time.Duration, window int) error {
	end := time.Now().Add(during)
	return r.flow(ctx, window, func() int64 {
		if time.Now().Before(end) {
			return math.MaxInt64
		}
		return 0
	})
}

// Transfer is Flow for so many messages.
func (r *Room) Transfer(ctx context.Context, messages int64, window int) error {
	end := r.sent + messages
	return r.flow(ctx, window, func() int64 { return end - r.sent })
}

// flow sends as many messages as are left, until none is.
func (r *Room) flow(ctx context.Context, window int, left func() int64) error {
	size := r.Message.Size()
	ahead := int64(max(window/size, 2))
	batch := int64(max(batchBytes/size, 1))
	for {
		rest := left()
		if rest == 0 {
			return r.Arrive(ctx)
		}
		slowest, err := r.slowest()
		if err != nil {
			return err
		}
		free := min(slowest+ahead-r.sent, batch, rest)
		if free <= 0 {
			time.Sleep(pause)
			continue
		}
		if err := r.publisher.Send(ctx, r.sent, free, time.Now()); err != nil {
			return err
		}
		r.sent += free
	}
}

// Pace sends so many messages at even intervals, whatever becomes of them: a message is due when it is due, even if the one
// before it could not be sent in time. It returns when everything has arrived everywhere.
func (r *Room) Pace(ctx context.Context, count int, interval time.Duration) error {
	return r.PaceWhile(ctx, interval, func(sent int) bool { return sent < count })
}

// PaceWhile is Pace for as long as there is more to send.
func (r *Room) PaceWhile(ctx context.Context, interval time.Duration, more func(sent int) bool) error {
	begin := time.Now()
	for i := 0; more(i); i++ {
		due := begin.Add(time.Duration(i) * interval)
		time.Sleep(time.Until(due))
		if err := r.publisher.Send(ctx, r.sent, 1, due); err != nil {
			return err
		}
		r.sent++
	}
	return r.Arrive(ctx)
}

// Await waits until so many messages that somebody else has sent have arrived everywhere.
func (r *Room) Await(ctx context.Context, messages int64) error {
	r.sent += messages
	return r.Arrive(ctx)
}

// Arrive waits until everything has arrived everywhere.
func (r *Room) Arrive(ctx context.Context) error {
	var before int64
	for end := time.Now().Add(arriveTime); ; time.Sleep(pause) {
		slowest, err := r.slowest()
		switch {
		case err != nil:
			return err
		case slowest == r.sent:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case slowest > before:
			before, end = slowest, time.Now().Add(arriveTime)
		case time.Now().After(end):
			return fmt.Errorf("%d of %d messages had come, and none in %v", slowest, r.sent, arriveTime)
		}
	}
}

// slowest returns how many messages have come everywhere.
func (r *Room) slowest() (int64, error) {
	least := r.sent
	for _, s := range r.Subscribers {
		select {
		case <-s.Ended():
			return 0, errors.Join(errors.New("a subscriber's connection has ended"), s.Err())
		default:
		}
		least = min(least, s.got.Load())
	}
	return least, nil
}
