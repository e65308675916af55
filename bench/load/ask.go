package load

import (
	"context"
	"errors"
	"time"
)

// Asker is a dialect in which a subscriber can ask for an ack.
type Asker interface {
	// question is an event that the server acknowledges at once, and that changes nothing.
	question() (event string, arg any)
}

func (Relay) question() (event string, arg any) { return "join", "room" } // where it is already

func (Sluice) question() (event string, arg any) {
	return "leave", map[string]any{"room": "where nobody is"}
}

// Ask has a subscriber ask for an ack at even intervals until ctx is done, and counts how long each took from when it was due.
func Ask(ctx context.Context, d Asker, s *Subscriber, interval time.Duration, times *Latency) error {
	socket, ok := s.Conn.(*Socket)
	if !ok {
		return errors.ErrUnsupported
	}
	event, arg := d.question()
	for due := time.Now(); ; due = due.Add(interval) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		_, err := socket.Call(ctx, event, arg)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		times.Arrived(0, due)
	}
}
