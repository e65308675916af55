// Command relay is a Socket.IO server of ten lines that relays what it gets to a room, for a benchmark of package sio alone.
//
// Events: "join" (room; acknowledged); "chunk" (room, meta, bytes), which goes to the room but the sender as "chunk" (meta,
// bytes); "upload" (meta, bytes; acknowledged). It collects garbage on SIGUSR2.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"sluice/sio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "`host:port` to listen on")
	deflate := flag.Bool("deflate", false, "negotiate permessage-deflate")
	most := flag.Int("max", 16<<20, "`bytes` that an event may have")
	flag.Parse()
	go collectGarbage()

	io := &sio.Server{MaxEventBytes: *most, MaxQueuedBytes: 16 << 20}
	if *deflate {
		io.Deflate = &sio.Deflate{}
	}
	relay(io.Of("/"))
	http.Handle("/socket.io/", io)
	log.Fatal(http.ListenAndServe(*addr, nil))
}

// relay is the ten lines.
func relay(ns *sio.Namespace) {
	ns.On("join", func(e *sio.Event) {
		var room string
		if e.Decode(0, &room) == nil {
			e.Socket.Join(room)
			e.Ack()
		}
	})
	ns.On("chunk", func(e *sio.Event) {
		var room string
		if e.Decode(0, &room) == nil {
			e.Socket.To(room).Forward("chunk", e, 1)
		}
	})
	ns.On("upload", func(e *sio.Event) { e.Ack() })
}

func collectGarbage() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	for range asked {
		debug.FreeOSMemory()
	}
}
