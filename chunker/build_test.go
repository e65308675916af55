package chunker

import "encoding/binary"

// What follows builds media, byte by byte, for tests of several formats.

// ebml encodes an element.
func ebml(id uint32, payload ...[]byte) []byte {
	b, size := ebmlID(id), 0
	for _, p := range payload {
		size += len(p)
	}
	b = append(b, 0x10|byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
	for _, p := range payload {
		b = append(b, p...)
	}
	return b
}

// ebmlOpen encodes the header of an element of unknown size.
func ebmlOpen(id uint32) []byte {
	return append(ebmlID(id), 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
}

func ebmlID(id uint32) (b []byte) {
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(id >> shift); c != 0 || len(b) > 0 {
			b = append(b, c)
		}
	}
	return b
}

// webmInit encodes what comes before the first cluster, with tracks of those types, numbered from 1.
func webmInit(types ...byte) []byte {
	var entries [][]byte
	for i, kind := range types {
		entries = append(entries, ebml(idTrackEntry, ebml(idTrackNumber, []byte{byte(i + 1)}), ebml(idTrackType, []byte{kind})))
	}
	b := ebml(idEBML, ebml(0x4286, []byte{1}), ebml(idDocType, []byte("webm")))
	b = append(b, ebmlOpen(idSegment)...)
	b = append(b, ebml(idInfo, ebml(idTimeScale, []byte{0x0f, 0x42, 0x40}))...)
	return append(b, ebml(idTracks, entries...)...)
}

// blockOf encodes the payload of a block with some bytes of content.
func blockOf(track byte, time int16, flags byte, size int) []byte {
	b := []byte{0x80 | track, byte(uint16(time) >> 8), byte(time), flags}
	return append(b, make([]byte, size)...)
}

// audioWebM encodes a live stream of sound.
func audioWebM() []byte {
	b := webmInit(trackAudio)
	for i := range 4 {
		b = append(b, ebmlOpen(idCluster)...)
		b = append(b, ebml(idTimestamp, []byte{byte(i)})...)
		b = append(b, ebml(idSimpleBlock, blockOf(1, 0, 0, 300))...)
	}
	return b
}

// mp4Box encodes a box.
func mp4Box(kind string, payload ...[]byte) []byte {
	size := 8
	for _, p := range payload {
		size += len(p)
	}
	b := append(binary.BigEndian.AppendUint32(nil, uint32(size)), kind...)
	for _, p := range payload {
		b = append(b, p...)
	}
	return b
}

// words encodes 32-bit numbers.
func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// mp4Trak encodes a trak.
func mp4Trak(id uint32, handler string, scale uint32) []byte {
	return mp4Box("trak",
		mp4Box("tkhd", words(0, 0, 0, id, 0, 0)),
		mp4Box("mdia",
			mp4Box("mdhd", words(0, 0, 0, scale, 0, 0)),
			mp4Box("hdlr", words(0, 0), []byte(handler), words(0, 0, 0))))
}

// mp4Init encodes a ftyp and a moov that announces fragments, with samples of default flags.
func mp4Init(flags uint32, traks ...[]byte) []byte {
	var extends [][]byte
	for i := range traks {
		extends = append(extends, mp4Box("trex", words(0, uint32(i+1), 1, 0, 0, flags)))
	}
	moov := append(traks, mp4Box("mvex", extends...))
	return append(mp4Box("ftyp", []byte("iso5\x00\x00\x02\x00iso5")), mp4Box("moov", moov...)...)
}

// audioMP4 encodes the beginning of one.
func audioMP4() []byte {
	return append(mp4Init(0, mp4Trak(1, "soun", 48000)), mp4Box("mdat", make([]byte, 100))...)
}
