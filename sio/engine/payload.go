package engine

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"unicode/utf8"
)

// payloadReader takes the body of a POST apart, as it comes: packets separated by 0x1e, binary ones as base64. Everything is
// counted against a limit but the binary bytes that are read while streaming is set.
type payloadReader struct {
	src       *bufio.Reader
	limit     int64 // of counted
	counted   int64
	streaming bool // the caller reads a binary packet of its own will

	state  payloadState
	text   []byte  // of a packet that is larger than src's buffer
	spill  [3]byte // decoded bytes for which the last Read had no room
	spare  []byte  // what is left of spill
	padded bool    // the padding of a binary packet has come
}

type payloadState int

const (
	atStart  payloadState = iota
	inPacket              // its type has been read
	between               // a separator has been read
	atEnd
)

// errMalformedPayload is the fault of a body that is not a payload.
func errMalformedPayload(reason string) error {
	return &ProtocolError{Packet: "payload", Reason: reason}
}

// newPayloadReader reads a payload from r; size is its length, -1 if unknown.
func newPayloadReader(r io.Reader, size, limit int64) *payloadReader {
	return &payloadReader{src: newPayloadBuffer(r, size), limit: limit}
}

// newPayloadBuffer returns a buffer for a body of size bytes, -1 if that is unknown.
func newPayloadBuffer(r io.Reader, size int64) *bufio.Reader {
	const least, most = 64, 32 << 10
	if size < 0 || size > most {
		size = most
	}
	return bufio.NewReaderSize(r, int(max(size, least)))
}

// next returns the type of the next packet, io.EOF after the last. The packet before must have been read to its end.
func (p *payloadReader) next() (byte, error) {
	if p.state == atEnd {
		return 0, io.EOF
	}
	kind, err := p.src.ReadByte()
	switch {
	case err == io.EOF:
		return 0, errMalformedPayload("empty packet")
	case err != nil:
		return 0, err
	case kind == separator:
		return 0, errMalformedPayload("empty packet")
	}
	p.state, p.padded = inPacket, false
	return kind, p.count(1)
}

// count counts n bytes against the limit.
func (p *payloadReader) count(n int) error {
	p.counted += int64(n)
	if p.counted > p.limit {
		return ErrTooLarge
	}
	return nil
}

// rest returns what follows the type of a text packet. It is valid until the next call.
func (p *payloadReader) rest() ([]byte, error) {
	p.text = p.text[:0]
	for {
		part, err := p.src.ReadSlice(separator)
		if cerr := p.count(len(part)); cerr != nil {
			return nil, cerr
		}
		switch {
		case err == nil:
			p.state = between
			return p.whole(part[:len(part)-1])
		case err == io.EOF:
			p.state = atEnd
			return p.whole(part)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		p.text = append(p.text, part...)
	}
}

// whole joins what was collected of a text packet with its last part.
func (p *payloadReader) whole(last []byte) ([]byte, error) {
	text := last
	if len(p.text) > 0 {
		p.text = append(p.text, last...)
		text = p.text
	}
	if !utf8.Valid(text) {
		return nil, errMalformedPayload("text is not UTF-8")
	}
	return text, nil
}

// Read decodes what follows the type of a binary packet.
func (p *payloadReader) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.spare) == 0 && len(b) < len(p.spill) {
		n, err := p.decode(p.spill[:])
		if err != nil {
			return 0, err
		}
		p.spare = p.spill[:n]
	}
	if len(p.spare) > 0 {
		n := copy(b, p.spare)
		p.spare = p.spare[n:]
		return n, nil
	}
	return p.decode(b)
}

// decode decodes into b, which has room for at least three bytes.
func (p *payloadReader) decode(b []byte) (int, error) {
	if p.state != inPacket {
		return 0, io.EOF
	}
	code, err := p.peekCode()
	if err != nil {
		return 0, err
	}
	if len(code) == 0 {
		return 0, io.EOF
	}
	if p.padded {
		return 0, errMalformedPayload("base64 goes on after its padding")
	}
	code = code[:min(len(code), len(b)/3*4)]
	full := len(code) / 4 * 3
	n, err := base64.StdEncoding.Strict().Decode(b, code)
	if err != nil || n < full-2 { // Decode skips line ends; they are no base64 here
		return 0, errMalformedPayload("binary is not base64")
	}
	p.padded = n < full
	return n, p.discard(len(code))
}

// peekCode returns buffered base64, whole groups of four, and nothing at the end of the packet, which it then takes.
func (p *payloadReader) peekCode() ([]byte, error) {
	buffered, err := p.src.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(buffered) == 4 {
		buffered, _ = p.src.Peek(p.src.Buffered())
	}
	end := bytes.IndexByte(buffered, separator)
	switch {
	case end == 0:
		p.state = between
		return nil, p.discard(1)
	case len(buffered) == 0:
		p.state = atEnd
		return nil, nil
	case end > 0:
		buffered = buffered[:end]
	}
	whole := buffered[:len(buffered)/4*4]
	if len(whole) == 0 {
		return nil, errMalformedPayload("base64 cut short")
	}
	return whole, nil
}

// discard takes n buffered bytes of a binary packet and counts them unless they are streamed.
func (p *payloadReader) discard(n int) error {
	if _, err := p.src.Discard(n); err != nil {
		return err
	}
	if p.streaming {
		return nil
	}
	return p.count(n)
}

// setStreaming says whether the binary bytes that follow are read by somebody who wants them.
func (p *payloadReader) setStreaming(on bool) { p.streaming = on }
