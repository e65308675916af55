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
	Token Token `cmd:"" help:"Sign a token for a server that asks for them."`
}

const description = `Stream media through rooms while they arrive, by any Socket.IO client, and archive them.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
