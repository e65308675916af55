package sockets

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/time/rate"

	"sluice/relay"
)

// paceInterval is how often a socket is told, at most, that it is slowed down, and its streams that they are not idle: relay's
// Limits.IdleTime is to be more.
const paceInterval = 10 * time.Second

// pace bounds what a socket publishes in a second. One that brings more is read no faster.
type pace struct {
	client *client
	bytes  *rate.Limiter // nil: no bound
	chunks *rate.Limiter
	told   time.Time // when the socket was told last; used by its handlers, of which one runs at a time
}

func newPace(c *client, limits Limits) *pace {
	p := &pace{client: c, chunks: rate.NewLimiter(rate.Limit(limits.chunkRate()), limits.chunkRate())}
	if limits.ByteRate > 0 {
		p.bytes = rate.NewLimiter(rate.Limit(limits.byteRate()), limits.byteRate())
	}
	return p
}

// turn waits for the turn of one more chunk, or of a stream that begins with event.
func (p *pace) turn(event string) error { return p.wait(p.chunks, 1, event, "chunks and new streams") }

// body is r, read no faster than the socket may publish. event is what it came with.
func (p *pace) body(r io.Reader, event string) io.Reader {
	if p.bytes == nil {
		return r
	}
	return &pacedReader{r, p, event}
}

type pacedReader struct {
	r     io.Reader
	pace  *pace
	event string
}

func (r *pacedReader) Read(b []byte) (int, error) {
	limiter := r.pace.bytes
	n, err := r.r.Read(b[:min(len(b), limiter.Burst())])
	if werr := r.pace.wait(limiter, n, r.event, "bytes"); werr != nil {
		return n, werr
	}
	return n, err
}

// wait returns when n more are due, or the socket is gone.
func (p *pace) wait(limiter *rate.Limiter, n int, event, what string) error {
	ctx := p.client.socket.Context()
	delay := limiter.ReserveN(time.Now(), n).Delay()
	if delay == 0 {
		return nil
	}
	p.slowed(event, what, limiter.Burst())
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// slowed says what the limit is, unless it was said just before. The streams of a socket that is slowed down are not idle.
func (p *pace) slowed(event, what string, limit int) {
	if !p.told.IsZero() && time.Since(p.told) < paceInterval {
		return
	}
	p.told = time.Now()
	p.client.touch()
	p.client.socket.Emit(evProblem, problemEvent{Code: relay.TooMany, Event: event, Limit: int64(limit), Slowed: true,
		Message: fmt.Sprintf("at most %d %s a second: this socket is read no faster", limit, what)})
}
