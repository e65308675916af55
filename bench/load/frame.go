package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

const (
	finBit        = 0x80
	compressedBit = 0x40 // RFC 7692
	maskBit       = 0x80
)

const (
	// maxTextBytes bounds a text that a server sends.
	maxTextBytes = 64 << 10
	// maxPackedBytes bounds what it sends compressed.
	maxPackedBytes = 16 << 20
	// maxControlBytes is the most that a control frame may have.
	maxControlBytes = 125
)

var errFrame = errors.New("a frame that no server should send")

// frames parses what a server sends over WebSocket. It is fed what was read, and passes payloads on as they come. A message
// may come in fragments, as gorilla's writer sends them.
type frames struct {
	text    func(text []byte) error    // a whole one, lent
	binary  func(part []byte) error    // as it comes, lent
	end     func() error               // of a binary message; nil: nobody asks
	ping    func(payload []byte) error // lent; nil: nobody answers
	inflate func(p []byte) ([]byte, error)

	header []byte
	frame  byte   // the opcode of the current frame
	final  bool   // the message ends with it
	left   uint64 // of its payload

	op      byte // of the current message; opContinuation: there is none
	packed  bool
	whole   []byte // a text, or what is compressed, so far
	control []byte // the payload of a control frame, so far
}

func (f *frames) feed(p []byte) error {
	for len(p) > 0 {
		if f.left == 0 {
			if whole := f.complete(&p); !whole {
				return nil
			}
			if err := f.begin(); err != nil {
				return err
			}
		}
		n := int(min(f.left, uint64(len(p))))
		f.left -= uint64(n)
		part := p[:n]
		p = p[n:]
		if err := f.payload(part); err != nil {
			return err
		}
	}
	return nil
}

// complete takes from p what the header lacks, and reports whether it is whole.
func (f *frames) complete(p *[]byte) bool {
	for {
		if size := f.headerSize(); size > 0 && len(f.header) == size {
			return true
		}
		if len(*p) == 0 {
			return false
		}
		f.header = append(f.header, (*p)[0])
		*p = (*p)[1:]
	}
}

// begin looks at the header of a frame.
func (f *frames) begin() error {
	first, second := f.header[0], f.header[1]
	switch short := second &^ maskBit; short {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.left = uint64(short)
	}
	f.header = f.header[:0]
	f.frame, f.final = first&0x0f, first&finBit != 0
	if second&maskBit != 0 || f.frame >= opClose && (!f.final || f.left > maxControlBytes) {
		return errFrame
	}
	if f.frame < opClose && (f.frame == opContinuation) == (f.op == opContinuation) {
		return errFrame // it goes on with nothing, or begins anew too early
	}
	switch f.frame {
	case opText, opBinary:
		f.op, f.packed = f.frame, first&compressedBit != 0
	case opContinuation, opClose, opPing, opPong:
	default:
		return errFrame
	}
	return nil
}

// headerSize is how long the header is, 0 if that is not known yet.
func (f *frames) headerSize() int {
	if len(f.header) < 2 {
		return 0
	}
	switch f.header[1] &^ maskBit {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// payload takes a part of a frame's payload; it is the last one if nothing is left.
func (f *frames) payload(part []byte) error {
	if f.frame >= opClose {
		f.control = append(f.control, part...)
		if f.left > 0 {
			return nil
		}
		defer func() { f.control = f.control[:0] }()
		return f.obey()
	}
	last := f.final && f.left == 0
	if f.op == opBinary && !f.packed {
		return f.pass(part, last)
	}
	if most := f.most(); len(f.whole)+len(part) > most {
		return fmt.Errorf("%w: a message over %d bytes", errFrame, most)
	}
	if !last || len(f.whole) > 0 {
		f.whole = append(f.whole, part...)
		part = f.whole
	}
	if !last {
		return nil
	}
	f.whole = f.whole[:0]
	if f.packed {
		var err error
		if part, err = f.unpack(part); err != nil {
			return err
		}
	}
	if f.op == opBinary {
		return f.pass(part, true)
	}
	f.op = opContinuation
	return f.text(part)
}

// most is how long a message may be that is kept until it is whole.
func (f *frames) most() int {
	if f.packed {
		return maxPackedBytes
	}
	return maxTextBytes
}

func (f *frames) unpack(p []byte) ([]byte, error) {
	if f.inflate == nil {
		return nil, fmt.Errorf("%w: compressed, which nobody asked for", errFrame)
	}
	return f.inflate(p)
}

// pass passes on a part of a binary message.
func (f *frames) pass(part []byte, last bool) error {
	if err := f.binary(part); err != nil || !last {
		return err
	}
	f.op = opContinuation
	if f.end == nil {
		return nil
	}
	return f.end()
}

// obey does what a control frame asks for.
func (f *frames) obey() error {
	switch {
	case f.frame == opPing && f.ping != nil:
		return f.ping(f.control)
	case f.frame == opClose && len(f.control) >= 2:
		return fmt.Errorf("the server closed: %d %s", binary.BigEndian.Uint16(f.control), f.control[2:])
	case f.frame == opClose:
		return errors.New("the server closed")
	}
	return nil
}

// appendFrame appends a frame as clients send it.
func appendFrame(dst []byte, op byte, mask [4]byte, payload []byte) []byte {
	dst = appendHeader(dst, op, mask, len(payload))
	from := len(dst)
	dst = append(dst, payload...)
	xor(dst[from:], mask)
	return dst
}

func appendHeader(dst []byte, op byte, mask [4]byte, length int) []byte {
	dst = append(dst, finBit|op)
	switch {
	case length < 126:
		dst = append(dst, maskBit|byte(length))
	case length < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, maskBit|126), uint16(length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, maskBit|127), uint64(length))
	}
	return append(dst, mask[:]...)
}

func xor(p []byte, mask [4]byte) {
	for i := range p {
		p[i] ^= mask[i&3]
	}
}
