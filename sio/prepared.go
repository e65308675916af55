package sio

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// Prepared is an event that is encoded once for all who get it. It is immutable; any number of sockets may be sent it.
type Prepared struct {
	name        string // of the event
	data        []byte
	attachments [][]byte
	size        int
	plain       bool  // never compressed
	err         error // why it cannot be sent
	loan        *loan // of the attachments; nil: they are p's for good

	mu    sync.Mutex
	first *engine.Prepared             // guarded by mu
	of    variant                      // guarded by mu: which first is
	more  map[variant]*engine.Prepared // guarded by mu: further ones
}

// variant is a form in which an event is sent.
type variant struct {
	namespace string
	plain     bool // not to be compressed
	codec     codec
}

// Prepare encodes an event. Arguments are encoded as encoding/json does, save that every []byte, wherever it sits, becomes
// an attachment; its bytes are not copied and must not be changed afterwards. What cannot be encoded is reported when it is
// sent. No more than ten attachments can be sent in an event: stock clients refuse more.
func Prepare(event string, args ...any) *Prepared {
	p := &Prepared{name: event}
	if packet.Reserved(event) {
		p.err = fmt.Errorf("sio: reserved event name %q", event)
		return p
	}
	all := make([]any, 0, 1+len(args))
	p.encode(append(append(all, event), args...))
	return p
}

func (p *Prepared) encode(args []any) {
	p.data, p.attachments, p.err = packet.Marshal(args...)
	if p.err == nil && len(p.attachments) > maxOutgoingAttachments {
		p.err = &LimitError{What: "attachments", Limit: maxOutgoingAttachments}
	}
	p.measure()
}

func (p *Prepared) measure() {
	p.size = len(p.data) + total(p.attachments)
}

// PrepareArgs makes an event of arguments that are encoded already: what comes from another node, or from a client. Their
// bytes must not be changed afterwards. Of a client's event it is to be called before the handlers have returned.
func PrepareArgs(event string, args Args) *Prepared {
	p := &Prepared{name: event, attachments: args.attachments}
	if args.lease != nil && !args.lease.keep() {
		p.err = errNoAttachments
		return p
	}
	name, err := json.Marshal(event)
	p.data = join(name, args.raw)
	p.err = errors.Join(err, p.check())
	p.measure()
	return p
}

// check reports what is wrong with an event that was not encoded here, as if a client had sent it.
func (p *Prepared) check() error {
	if len(p.attachments) > maxOutgoingAttachments {
		return &LimitError{What: "attachments", Limit: maxOutgoingAttachments}
	}
	parsed, err := packet.Parse(text(p.packet(packet.Event, "/", packet.NoID)))
	if err != nil {
		return err
	}
	args, err := packet.Args(parsed.Data)
	if err != nil {
		return err
	}
	_, err = packet.Name(args[0])
	return err
}

// Plain says that the event is not to be compressed, whoever it is sent to: for what holds media, and is compressed already.
// It returns p, and is to be called before p is sent.
func (p *Prepared) Plain() *Prepared {
	p.plain = true
	return p
}

// with returns p with one more argument, a string of plain characters.
func (p *Prepared) with(arg string) *Prepared {
	p.keep()
	data := make([]byte, 0, len(p.data)+len(arg)+len(`,""`))
	data = append(append(data, p.data[:len(p.data)-1]...), `,"`...)
	data = append(append(data, arg...), `"]`...)
	longer := &Prepared{name: p.name, data: data, attachments: p.attachments, plain: p.plain}
	longer.measure()
	return longer
}

// Name returns the event's name.
func (p *Prepared) Name() string { return p.name }

// Args returns the event's arguments, and why it cannot be sent.
func (p *Prepared) Args() (Args, error) {
	if p.err != nil {
		return Args{}, p.err
	}
	raw, err := packet.Args(p.data)
	if err != nil {
		return Args{}, err
	}
	return NewArgs(raw[1:], p.attachments), nil
}

// Size returns how many bytes the event holds, in its text and attachments.
func (p *Prepared) Size() int { return p.size }

// as returns the event in the form in which it is sent.
func (p *Prepared) as(v variant) *engine.Prepared {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.first == nil:
		p.of, p.first = v, p.message(packet.Event, v, packet.NoID)
		return p.first
	case p.of == v:
		return p.first
	case p.more == nil:
		p.more = make(map[variant]*engine.Prepared)
	}
	m := p.more[v]
	if m == nil {
		m = p.message(packet.Event, v, packet.NoID)
		p.more[v] = m
	}
	return m
}

// message makes a packet of p, with t the type of such a packet without attachments.
func (p *Prepared) message(t packet.Type, v variant, id int64) *engine.Prepared {
	return v.codec.prepare(p.packet(t, v.namespace, id), p.attachments, v.plain || p.plain, p.loan)
}

func (p *Prepared) packet(t packet.Type, namespace string, id int64) packet.Packet {
	if len(p.attachments) > 0 {
		t += packet.BinaryEvent - packet.Event
	}
	return packet.Packet{Type: t, Namespace: namespace, ID: id, Attachments: len(p.attachments), Data: p.data}
}
