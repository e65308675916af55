package engine

import (
	"encoding/base64"
	"sync"

	"github.com/gobwas/ws"
)

const (
	// inlinePayload is the size up to which a payload is copied behind its frame header: one segment instead of two.
	inlinePayload = 1 << 10
	// separator stands between the packets of a polling payload.
	separator = 0x1e
)

// Outgoing is one message to send.
type Outgoing struct {
	Binary bool   // else text, which must be UTF-8
	Data   []byte // never written to after Prepare
}

// Prepared is a run of messages that is sent without another between them. It is immutable and may be sent to any number of
// sessions; what a transport needs of it is encoded once, when the first session needs it, and shared by all.
type Prepared struct {
	msgs []Outgoing
	size int

	frames  once[[][]byte]
	payload once[[]byte]
}

// once is a value that is made when it is first needed.
type once[T any] struct {
	sync.Once
	value T
}

func (o *once[T]) get(fill func() T) T {
	o.Do(func() { o.value = fill() })
	return o.value
}

// Prepare makes a Prepared of msgs. It keeps the slices: their bytes must not change any more.
func Prepare(msgs ...Outgoing) *Prepared {
	p := &Prepared{msgs: msgs}
	for _, m := range msgs {
		p.size += len(m.Data)
	}
	return p
}

// Size returns the payload of all messages in bytes.
func (p *Prepared) Size() int { return p.size }

// webSocket returns the messages as WebSocket frames, in segments: payloads of any size stay where they are.
func (p *Prepared) webSocket() [][]byte { return p.frames.get(p.encodeFrames) }

func (p *Prepared) encodeFrames() [][]byte {
	room := 0
	for _, m := range p.msgs {
		room += ws.MaxHeaderSize + 1
		if len(m.Data) <= inlinePayload {
			room += len(m.Data)
		}
	}
	small := make([]byte, 0, room) // never grows, so that the segments cut from it stay valid
	segments := make([][]byte, 0, 2*len(p.msgs))
	from := 0
	for _, m := range p.msgs {
		small = appendFrameHead(small, m)
		if len(m.Data) <= inlinePayload {
			small = append(small, m.Data...)
			continue
		}
		segments = append(segments, small[from:], m.Data)
		from = len(small)
	}
	if from < len(small) {
		segments = append(segments, small[from:])
	}
	return segments
}

// appendFrameHead appends what stands before m's data in its frame: the header, and of a text message its type.
func appendFrameHead(dst []byte, m Outgoing) []byte {
	if m.Binary {
		return appendFrameHeader(dst, ws.OpBinary, len(m.Data))
	}
	return append(appendFrameHeader(dst, ws.OpText, len(m.Data)+1), typeMessage)
}

// appendFrameHeader appends the header of an unmasked, unfragmented frame.
func appendFrameHeader(dst []byte, op ws.OpCode, length int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return append(dst, 126, byte(length>>8), byte(length))
	default:
		n := uint64(length)
		return append(dst, 127, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// polling returns the messages as part of a polling payload.
func (p *Prepared) polling() []byte { return p.payload.get(p.encodePayload) }

func (p *Prepared) encodePayload() []byte {
	var room int
	for _, m := range p.msgs {
		room += 2 + base64.StdEncoding.EncodedLen(len(m.Data))
	}
	dst := make([]byte, 0, room)
	for i, m := range p.msgs {
		if i > 0 {
			dst = append(dst, separator)
		}
		if m.Binary {
			dst = base64.StdEncoding.AppendEncode(append(dst, typeBinary), m.Data)
		} else {
			dst = append(append(dst, typeMessage), m.Data...)
		}
	}
	return dst
}
