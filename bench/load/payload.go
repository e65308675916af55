package load

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// separator stands between the packets of a payload.
const separator = 0x1e

// payload parses what a server answers a poll with: packets of Engine.IO 4, one after the other, binary ones in base64. It is
// fed what was read, and passes packets on: texts whole, binary ones as they come.
type payload struct {
	text   func(text []byte) error // lent
	binary func(part []byte) error // lent
	end    func() error            // of a binary packet; nil: nobody asks

	begun  bool   // of the current packet something has come
	packed bool   // it is a binary one
	whole  []byte // a text, so far
	rest   []byte // characters of base64 that do not make up a group of four yet
	plain  []byte // room for what they stand for
}

// feed takes the next bytes of a payload.
func (p *payload) feed(in []byte) error {
	for {
		part, after, ended := bytes.Cut(in, []byte{separator})
		if err := p.part(part); err != nil {
			return err
		}
		if !ended {
			return nil
		}
		if err := p.finish(); err != nil {
			return err
		}
		in = after
	}
}

// finish ends the current packet: at a separator, and at the end of the payload.
func (p *payload) finish() error {
	if !p.begun {
		return fmt.Errorf("%w: an empty packet", errFrame)
	}
	p.begun = false
	if !p.packed {
		text := p.whole
		p.whole = p.whole[:0]
		return p.text(text)
	}
	p.packed = false
	if len(p.rest) > 0 {
		return fmt.Errorf("%w: base64 that ends with %q", errFrame, p.rest)
	}
	if p.end == nil {
		return nil
	}
	return p.end()
}

// part takes a part of a packet.
func (p *payload) part(in []byte) error {
	if len(in) == 0 {
		return nil
	}
	if !p.begun {
		p.begun, p.packed = true, in[0] == 'b'
		if p.packed {
			in = in[1:]
		}
	}
	if p.packed {
		return p.decode(in)
	}
	if len(p.whole)+len(in) > maxTextBytes {
		return fmt.Errorf("%w: a packet over %d bytes", errFrame, maxTextBytes)
	}
	p.whole = append(p.whole, in...)
	return nil
}

// decode passes on what whole groups of characters stand for, and keeps the rest.
func (p *payload) decode(in []byte) error {
	if missing := 4 - len(p.rest); len(p.rest) > 0 {
		n := min(missing, len(in))
		p.rest = append(p.rest, in[:n]...)
		in = in[n:]
		if len(p.rest) < 4 {
			return nil
		}
		if err := p.pass(p.rest); err != nil {
			return err
		}
		p.rest = p.rest[:0]
	}
	groups := len(in) &^ 3
	if err := p.pass(in[:groups]); err != nil {
		return err
	}
	p.rest = append(p.rest, in[groups:]...)
	return nil
}

func (p *payload) pass(groups []byte) error {
	if len(groups) == 0 {
		return nil
	}
	if size := base64.StdEncoding.DecodedLen(len(groups)); len(p.plain) < size {
		p.plain = make([]byte, size)
	}
	n, err := base64.StdEncoding.Decode(p.plain, groups)
	if err != nil {
		return err
	}
	return p.binary(p.plain[:n])
}
