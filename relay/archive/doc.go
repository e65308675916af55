// Package archive writes the streams of a relay to a storage.Store and finds them there again.
//
//	media/2026/01/31/01KG9....webm     the content; its date is the ULID's, its extension the type's. Room, name and
//	                                   hash are its metadata
//	rooms/SHA-256 of room/01KG9....json  the manifest: the Stream as clients are shown it. It is written last
//
// A stream is in the archive when its manifest is. The store alone holds the truth: listing a room lists its
// manifests, and an id leads through the date to the content, whose metadata names the room. Nothing is indexed; what
// was read of manifests is remembered, within bounds, and checked against the store.
//
// Streams are archived when they have ended: the hash that goes with the content is not known before, and until then
// the spool is what makes them durable. While the store is away they wait in the spool and are tried again.
package archive
