package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"sluice/sio"
	"sluice/sio/client"
)

func Example() {
	server := &sio.Server{}
	server.Of("/").On("greet", func(e *sio.Event) {
		var name string
		e.Decode(0, &name)
		e.Socket.Emit("greeting", "hello "+name)
		e.Ack("done")
	})
	http := httptest.NewServer(server)
	defer http.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	c, err := client.Dial(ctx, http.URL, client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	greeted := make(chan string, 1)
	c.On("greeting", func(e *client.Event) {
		var text string
		e.Decode(0, &text)
		greeted <- text
	})
	if _, err := c.EmitWithAck(ctx, "greet", "Ann"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-greeted)
	// Output: hello Ann
}

func ExampleStream() {
	server := &sio.Server{}
	server.Of("/").OnStream("upload", func(e *sio.Event) {
		e.Ack(e.Attachment().Size()) // known before the bytes have come
	})
	http := httptest.NewServer(server)
	defer http.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	c, err := client.Dial(ctx, http.URL, client.Options{Transports: []string{client.WebSocket}})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	film := strings.NewReader("a film of any size")
	reply, err := c.EmitWithAck(ctx, "upload", client.Stream{R: film, Size: film.Size()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(reply.Raw(0)))
	// Output: 18
}
