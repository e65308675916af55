package load

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"time"
)

// stampBytes is the length of what stands at the beginning of every message: its number, and when it was due to be sent, in
// nanoseconds since 1970. It is hexadecimal, so that a text with a stamp is still a text.
const stampBytes = 32

// MinMessageBytes is how short a message may be.
const MinMessageBytes = stampBytes

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Message is what a flow is made of: all its messages have the same body, and differ by their stamps.
type Message struct {
	data []byte // with room for a stamp before the body
	sum  uint32 // of the body
}

// Noise returns a message of size bytes that nothing can compress.
func Noise(size int) *Message {
	data := make([]byte, size)
	var seed [32]byte
	rand.NewChaCha8(seed).Read(data)
	return newMessage(data)
}

// Text returns a message of size bytes that looks like JSON, of which deflate leaves about a seventh.
func Text(size int) *Message {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 0, size+128)
	for len(data) < size {
		data = fmt.Appendf(data, `{"id":%d,"user":"u%04d","kind":"%s","x":%.2f,"y":%.2f,"ok":%t},`, len(data), random.IntN(500),
			[...]string{"move", "draw", "erase"}[random.IntN(3)], 100*random.Float64(), 100*random.Float64(), random.IntN(2) == 0)
	}
	return newMessage(data[:size])
}

func newMessage(data []byte) *Message {
	return &Message{data: data, sum: crc32.Checksum(data[stampBytes:], castagnoli)}
}

// clone is for one who puts stamps into it.
func (m *Message) clone() *Message { return &Message{data: slices.Clone(m.data), sum: m.sum} }

// Size returns the length in bytes.
func (m *Message) Size() int { return len(m.data) }

func putStamp(dst []byte, number int64, due time.Time) {
	var stamp [stampBytes / 2]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(number))
	binary.BigEndian.PutUint64(stamp[8:], uint64(due.UnixNano()))
	hex.Encode(dst, stamp[:])
}

// readStamp is putStamp's inverse.
func readStamp(p []byte) (number int64, due time.Time, err error) {
	var stamp [stampBytes / 2]byte
	if _, err := hex.Decode(stamp[:], p[:stampBytes]); err != nil {
		return 0, due, fmt.Errorf("a stamp: %w", err)
	}
	return int64(binary.BigEndian.Uint64(stamp[:])), time.Unix(0, int64(binary.BigEndian.Uint64(stamp[8:]))), nil
}

// Checker checks that a flow arrives whole and in order. It sees bytes, not messages: a server may cut them as it likes.
type Checker struct {
	message *Message
	next    int64 // how many have come
	period  int64 // after so many the numbers begin anew; 0: never
	stamp   [stampBytes]byte
	at      int // of the current message, how much has come
	sum     uint32

	// Arrived, if not nil, is told of every message when its last byte has come.
	Arrived func(number int64, due time.Time)
}

// NewChecker returns a checker of a flow of such messages, which begins with number 0.
func NewChecker(m *Message) *Checker { return &Checker{message: m} }

// Messages returns how many have come.
func (c *Checker) Messages() int64 { return c.next }

// Feed takes the next bytes. An error says what is wrong with the flow: what comes after it means nothing.
func (c *Checker) Feed(p []byte) error {
	for len(p) > 0 {
		if c.at < stampBytes {
			n := copy(c.stamp[c.at:], p)
			c.at += n
			p = p[n:]
			continue
		}
		n := min(len(p), c.message.Size()-c.at)
		c.sum = crc32.Update(c.sum, castagnoli, p[:n])
		c.at += n
		p = p[n:]
		if c.at == c.message.Size() {
			if err := c.complete(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Checker) complete() error {
	number, due, err := readStamp(c.stamp[:])
	switch {
	case err != nil:
		return err
	case number != c.expected():
		return fmt.Errorf("message %d came where %d was due", number, c.expected())
	case c.sum != c.message.sum:
		return fmt.Errorf("message %d: checksum %08x; want %08x", number, c.sum, c.message.sum)
	}
	c.next++
	c.at, c.sum = 0, 0
	if c.Arrived != nil {
		c.Arrived(number, due)
	}
	return nil
}

// expected is the number of the message that is to come.
func (c *Checker) expected() int64 {
	if c.period > 0 {
		return c.next % c.period
	}
	return c.next
}
