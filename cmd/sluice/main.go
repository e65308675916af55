// Command sluice serves rooms in which media are streamed while they arrive, and sends, watches and fetches them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Serve Serve `cmd:"" help:"Run the server."`
	Send  Send  `cmd:"" help:"Publish files, or standard input."`
	Watch Watch `cmd:"" help:"Receive what is published in a room, or one stream."`
	Ls    Ls    `cmd:"" help:"List the streams of a room."`
	Get   Get   `cmd:"" help:"Fetch one stream."`
	Token Token `cmd:"" help:"Sign a token for a server that asks for them."`
}

const description = `Stream media through rooms while they arrive, by any Socket.IO client, and archive them.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends what does not end by the first
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(1)
	}
}

// run is the command with everything it touches as arguments.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c cli
	parser, err := kong.New(&c, kong.Name("sluice"), kong.Description(description), kong.Writers(stdout, stderr), kong.UsageOnError())
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run(&Env{Ctx: ctx, Stdin: stdin, Stdout: stdout, Stderr: stderr})
}
