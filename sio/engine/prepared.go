package engine

import (
	"encoding/base64"
	"sync"
	"sync/atomic"

	"github.com/gobwas/ws"

	"sluice/sio/internal/websocket"
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
	Plain  bool   // not to be compressed: it is compressed already, or was mixed with a secret
	Data   []byte // never written to after Prepare
}

// Prepared is a run of messages that is sent without another between them. It is immutable and may be sent to any number of
// sessions; what a transport needs of it is encoded once, when the first session needs it, and shared by all.
type Prepared struct {
	msgs []Outgoing
	size int

	mu      sync.Mutex // held while encoding
	encoded [variants]atomic.Pointer[[][]byte]
}

// variant says how messages are encoded.
type variant int

const (
	asPayload variant = iota // part of a polling payload, in one segment
	asFrames                 // WebSocket frames
	variants
)

// encoders make what variant says.
var encoders = [variants]func([]Outgoing) [][]byte{
	asPayload: encodePayload,
	asFrames:  encodeFrames,
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

// as returns the messages encoded, in segments: large payloads stay where they are if the encoding does not change them.
func (p *Prepared) as(v variant) [][]byte {
	if segments := p.encoded[v].Load(); segments != nil {
		return *segments
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if segments := p.encoded[v].Load(); segments != nil {
		return *segments
	}
	segments := encoders[v](p.msgs)
	p.encoded[v].Store(&segments)
	return segments
}

// encodeFrames makes a WebSocket frame of each message.
func encodeFrames(msgs []Outgoing) [][]byte {
	room := 0
	for _, m := range msgs {
		room += ws.MaxHeaderSize + 1
		if len(m.Data) <= inlinePayload {
			room += len(m.Data)
		}
	}
	small := make([]byte, 0, room) // never grows, so that the segments cut from it stay valid
	segments := make([][]byte, 0, 2*len(msgs))
	from := 0
	for _, m := range msgs {
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
		return websocket.AppendHeader(dst, ws.OpBinary, len(m.Data))
	}
	return append(websocket.AppendHeader(dst, ws.OpText, len(m.Data)+1), typeMessage)
}

// encodePayload makes the packets of a polling payload.
func encodePayload(msgs []Outgoing) [][]byte {
	var room int
	for _, m := range msgs {
		room += 2 + base64.StdEncoding.EncodedLen(len(m.Data))
	}
	dst := make([]byte, 0, room)
	for i, m := range msgs {
		if i > 0 {
			dst = append(dst, separator)
		}
		if m.Binary {
			dst = base64.StdEncoding.AppendEncode(append(dst, typeBinary), m.Data)
		} else {
			dst = append(append(dst, typeMessage), m.Data...)
		}
	}
	return [][]byte{dst}
}
