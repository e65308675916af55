package load

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
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

// Ask has a subscriber ask for an ack at even intervals, whether or not earlier ones have come, and counts how long each took from
// when it was due. Once enough is closed it asks no more, and waits for those that are to come.
func Ask(ctx context.Context, d Asker, s *Subscriber, interval time.Duration, enough <-chan struct{}, times *Latency) error {
	socket, ok := s.Conn.(*Socket)
	if !ok {
		return errors.ErrUnsupported
	}
	event, arg := d.question()
	asking, ctx := errgroup.WithContext(ctx)
	for due := time.Now(); ; due = due.Add(interval) {
		asking.Go(func() error {
			_, err := socket.Call(ctx, event, arg)
			if err == nil {
				times.Arrived(0, due)
			}
			return err
		})
		select {
		case <-enough:
			return asking.Wait()
		case <-ctx.Done():
			return asking.Wait()
		case <-time.After(time.Until(due.Add(interval))):
		}
	}
}
