package client

import (
	"context"
)

// A Pending is an event on its way to being acknowledged.
type Pending struct {
	link *link
	out  *outgoing
	id   int64

	answered chan struct{} // closed when reply and err are set
	reply    Args
	err      error
}

// Done is closed when Wait need not wait.
func (p *Pending) Done() <-chan struct{} { return p.answered }

// Wait waits for the acknowledgement. It fails with a *DisconnectError when the connection is lost before it;
// whether the server got the event is then unknown. Once ctx is done the event is taken back if nothing of it
// was sent; a Stream that is being sent is broken off, and the connection with it.
func (p *Pending) Wait(ctx context.Context) (Args, error) {
	p.link.await(1)
	defer p.link.await(-1)
	select {
	case <-p.answered:
	case <-ctx.Done():
		p.abandon(ctx.Err())
	}
	if p.out.streams {
		<-p.out.done
	}
	if err := p.out.failure(); err != nil && p.err != nil {
		return Args{}, err
	}
	return p.reply, p.err
}

// abandon settles p with err, unless it was answered meanwhile.
func (p *Pending) abandon(err error) {
	if !p.link.settle(p.id, Args{}, err) {
		<-p.answered
		return
	}
	if p.out.cancel() || !p.out.streams {
		return
	}
	select {
	case <-p.out.done:
	default:
		p.link.session.end(err)
	}
}
