// Command zishang is the room relay of ../../relay on the other Go server of Socket.IO 4 that is alive.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "`host:port` to listen on")
	deflate := flag.Bool("deflate", false, "negotiate permessage-deflate")
	most := flag.Int64("max", 16<<20, "`bytes` that a message may have")
	flag.Parse()
	go collectGarbage()

	options := socket.DefaultServerOptions()
	options.SetMaxHttpBufferSize(*most)
	if *deflate {
		options.SetPerMessageDeflate(&types.PerMessageDeflate{})
	}
	io := socket.NewServer(nil, nil)
	io.On("connection", func(args ...any) { relay(args[0].(*socket.Socket)) })
	http.Handle("/socket.io/", io.ServeHandler(options))
	log.Fatal(http.ListenAndServe(*addr, nil))
}

func relay(s *socket.Socket) {
	s.On("join", func(args ...any) {
		s.Join(socket.Room(args[0].(string)))
		acknowledge(args)
	})
	s.On("chunk", func(args ...any) { s.To(socket.Room(args[0].(string))).Emit("chunk", args[1:]...) })
	s.On("upload", func(args ...any) { acknowledge(args) })
}

// acknowledge calls the last argument, which is the ack if the client asked for one.
func acknowledge(args []any) {
	if ack, ok := args[len(args)-1].(socket.Ack); ok {
		ack(nil, nil)
	}
}

func collectGarbage() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	for range asked {
		debug.FreeOSMemory()
	}
}
