package sio_test

import (
	"context"
	"fmt"

	"sluice/sio"
	"sluice/sio/client"
)

// relays sends what comes for a room on to all others in it, as it came.
func relays() *sio.Server {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.On("join", func(e *sio.Event) {
		var room string
		if e.Decode(0, &room) == nil {
			e.Socket.Join(room)
			e.Ack()
		}
	})
	ns.On("picture", func(e *sio.Event) { // (room, description, bytes)
		var room string
		if e.Decode(0, &room) == nil {
			e.Socket.To(room).Forward("picture", e, 1)
		}
	})
	return server
}

func ExampleAudience_Forward() {
	srv, stop := start(relays())
	defer stop()
	ctx := context.Background()
	viewer, sender := mustConnect(ctx, srv), mustConnect(ctx, srv)
	defer viewer.Close()
	defer sender.Close()
	shown := make(chan string)
	viewer.On("picture", func(e *client.Event) {
		var picture []byte
		e.Decode(1, &picture)
		shown <- fmt.Sprintf("%s %q", e.Raw(0), picture)
	})
	viewer.EmitWithAck(ctx, "join", "studio")
	sender.Emit("picture", "studio", map[string]string{"name": "dot"}, []byte("GIF89a"))
	fmt.Println(<-shown)
	// Output: {"name":"dot"} "GIF89a"
}
