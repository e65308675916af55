package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sio/packet"
)

// errStreamUnawaited: nobody would know when the reader is free again.
var errStreamUnawaited = errors.New("socket.io: a Stream can only be sent by EmitWithAck or Start")

// Client is a socket of a Socket.IO server, kept connected. Its methods may be called from any goroutine.
type Client struct {
	// Set once.
	options  Options
	endpoint *endpoint
	inbox    *inbox
	ctx      context.Context // the client's life; its cause is why it ended
	end      context.CancelCauseFunc
	closed   atomic.Bool
	wg       sync.WaitGroup

	mu           sync.Mutex
	handlers     map[string]func(*Event)
	otherwise    func(*Event)
	onConnect    func()
	onDisconnect func(error)
	link         *link         // nil while not connected
	changed      chan struct{} // closed when link changes
}

// Dial connects to a Socket.IO server. Events that come before On has named their handler are dropped; where
// that matters use New, On and Connect.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	c, err := New(address, o)
	if err != nil {
		return nil, err
	}
	if err := c.Connect(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// New returns a client that is not connected. The address is that of the server, as http://127.0.0.1:3000;
// its path is Options.Path.
func New(address string, o Options) (*Client, error) {
	o = o.withDefaults()
	e, err := newEndpoint(address, &o)
	if err != nil {
		return nil, err
	}
	c := &Client{
		options:  o,
		endpoint: e,
		inbox:    &inbox{limit: o.MaxQueuedBytes},
		handlers: make(map[string]func(*Event)),
		changed:  make(chan struct{}),
	}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	return c, nil
}

// Connect connects for the first time. It makes one attempt and returns why it failed; a *HandshakeError or
// *ConnectError is the server's word. Only what was connected once is reconnected.
func (c *Client) Connect(ctx context.Context) error {
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	l, err := c.connect(ctx)
	if err != nil {
		return err
	}
	c.wg.Go(c.inbox.run)
	c.wg.Go(func() { c.keep(l) })
	return nil
}

// Close sends what was emitted, says farewell and ends the client. It returns when every goroutine of the
// client has ended, handlers included, so a handler must not call it. Events not yet handled are dropped.
func (c *Client) Close() error {
	c.closed.Store(true)
	c.end(net.ErrClosed)
	c.wg.Wait()
	c.endpoint.close()
	return nil
}

// Context ends when the client does; its cause is net.ErrClosed after Close, otherwise why it gave up.
func (c *Client) Context() context.Context { return c.ctx }

// ID returns the socket's id, "" while not connected. Each connection has another.
func (c *Client) ID() string {
	if l, err := c.current(); err == nil {
		return l.id
	}
	return ""
}

// Transport returns Polling or WebSocket, "" while not connected.
func (c *Client) Transport() string {
	if l, err := c.current(); err == nil {
		return l.session.transport()
	}
	return ""
}

// On has h called with every event of that name, in place of an earlier handler.
func (c *Client) On(event string, h func(*Event)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[event] = h
}

// OnUnknown has h called with the events that have no handler of their own.
func (c *Client) OnUnknown(h func(*Event)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.otherwise = h
}

// OnConnect has h called after each connection is made, in order with the events. Name it before Connect.
func (c *Client) OnConnect(h func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onConnect = h
}

// OnDisconnect has h called after each connection is lost, in order with the events. The error is a
// *DisconnectError.
func (c *Client) OnDisconnect(h func(error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onDisconnect = h
}

// Emit sends an event. It takes over the bytes in args: they may not be changed any more. It fails with
// ErrNotConnected or ErrQueueFull rather than wait; nil does not mean that the event has arrived.
func (c *Client) Emit(event string, args ...any) error {
	l, err := c.current()
	if err != nil {
		return err
	}
	o, err := l.newEvent(packet.NoID, event, args)
	if err != nil {
		return err
	}
	if o.streams {
		return errStreamUnawaited
	}
	return l.session.queue.push(o)
}

// EmitWithAck sends an event and waits for its acknowledgement, see Pending.Wait.
func (c *Client) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	p, err := c.Start(ctx, event, args...)
	if err != nil {
		return Args{}, err
	}
	return p.Wait(ctx)
}

// Start queues an event, waiting for room, and leaves it to the caller to wait for its acknowledgement. The
// events of several Starts go out in their order. The bytes in args may not be changed, and the reader of a
// Stream not be used, before Wait has returned.
func (c *Client) Start(ctx context.Context, event string, args ...any) (*Pending, error) {
	l, err := c.current()
	if err != nil {
		return nil, err
	}
	p, err := l.start(event, args)
	if err != nil {
		return nil, err
	}
	if err := l.session.queue.pushWait(ctx, p.out); err != nil {
		l.settle(p.id, Args{}, err)
		return nil, err
	}
	return p, nil
}

// WaitConnected waits until the client is connected. It fails when ctx is done or the client has ended.
func (c *Client) WaitConnected(ctx context.Context) error {
	for {
		c.mu.Lock()
		l, changed := c.link, c.changed
		c.mu.Unlock()
		if l != nil {
			return nil
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// current returns the connection there is.
func (c *Client) current() (*link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		return c.link, nil
	}
	if err := context.Cause(c.ctx); err != nil {
		return nil, err
	}
	return nil, ErrNotConnected
}

// connect makes one attempt.
func (c *Client) connect(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.ConnectTimeout)
	defer cancel()
	s, err := dial(ctx, c.endpoint, &c.options)
	if err != nil {
		return nil, err
	}
	l := newLink(c, s)
	c.wg.Go(l.run)
	select {
	case <-l.connected:
		return l, nil
	case <-l.done:
		return nil, l.err
	case <-ctx.Done():
		s.end(ctx.Err())
		<-l.done
		return nil, ctx.Err()
	}
}

// keep reconnects until the client ends.
func (c *Client) keep(l *link) {
	defer c.inbox.close()
	for {
		select {
		case <-l.done:
		case <-c.ctx.Done():
			l.leave()
		}
		var err error
		if l, err = c.reconnect(l.err); err != nil {
			c.end(err)
			return
		}
	}
}

// reconnect returns a new connection after one that ended with err, or why there is none.
func (c *Client) reconnect(err error) (*link, error) {
	var lost *DisconnectError
	if c.options.NoReconnect || !errors.As(err, &lost) || lost.Reason == ServerDisconnect {
		return nil, err
	}
	for attempt := 0; c.options.Backoff.Attempts == 0 || attempt < c.options.Backoff.Attempts; attempt++ {
		if !c.pause(c.options.Backoff.delay(attempt)) {
			return nil, net.ErrClosed
		}
		var l *link
		l, err = c.connect(c.ctx)
		var refused *ConnectError
		if err == nil || errors.As(err, &refused) {
			return l, err
		}
	}
	return nil, err
}

// pause waits for d and reports whether the client still lives.
func (c *Client) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return c.ctx.Err() == nil
	case <-c.ctx.Done():
		return false
	}
}

// found makes l the connection in use.
func (c *Client) found(l *link) {
	c.setLink(l)
	c.inbox.force(delivery{call: func() {
		c.mu.Lock()
		h := c.onConnect
		c.mu.Unlock()
		if h != nil {
			h()
		}
	}})
}

// lost notes that l has ended.
func (c *Client) lost(l *link) {
	if l.id == "" {
		return
	}
	c.setLink(nil)
	c.inbox.force(delivery{call: func() {
		c.mu.Lock()
		h := c.onDisconnect
		c.mu.Unlock()
		if h != nil {
			h(l.err)
		}
	}})
}

func (c *Client) setLink(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	close(c.changed)
	c.changed = make(chan struct{})
}

// handle calls the handler of an event.
func (c *Client) handle(e *Event) {
	if c.closed.Load() {
		return
	}
	c.mu.Lock()
	h := c.handlers[e.Name]
	if h == nil {
		h = c.otherwise
	}
	c.mu.Unlock()
	if h != nil {
		h(e)
	}
}
