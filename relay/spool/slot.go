package spool

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	// MaxRecordBytes bounds one Append.
	MaxRecordBytes = 1 << 20

	// MaxHeaderBytes bounds a header.
	MaxHeaderBytes = 256 << 10

	magic     = "SLUICE1\n"
	slotBytes = 24
)

type kind byte

const (
	kindChunk  kind = 1
	kindHeader kind = 2
	kindSeal   kind = 3
	kindDrop   kind = 4
)

// slot is one entry of the sidecar, as doc.go lays it out.
type slot struct {
	kind   kind
	flags  byte
	length uint32
	offset int64
	sum    uint32
}

// castagnoli is written by nobody: the table of CRC-32C.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// end is where the chunk ends in the content.
func (s slot) end() int64 { return s.offset + int64(s.length) }

// body is how many bytes follow the slot in the sidecar.
func (s slot) body() int64 {
	if s.kind != kindHeader {
		return 0
	}
	return (int64(s.length) + slotBytes - 1) / slotBytes * slotBytes
}

func (s slot) append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, byte(s.kind), s.flags, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, s.length)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.offset))
	dst = binary.LittleEndian.AppendUint32(dst, s.sum)
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[at:]))
}

// appendHeader appends a header with its slot; size is that of the content.
func appendHeader(dst, header []byte, size int64) []byte {
	s := slot{kind: kindHeader, length: uint32(len(header)), offset: size}
	body := make([]byte, s.body())
	copy(body, header)
	s.sum = checksum(body)
	return append(s.append(dst), body...)
}

// parseSlot reads the first slotBytes of p. It reports whether they are a slot, as far as a slot alone can tell.
func parseSlot(p []byte) (slot, bool) {
	s := slot{
		kind:   kind(p[0]),
		flags:  p[1],
		length: binary.LittleEndian.Uint32(p[4:]),
		offset: int64(binary.LittleEndian.Uint64(p[8:])),
		sum:    binary.LittleEndian.Uint32(p[16:]),
	}
	sound := binary.LittleEndian.Uint32(p[20:]) == checksum(p[:20]) && p[2] == 0 && p[3] == 0 && s.offset >= 0
	return s, sound && s.plausible()
}

func (s slot) plausible() bool {
	switch s.kind {
	case kindChunk:
		return s.length > 0 && s.length <= MaxRecordBytes && s.end() > s.offset
	case kindHeader:
		return s.length <= MaxHeaderBytes
	case kindSeal, kindDrop:
		return s.length == 0
	}
	return false
}
