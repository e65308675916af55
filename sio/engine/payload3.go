package engine

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"
)

const (
	// binaryMessage3 is the type of a message as the first byte of a binary packet of Engine.IO 3.
	binaryMessage3 = 4
	// headerEnd3 stands between the length and the packet in a payload that can hold binary.
	headerEnd3 = 255
	// maxDigits3 bounds the digits of a length.
	maxDigits3 = 15
)

// payload3Reader takes the body of a POST of Engine.IO 3 apart, as it comes. There are two kinds: a text, in which each
// packet has its length before it, in units of UTF-16, and binary is base64; or bytes, where each packet has whether it is
// binary and its length in bytes before it. What is counted is what payloadReader counts.
type payload3Reader struct {
	src       *bufio.Reader
	bytes     bool  // the second kind
	limit     int64 // of counted
	counted   int64
	streaming bool // the caller reads a binary packet of its own will

	begun bool
	text  []byte    // the last packet
	left  int64     // of the current packet, in bytes or units
	body  io.Reader // what it holds, if it is binary
}

// newPayload3Reader reads a payload from r; size is its length, -1 if unknown.
func newPayload3Reader(r io.Reader, bytes bool, size, limit int64) *payload3Reader {
	return &payload3Reader{src: newPayloadBuffer(r, size), bytes: bytes, limit: limit}
}

// next returns the type of the next packet, io.EOF after the last. The packet before must have been read to its end.
func (p *payload3Reader) next() (byte, error) {
	for {
		binary, err := p.header()
		if err != nil {
			return 0, err
		}
		p.begun = true
		switch {
		case p.left > 0:
			return p.kind(binary)
		case p.bytes:
			return 0, errMalformedPayload("empty packet")
		}
		// "0:" is what a client makes of no packet at all.
	}
}

// header reads what stands before a packet.
func (p *payload3Reader) header() (binary bool, err error) {
	end := byte(':')
	if p.bytes {
		end = headerEnd3
		first, err := p.byte()
		if err != nil {
			return false, p.atEnd(err)
		}
		if first > 1 {
			return false, errMalformedPayload("neither text nor binary")
		}
		binary = first == 1
	}
	p.left = 0
	for digits := 0; ; digits++ {
		b, err := p.byte()
		switch {
		case err != nil && digits == 0 && !p.bytes:
			return false, p.atEnd(err)
		case err != nil:
			return false, cutShort(err)
		case b == end && digits > 0:
			return binary, nil
		}
		if !p.bytes {
			b -= '0'
		}
		if b > 9 || digits == maxDigits3 {
			return false, errMalformedPayload("no length")
		}
		p.left = 10*p.left + int64(b)
	}
}

// atEnd says what an end before a packet is: in order, unless there was none.
func (p *payload3Reader) atEnd(err error) error {
	if err == io.EOF && !p.begun {
		return errMalformedPayload("empty")
	}
	return err
}

// kind reads the type of a packet.
func (p *payload3Reader) kind(binary bool) (byte, error) {
	kind, err := p.packetByte()
	switch {
	case err != nil:
		return 0, err
	case binary && kind != binaryMessage3:
		return 0, errMalformedPayload("binary that is no message")
	case binary:
		p.body = rest3{p}
		return typeBinary, nil
	case kind == typeBinary:
		return kind, p.base64()
	}
	return kind, nil
}

// base64 begins a binary packet that goes as text.
func (p *payload3Reader) base64() error {
	kind, err := p.packetByte()
	if err == nil && kind != typeMessage {
		err = errMalformedPayload("binary that is no message")
	}
	p.body = base64.NewDecoder(base64.StdEncoding.Strict(), rest3{p})
	return err
}

// packetByte reads one byte of the current packet.
func (p *payload3Reader) packetByte() (byte, error) {
	if p.left == 0 {
		return 0, errMalformedPayload("packet cut short")
	}
	p.left--
	b, err := p.byte()
	return b, cutShort(err)
}

// byte reads and counts one byte.
func (p *payload3Reader) byte() (byte, error) {
	b, err := p.src.ReadByte()
	if err != nil {
		return 0, err
	}
	return b, p.count(1)
}

// count counts n bytes against the limit.
func (p *payload3Reader) count(n int) error {
	p.counted += int64(n)
	if p.counted > p.limit {
		return ErrTooLarge
	}
	return nil
}

// cutShort makes the end of a body in the middle of a packet what it is.
func cutShort(err error) error {
	if err == io.EOF {
		return errMalformedPayload("cut short")
	}
	return err
}

// rest returns what follows the type of a text packet. It is valid until the next call.
func (p *payload3Reader) rest() ([]byte, error) {
	p.text = p.text[:0]
	for p.left > 0 {
		c, n, err := p.src.ReadRune()
		switch {
		case err != nil:
			return nil, cutShort(err)
		case c == utf8.RuneError && n == 1:
			return nil, errMalformedPayload("text is not UTF-8")
		}
		if err := p.count(n); err != nil {
			return nil, err
		}
		if p.bytes {
			p.left -= int64(n)
		} else {
			p.left -= int64(units(c))
		}
		p.text = utf8.AppendRune(p.text, c)
	}
	if p.left < 0 {
		return nil, errMalformedPayload("length ends within a character")
	}
	return p.text, nil
}

// Read decodes what follows the type of a binary packet.
func (p *payload3Reader) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if err == nil {
		return n, nil
	}
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) || err == io.ErrUnexpectedEOF && p.left == 0 {
		err = errMalformedPayload("binary is not base64")
	}
	return n, err
}

// setStreaming says whether the binary bytes that follow are read by somebody who wants them.
func (p *payload3Reader) setStreaming(on bool) { p.streaming = on }

// rest3 reads what is left of the current packet, as it came.
type rest3 struct{ *payload3Reader }

func (p rest3) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.src.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	if !p.streaming {
		if err := p.count(n); err != nil {
			return n, err
		}
	}
	if p.left == 0 {
		return n, nil // the end of the body may have come along
	}
	return n, cutShort(err)
}
