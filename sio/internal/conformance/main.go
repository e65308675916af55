package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// goodbye is how long the servers may take to end. What waits to be sent is given five seconds.
const goodbye = 8 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	base := flags.Int("base", 21300, "the first of seven ports")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listeners, err := listen(*base)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "ready")
	return serve(ctx, listeners, servers())
}

// listen opens a port of loopback for each server.
func listen(base int) ([]net.Listener, error) {
	var listeners []net.Listener
	for i := range servers() {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(base+i)))
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// server is one of the seven.
type server struct {
	path    string // where it is mounted
	handler interface {
		http.Handler
		Shutdown(context.Context) error
	}
}

// servers returns the seven, in the order of their ports.
func servers() []server {
	return []server{
		{"/engine.io/", newEIO4()},
		{"/engine.io/", newEIO3()},
		{"/socket.io/", newSIO5()},
		{"/engine.io/", newEIOC()},
		{"/socket.io/", newSIOC()},
		{"/socket.io/", newOpenSIOC()},
		{"/", &echoWebSocket{}},
	}
}

// serve serves each of servers on its listener, until ctx ends.
func serve(ctx context.Context, listeners []net.Listener, servers []server) error {
	failed := make(chan error, len(servers))
	doors := make([]*http.Server, len(servers))
	for i, s := range servers {
		mux := http.NewServeMux()
		mux.Handle(s.path, s.handler)
		doors[i] = &http.Server{Handler: mux, ReadHeaderTimeout: goodbye}
		go func() { failed <- doors[i].Serve(listeners[i]) }()
	}
	var err error
	select {
	case err = <-failed:
		failed <- err // it is counted below
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	for i, s := range servers {
		err = errors.Join(err, s.handler.Shutdown(ending), doors[i].Close())
	}
	for range servers {
		<-failed
	}
	return err
}
