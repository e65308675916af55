package sio

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// decoder makes packets of a connection's messages: a text, then its attachments, whatever transports they come on, or one binary
// message. It belongs to the goroutine that calls Receive.
type decoder struct {
	conn    *conn
	begun   bool        // the first message has come
	half    *halfSent   // the packet whose attachments are still to come, nil if there is none
	stalled *time.Timer // runs while half makes no progress; nil until the first half-sent packet
	waits   atomic.Bool // half is not nil; for everybody

	inPlace [][]byte // the attachments that came with the packet that is taken, as those of msgpack do

	end [1]byte

	connects     int // before a namespace was joined: what was asked for,
	connectBytes int // and how long it was
}

// halfSent is a packet that waits for attachments.
type halfSent struct {
	missing int
	limit   int    // for bytes
	event   *Event // nil if it is no event that anybody handles
	ack     func(attachments [][]byte)
	skip    bool // nobody wants the attachments

	attachments [][]byte
	buffers     []*buffer // of the attachments
	bytes       int       // of attachments
	kept        int       // of them and of the text
}

func (d *decoder) receive(m engine.Message) error {
	if !d.begun {
		d.begun = true
		d.conn.settleCodec(m)
	}
	if d.conn.codec == codecMsgpack {
		return d.receiveMsgpack(m)
	}
	if d.half != nil {
		if m.Body == nil {
			return violation(packet.BinaryEvent, "text before all attachments have come")
		}
		return d.attachment(m)
	}
	if m.Body != nil {
		return violation(packet.BinaryEvent, "an attachment of nothing")
	}
	p, err := packet.Parse(m.Text)
	if err != nil {
		return err
	}
	return d.packet(p, len(m.Text))
}

// receiveMsgpack takes a packet that is one binary message.
func (d *decoder) receiveMsgpack(m engine.Message) error {
	if m.Body == nil {
		return &engine.ProtocolError{Packet: "packet", Reason: "text from a client that speaks msgpack"}
	}
	message, err := d.whole(m)
	if err != nil {
		return err
	}
	p, attachments, err := packet.ParseMsgpack(message)
	if err != nil {
		return err
	}
	if limit := d.conn.server.maxEventBytes(); len(p.Data) > limit { // as text it would be refused, too
		return &LimitError{What: "event", Limit: int64(limit)}
	}
	d.inPlace = attachments
	defer func() { d.inPlace = nil }()
	return d.packet(p, max(len(message)-total(attachments), len(p.Data)))
}

// whole reads a message that is no attachment. While it is on its way it counts as half-sent.
func (d *decoder) whole(m engine.Message) ([]byte, error) {
	limit := d.conn.server.maxEventBytes()
	if !d.conn.hasJoined() {
		limit = min(limit, maxConnectBytes-d.connectBytes)
	}
	h := &halfSent{missing: 1, limit: limit}
	d.await(h)
	if err := d.collect(m); err != nil {
		return nil, err
	}
	d.abandon()
	return h.attachments[0], nil
}

// packet takes the text of a packet, which is lent.
func (d *decoder) packet(p packet.Packet, size int) error {
	c := d.conn
	c.mu.Lock()
	accepted := c.accepted
	s := c.sockets.get(p.Namespace)
	joined := s != nil && s.state == connected
	left := c.left[p.Namespace]
	c.mu.Unlock()

	if p.Type == packet.Connect {
		return d.connect(p, size, accepted, s != nil)
	}
	if !joined && !left || !accepted {
		return stateError{violation(p.Type, "a namespace that was not joined")}
	}
	if most := c.server.maxAttachments(); p.Attachments > most {
		return &LimitError{What: "attachments", Limit: int64(most)}
	}
	switch p.Type {
	case packet.Event, packet.BinaryEvent:
		return d.event(s, p, size)
	case packet.Ack, packet.BinaryAck:
		return d.ack(s, p)
	case packet.Disconnect:
		if s != nil {
			s.end(reasonClientDisconnect, false)
		}
		return nil
	default:
		return stateError{violation(p.Type, "it goes from server to client")}
	}
}

// connect takes a client's wish to join a namespace.
func (d *decoder) connect(p packet.Packet, size int, accepted, here bool) error {
	if here {
		return stateError{violation(p.Type, "a namespace that was joined already")}
	}
	if !accepted {
		d.connects++
		d.connectBytes += size
		if d.connects > maxConnects || d.connectBytes > maxConnectBytes {
			return &LimitError{What: "packets before a namespace is joined", Limit: maxConnects}
		}
	}
	if size > maxConnectBytes {
		return &LimitError{What: "bytes of a packet that joins a namespace", Limit: maxConnectBytes}
	}
	if err := d.conn.answering(); err != nil {
		return err
	}
	auth := bytes.Clone(p.Data)
	if d.conn.old() {
		auth = queryAuth(p.Query)
	}
	ns, why := d.conn.enter(p.Namespace, auth)
	if why != nil {
		d.conn.reject(p.Namespace, connectError(why)) // to old clients, too
		return nil
	}
	d.conn.admit(ns, auth)
	return nil
}

// event takes the text of an event; s is nil if the client has left the namespace.
func (d *decoder) event(s *Socket, p packet.Packet, size int) error {
	if s == nil {
		return d.expect(p, &halfSent{skip: true})
	}
	args, err := packet.Args(bytes.Clone(p.Data))
	if err != nil {
		return err
	}
	if len(args) > 1+packet.MaxArgs { // only servers have more to say
		return &packet.FormatError{Reason: fmt.Sprintf("more than %d arguments", packet.MaxArgs)}
	}
	name, err := packet.Name(args[0])
	if err != nil {
		return err
	}
	for _, w := range s.watchers() {
		w.Received(s, name, Args{raw: args[1:], binary: p.Attachments > 0})
	}
	h, ok := s.ns.handler(name)
	if !ok && !s.heeds(name) && !s.ns.heedsAll() {
		return d.expect(p, &halfSent{skip: true})
	}
	if err := d.conn.room(); err != nil {
		return err
	}
	e := &Event{Name: name, Socket: s, id: p.ID, call: h.call, cost: size + eventOverhead}
	e.Args = Args{raw: args[1:], binary: p.Attachments > 0}
	if h.stream && p.Attachments > 0 {
		e.stream = newStream(d, p.Attachments)
		e.stream.memory = d.inPlace
		e.cost += total(d.inPlace)
	}
	if e.stream != nil || p.Attachments == 0 {
		d.conn.deliver(e)
	}
	if p.Attachments == 0 {
		return nil
	}
	return d.expect(p, &halfSent{event: e})
}

// ack takes the text of an ack; s is nil if the client has left the namespace.
func (d *decoder) ack(s *Socket, p packet.Packet) error {
	if s == nil {
		return d.expect(p, &halfSent{skip: true})
	}
	args, err := packet.Args(bytes.Clone(p.Data))
	if err != nil {
		return err
	}
	if p.Attachments == 0 {
		s.acknowledged(p.ID, NewArgs(args, nil))
		return nil
	}
	return d.expect(p, &halfSent{ack: func(attachments [][]byte) { s.acknowledged(p.ID, NewArgs(args, attachments)) }})
}

// expect makes h what the attachments that p announces belong to.
func (d *decoder) expect(p packet.Packet, h *halfSent) error {
	switch {
	case p.Attachments == 0:
	case d.inPlace != nil:
		h.attachments, h.bytes = d.inPlace, total(d.inPlace)
		h.pass(d.conn)
	default:
		h.missing, h.limit = p.Attachments, d.conn.server.maxEventBytes()
		d.await(h)
		if !h.skip && (h.event == nil || h.event.stream == nil) {
			return d.keep(len(p.Data))
		}
	}
	return nil
}

func (d *decoder) await(h *halfSent) {
	d.half = h
	d.waits.Store(true)
	d.watch()
}

// keep counts n bytes that are kept until the half-sent packet is complete.
func (d *decoder) keep(n int) error {
	d.half.kept += n
	if most := int64(d.conn.server.maxHalfSentBytes()); d.conn.server.halfSent.Add(int64(n)) > most {
		return &LimitError{What: "half-sent events of all clients", Limit: most}
	}
	return nil
}

// attachment takes an attachment of d.half.
func (d *decoder) attachment(m engine.Message) error {
	h := d.half
	var err error
	switch {
	case h.event != nil && h.event.stream != nil:
		d.stalled.Stop() // while it is read, the engine looks for signs of life
		err = h.event.stream.hand(m)
	case h.skip:
		err = d.skip(m)
	default:
		err = d.collect(m)
	}
	if err != nil {
		return err
	}
	if h.missing--; h.missing > 0 {
		d.watch()
		return nil
	}
	d.abandon()
	h.pass(d.conn)
	return nil
}

// pass passes on what had to wait for its attachments.
func (h *halfSent) pass(c *conn) {
	switch {
	case h.ack != nil:
		h.ack(h.attachments)
	case h.event != nil && h.event.stream == nil:
		h.event.attachments = h.attachments
		if len(h.buffers) > 0 {
			h.event.lease = &lease{buffers: h.buffers}
		}
		h.event.cost += h.bytes
		c.deliver(h.event)
	}
}

func total(attachments [][]byte) (bytes int) {
	for _, a := range attachments {
		bytes += len(a)
	}
	return bytes
}

// abandon forgets the half-sent packet.
func (d *decoder) abandon() {
	if d.half == nil {
		return
	}
	d.stalled.Stop()
	d.conn.server.halfSent.Add(int64(-d.half.kept))
	if e := d.half.event; e != nil && e.stream != nil {
		e.stream.cut()
	}
	d.half = nil
	d.waits.Store(false)
}

// watch gives the half-sent packet time for progress.
func (d *decoder) watch() {
	limit := halfSentTimeout
	if d.half.event != nil && d.half.event.stream != nil {
		limit = d.conn.server.maxSilence()
	}
	if d.stalled == nil {
		d.stalled = time.AfterFunc(limit, func() { d.conn.session.Close(errStalled) })
		return
	}
	d.stalled.Reset(limit)
}

// collect keeps an attachment in memory.
func (d *decoder) collect(m engine.Message) error {
	h := d.half
	if m.Size() > int64(h.limit-h.bytes) {
		return &LimitError{What: "event", Limit: int64(h.limit)}
	}
	memory := &d.conn.server.memory
	into, n := memory.get(foreseen(m.Size())), 0
	for {
		if n == len(into.data) && int64(n) != m.Size() {
			into = memory.grow(into, m.Size())
		}
		space := into.data[n:]
		if len(space) == 0 {
			space = d.end[:] // all is here: this only finds the end
		}
		got, err := m.Body.Read(space)
		n += got
		h.bytes += got
		full := d.keep(got)
		switch {
		case h.bytes > h.limit, n > len(into.data):
			return &LimitError{What: "event", Limit: int64(h.limit)}
		case full != nil:
			return full
		case err == io.EOF:
			into = memory.fit(into, n)
			h.attachments = append(h.attachments, into.data[:n:n])
			h.buffers = append(h.buffers, into)
			return nil
		case err != nil:
			return readError{err}
		}
		if got > 0 {
			d.watch()
		}
	}
}

// foreseen returns how much memory an attachment of a size gets at first; -1 is an unknown size. A length that is only announced gets
// no more.
func foreseen(size int64) int {
	if size < 0 {
		return leastPooled
	}
	return int(min(size, 64<<10))
}

// skip reads what nobody wants.
func (d *decoder) skip(m engine.Message) error {
	buf := d.conn.server.memory.get(16 << 10)
	defer buf.release()
	for {
		n, err := m.Body.Read(buf.data)
		d.half.bytes += n
		switch {
		case d.half.bytes > d.half.limit:
			return &LimitError{What: "event", Limit: int64(d.half.limit)}
		case err == io.EOF:
			return nil
		case err != nil:
			return readError{err}
		}
		if n > 0 {
			d.watch()
		}
	}
}

// readError is a failure of the transport, which the engine knows already.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }
