package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// collectWhenAsked has the process collect its garbage at each SIGUSR2, and give the system back what is free, until ctx
// ends: what it has then, it holds.
func collectWhenAsked(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	go func() {
		for {
			select {
			case <-asked:
				debug.FreeOSMemory()
			case <-ctx.Done():
				return // from now on the signal does nothing
			}
		}
	}()
}
