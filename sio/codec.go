package sio

import (
	"sluice/sio/engine"
	"sluice/sio/packet"
)

// codec is how packets travel on a connection, in both directions.
type codec byte

const (
	codecJSON    codec = iota // text, followed by its attachments
	codecMsgpack              // one binary message, with the attachments in their places
	codecs                    // how many there are
)

// prepare encodes a packet. A plain one is not to be compressed. lent is of the attachments, nil if they are not lent.
func (k codec) prepare(p packet.Packet, attachments [][]byte, plain bool, lent *loan) *engine.Prepared {
	if k == codecMsgpack {
		return engine.Prepare(engine.Outgoing{Binary: true, Data: msgpack(p, attachments), Plain: plain})
	}
	messages := make([]engine.Outgoing, 1, 1+len(attachments))
	messages[0] = engine.Outgoing{Data: text(p), Plain: plain}
	for _, a := range attachments {
		messages = append(messages, engine.Outgoing{Binary: true, Data: a, Plain: plain})
	}
	if lent == nil {
		return engine.Prepare(messages...)
	}
	lent.retain()
	return engine.PrepareLent(lent.end, messages...)
}

func text(p packet.Packet) []byte {
	text, err := p.AppendText(make([]byte, 0, len(p.Namespace)+len(p.Data)+24))
	if err != nil {
		panic(err) // a namespace's name is checked where it is made
	}
	return text
}

func msgpack(p packet.Packet, attachments [][]byte) []byte {
	message, err := p.AppendMsgpack(make([]byte, 0, len(p.Namespace)+len(p.Data)+total(attachments)+24), attachments)
	if err != nil {
		panic(err) // what is sent was encoded here, or checked
	}
	return message
}

// control is prepare of a packet of sio's own.
func (k codec) control(p packet.Packet) *engine.Prepared { return k.prepare(p, nil, false, nil) }
