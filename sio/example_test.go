package sio_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"

	"sluice/sio"
	"sluice/sio/client"
)

// The classic: what one says, all hear.
func Example_chat() {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.On("chat message", func(e *sio.Event) {
		var text string
		if err := e.Decode(0, &text); err != nil {
			return
		}
		ns.Emit("chat message", text)
	})
	srv := httptest.NewServer(server) // elsewhere: http.Handle("/socket.io/", server)
	defer srv.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	heard := make(chan string)
	anna, bert := mustConnect(ctx, srv.URL), mustConnect(ctx, srv.URL)
	defer anna.Close()
	defer bert.Close()
	for name, c := range map[string]*client.Client{"anna": anna, "bert": bert} {
		c.On("chat message", func(e *client.Event) {
			var text string
			e.Decode(0, &text)
			heard <- name + " heard: " + text
		})
	}
	anna.Emit("chat message", "hello")
	fmt.Println(<-heard)
	fmt.Println(<-heard)
	// Unordered output:
	// anna heard: hello
	// bert heard: hello
}

// What belongs to one client is kept in Socket.Data: its handlers never run at the same time.
func Example_counter() {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.OnConnect(func(s *sio.Socket) {
		s.SetData(new(int))
		s.Emit("random", rand.IntN(100))
	})
	ns.On("warn", func(e *sio.Event) {
		warnings := e.Socket.Data().(*int)
		*warnings++
		e.Socket.Emit("random", rand.IntN(100))
		e.Ack(map[string]int{"count": *warnings})
	})
	srv := httptest.NewServer(server)
	defer srv.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	c, err := client.New(srv.URL, client.Options{})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	numbers := make(chan int, 10)
	c.On("random", func(e *client.Event) {
		var n int
		e.Decode(0, &n)
		numbers <- n
	})
	if err := c.Connect(ctx); err != nil {
		panic(err)
	}
	for range 3 {
		reply, err := c.EmitWithAck(ctx, "warn")
		if err != nil {
			panic(err)
		}
		n := <-numbers
		fmt.Printf("%s, and a number below 100: %v\n", reply.Raw(0), 0 <= n && n < 100)
	}
	// Output:
	// {"count":1}, and a number below 100: true
	// {"count":2}, and a number below 100: true
	// {"count":3}, and a number below 100: true
}

// Clients come and go, and the others are told.
func Example_broadcast() {
	server := &sio.Server{}
	ns := server.Of("/")
	gone := make(chan string)
	ns.OnConnect(func(s *sio.Socket) {
		s.Join("lobby")
		s.Emit("server message", map[string]any{"message": "welcome"})
		s.Broadcast().Emit("server message", map[string]any{"message": "somebody came"})
		s.OnDisconnect(func(reason string) {
			s.To("lobby").Emit("server message", map[string]any{"message": "somebody left"})
			gone <- reason
		})
	})
	srv := httptest.NewServer(server)
	defer srv.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	messages := make(chan string, 10)
	first, err := client.New(srv.URL, client.Options{})
	if err != nil {
		panic(err)
	}
	first.On("server message", func(e *client.Event) {
		var m struct{ Message string }
		e.Decode(0, &m)
		messages <- m.Message
	})
	if err := first.Connect(ctx); err != nil {
		panic(err)
	}
	fmt.Println(<-messages)
	second := mustConnect(ctx, srv.URL)
	fmt.Println(<-messages)
	second.Close()
	fmt.Println(<-gone)
	fmt.Println(<-messages)
	first.Close()
	<-gone
	// Output:
	// welcome
	// somebody came
	// client namespace disconnect
	// somebody left
}

// An attachment of any size is read while it arrives.
func ExampleNamespace_OnStream() {
	server := &sio.Server{}
	server.Of("/").OnStream("upload", func(e *sio.Event) {
		var meta struct{ Name string }
		if err := e.Decode(0, &meta); err != nil || e.Attachments() != 1 {
			e.Ack(map[string]any{"error": "upload takes a description and a file"})
			return
		}
		hash := sha256.New() // elsewhere a file
		n, err := io.Copy(hash, e.Attachment())
		if err != nil {
			return // the client has gone in the middle
		}
		e.Ack(map[string]any{"name": meta.Name, "size": n, "sha256": fmt.Sprintf("%.4x", hash.Sum(nil))})
	})
	srv := httptest.NewServer(server)
	defer srv.Close()
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	c := mustConnect(ctx, srv.URL)
	defer c.Close()
	film := make([]byte, 4<<20)
	reply, err := c.EmitWithAck(ctx, "upload", map[string]string{"name": "film"}, film)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(reply.Raw(0)))
	// Output:
	// {"name":"film","sha256":"bb9f8df6","size":4194304}
}

func mustConnect(ctx context.Context, url string) *client.Client {
	c, err := client.Dial(ctx, url, client.Options{})
	if err != nil {
		panic(err)
	}
	return c
}
