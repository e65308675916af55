package main

import (
	"context"
	"io"
)

// Env is what a command may touch of the world: everything else it is given by flags.
type Env struct {
	Ctx            context.Context // ends with SIGINT or SIGTERM
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}
