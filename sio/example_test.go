package sio_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"time"

	"sluice/sio"
	"sluice/sio/client"
)

// chat is the classic: what one says, all hear.
func chat() *sio.Server {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.On("chat message", func(e *sio.Event) {
		var text string
		if err := e.Decode(0, &text); err != nil {
			return
		}
		ns.Emit("chat message", text)
	})
	return server
}

func Example() {
	http.Handle("/socket.io/", chat())
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}

func Example_chat() {
	srv, stop := start(chat())
	defer stop()
	ctx := context.Background()
	heard := make(chan string)
	anna, bert := mustConnect(ctx, srv), mustConnect(ctx, srv)
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

// numbers sends every client a random number each half second, and counts how often it was warned. What belongs to one client
// is kept in variables: handlers of one socket never run at the same time.
func numbers() *sio.Server {
	server := &sio.Server{}
	server.Of("/").OnConnect(func(s *sio.Socket) {
		warnings := 0
		s.On("warn", func(e *sio.Event) {
			warnings++
			e.Ack(map[string]int{"count": warnings})
		})
		go pushNumbers(s)
	})
	return server
}

func pushNumbers(s *sio.Socket) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.Volatile().Emit("random", rand.IntN(100))
		case <-s.Context().Done(): // the client has gone
			return
		}
	}
}

func Example_numbers() {
	srv, stop := start(numbers())
	defer stop()
	ctx := context.Background()
	pushed := make(chan int, 10)
	c := mustConnect(ctx, srv)
	defer c.Close()
	c.On("random", func(e *client.Event) {
		var n int
		e.Decode(0, &n)
		pushed <- n
	})
	for range 3 {
		reply, err := c.EmitWithAck(ctx, "warn")
		if err != nil {
			panic(err)
		}
		fmt.Println(string(reply.Raw(0)))
	}
	for range 2 {
		n := <-pushed
		fmt.Println("a number below 100:", 0 <= n && n < 100)
	}
	// Output:
	// {"count":1}
	// {"count":2}
	// {"count":3}
	// a number below 100: true
	// a number below 100: true
}

// lobby greets who comes, and tells the others who comes and goes.
func lobby() *sio.Server {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.OnConnect(func(s *sio.Socket) {
		s.Join("lobby")
		s.Emit("server message", map[string]any{"message": "welcome"})
		s.Broadcast().Emit("server message", map[string]any{"message": "somebody came"})
	})
	ns.OnDisconnect(func(s *sio.Socket, reason string) {
		ns.To("lobby").Emit("server message", map[string]any{"message": "somebody left: " + reason})
	})
	return server
}

func Example_lobby() {
	srv, stop := start(lobby())
	defer stop()
	ctx := context.Background()
	messages := make(chan string, 10)
	first, err := client.New(srv, client.Options{})
	if err != nil {
		panic(err)
	}
	defer first.Close()
	first.On("server message", func(e *client.Event) {
		var m struct{ Message string }
		e.Decode(0, &m)
		messages <- m.Message
	})
	if err := first.Connect(ctx); err != nil {
		panic(err)
	}
	fmt.Println(<-messages)
	second := mustConnect(ctx, srv)
	fmt.Println(<-messages)
	second.Close()
	fmt.Println(<-messages)
	// Output:
	// welcome
	// somebody came
	// somebody left: client namespace disconnect
}

// uploads takes files of any size, and reads them while they arrive.
func uploads() *sio.Server {
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
	return server
}

func ExampleNamespace_OnStream() {
	srv, stop := start(uploads())
	defer stop()
	ctx := context.Background()
	c := mustConnect(ctx, srv)
	defer c.Close()
	film := make([]byte, 4<<20)
	for _, args := range [][]any{{map[string]string{"name": "film"}, film}, {"no film"}} {
		reply, err := c.EmitWithAck(ctx, "upload", args...)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(reply.Raw(0)))
	}
	// Output:
	// {"name":"film","sha256":"bb9f8df6","size":4194304}
	// {"error":"upload takes a description and a file"}
}

// vote asks all in a room, for a second at most.
func vote(ctx context.Context, ns *sio.Namespace, room, question string) (yes int, err error) {
	acks, err := ns.To(room).Timeout(time.Second).EmitWithAck(ctx, "vote", question)
	for _, ack := range acks { // with an error, too, there are those that came in time
		var says bool
		if ack.Decode(0, &says) == nil && says {
			yes++
		}
	}
	return yes, err
}

func ExampleAudience_EmitWithAck() {
	server := &sio.Server{}
	ns := server.Of("/")
	ns.OnConnect(func(s *sio.Socket) { s.Join("parliament") })
	ns.On("sit", func(e *sio.Event) { e.Ack() })
	srv, stop := start(server)
	defer stop()
	ctx := context.Background()
	for _, answer := range []any{true, false, true} {
		c := mustConnect(ctx, srv)
		defer c.Close()
		c.On("vote", func(e *client.Event) { e.Ack(answer) })
		if _, err := c.EmitWithAck(ctx, "sit"); err != nil {
			panic(err)
		}
	}
	fmt.Println(vote(ctx, ns, "parliament", "tea?"))
	// Output:
	// 2 <nil>
}

// start serves on a port of its own until stop is called.
func start(server *sio.Server) (url string, stop func()) {
	srv := httptest.NewServer(server)
	return srv.URL, func() {
		server.Shutdown(context.Background())
		srv.Close()
	}
}

func mustConnect(ctx context.Context, url string) *client.Client {
	c, err := client.Dial(ctx, url, client.Options{})
	if err != nil {
		panic(err)
	}
	return c
}
