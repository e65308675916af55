// Package archive writes the streams of a relay to a storage.Store and finds them there again.
//
//	media/2026/01/31/01KG9....webm     the content; its date is the ULID's, its extension the type's. Room and name
//	                                   are its metadata, and the hash if it was known from the beginning
//	rooms/SHA-256 of room/01KG9....json  the manifest: the Stream as clients are shown it. It is written last
//
// A stream is in the archive when its manifest is. The store alone holds the truth: listing a room lists its
// manifests, and an id leads through the date to the content, whose metadata names the room. Nothing is indexed; what
// was read of manifests is remembered, within bounds, and checked against the store.
//
// A store that takes parts (storage.Grower) is sent those of a stream while it is still open, as soon as the spool has them: little is
// left to do at the end, the spool need not keep what the store has of a live stream, and a process that comes after one that was
// killed goes on with what the store has. Nothing can be seen before the end. Where a store takes over the spool's file, or only whole
// objects, all is done at the end. Until a stream is archived the spool is what makes it durable. While the store is away streams wait
// there and are tried again.
//
// What is older than its room's [Rule] allows is deleted, the manifest first.
package archive
