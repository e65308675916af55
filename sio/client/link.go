package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"sluice/sio"
	"sluice/sio/packet"
)

// link is one connection of a client to its namespace.
type link struct {
	// Set once, before run.
	client    *Client
	session   *session
	namespace string

	connected chan struct{} // closed when the server has accepted
	done      chan struct{} // closed when all has ended
	id        string        // set before connected is closed
	err       error         // why it ended; set before done is closed

	// Owned by the session's reader.
	half *incoming

	mu      sync.Mutex
	lastID  int64
	pending map[int64]*Pending // nil when the link has ended
	leaving bool
}

// incoming is a packet whose attachments are still to come.
type incoming struct {
	packet      packet.Packet
	raw         []json.RawMessage
	attachments [][]byte
	size        int
}

func newLink(c *Client, s *session) *link {
	l := &link{
		client:    c,
		session:   s,
		namespace: c.options.Namespace,
		connected: make(chan struct{}),
		done:      make(chan struct{}),
		pending:   make(map[int64]*Pending),
	}
	s.receive = l.receive
	return l
}

// run asks for the namespace and carries events until the connection ends.
func (l *link) run() {
	defer close(l.done)
	err := l.connect()
	if err == nil {
		err = l.session.run()
	} else {
		l.session.end(err)
		l.session.shutdown()
	}
	l.err = l.reason(err)
	l.session.queue.close(ErrNotConnected)
	l.client.lost(l)
	l.failPending()
}

// connect sends CONNECT.
func (l *link) connect() error {
	p := packet.Packet{Type: packet.Connect, Namespace: l.namespace, ID: packet.NoID}
	if auth := l.client.options.auth(); auth != nil {
		var err error
		if p.Data, err = json.Marshal(auth); err != nil {
			return fmt.Errorf("socket.io: encoding auth: %w", err)
		}
	}
	return l.pushPacket(p)
}

func (l *link) pushPacket(p packet.Packet) error {
	text, err := p.AppendText([]byte{messageType})
	if err != nil {
		return err
	}
	return l.session.queue.push(textPacket(string(text)))
}

// leave ends the connection once what was emitted is sent, and waits for it.
func (l *link) leave() {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	p := packet.Packet{Type: packet.Disconnect, Namespace: l.namespace, ID: packet.NoID}
	if l.pushPacket(p) != nil { // the queue is full, or there is nothing left to leave
		l.session.end(net.ErrClosed)
	}
	stop := l.session.finish(net.ErrClosed, l.client.options.CloseTimeout)
	<-l.done
	stop()
}

// reason says in the words of the protocol why the session ended with err.
func (l *link) reason(err error) error {
	l.mu.Lock()
	leaving := l.leaving
	l.mu.Unlock()
	var (
		refused      *ConnectError
		disconnected *DisconnectError
		protocol     *ProtocolError
		large        *TooLargeError
		closed       *closedError
	)
	switch {
	case errors.As(err, &refused), errors.As(err, &disconnected):
		return err
	case leaving:
		return &DisconnectError{ClientDisconnect, nil}
	case errors.Is(err, errPingTimeout):
		return &DisconnectError{PingTimeout, nil}
	case errors.As(err, &protocol), errors.As(err, &large):
		return &DisconnectError{ParseError, err}
	case errors.Is(err, errTransportClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &DisconnectError{TransportClose, nil}
	case errors.As(err, &closed):
		return &DisconnectError{TransportClose, err}
	}
	return &DisconnectError{TransportError, err}
}

// receive takes a message of the session.
func (l *link) receive(text bool, message []byte) error {
	if !text {
		return l.receiveAttachment(message)
	}
	if l.half != nil {
		return protocolError("a packet where an attachment is due")
	}
	p, err := packet.Parse(message)
	if err != nil {
		return &ProtocolError{"socket.io", err}
	}
	if p.Namespace != l.namespace && !(p.Namespace == "" && l.namespace == DefaultNamespace) {
		return protocolError("a packet for namespace %q", p.Namespace)
	}
	return l.receivePacket(p, len(message))
}

func protocolError(format string, args ...any) error {
	return &ProtocolError{"socket.io", fmt.Errorf(format, args...)}
}

func (l *link) receivePacket(p packet.Packet, size int) error {
	switch p.Type {
	case packet.Connect:
		return l.accepted(p)
	case packet.ConnectError:
		return newConnectError(p.Data)
	}
	if l.id == "" {
		return protocolError("%v before CONNECT", p.Type)
	}
	if p.Type == packet.Disconnect {
		return &DisconnectError{ServerDisconnect, nil}
	}
	if limit := l.client.options.MaxAttachments; p.Attachments > limit {
		return protocolError("%d attachments, the limit is %d", p.Attachments, limit)
	}
	raw, err := packet.Args(p.Data)
	if err != nil {
		return &ProtocolError{"socket.io", err}
	}
	in := &incoming{packet: p, raw: raw, size: size}
	if p.Attachments > 0 {
		l.half = in
		return nil
	}
	return l.deliver(in)
}

// accepted takes the answer to CONNECT.
func (l *link) accepted(p packet.Packet) error {
	var reply struct{ SID string }
	if err := json.Unmarshal(p.Data, &reply); err != nil {
		return &ProtocolError{"socket.io", err}
	}
	if reply.SID == "" || l.id != "" {
		return protocolError("CONNECT twice or without an id")
	}
	l.id = reply.SID
	l.client.found(l)
	close(l.connected)
	return nil
}

func newConnectError(data []byte) error {
	e := new(ConnectError)
	if err := json.Unmarshal(data, e); err != nil {
		return &ProtocolError{"socket.io", err}
	}
	return e
}

func (l *link) receiveAttachment(data []byte) error {
	in := l.half
	if in == nil {
		return protocolError("an attachment without an event")
	}
	limit := l.client.options.MaxEventBytes
	if in.size += len(data); in.size > limit {
		return &TooLargeError{limit}
	}
	in.attachments = append(in.attachments, data)
	if len(in.attachments) < in.packet.Attachments {
		return nil
	}
	l.half = nil
	return l.deliver(in)
}

// deliver passes on a whole event or acknowledgement.
func (l *link) deliver(in *incoming) error {
	if in.packet.Type == packet.Ack || in.packet.Type == packet.BinaryAck {
		l.settle(in.packet.ID, sio.NewArgs(in.raw, in.attachments), nil)
		return nil
	}
	name, err := packet.Name(in.raw[0])
	if err != nil {
		return &ProtocolError{"socket.io", err}
	}
	e := &Event{Name: name, Args: sio.NewArgs(in.raw[1:], in.attachments), link: l, ackID: in.packet.ID}
	d := delivery{call: func() { l.client.handle(e) }, size: in.size}
	return l.client.inbox.put(l.session.ctx, d)
}

// start queues an event that is to be acknowledged.
func (l *link) start(name string, args []any) (*Pending, error) {
	l.mu.Lock()
	l.lastID++
	p := &Pending{link: l, id: l.lastID, answered: make(chan struct{})}
	l.mu.Unlock()
	var err error
	if p.out, err = l.newEvent(p.id, name, args); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == nil {
		return nil, ErrNotConnected
	}
	l.pending[p.id] = p
	return p, nil
}

func (l *link) newEvent(id int64, name string, args []any) (*outgoing, error) {
	if packet.Reserved(name) {
		return nil, fmt.Errorf("socket.io: event name %q is reserved", name)
	}
	p := packet.Packet{Type: packet.Event, Namespace: l.namespace, ID: id}
	return newOutgoing(p, append([]any{name}, args...)...)
}

// settle ends the wait for the acknowledgement with that id, and reports whether there was one.
func (l *link) settle(id int64, reply Args, err error) bool {
	l.mu.Lock()
	p := l.pending[id]
	delete(l.pending, id)
	l.mu.Unlock()
	if p == nil {
		return false
	}
	p.reply, p.err = reply, err
	close(p.answered)
	return true
}

// failPending ends the wait of all that were not acknowledged.
func (l *link) failPending() {
	l.mu.Lock()
	pending := l.pending
	l.pending = nil
	l.mu.Unlock()
	for _, p := range pending {
		p.err = l.err
		close(p.answered)
	}
}

// await notes that n more calls wait for an acknowledgement.
func (l *link) await(n int) { l.client.inbox.await(n) }
