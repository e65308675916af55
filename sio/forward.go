package sio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/sio/packet"
)

// errNoAttachments says that an event's attachments cannot be had any more.
var errNoAttachments = errors.New("sio: the attachments are gone: the handler has returned, and did not Keep them")

// Forward sends on what a client sent: the arguments of e, from number from on, as an event of that name. They go as they came: nothing
// is decoded, and the memory of attachments that nobody decodes is used again when they have been sent. It must be called before
// e's handlers have returned, unless they Keep it, and is an error for events of OnStream with attachments.
func (a Audience) Forward(event string, e *Event, from int) error {
	p, err := e.forward(event, from)
	if err != nil {
		return err
	}
	defer p.release()
	if a.ns.server.NewAdapter != nil {
		p.keep() // it may go anywhere
	}
	return a.Send(p)
}

// Keep keeps the attachments for as long as e itself is kept. What handlers do not decode is gone when they have returned, else.
func (e *Event) Keep() {
	if e.lease != nil {
		e.lease.keep()
	}
}

// forward makes an event of e's arguments from number from on; its caller is to release it.
func (e *Event) forward(event string, from int) (*Prepared, error) {
	switch {
	case packet.Reserved(event):
		return nil, fmt.Errorf("sio: reserved event name %q", event)
	case e.stream != nil:
		return nil, errors.New("sio: attachments that are read as a stream cannot be forwarded")
	case from < 0 || from > len(e.raw):
		return nil, fmt.Errorf("sio: no argument %d", from)
	}
	args, attachments, err := e.from(from)
	if err != nil {
		return nil, err
	}
	if len(attachments) > maxOutgoingAttachments {
		return nil, &LimitError{What: "attachments", Limit: maxOutgoingAttachments}
	}
	name, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	p := &Prepared{name: event, data: join(name, args), attachments: attachments}
	p.measure()
	if e.lease != nil {
		buffers, ok := e.lease.share()
		if !ok {
			return nil, errNoAttachments
		}
		p.lend(buffers)
	}
	return p, nil
}

// from returns the arguments from number n on, and the attachments that they hold.
func (a Args) from(n int) ([]json.RawMessage, [][]byte, error) {
	for _, raw := range a.raw[:n] {
		if a.mayHoldAttachment(raw) {
			return packet.Pick(a.raw[n:], a.attachments)
		}
	}
	return a.raw[n:], a.attachments, nil
}

// join makes an event's data of its name and arguments.
func join(name []byte, args []json.RawMessage) []byte {
	size := len(name) + len(`[]`)
	for _, raw := range args {
		size += len(raw) + 1
	}
	data := append(make([]byte, 0, size), '[')
	data = append(data, name...)
	for _, raw := range args {
		data = append(append(data, ','), raw...)
	}
	return append(data, ']')
}

// mayHoldAttachment reports whether there may be a placeholder in raw. What marks one can be written with escapes.
func (a Args) mayHoldAttachment(raw json.RawMessage) bool {
	return a.binary && (bytes.Contains(raw, []byte(`_placeholder`)) || bytes.Contains(raw, []byte(`\u`)))
}

// lend makes p one whose attachments lie in buffers, of each of which p is a user, until its own users have released it. The caller
// is the first.
func (p *Prepared) lend(buffers []*buffer) {
	if len(buffers) == 0 {
		return
	}
	p.loan = &loan{buffers: buffers}
	p.loan.users.Store(1)
}

func (p *Prepared) retain() {
	if p.loan != nil {
		p.loan.users.Add(1)
	}
}

// keep is retain for good.
func (p *Prepared) keep() { p.retain() }

func (p *Prepared) release() {
	if p.loan == nil || p.loan.users.Add(-1) > 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first != nil {
		p.first.Release()
	}
	for _, m := range p.more {
		m.Release()
	}
	p.loan.end()
}

func (l *loan) retain() {
	for _, b := range l.buffers {
		b.retain()
	}
}

func (l *loan) end() {
	for _, b := range l.buffers {
		b.release()
	}
}
