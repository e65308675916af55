package packet

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// packer turns JSON text and attachments into msgpack.
type packer struct {
	scanner     // over the JSON, which is our own: its depth is not bounded
	dst         []byte
	attachments [][]byte // each taken at most once
	taken       []bool   // which; nil as long as none is
}

// document packs a value and nothing after it.
func (k *packer) document() error {
	if err := k.value(); err != nil {
		return err
	}
	return k.end()
}

func (k *packer) value() error {
	k.space()
	from := k.pos
	switch k.peek() {
	case '{':
		return k.object()
	case '[':
		return k.array()
	case '"':
		return k.quoted()
	case 't':
		k.dst = append(k.dst, 0xc3)
		return k.literal("true")
	case 'f':
		k.dst = append(k.dst, 0xc2)
		return k.literal("false")
	case 'n':
		k.dst = append(k.dst, 0xc0)
		return k.literal("null")
	default:
		err := k.scanner.number()
		if err == nil {
			k.number(string(k.data[from:k.pos]))
		}
		return err
	}
}

func (k *packer) array() error {
	at, count := k.open(), 0
	if k.peek() == ']' {
		k.leave()
		return nil
	}
	for more := true; more; count++ {
		if err := k.value(); err != nil {
			return err
		}
		var err error
		if more, err = k.next(']'); err != nil {
			return err
		}
	}
	k.close(at, count, 0x90, 0xdc)
	return nil
}

func (k *packer) object() error {
	o := object{start: k.pos}
	at := k.open()
	if k.peek() == '}' {
		k.leave()
		k.dst[at] = 0x80
		return nil
	}
	for more := true; more; o.members++ {
		if err := k.member(&o); err != nil {
			return err
		}
		var err error
		if more, err = k.next('}'); err != nil {
			return err
		}
	}
	if n, ok := k.take(&o); ok {
		k.dst = k.dst[:at]
		k.binary(k.attachments[n])
		return nil
	}
	k.close(at, o.members, 0x80, 0xde)
	return nil
}

func (k *packer) member(o *object) error {
	k.space()
	name := k.pos
	if k.peek() != '"' {
		return k.unexpected()
	}
	if err := k.quoted(); err != nil {
		return err
	}
	key := k.data[name:k.pos]
	if k.space(); k.peek() != ':' {
		return k.unexpected()
	}
	k.pos++
	k.space()
	from := k.pos
	if err := k.value(); err != nil {
		return err
	}
	o.note(key, k.data[from:k.pos])
	return nil
}

// take returns which attachment o stands for, unless it is none or has its place already.
func (k *packer) take(o *object) (n int, ok bool) {
	if !o.marked || o.members != 2 || !isPlaceholderNumber(o.num) {
		return 0, false
	}
	n, _ = strconv.Atoi(string(o.num))
	if n >= len(k.attachments) {
		return 0, false
	}
	if k.taken == nil {
		k.taken = make([]bool, len(k.attachments))
	}
	if k.taken[n] {
		return 0, false
	}
	k.taken[n] = true
	return n, true
}

// open steps into an array or object, and leaves room for its head.
func (k *packer) open() (at int) {
	at = len(k.dst)
	k.dst = append(k.dst, 0x90)
	k.pos++
	k.depth++
	k.space()
	return at
}

// close writes the head at at, now that it is known. It moves what follows if there are many elements.
func (k *packer) close(at, count int, small, large byte) {
	var head []byte
	switch {
	case count < 1<<4:
		k.dst[at] = small | byte(count)
		return
	case count < 1<<16:
		head = binary.BigEndian.AppendUint16([]byte{large}, uint16(count))
	default:
		head = binary.BigEndian.AppendUint32([]byte{large + 1}, uint32(count))
	}
	k.dst = append(k.dst, head[1:]...)
	copy(k.dst[at+len(head):], k.dst[at+1:])
	copy(k.dst[at:], head)
}

// quoted packs a JSON string.
func (k *packer) quoted() error {
	quoted, err := k.text()
	if err != nil {
		return err
	}
	plain := quoted[1 : len(quoted)-1]
	for _, c := range plain {
		if c == '\\' {
			var s string
			if err := json.Unmarshal(quoted, &s); err != nil {
				return err
			}
			k.string(s)
			return nil
		}
	}
	k.stringHead(len(plain))
	k.dst = append(k.dst, plain...)
	return nil
}

func (k *packer) string(s string) {
	k.stringHead(len(s))
	k.dst = append(k.dst, s...)
}

// stringHead packs what stands before a string of n bytes.
func (k *packer) stringHead(n int) {
	if n < 1<<5 {
		k.dst = append(k.dst, 0xa0|byte(n))
		return
	}
	k.length(0xd9, n)
}

func (k *packer) binary(b []byte) {
	k.length(0xc4, len(b))
	k.dst = append(k.dst, b...)
}

// length writes a length in 1, 2 or 4 bytes, after a byte that says in how many. Nothing that is sent is as long as 4 GiB.
func (k *packer) length(first byte, n int) {
	switch {
	case n < 1<<8:
		k.dst = append(k.dst, first, byte(n))
	case n < 1<<16:
		k.dst = binary.BigEndian.AppendUint16(append(k.dst, first+1), uint16(n))
	default:
		k.dst = binary.BigEndian.AppendUint32(append(k.dst, first+2), uint32(n))
	}
}

// number packs a JSON number: exactly, if it is an integer of 64 bits, else as the float that JavaScript makes of it.
func (k *packer) number(text string) {
	if text != "-0" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			k.int(n)
			return
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			k.dst = binary.BigEndian.AppendUint64(append(k.dst, 0xcf), n)
			return
		}
	}
	f, _ := strconv.ParseFloat(text, 64) // what is too large is infinite
	k.dst = binary.BigEndian.AppendUint64(append(k.dst, 0xcb), math.Float64bits(f))
}

func (k *packer) int(n int64) {
	switch {
	case -1<<5 <= n && n < 1<<7:
		k.dst = append(k.dst, byte(n))
	case 0 <= n && n < 1<<8:
		k.dst = append(k.dst, 0xcc, byte(n))
	case 0 <= n && n < 1<<16:
		k.dst = binary.BigEndian.AppendUint16(append(k.dst, 0xcd), uint16(n))
	case 0 <= n && n < 1<<32:
		k.dst = binary.BigEndian.AppendUint32(append(k.dst, 0xce), uint32(n))
	case 0 <= n:
		k.dst = binary.BigEndian.AppendUint64(append(k.dst, 0xcf), uint64(n))
	case -1<<7 <= n:
		k.dst = append(k.dst, 0xd0, byte(n))
	case -1<<15 <= n:
		k.dst = binary.BigEndian.AppendUint16(append(k.dst, 0xd1), uint16(n))
	case -1<<31 <= n:
		k.dst = binary.BigEndian.AppendUint32(append(k.dst, 0xd2), uint32(n))
	default:
		k.dst = binary.BigEndian.AppendUint64(append(k.dst, 0xd3), uint64(n))
	}
}
