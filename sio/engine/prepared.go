package engine

import (
	"encoding/base64"
	"strconv"
	"sync"
	"sync/atomic"
	"unicode/utf8"

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
	msgs   []Outgoing
	size   int
	binary bool // one of msgs is
	plain  bool // one of msgs is not to be compressed

	done  func()       // called when users is 0; nil: nobody wants to know
	users atomic.Int32 // those who may still read the bytes

	mu      sync.Mutex               // held while encoding
	encoded atomic.Pointer[encoding] // a list that only grows
}

// encoding is a Prepared as one variant needs it.
type encoding struct {
	variant  variant
	segments [][]byte
	next     *encoding
}

// variant says how messages are encoded.
type variant struct {
	form    form
	eio3    bool // as Engine.IO 3 has it
	base64  bool // binary is to go as text
	deflate int  // packets of so many bytes are compressed; 0 means none are
}

// form is what the messages are encoded for.
type form uint8

const (
	forPolling form = iota // part of a payload, in one segment
	forWebSocket
	forStream
)

// Prepare makes a Prepared of msgs. It keeps the slices: their bytes must not change any more.
func Prepare(msgs ...Outgoing) *Prepared {
	p := &Prepared{msgs: msgs}
	for _, m := range msgs {
		p.size += len(m.Data)
		p.binary = p.binary || m.Binary
		p.plain = p.plain || m.Plain
	}
	return p
}

// PrepareLent is Prepare of bytes that are their owner's again once done is called: when everybody has released what it
// retained, and the caller, who begins as a user, has released, too. Who ends without releasing keeps the bytes for good, which
// does no harm but that done is never called.
func PrepareLent(done func(), msgs ...Outgoing) *Prepared {
	p := Prepare(msgs...)
	p.done = done
	p.users.Store(1)
	return p
}

// Retain makes its caller a user of p's bytes, who must be one already or have got p from one.
func (p *Prepared) Retain() {
	if p.done != nil {
		p.users.Add(1)
	}
}

// Release ends what Retain began.
func (p *Prepared) Release() {
	if p.done != nil && p.users.Add(-1) == 0 {
		p.done()
	}
}

// Join makes one run of several, of which its caller is a user. It may be sent as they may.
func Join(parts ...*Prepared) *Prepared {
	var msgs []Outgoing
	lent := false
	for _, p := range parts {
		p.Retain()
		msgs = append(msgs, p.msgs...)
		lent = lent || p.done != nil
	}
	if !lent {
		return Prepare(msgs...)
	}
	return PrepareLent(func() {
		for _, p := range parts {
			p.Release()
		}
	}, msgs...)
}

// Size returns the payload of all messages in bytes.
func (p *Prepared) Size() int { return p.size }

// as returns the messages encoded, in segments: large payloads stay where they are if the encoding does not change them.
func (p *Prepared) as(v variant) [][]byte {
	v = p.alike(v)
	if segments, ok := p.find(v); ok {
		return segments
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if segments, ok := p.find(v); ok {
		return segments
	}
	segments := encode(p.msgs, v)
	p.encoded.Store(&encoding{v, segments, p.encoded.Load()})
	return segments
}

// alike returns one of the variants that do not differ for what p holds: most events are short texts.
func (p *Prepared) alike(v variant) variant {
	if !p.binary && v.form != forPolling {
		v.eio3, v.base64 = false, false
	}
	if !v.base64 && 1+p.size < v.deflate { // the type, and not even all messages together
		v.deflate = 0
	}
	return v
}

// find returns the messages as they have been encoded before.
func (p *Prepared) find(v variant) (segments [][]byte, ok bool) {
	for e := p.encoded.Load(); e != nil; e = e.next {
		if e.variant == v {
			return e.segments, true
		}
	}
	return nil, false
}

func encode(msgs []Outgoing, v variant) [][]byte {
	switch {
	case v.form != forPolling:
		return encodeFrames(msgs, v)
	case v.eio3:
		return [][]byte{encodePayload3(msgs, v.base64)}
	}
	return [][]byte{encodePayload(msgs)}
}

// encodeFrames makes a frame of each message: a WebSocket's, or what a stream has instead.
func encodeFrames(msgs []Outgoing, v variant) [][]byte {
	room := 0
	for _, m := range msgs {
		room += ws.MaxHeaderSize + 1
		if n := v.length(m); n <= inlinePayload || v.base64 {
			room += n
		}
	}
	small := make([]byte, 0, room) // never grows, so that the segments cut from it stay valid
	segments := make([][]byte, 0, 2*len(msgs))
	from := 0
	for _, m := range msgs {
		if frame := v.deflated(m); frame != nil {
			if from < len(small) {
				segments = append(segments, small[from:])
				from = len(small)
			}
			segments = append(segments, frame)
			continue
		}
		small = v.appendHeader(small, m)
		small = v.appendType(small, m)
		switch {
		case m.Binary && v.base64:
			small = base64.StdEncoding.AppendEncode(small, m.Data)
		case len(m.Data) <= inlinePayload:
			small = append(small, m.Data...)
		default:
			segments = append(segments, small[from:], m.Data)
			from = len(small)
		}
	}
	if from < len(small) {
		segments = append(segments, small[from:])
	}
	return segments
}

// deflated returns m as a compressed frame, nil if it is to go as it is.
func (v variant) deflated(m Outgoing) []byte {
	if v.deflate == 0 || m.Plain || v.length(m) < v.deflate {
		return nil
	}
	data := m.Data
	if m.Binary && v.base64 {
		data = base64.StdEncoding.AppendEncode(nil, data)
	}
	frame, _ := websocket.AppendDeflated(nil, v.opcode(m), v.appendType(nil, m), data)
	return frame
}

// appendHeader appends the header of m's frame.
func (v variant) appendHeader(dst []byte, m Outgoing) []byte {
	if v.form == forStream {
		return appendStreamHeader(dst, m.Binary, v.length(m))
	}
	return websocket.AppendHeader(dst, v.opcode(m), v.length(m))
}

// opcode returns what kind of frame m goes in.
func (v variant) opcode(m Outgoing) ws.OpCode {
	if m.Binary && !v.base64 {
		return ws.OpBinary
	}
	return ws.OpText
}

// appendType appends what stands before the data of m in its packet.
func (v variant) appendType(dst []byte, m Outgoing) []byte {
	switch {
	case !m.Binary:
		return append(dst, typeMessage)
	case v.base64 && v.eio3:
		return append(dst, typeBinary, typeMessage)
	case v.base64:
		return append(dst, typeBinary)
	case v.eio3:
		return append(dst, binaryMessage3)
	}
	return dst
}

// length returns the length of m's packet in bytes.
func (v variant) length(m Outgoing) int {
	var room [2]byte
	head := len(v.appendType(room[:0], m))
	if m.Binary && v.base64 {
		return head + base64.StdEncoding.EncodedLen(len(m.Data))
	}
	return head + len(m.Data)
}

// encodePayload makes the packets of a polling payload.
func encodePayload(msgs []Outgoing) []byte {
	v := variant{base64: true}
	var room int
	for _, m := range msgs {
		room += v.length(m) + 1
	}
	dst := make([]byte, 0, room)
	for i, m := range msgs {
		if i > 0 {
			dst = append(dst, separator)
		}
		dst = v.appendType(dst, m)
		if m.Binary {
			dst = base64.StdEncoding.AppendEncode(dst, m.Data)
		} else {
			dst = append(dst, m.Data...)
		}
	}
	return dst
}

// encodePayload3 makes the packets of a polling payload of Engine.IO 3: of text only, or of the kind that can hold binary.
func encodePayload3(msgs []Outgoing, text bool) []byte {
	v := variant{eio3: true, base64: text}
	var room int
	for _, m := range msgs {
		room += v.length(m) + maxHeader3
	}
	dst := make([]byte, 0, room)
	for _, m := range msgs {
		dst = appendHeader3(dst, m.Binary, text, v.characters(m))
		dst = v.appendType(dst, m)
		if m.Binary && text {
			dst = base64.StdEncoding.AppendEncode(dst, m.Data)
		} else {
			dst = append(dst, m.Data...)
		}
	}
	return dst
}

// characters returns the length of m's packet as Engine.IO 3 counts it in a payload: in a payload of text, as JavaScript
// does, in UTF-16.
func (v variant) characters(m Outgoing) int {
	if m.Binary || !v.base64 {
		return v.length(m)
	}
	n := 1
	for text := m.Data; len(text) > 0; {
		c, size := utf8.DecodeRune(text)
		text = text[size:]
		n += units(c)
	}
	return n
}

// units returns how many units of UTF-16 make c.
func units(c rune) int {
	if c >= 0x10000 {
		return 2
	}
	return 1
}

// maxHeader3 is the room that appendHeader3 needs.
const maxHeader3 = 24

// appendHeader3 appends what stands before a packet in a payload of Engine.IO 3: in a payload of text its length and a
// colon; in the other kind whether it is binary, its length in digits as bytes, and 255.
func appendHeader3(dst []byte, binary, text bool, length int) []byte {
	if text {
		return append(strconv.AppendInt(dst, int64(length), 10), ':')
	}
	kind := byte(0)
	if binary {
		kind = 1
	}
	from := len(dst) + 1
	dst = strconv.AppendInt(append(dst, kind), int64(length), 10)
	for i := range dst[from:] {
		dst[from+i] -= '0'
	}
	return append(dst, headerEnd3)
}
