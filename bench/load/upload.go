package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Uploader is a dialect of servers that take uploads.
type Uploader interface {
	// Upload connects a sender of messages, of which not more than inFlight are to be without an ack.
	Upload(ctx context.Context, addr, name string, m *Message, inFlight int) (Sender, error)
}

// Sender sends the messages of one upload.
type Sender interface {
	// Send sends message number. It waits while too many are without an ack.
	Send(ctx context.Context, number int64) error
	// Finish ends the upload after count messages, and returns when the server has acknowledged all.
	Finish(ctx context.Context, count int64) error
	Close()
}

// prover is a Sender whose server says what it has got: more than how much.
type prover interface {
	// prove holds what the server said when it had got count messages against what they were.
	prove(count int64) error
}

// finishTime is how long uploads may take to be acknowledged when all was sent.
const finishTime = 60 * time.Second

// Uploads are uploads by several senders at once. Each is done once.
type Uploads struct {
	senders []Sender
	counts  []int64 // of each, how many messages were sent
	failed  int
}

// Upload connects senders.
func Upload(ctx context.Context, u Uploader, addr, name string, m *Message, senders, inFlight int) (*Uploads, error) {
	all := &Uploads{counts: make([]int64, senders)}
	for i := range senders {
		var s Sender
		failed, err := connect(ctx, func(ctx context.Context) (err error) {
			s, err = u.Upload(ctx, addr, name+"-"+strconv.Itoa(i), m, inFlight)
			return err
		})
		all.failed += failed
		if err != nil {
			all.Close()
			return nil, fmt.Errorf("sender %d: %w", i, err)
		}
		all.senders = append(all.senders, s)
	}
	return all, nil
}

// Flow sends for a time, as fast as the server acknowledges, and returns when all uploads are finished.
func (u *Uploads) Flow(ctx context.Context, during time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, during+finishTime)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	end := time.Now().Add(during)
	var wg sync.WaitGroup
	for i := range u.senders {
		wg.Go(func() {
			if err := u.flow(ctx, i, end); err != nil {
				fail(fmt.Errorf("sender %d: %w", i, err)) // the first one is the cause
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (u *Uploads) flow(ctx context.Context, i int, end time.Time) error {
	for u.counts[i] == 0 || time.Now().Before(end) {
		if err := u.senders[i].Send(ctx, u.counts[i]); err != nil {
			return err
		}
		u.counts[i]++
	}
	return u.senders[i].Finish(ctx, u.counts[i])
}

// Sent returns how many messages were sent.
func (u *Uploads) Sent() (sum int64) {
	for _, n := range u.counts {
		sum += n
	}
	return sum
}

// Verify holds what servers say about the content against what it was, where they do.
func (u *Uploads) Verify() error {
	for i, s := range u.senders {
		if p, ok := s.(prover); ok {
			if err := p.prove(u.counts[i]); err != nil {
				return fmt.Errorf("sender %d: %w", i, err)
			}
		}
	}
	return nil
}

// Failed returns how many connects failed and were tried again.
func (u *Uploads) Failed() int { return u.failed }

// Close ends all connections.
func (u *Uploads) Close() {
	for _, s := range u.senders {
		s.Close()
	}
}

// flight is what a sender has under way: messages without an ack.
type flight struct {
	slots chan struct{}
	acked atomic.Int64
}

func newFlight(most int) *flight { return &flight{slots: make(chan struct{}, most)} }

// take waits until one more message may be under way. ended is closed when no ack can come any more.
func (f *flight) take(ctx context.Context, ended <-chan struct{}) error {
	select {
	case f.slots <- struct{}{}:
		return nil
	case <-ended:
		return errors.New("the connection has ended")
	case <-ctx.Done():
		return fmt.Errorf("%d were acknowledged: %w", f.acked.Load(), ctx.Err())
	}
}

// land notes an ack. It reports whether there was something to acknowledge.
func (f *flight) land() bool {
	f.acked.Add(1)
	select {
	case <-f.slots:
		return true
	default:
		return false
	}
}

// empty waits until nothing is under way, and checks that so many were acknowledged.
func (f *flight) empty(ctx context.Context, ended <-chan struct{}, count int64) error {
	for range cap(f.slots) {
		if err := f.take(ctx, ended); err != nil {
			return err
		}
	}
	if n := f.acked.Load(); n != count {
		return fmt.Errorf("%d acks of %d messages", n, count)
	}
	return nil
}
