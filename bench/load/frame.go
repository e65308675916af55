package load

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
)

const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
)

const (
	finBit        = 0x80
	compressedBit = 0x40 // RFC 7692
	maskBit       = 0x80
)

// maxTextBytes bounds a text that a server sends.
const maxTextBytes = 64 << 10

// maxHeaderBytes is how long the header of a frame can be.
const maxHeaderBytes = 14

var errFrame = errors.New("a frame that no server should send")

// frames parses what a server sends over WebSocket. It is fed what was read, and passes payloads on as they come.
type frames struct {
	text   func(text []byte) error // a whole one, lent
	binary func(part []byte) error // as it comes, lent

	header  []byte
	op      byte
	packed  bool
	left    uint64 // of the payload
	whole   []byte // a text, or what is compressed, so far
	inflate inflater
}

func (f *frames) feed(p []byte) error {
	for len(p) > 0 {
		if f.left == 0 && !f.complete(&p) {
			return nil
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

// complete takes from p what the header lacks, and reports whether it is whole and has a payload, or needs none.
func (f *frames) complete(p *[]byte) bool {
	for {
		if size := f.headerSize(); size > 0 && len(f.header) == size {
			break
		}
		if len(*p) == 0 {
			return false
		}
		f.header = append(f.header, (*p)[0])
		*p = (*p)[1:]
	}
	f.op, f.packed = f.header[0]&0x0f, f.header[0]&compressedBit != 0
	switch short := f.header[1] &^ maskBit; short {
	case 126:
		f.left = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.left = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.left = uint64(short)
	}
	f.header = f.header[:0]
	return true
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

func (f *frames) payload(part []byte) error {
	switch {
	case f.op == opBinary && !f.packed:
		return f.binary(part)
	case f.op == opPing, f.op == opClose:
		return errFrame // the servers under test have Engine.IO's own
	case f.op == opText && len(f.whole)+len(part) > maxTextBytes:
		return errFrame
	}
	if f.left > 0 || len(f.whole) > 0 {
		f.whole = append(f.whole, part...)
		part = f.whole
	}
	if f.left > 0 {
		return nil
	}
	f.whole = f.whole[:0]
	if f.packed {
		var err error
		if part, err = f.inflate.inflate(part); err != nil {
			return err
		}
	}
	if f.op == opBinary {
		return f.binary(part)
	}
	return f.text(part)
}

// inflater inflates messages, each by itself. Of the same bytes it remembers what they were: a client that does it anew for
// every one of a hundred copies would be what is measured.
type inflater struct {
	known *inflated // shared by many
}

type inflated struct {
	seed maphash.Seed
	sum  uint64
	data []byte
}

func (i *inflater) inflate(p []byte) ([]byte, error) {
	if i.known == nil {
		i.known = &inflated{seed: maphash.MakeSeed()}
	}
	sum := maphash.Bytes(i.known.seed, p)
	if i.known.data != nil && sum == i.known.sum {
		return i.known.data, nil
	}
	tail := []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff} // section 7.2.2, and the end that deflate needs
	data, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader(tail))))
	if err != nil {
		return nil, err
	}
	i.known.sum, i.known.data = sum, data
	return data, nil
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
