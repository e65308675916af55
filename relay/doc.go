// Package relay holds rooms, and in the rooms streams that some publish and others read. It knows no protocol: doors (Socket.IO,
// HTTP, WebRTC) lie in the packages below it and never import each other.
//
// A stream is an append-only log of chunks. Its publisher appends through a [Writer] and never waits for a reader. Everybody
// else, an archiver too, is a [Reader] with a cursor: nobody has a queue, so that memory is bounded by the streams and not by
// who reads them. The newest chunks lie in memory, all of them in the spool on disk (of a live stream as many as [Limits] say), and
// what has ended goes to the [Archive]; a reader moves between the three without noticing. A reader of a file gets every byte; one of
// a live stream that falls behind jumps to the newest key chunk and is told of the gap.
//
//	hub := &relay.Hub{Dir: "data/spool"}
//	if err := hub.Start(); err != nil { ... }
//	defer hub.Close()
//	w, err := hub.Publish(ctx, relay.Spec{Room: "studio", Name: "take1.webm"})
//	w.ReadFrom(body)
//	info, err := w.Finish(ctx, "")
//
// Durability: what Writer.Sync returned, and a stream that Finish returned, survive a crash of the machine. Small streams have
// no journal of their own: file systems commit the syncs of many files together, and 100 stock clients that each send 4 KiB
// and wait for the acknowledgement get about 2,000 of them a second on two cores, which they share with the server.
package relay
