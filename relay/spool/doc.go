// Package spool keeps logs of bytes on the local disk: the part of a stream that must survive a crash before
// anybody was told that it arrived.
//
// A [Spool] is a directory. Each [Log] in it is two files:
//
//	ID.open   the content while it grows: pure bytes, so that it can be sent, linked and renamed as it is
//	ID.data   the same file once the log is sealed
//	ID.index  the sidecar: what the content is made of
//
// A name that ends in .tmp is half made, and removed at the next start. What is damaged beyond reading is moved
// to the folder damaged and never deleted.
//
// # The sidecar
//
// It begins with the eight bytes "SLUICE1\n" and goes on in slots of 24 bytes, little endian:
//
//	0  kind      1 chunk, 2 header, 3 seal, 4 drop
//	1  flags     of a chunk: the caller's own
//	2  zero      two bytes
//	4  length    of the chunk or of the header, in bytes
//	8  offset    of the chunk in the content; of a drop, where the content begins from now on; else the size of the content so far
//	16 checksum  CRC-32C of the chunk, or of the header and its zeros
//	20 checksum  CRC-32C of the 20 bytes before
//
// The bytes of a header follow its slot, filled up with zeros to whole slots. The newest header wins. Slots are
// only ever appended. What was dropped of the content, and the slots that spoke of it, are holes in the files: they keep their
// offsets, read as zeros, and take no room.
//
// # What is durable
//
// A slot is written only after the bytes it speaks of have been synced. So every good slot that is found after a
// crash stands for content that is there, no content has to be read at start, and whatever lies behind the last
// good slot was never acknowledged and is cut off. What has gone bad on the disk since is found when it is read:
// [Log.ReadAt] gives out no byte whose record does not match its checksum.
//
//	s, err := spool.Open(dir, nil)
//	...
//	l, err := s.Create("01J9ZK3V5Y8W2C7D4E6F8G0H1J", header)
//	...
//	err = l.Append(chunk, 0) // is in the file
//	err = l.Sync()           // is on the disk: now it may be acknowledged
//	err = l.Seal(header)     // is whole
//
// The package knows nothing of rooms and streams; headers are opaque to it.
package spool
