// Package chunker knows what media are made of: it tells their type from their first bytes, finds the offsets at which a
// stream of them may be cut so that a reader can begin there, and compresses chunks that compress.
//
// It is pure: no network, no file, no goroutine, no clock. It knows nothing of rooms, sockets or storage, does not decode
// pictures or sound, and never rewrites a byte: what goes in comes out, cut.
//
// # Cutting
//
// A player that joins late needs two things: the init segment (what describes the tracks) and a key point (where decoding
// can begin). A [Splitter] reports both as offsets while the bytes pass by:
//
//	s := chunker.NewSplitter(chunker.Sniff(head).Type)
//	cuts, settled := s.Scan(p)
//	for _, c := range cuts {
//		// A chunk ends at c.At, the next begins there.
//	}
//	// Bytes before settled may be sent on: no cut will come among them any more.
//
// The containers are Matroska and WebM (RFC 9559), ISO base media files in fragments (ISO/IEC 14496-12, CMAF), Ogg
// (RFC 3533), MPEG transport streams (ISO/IEC 13818-1), MP3 and ADTS frames, FLAC (RFC 9639) and WAV. Anything else has no
// cuts and may be cut anywhere.
//
// # Types
//
// [Sniff] decides by content alone. Its answer is one of a short list of types, each with its own file extension, and says
// whether a browser may show it in place.
package chunker
