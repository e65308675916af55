package chunker

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	tsPacketBytes = 188
	tsSync        = 0x47

	tsPIDAssociation = 0 // of the program association table
	tsPIDMask        = 0x1fff
	tsPIDNone        = 0xffff // no packet has it

	// maxSectionBytes is the most that a section of a program map holds (ISO/IEC 13818-1, 2.4.4.9).
	maxSectionBytes = 1024

	ptsRate = 90000
)

// mpegts finds the packets of an MPEG transport stream at which decoding can begin. Its init segment is the first program
// association and map: the stream repeats them, but a decoder throws away what comes before.
type mpegts struct {
	lost     bool   // look for packets again
	mapPID   uint16 // of the program map table; tsPIDNone before the association was read
	leadPID  uint16 // of the stream that decides about key points: the first video, else the first audio
	video    bool
	section  []byte // the program map, as far as it has come
	complete bool   // the program map was read, the init segment ends with this packet
	lastTime time.Duration
}

func newMPEGTS() *mpegts {
	return &mpegts{mapPID: tsPIDNone, leadPID: tsPIDNone, lastTime: -1}
}

// tsPacket is one packet of 188 bytes.
type tsPacket struct {
	pid     uint16
	starts  bool // a PES packet or section begins in it
	random  bool // decoding can begin here
	payload []byte
}

func parseTSPacket(b []byte) tsPacket {
	p := tsPacket{pid: binary.BigEndian.Uint16(b[1:]) & tsPIDMask, starts: b[1]&0x40 != 0}
	hasAdaptation, hasPayload := b[3]&0x20 != 0, b[3]&0x10 != 0
	at := 4
	if hasAdaptation {
		at += 1 + int(b[4])
		p.random = b[4] > 0 && b[5]&0x40 != 0
	}
	if hasPayload && at < tsPacketBytes {
		p.payload = b[at:tsPacketBytes]
	}
	return p
}

func (m *mpegts) next(s *Splitter, b []byte) int64 {
	m.lost = m.lost || b[0] != tsSync
	if m.lost && len(b) > tsPacketBytes {
		if n := findTSSync(b); n > 0 {
			return n
		}
		m.lost = false
	}
	if m.lost || len(b) < tsPacketBytes {
		return 0
	}
	if m.complete && s.initAt >= 0 {
		s.endInit()
	}
	p := parseTSPacket(b)
	switch p.pid {
	case tsPIDAssociation:
		m.association(s, p)
	case m.mapPID:
		m.programMap(p)
	case m.leadPID:
		m.lead(s, p)
	}
	return tsPacketBytes
}

// findTSSync returns how far to go on to two sync bytes at a packet's distance. b is longer than a packet.
func findTSSync(b []byte) int64 {
	last := len(b) - tsPacketBytes - 1
	for i := 0; i <= last; i++ {
		if b[i] == tsSync && b[i+tsPacketBytes] == tsSync {
			return int64(i)
		}
	}
	return int64(last + 1)
}

// sectionStart returns the section that begins in the packet, nil if none does.
func (p tsPacket) sectionStart() []byte {
	if !p.starts || len(p.payload) == 0 || len(p.payload) <= 1+int(p.payload[0]) {
		return nil
	}
	return p.payload[1+int(p.payload[0]):]
}

// association reads the program association table for the first program. Until its map has come, each association begins
// the init segment anew.
func (m *mpegts) association(s *Splitter, p tsPacket) {
	section := p.sectionStart()
	if len(section) < 12 || section[0] != 0 {
		return
	}
	end := min(len(section), 3+int(binary.BigEndian.Uint16(section[1:])&0xfff)-4)
	for i := 8; i+4 <= end; i += 4 {
		if binary.BigEndian.Uint16(section[i:]) == 0 {
			continue // the network's own PID
		}
		m.mapPID = binary.BigEndian.Uint16(section[i+2:]) & tsPIDMask
		if !m.complete {
			s.beginInit()
		}
		return
	}
}

// programMap collects the program map table, which may take several packets.
func (m *mpegts) programMap(p tsPacket) {
	if start := p.sectionStart(); start != nil {
		m.section = append(m.section[:0], start...)
	} else if len(m.section) > 0 && len(m.section) < maxSectionBytes {
		m.section = append(m.section, p.payload...)
	}
	if len(m.section) < 12 || m.section[0] != 2 {
		return
	}
	size := 3 + int(binary.BigEndian.Uint16(m.section[1:])&0xfff)
	if size > len(m.section) || size < 16 {
		return
	}
	m.elementaryStreams(m.section[:size-4]) // less the CRC
	m.section = m.section[:0]
}

// elementaryStreams picks the leading stream of a program map.
func (m *mpegts) elementaryStreams(section []byte) {
	lead, video := uint16(tsPIDNone), false
	i := 12 + int(binary.BigEndian.Uint16(section[10:])&0xfff)
	for i+5 <= len(section) && !video {
		pid := binary.BigEndian.Uint16(section[i+1:]) & tsPIDMask
		switch {
		case isTSVideo(section[i]):
			lead, video = pid, true
		case isTSAudio(section[i]) && lead == tsPIDNone:
			lead = pid
		}
		i += 5 + int(binary.BigEndian.Uint16(section[i+3:])&0xfff)
	}
	if lead != tsPIDNone {
		m.leadPID, m.video, m.complete = lead, video, true
	}
}

// isTSVideo reports whether a stream type is MPEG-1, 2, 4, H.264, H.265, H.266 or AVS video.
func isTSVideo(streamType byte) bool {
	return bytes.IndexByte([]byte{0x01, 0x02, 0x10, 0x1b, 0x24, 0x33, 0x42, 0xd2}, streamType) >= 0
}

// isTSAudio reports whether a stream type is MPEG audio, AAC (ADTS, LATM), AC-3, E-AC-3, or what is private: Opus, mostly.
func isTSAudio(streamType byte) bool {
	return bytes.IndexByte([]byte{0x03, 0x04, 0x0f, 0x11, 0x81, 0x87, 0x06}, streamType) >= 0
}

// lead looks at a packet of the leading stream.
func (m *mpegts) lead(s *Splitter, p tsPacket) {
	if !p.starts || m.video && !p.random {
		return
	}
	t := presentationTime(p.payload)
	if !m.video && t >= m.lastTime && m.lastTime >= 0 && t-m.lastTime < audioKeyInterval {
		return
	}
	m.lastTime = t
	s.key(t)
}

// presentationTime reads the PTS of a PES packet's header (2.4.3.6), -1 if it has none.
func presentationTime(p []byte) time.Duration {
	if len(p) < 14 || p[0] != 0 || p[1] != 0 || p[2] != 1 || p[7]&0x80 == 0 {
		return -1
	}
	pts := uint64(p[9]>>1&7)<<30 | uint64(binary.BigEndian.Uint16(p[10:])>>1)<<15 | uint64(binary.BigEndian.Uint16(p[12:])>>1)
	return ticks(pts, ptsRate)
}
