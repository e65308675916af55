package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"sluice/sio"
	"sluice/sio/client"
)

// boards serves a namespace for every board that somebody asks for, and tells all who drew on theirs.
func boards() *sio.Server {
	server := &sio.Server{MaxChildNamespaces: 100}
	name := regexp.MustCompile(`^/board-\d+$`)
	ns := server.OfFunc(func(asked string, _ json.RawMessage) bool { return name.MatchString(asked) })
	ns.On("draw", func(e *sio.Event) {
		e.Socket.Namespace().Emit("drawn", e.Raw(0)) // on this board
		ns.Emit("busy", e.Socket.Namespace().Name()) // on all
	})
	return server
}

func ExampleServer_OfFunc() {
	srv, stop := start(boards())
	defer stop()
	ctx := context.Background()
	seen := make(chan string, 10)
	for _, board := range []string{"/board-1", "/board-2"} {
		c, err := client.Dial(ctx, srv, client.Options{Namespace: board})
		if err != nil {
			panic(err)
		}
		defer c.Close()
		for _, event := range []string{"drawn", "busy"} {
			c.On(event, func(e *client.Event) { seen <- fmt.Sprintf("%s: %s %s", board, event, e.Raw(0)) })
		}
		if board == "/board-2" {
			c.Emit("draw", "a line")
		}
	}
	for range 3 {
		fmt.Println(<-seen)
	}
	_, err := client.Dial(ctx, srv, client.Options{Namespace: "/elsewhere"})
	fmt.Println(err)
	// Unordered output:
	// /board-2: drawn "a line"
	// /board-2: busy "/board-2"
	// /board-1: busy "/board-2"
	// socket.io: connection refused: Invalid namespace
}
