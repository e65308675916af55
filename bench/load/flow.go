package load

import (
	"strconv"
	"time"
)

// Framed is a message as a client frames it: a binary event with one attachment. It is written again and again, each time
// with a new stamp.
type Framed struct {
	frames []byte
	stamp  int // where the stamp is
	text   int // how long the frame of the text is
}

// Frame frames m as the attachment of an event, of which text is what stands before the placeholder: `["chunk","room",{}`.
func (m *Message) Frame(text string) *Framed {
	f := &Framed{}
	f.frames = appendFrame(nil, opText, mask, []byte(`451-`+text+placeholder))
	f.text = len(f.frames)
	f.frames = appendHeader(f.frames, opBinary, mask, m.Size())
	f.stamp = len(f.frames)
	f.frames = append(f.frames, m.data...)
	xor(f.frames[f.stamp:], mask)
	return f
}

const placeholder = `,{"_placeholder":true,"num":0}]`

// Size returns how long the frames are.
func (f *Framed) Size() int { return len(f.frames) }

// Append appends the frames of message number.
func (f *Framed) Append(dst []byte, number int64, due time.Time) []byte {
	from := len(dst)
	dst = append(dst, f.frames...)
	f.putStamp(dst[from+f.stamp:], number, due)
	return dst
}

// AppendWith is Append where the event has a text of its own, and an ack: `["chunk",{"offset":5}`.
func (f *Framed) AppendWith(dst []byte, id int, text string, number int64, due time.Time) []byte {
	dst = appendFrame(dst, opText, mask, []byte(`451-`+strconv.Itoa(id)+text+placeholder))
	from := len(dst)
	dst = append(dst, f.frames[f.text:]...)
	f.putStamp(dst[from+f.stamp-f.text:], number, due)
	return dst
}

func (f *Framed) putStamp(dst []byte, number int64, due time.Time) {
	putStamp(dst[:stampBytes], number, due)
	xor(dst[:stampBytes], mask)
}
