package sockets_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"sluice/relay"
	"sluice/relay/httpd"
	"sluice/relay/sockets"
	"sluice/sio"
	"sluice/sio/client"
)

// Rooms and streams in a server of one's own, with a say in who may do what.
func ExampleDoor() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	hub := &relay.Hub{
		Dir: dir,
		Authorize: func(_ context.Context, r relay.Request) error {
			if r.Room == "private" {
				return relay.Errorf(relay.Forbidden, "members only")
			}
			return nil
		},
	}
	if err := hub.Start(); err != nil {
		log.Fatal(err)
	}
	defer hub.Close()
	io := &sio.Server{}
	(&sockets.Door{Hub: hub}).Mount(io.Of("/"))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.Handle("/media/", &httpd.Door{Hub: hub})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer io.Shutdown(context.Background())

	ctx := context.Background()
	c, err := client.Dial(ctx, server.URL, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for _, room := range []string{"studio", "private"} {
		answer, err := c.EmitWithAck(ctx, "send", map[string]any{"room": room, "name": "hello.txt"}, []byte("hello"))
		if err != nil {
			log.Fatal(err)
		}
		var a struct {
			OK     bool
			Stream relay.Info
			Error  struct{ Message string }
		}
		if err := answer.Decode(0, &a); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %t %s%s\n", room, a.OK, a.Stream.State, a.Error.Message)
	}
	// Output:
	// studio: true ended
	// private: false members only
}
