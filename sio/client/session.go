package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// enginePacket is a packet of Engine.IO. kind is its digit, or binaryRecord for a binary message.
type enginePacket struct {
	kind byte
	data []byte
}

// The packet types of Engine.IO 4.
const (
	packetOpen  = '0'
	packetClose = '1'
	packetPing  = '2'
	packetPong  = '3'
	packetNoop  = '6'
)

const (
	probePing = "2probe"
	probePong = "3probe"
	upgraded  = "5"

	// maxOpenBytes bounds the packet that opens a session.
	maxOpenBytes = 64 << 10
)

var (
	errPingTimeout     = errors.New("nothing was heard from the server for too long")
	errTransportClosed = errors.New("closed by the server")
	errCloseTimeout    = errors.New("the server did not take what was queued in time")
)

// open is what the server says when a session begins.
type open struct {
	SID          string
	Upgrades     []string
	PingInterval int64 // milliseconds
	PingTimeout  int64 // milliseconds
	MaxPayload   int
}

// session is a session of Engine.IO: messages in, messages out, over a transport that may change once.
type session struct {
	// Set once, before run.
	endpoint *endpoint
	options  *Options
	open     open
	queue    *queue
	receive  func(text bool, message []byte) error // called by one goroutine at a time
	ctx      context.Context                       // the session's life; its cause is why it ended
	end      context.CancelCauseFunc

	polling *polling   // nil if it began on WebSocket
	socket  *webSocket // if it did not: owned by the writer until switched is closed

	// The upgrade.
	probed    chan *webSocket // one, nil when it failed
	upgrading chan struct{}   // closed when the reader is to stop polling
	parked    chan struct{}   // closed when it has
	switched  chan struct{}   // closed when all goes over socket

	left chan struct{} // closed when the farewell was sent over polling
	wg   sync.WaitGroup
}

// dial opens a session over the first transport that the server does not refuse. The session does nothing
// before run.
func dial(ctx context.Context, e *endpoint, o *Options) (*session, error) {
	var refused error
	for _, name := range o.Transports {
		s := newSession(e, o)
		err := s.handshake(ctx, name)
		if err == nil {
			return s, nil
		}
		s.end(err)
		var h *HandshakeError
		if !errors.As(err, &h) {
			return nil, err
		}
		if refused == nil {
			refused = err
		}
	}
	return nil, refused
}

func newSession(e *endpoint, o *Options) *session {
	s := &session{
		endpoint:  e,
		options:   o,
		queue:     newQueue(o.MaxQueuedBytes),
		probed:    make(chan *webSocket, 1),
		upgrading: make(chan struct{}),
		parked:    make(chan struct{}),
		switched:  make(chan struct{}),
		left:      make(chan struct{}),
	}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	return s
}

func (s *session) handshake(ctx context.Context, transport string) error {
	switch transport {
	case Polling:
		return s.openPolling(ctx)
	case WebSocket:
		return s.openSocket(ctx)
	}
	return fmt.Errorf("unknown transport %q", transport)
}

func (s *session) openPolling(ctx context.Context) error {
	s.polling = &polling{
		endpoint: s.endpoint,
		url:      s.endpoint.address(Polling, ""),
		idle:     s.options.ConnectTimeout,
		limit:    s.options.MaxEventBytes,
	}
	err := s.polling.receive(ctx, func(p enginePacket) error {
		if s.open.SID != "" {
			return &ProtocolError{"engine.io", errors.New("a packet after the opening one")}
		}
		return s.opened(p)
	})
	if err != nil {
		return err
	}
	if s.open.SID == "" {
		return &ProtocolError{"engine.io", errors.New("no opening packet")}
	}
	s.polling.url = s.endpoint.address(Polling, s.open.SID)
	s.polling.idle = s.idle()
	s.polling.maxPayload = s.open.MaxPayload
	return nil
}

func (s *session) openSocket(ctx context.Context) error {
	w, err := s.endpoint.dialSocket(ctx, "")
	if err != nil {
		return err
	}
	stop := w.until(ctx)
	p, err := readSocketPacket(w, maxOpenBytes, func([]byte) {})
	if err == nil {
		err = s.opened(p)
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		w.shutdown(err)
		return err
	}
	s.socket = w
	return nil
}

// opened takes the first packet of a session.
func (s *session) opened(p enginePacket) error {
	if p.kind != packetOpen {
		return &ProtocolError{"engine.io", fmt.Errorf("packet of type %q instead of the opening one", p.kind)}
	}
	if err := json.Unmarshal(p.data, &s.open); err != nil {
		return &ProtocolError{"engine.io", err}
	}
	if s.open.SID == "" || s.open.PingInterval <= 0 || s.open.PingTimeout <= 0 {
		return &ProtocolError{"engine.io", errors.New("opening packet without sid or ping times")}
	}
	return nil
}

// idle is how long the server may be silent.
func (s *session) idle() time.Duration {
	return time.Duration(s.open.PingInterval+s.open.PingTimeout) * time.Millisecond
}

// run carries messages until the session ends, and returns why. Everything it began has ended by then.
func (s *session) run() error {
	switch {
	case s.polling == nil:
		s.watch(s.socket)
		close(s.switched)
	case s.upgradable():
		s.wg.Go(s.upgrade)
	default:
		s.probed <- nil
	}
	s.wg.Go(func() { s.end(s.read()) })
	s.wg.Go(func() {
		if err := s.write(); err != nil {
			s.end(err)
		}
	})
	s.wg.Wait()
	return s.shutdown()
}

// shutdown closes what is still open when no goroutine is left.
func (s *session) shutdown() error {
	cause := context.Cause(s.ctx)
	select {
	case w := <-s.probed: // too late
		if w != nil {
			w.shutdown(cause)
		}
	default:
	}
	switch {
	case s.socket != nil:
		s.socket.shutdown(cause)
	case s.polling != nil && refused(cause):
		s.quitPolling()
	}
	return cause
}

// refused reports whether the server would have nothing to do with the client, while the connection goes on.
func refused(err error) bool {
	var refused *ConnectError
	var disconnected *DisconnectError
	return errors.As(err, &refused) || errors.As(err, &disconnected)
}

// quitPolling tells the server of a session that has ended: it would wait for the client to poll again.
func (s *session) quitPolling() {
	ctx, cancel := context.WithTimeout(context.Background(), s.options.CloseTimeout)
	defer cancel()
	var batch payload
	batch.add(textPacket(string(rune(packetClose))))
	_ = s.polling.post(ctx, &batch) // if it does not arrive, the server finds out for itself
}

// finish has what is queued sent, then says farewell; what is emitted from now on fails with err. The session
// ends when the server has answered, or after timeout.
func (s *session) finish(err error, timeout time.Duration) (stop func() bool) {
	s.queue.finish(err)
	return time.AfterFunc(timeout, func() { s.end(errCloseTimeout) }).Stop
}

// transport names the one in use.
func (s *session) transport() string {
	select {
	case <-s.switched:
		return WebSocket
	default:
		return Polling
	}
}

// watch has w end with the session, and the session when w is silent.
func (s *session) watch(w *webSocket) {
	w.live.watch(s.idle())
	s.wg.Go(func() {
		<-s.ctx.Done()
		w.live.release()
	})
}

// read is the reading goroutine.
func (s *session) read() error {
	if s.polling != nil {
		if err := s.readPolling(); err != nil {
			return err
		}
	}
	for {
		p, err := readSocketPacket(s.socket, s.options.MaxEventBytes, s.answerControl)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errPingTimeout
		}
		if err != nil {
			return err
		}
		if err := s.handle(p); err != nil {
			return err
		}
	}
}

// readPolling reads until the session has been upgraded.
func (s *session) readPolling() error {
	for {
		if err := s.polling.receive(s.ctx, s.handle); err != nil {
			return err
		}
		select {
		case <-s.upgrading:
		case <-s.left:
			return net.ErrClosed
		default:
			continue
		}
		close(s.parked)
		select {
		case <-s.switched:
			return nil
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}

// handle takes a packet from either transport.
func (s *session) handle(p enginePacket) error {
	switch p.kind {
	case messageType:
		return s.receive(true, p.data)
	case binaryRecord:
		return s.receive(false, p.data)
	case packetPing:
		s.queue.setPong(textPacket(string(rune(packetPong)) + string(p.data)))
	case packetClose:
		return errTransportClosed
	case packetNoop, packetPong:
	default:
		return &ProtocolError{"engine.io", fmt.Errorf("packet of type %q", p.kind)}
	}
	return nil
}

// textPacket is a packet of Engine.IO without more.
func textPacket(text string) *outgoing {
	return &outgoing{text: []byte(text), size: len(text), done: make(chan struct{})}
}

// answerControl answers a WebSocket ping.
func (s *session) answerControl(p []byte) { s.queue.setControl(textPacket(string(p))) }

// readSocketPacket reads a packet of Engine.IO.
func readSocketPacket(w *webSocket, limit int, pong func([]byte)) (enginePacket, error) {
	text, message, err := w.readMessage(limit, pong)
	if err != nil {
		return enginePacket{}, err
	}
	if !text {
		return enginePacket{kind: binaryRecord, data: message}, nil
	}
	if len(message) == 0 {
		return enginePacket{}, &ProtocolError{"engine.io", errors.New("empty packet")}
	}
	return enginePacket{kind: message[0], data: message[1:]}, nil
}

// write is the writing goroutine. It returns nil when all was sent after finish.
func (s *session) write() error {
	if s.polling != nil {
		if err := s.writePolling(); err != nil || s.transport() == Polling {
			return err
		}
	}
	for {
		if err := s.writeSocket(); err != nil || s.socket.closing {
			return err
		}
		select {
		case <-s.queue.ready:
		case <-s.ctx.Done():
			return nil
		}
	}
}

// writeSocket sends all there is to send.
func (s *session) writeSocket() error {
	for {
		if o := s.queue.takeControl(); o != nil {
			if err := s.socket.writeControl(ws.OpPong, o.text); err != nil {
				return err
			}
		}
		o := s.queue.take(true, math.MaxInt)
		if o == nil {
			break
		}
		err := s.socket.write(o)
		close(o.done)
		if err != nil {
			return err
		}
	}
	if s.queue.finished() {
		return s.socket.writeClose(ws.StatusNormalClosure)
	}
	return s.socket.flush()
}

// writePolling sends until the session is upgraded. What holds a Stream waits until it is known whether that
// will be so.
func (s *session) writePolling() error {
	streams := false
	for {
		select {
		case <-s.queue.ready:
		case w := <-s.probed:
			if w != nil {
				return s.switchOver(w)
			}
			streams = true
		case <-s.ctx.Done():
			return nil
		}
		for more := true; more; {
			var err error
			if more, err = s.polling.send(s.ctx, s.queue, streams); err != nil {
				return err
			}
		}
		if s.queue.finished() {
			return s.leavePolling()
		}
	}
}

// leavePolling tells the server that the session ends.
func (s *session) leavePolling() error {
	var batch payload
	batch.add(textPacket(string(rune(packetClose))))
	defer close(s.left)
	return s.polling.post(s.ctx, &batch)
}

// upgradable reports whether WebSocket is to be tried.
func (s *session) upgradable() bool {
	return slices.Contains(s.open.Upgrades, WebSocket) && slices.Contains(s.options.Transports, WebSocket)
}

// upgrade opens a WebSocket beside polling and asks whether messages come through.
func (s *session) upgrade() {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.UpgradeTimeout)
	defer cancel()
	w, err := s.endpoint.dialSocket(ctx, s.open.SID)
	if err != nil {
		s.probed <- nil
		return
	}
	stop := w.until(ctx)
	err = probe(w)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		w.shutdown(err)
		w = nil
	}
	s.probed <- w
}

func probe(w *webSocket) error {
	if err := w.write(textPacket(probePing)); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	text, message, err := w.readMessage(maxOpenBytes, func([]byte) {})
	if err != nil {
		return err
	}
	if !text || string(message) != probePong {
		return &ProtocolError{"engine.io", errors.New("no answer to the probe")}
	}
	return nil
}

// switchOver continues on w. No POST is under way, since the writer itself is here; the reader stops after the
// GET that the server answers on account of the probe.
func (s *session) switchOver(w *webSocket) error {
	s.socket = w
	close(s.upgrading)
	select {
	case <-s.parked:
	case <-s.ctx.Done():
		return nil
	}
	s.watch(w)
	if err := w.write(textPacket(upgraded)); err != nil {
		return err
	}
	close(s.switched)
	return nil
}
