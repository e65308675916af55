package sio

import (
	"fmt"
	"sync"

	"sluice/sio/engine"
	"sluice/sio/packet"
)

// Prepared is an event that is encoded once for all who get it. It is immutable; any number of sockets may be sent it.
type Prepared struct {
	data        []byte
	attachments [][]byte
	size        int
	err         error // why it cannot be sent

	mu    sync.Mutex
	name  string                      // guarded by mu: the namespace of first
	first *engine.Prepared            // guarded by mu
	more  map[string]*engine.Prepared // guarded by mu: of further namespaces
}

// Prepare encodes an event. Arguments are encoded as encoding/json does, save that every []byte, wherever it sits, becomes
// an attachment; its bytes are not copied and must not be changed afterwards. What cannot be encoded is reported when it is
// sent. No more than ten attachments can be sent in an event: stock clients refuse more.
func Prepare(event string, args ...any) *Prepared {
	p := new(Prepared)
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
	p.size = len(p.data)
	for _, a := range p.attachments {
		p.size += len(a)
	}
}

// Size returns how many bytes the event holds, in its text and attachments.
func (p *Prepared) Size() int { return p.size }

// in returns the event as it is sent in a namespace.
func (p *Prepared) in(namespace string) *engine.Prepared {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.first == nil:
		p.name, p.first = namespace, p.message(packet.Event, namespace, packet.NoID)
		return p.first
	case p.name == namespace:
		return p.first
	case p.more == nil:
		p.more = make(map[string]*engine.Prepared)
	}
	m := p.more[namespace]
	if m == nil {
		m = p.message(packet.Event, namespace, packet.NoID)
		p.more[namespace] = m
	}
	return m
}

// message makes a packet of p, with t the type of such a packet without attachments.
func (p *Prepared) message(t packet.Type, namespace string, id int64) *engine.Prepared {
	if len(p.attachments) > 0 {
		t += packet.BinaryEvent - packet.Event
	}
	text := message(packet.Packet{Type: t, Namespace: namespace, ID: id, Attachments: len(p.attachments), Data: p.data})
	messages := make([]engine.Outgoing, 1, 1+len(p.attachments))
	messages[0] = text
	for _, a := range p.attachments {
		messages = append(messages, engine.Outgoing{Binary: true, Data: a})
	}
	return engine.Prepare(messages...)
}

// message encodes the text of a packet.
func message(p packet.Packet) engine.Outgoing {
	text, err := p.AppendText(make([]byte, 0, len(p.Namespace)+len(p.Data)+24))
	if err != nil {
		panic(err) // a namespace's name is checked where it is made
	}
	return engine.Outgoing{Data: text}
}
