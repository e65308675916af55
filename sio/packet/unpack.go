package packet

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// unpacker turns msgpack into JSON text and attachments. It believes no length: it takes memory for what it has read only. It goes
// no deeper than MaxDepth, so it may recurse.
//
// What notepack.io, the encoder of the JavaScript client, makes of values that msgpack does not have is read as it reads it:
// https://github.com/msgpack/msgpack/blob/master/spec.md with three types of extension that are all numbered 0.
type unpacker struct {
	data  []byte
	pos   int
	depth int

	text        []byte // JSON
	attachments [][]byte
}

type msgpackKind byte

const (
	msgpackNil msgpackKind = iota
	msgpackBool
	msgpackInt
	msgpackUint // over the largest int64
	msgpackFloat
	msgpackText
	msgpackBinary
	msgpackArray
	msgpackMap
	msgpackExtension
)

// msgpackValue is a value, or the head of an array or map.
type msgpackValue struct {
	kind     msgpackKind
	number   int64   // of msgpackInt; 0 or 1 of msgpackBool
	unsigned uint64  // of msgpackUint
	float    float64 // of msgpackFloat
	bytes    []byte  // of what has bytes; they alias data
	count    int     // of an array or map
	fixed    bool    // of msgpackExtension: its length is part of its format
	ext      int8    // of msgpackExtension
}

// next reads a value; of an array or map only how many follow.
func (u *unpacker) next() (v msgpackValue, err error) {
	head, err := u.uint(1)
	if err != nil {
		return v, err
	}
	switch b := byte(head); {
	case b < 0x80:
		return msgpackValue{kind: msgpackInt, number: int64(b)}, nil
	case b < 0x90:
		return msgpackValue{kind: msgpackMap, count: int(b & 0x0f)}, nil
	case b < 0xa0:
		return msgpackValue{kind: msgpackArray, count: int(b & 0x0f)}, nil
	case b < 0xc0:
		return u.sized(msgpackText, int(b&0x1f))
	case b >= 0xe0:
		return msgpackValue{kind: msgpackInt, number: int64(int8(b))}, nil
	case b == 0xc0:
		return msgpackValue{kind: msgpackNil}, nil
	case b == 0xc2 || b == 0xc3:
		return msgpackValue{kind: msgpackBool, number: int64(b & 1)}, nil
	case b == 0xca || b == 0xcb:
		return u.floating(4 << (b - 0xca))
	case 0xcc <= b && b <= 0xd3:
		return u.integer(1<<((b-0xcc)&3), b >= 0xd0)
	case 0xc4 <= b && b <= 0xc6:
		return u.counted(msgpackBinary, 1<<(b-0xc4))
	case 0xc7 <= b && b <= 0xc9:
		return u.counted(msgpackExtension, 1<<(b-0xc7))
	case 0xd4 <= b && b <= 0xd8:
		v, err = u.sized(msgpackExtension, 1<<(b-0xd4))
		v.fixed = true
		return v, err
	case 0xd9 <= b && b <= 0xdb:
		return u.counted(msgpackText, 1<<(b-0xd9))
	case b == 0xdc || b == 0xdd:
		return u.counted(msgpackArray, 2<<(b-0xdc))
	case b == 0xde || b == 0xdf:
		return u.counted(msgpackMap, 2<<(b-0xde))
	}
	return v, malformed("unknown byte %#x at %d", head, u.pos-1)
}

// uint reads a number of size bytes.
func (u *unpacker) uint(size int) (uint64, error) {
	if len(u.data)-u.pos < size {
		return 0, malformed("msgpack ends early")
	}
	var b [8]byte
	copy(b[8-size:], u.data[u.pos:])
	u.pos += size
	return binary.BigEndian.Uint64(b[:]), nil
}

func (u *unpacker) integer(size int, signed bool) (msgpackValue, error) {
	n, err := u.uint(size)
	switch {
	case signed:
		shift := 64 - 8*size
		return msgpackValue{kind: msgpackInt, number: int64(n<<shift) >> shift}, err
	case n > math.MaxInt64:
		return msgpackValue{kind: msgpackUint, unsigned: n}, err
	}
	return msgpackValue{kind: msgpackInt, number: int64(n)}, err
}

func (u *unpacker) floating(size int) (msgpackValue, error) {
	n, err := u.uint(size)
	if size == 4 {
		return msgpackValue{kind: msgpackFloat, float: float64(math.Float32frombits(uint32(n)))}, err
	}
	return msgpackValue{kind: msgpackFloat, float: math.Float64frombits(n)}, err
}

// counted reads what begins with a length of size bytes.
func (u *unpacker) counted(kind msgpackKind, size int) (msgpackValue, error) {
	n, err := u.uint(size)
	switch {
	case err != nil:
		return msgpackValue{}, err
	case n > uint64(len(u.data)): // an element has a byte at least
		return msgpackValue{}, malformed("msgpack ends early")
	case kind == msgpackArray || kind == msgpackMap:
		return msgpackValue{kind: kind, count: int(n)}, nil
	}
	return u.sized(kind, int(n))
}

// sized reads size bytes, and before those of an extension its type.
func (u *unpacker) sized(kind msgpackKind, size int) (v msgpackValue, err error) {
	v.kind = kind
	if kind == msgpackExtension {
		ext, err := u.uint(1)
		if err != nil {
			return v, err
		}
		v.ext = int8(ext)
	}
	if len(u.data)-u.pos < size {
		return v, malformed("msgpack ends early")
	}
	v.bytes = u.data[u.pos : u.pos+size : u.pos+size]
	u.pos += size
	if kind == msgpackText && !utf8.Valid(v.bytes) {
		return v, malformed("a string that is no UTF-8")
	}
	return v, nil
}

// undefined steps over JavaScript's undefined, and reports whether it was there.
func (u *unpacker) undefined() bool {
	rest := u.data[u.pos:]
	if len(rest) < 3 || rest[0] != 0xd4 || rest[1] != 0 {
		return false
	}
	u.pos += 3
	return true
}

// skip steps over a value.
func (u *unpacker) skip() error {
	text, attachments := len(u.text), len(u.attachments)
	err := u.value()
	u.text, u.attachments = u.text[:text], u.attachments[:attachments]
	return err
}

// value appends the JSON of a value.
func (u *unpacker) value() error {
	if u.undefined() {
		u.text = append(u.text, "null"...)
		return nil
	}
	v, err := u.next()
	if err != nil {
		return err
	}
	switch v.kind {
	case msgpackArray:
		return u.array(v.count)
	case msgpackMap:
		return u.object(v.count)
	case msgpackText:
		u.text = appendQuoted(u.text, v.bytes)
	case msgpackBinary:
		return u.attach(v.bytes)
	case msgpackExtension:
		return u.extension(v)
	default:
		u.text = appendScalar(u.text, v)
	}
	return nil
}

func (u *unpacker) array(count int) error {
	if u.depth++; u.depth > MaxDepth {
		return malformed("msgpack deeper than %d", MaxDepth)
	}
	u.text = append(u.text, '[')
	for i := range count {
		if i > 0 {
			u.text = append(u.text, ',')
		}
		if err := u.value(); err != nil {
			return err
		}
	}
	u.text = append(u.text, ']')
	u.depth--
	return nil
}

func (u *unpacker) object(count int) error {
	if u.depth++; u.depth > MaxDepth {
		return malformed("msgpack deeper than %d", MaxDepth)
	}
	u.text = append(u.text, '{')
	start := len(u.text)
	for range count {
		before := len(u.text)
		if before > start {
			u.text = append(u.text, ',')
		}
		if err := u.key(); err != nil {
			return err
		}
		if u.undefined() {
			u.text = u.text[:before]
			continue
		}
		u.text = append(u.text, ':')
		if err := u.value(); err != nil {
			return err
		}
	}
	u.text = append(u.text, '}')
	u.depth--
	return nil
}

// key appends the name of an object's member. What is no string becomes one, as in JavaScript.
func (u *unpacker) key() error {
	v, err := u.next()
	if err != nil {
		return err
	}
	switch v.kind {
	case msgpackText:
		u.text = appendQuoted(u.text, v.bytes)
		return nil
	case msgpackArray, msgpackMap, msgpackBinary, msgpackExtension:
		return malformed("a key that is neither string nor number")
	}
	u.text = append(u.text, '"')
	u.text = append(appendScalar(u.text, v), '"')
	return nil
}

// attach appends a placeholder.
func (u *unpacker) attach(data []byte) error {
	n := len(u.attachments)
	if n == MaxAttachments {
		return malformed("more than %d attachments", MaxAttachments)
	}
	u.attachments = append(u.attachments, data)
	u.text = appendPlaceholder(u.text, n)
	return nil
}

// extension reads what notepack.io writes as one: undefined, a date, binary. Others become what its decoder makes of them.
func (u *unpacker) extension(v msgpackValue) error {
	switch {
	case v.ext == 0 && !v.fixed:
		return u.attach(v.bytes)
	case v.ext == 0 && len(v.bytes) == 8:
		u.text = appendDate(u.text, int64(binary.BigEndian.Uint64(v.bytes)))
		return nil
	}
	u.text = strconv.AppendInt(append(u.text, '['), int64(v.ext), 10)
	u.text = append(u.text, ',')
	if err := u.attach(v.bytes); err != nil {
		return err
	}
	u.text = append(u.text, ']')
	return nil
}

func appendScalar(dst []byte, v msgpackValue) []byte {
	switch v.kind {
	case msgpackNil:
		return append(dst, "null"...)
	case msgpackBool:
		return strconv.AppendBool(dst, v.number != 0)
	case msgpackInt:
		return strconv.AppendInt(dst, v.number, 10)
	case msgpackUint:
		return strconv.AppendUint(dst, v.unsigned, 10)
	default:
		return appendFloat(dst, v.float)
	}
}

// appendFloat writes f as JavaScript does.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if abs := math.Abs(f); abs == 0 || 1e-6 <= abs && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); string(dst[n-4:n-1]) == "e-0" {
		dst = append(dst[:n-2], dst[n-1]) // e-09 is e-9 there
	}
	return dst
}

// maxDate is the last millisecond that JavaScript's dates have, on either side of 1970.
const maxDate = 8_640_000_000_000_000

// appendDate writes milliseconds since 1970 as JSON.stringify writes a Date.
func appendDate(dst []byte, ms int64) []byte {
	if ms < -maxDate || ms > maxDate {
		return append(dst, "null"...)
	}
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	switch {
	case year < 0:
		dst = appendDigits(dst, `"-`, -year, 6)
	case year > 9999:
		dst = appendDigits(dst, `"+`, year, 6)
	default:
		dst = appendDigits(dst, `"`, year, 4)
	}
	dst = appendDigits(dst, "-", int(month), 2)
	dst = appendDigits(dst, "-", day, 2)
	dst = appendDigits(dst, "T", hour, 2)
	dst = appendDigits(dst, ":", minute, 2)
	dst = appendDigits(dst, ":", second, 2)
	dst = appendDigits(dst, ".", t.Nanosecond()/1e6, 3)
	return append(dst, `Z"`...)
}

// appendDigits appends before and the last digits of n, so many.
func appendDigits(dst []byte, before string, n, digits int) []byte {
	dst = append(dst, before...)
	end := len(dst)
	for range digits {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= end; i-- {
		dst[i] += byte(n % 10)
		n /= 10
	}
	return dst
}

// appendQuoted writes s, which is UTF-8, as a JSON string.
func appendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(append(dst, s[done:]...), '"')
}

func appendPlaceholder(dst []byte, n int) []byte {
	dst = append(dst, `{"_placeholder":true,"num":`...)
	return append(strconv.AppendInt(dst, int64(n), 10), '}')
}
