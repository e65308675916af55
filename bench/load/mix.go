package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Mix is a file and live streams that come to the same subscribers, each over one connection.
type Mix struct {
	File *Room
	Live []*Room
}

// MixOptions say what a Mix consists of.
type MixOptions struct {
	Dialect     func(kind, flow string) Dialect
	File        *Message
	Live        *Message
	Streams     int // how many are live
	Subscribers int
	Arrived     func(number int64, due time.Time) // is told of the live ones
}

// JoinMix connects subscribers to a room, and a publisher for every flow.
func JoinMix(ctx context.Context, addr, name string, o MixOptions) (*Mix, error) {
	m := &Mix{File: &Room{Message: o.File}}
	for range o.Streams {
		m.Live = append(m.Live, &Room{Message: o.Live})
	}
	if err := m.join(ctx, addr, name, o); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Mix) join(ctx context.Context, addr, name string, o MixOptions) error {
	for i := range o.Subscribers {
		if err := m.subscribe(ctx, addr, name, o); err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	if err := m.File.publish(ctx, o.Dialect("file", "file"), addr, name); err != nil {
		return err
	}
	for i, live := range m.Live {
		if err := live.publish(ctx, o.Dialect("live", strconv.Itoa(i)), addr, name); err != nil {
			return err
		}
	}
	return nil
}

// subscribe opens a connection for all flows.
func (m *Mix) subscribe(ctx context.Context, addr, name string, o MixOptions) error {
	var conn Conn
	var all *Subscriber
	err := m.File.connect(ctx, func(ctx context.Context) (err error) {
		all = &Subscriber{flows: make(map[string]*Subscriber)}
		all.flows["file"] = &Subscriber{checker: NewChecker(o.File)}
		for i := range m.Live {
			s := &Subscriber{checker: NewChecker(o.Live)}
			s.checker.Arrived = o.Arrived
			all.flows[strconv.Itoa(i)] = s
		}
		conn, err = o.Dialect("live", "").Subscribe(ctx, addr, name, all, Options{})
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range all.flows {
		s.Conn = conn
	}
	m.File.Subscribers = append(m.File.Subscribers, all.flows["file"])
	for i, live := range m.Live {
		live.Subscribers = append(live.Subscribers, all.flows[strconv.Itoa(i)])
	}
	return nil
}

// turn has the next bytes be of a flow.
func (s *Subscriber) turn(flow string) error {
	s.current = s.flows[flow]
	if s.current == nil {
		return fmt.Errorf("something of a flow %q", flow)
	}
	return nil
}

// quoted returns what stands in a text as `"key":"..."`.
func quoted(text []byte, key string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(`"`+key+`":"`))
	value, _, _ := bytes.Cut(rest, []byte{'"'})
	return value
}

// Pace sends on all live streams as Room.Pace does, one after the other within the interval.
func (m *Mix) Pace(ctx context.Context, interval time.Duration, more func(sent int) bool) error {
	faults := make([]error, len(m.Live))
	var all sync.WaitGroup
	for i, live := range m.Live {
		all.Go(func() {
			time.Sleep(interval * time.Duration(i) / time.Duration(len(m.Live)))
			faults[i] = live.PaceWhile(ctx, interval, more)
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// Run sends the file, as Room.Transfer does, while the live streams go on. It returns how long the file took.
func (m *Mix) Run(ctx context.Context, messages int64, window int, interval time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan struct{})
	var fault error
	go func() {
		defer close(sent)
		began := time.Now()
		fault = m.File.Transfer(ctx, messages, window)
		took = time.Since(began)
	}()
	err = m.Pace(ctx, interval, func(int) bool {
		select {
		case <-sent:
			return false
		default:
			return true
		}
	})
	if err != nil {
		cancel()
	}
	<-sent
	return took, errors.Join(fault, err)
}

// Close ends all connections.
func (m *Mix) Close() {
	for _, live := range m.Live {
		live.Close()
	}
	m.File.Close()
}
